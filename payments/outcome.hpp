#pragma once
// How an attempt ended, normalised over all gateways, and what was asked of it.
#include <cstdint>
#include <optional>
#include <string_view>

namespace turnout::payments {

enum class outcome : std::uint8_t {
  approved,         ///< authorized or captured, for the amount and currency asked
  pending,          ///< the gateway will tell later
  requires_action,  ///< 3-D Secure or redirect
  hard_decline,     ///< never with this card; retried nowhere
  soft_decline,     ///< not now, or not through this gateway
  not_sent,         ///< provably not processed; another gateway freely
  rejected,         ///< the gateway refuses our request; the connector is at fault
  unknown,          ///< bytes may have left and no definite answer came: no other
                    ///< gateway until it is proven not charged
};
inline constexpr std::size_t outcome_count = 8;
std::string_view to_string(outcome) noexcept;
std::optional<outcome> parse_outcome(std::string_view) noexcept;

enum class operation : std::uint8_t { sale, authorize, capture, void_payment, refund, reverse, inquire };
inline constexpr std::size_t operation_count = 7;
std::string_view to_string(operation) noexcept;  ///< "void" for void_payment
std::optional<operation> parse_operation(std::string_view) noexcept;

enum class capture_mode : std::uint8_t { automatic, manual };
std::string_view to_string(capture_mode) noexcept;

}  // namespace turnout::payments
