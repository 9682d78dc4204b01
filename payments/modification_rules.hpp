#pragma once
// Whether a capture, refund or cancellation may be taken on, and what it would
// be: amounts that are pending count as used, so that no two together exceed
// what is there.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "payments/connector_profile.hpp"
#include "payments/payment.hpp"

namespace turnout::payments {

/// A merchant's wish.
struct modification_request {
  modification_kind kind = modification_kind::capture;
  std::optional<std::int64_t> amount;  ///< minor units of the charged currency, > 0; nullopt: all that is left
  bool final_capture = true;
  std::string reference, reason;
};

enum class modification_refusal : std::uint8_t {
  none,
  invalid_state,      ///< the payment is not where this can be done
  operation_pending,  ///< another capture or cancellation is not settled yet
  amount_too_large,   ///< more than is left
  not_supported,      ///< the gateway cannot do it
  authorization_expired,
  too_many,  ///< more than most_modifications
};
std::string_view to_string(modification_refusal) noexcept;

/// Captures, refunds and cancellations of one payment, the failed ones included.
inline constexpr std::size_t most_modifications = 500;

struct modification_check {
  modification_refusal refusal = modification_refusal::none;
  std::string detail;    ///< for the merchant, where refused
  modification planned;  ///< where not: complete but for id, cause and times
};

/// `gateway` is the profile of the attempt that stands; null when its connector
/// is no longer configured. Not for cancelling a payment that is not final:
/// that needs no gateway's consent.
modification_check check_modification(const payment& record, const modification_request& wish,
                                      const connector_profile* gateway, wall_time now);

/// The attempt that stands and is kept, or nullopt.
std::optional<std::size_t> standing_attempt(const payment& record) noexcept;

/// Minor units that may still be captured or refunded: what is pending is not left.
std::int64_t left_to_capture(const payment& record) noexcept;
std::int64_t left_to_refund(const payment& record) noexcept;

/// True while some modification is pending.
bool has_pending_modification(const payment& record) noexcept;

/// When an authorisation of this payment has to be looked at because it expires; nullopt: never.
std::optional<wall_time> authorization_due(const payment& record) noexcept;

}  // namespace turnout::payments
