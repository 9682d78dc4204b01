#pragma once
// The one table of decline reasons: reason -> {outcome, class, advice, ...}.
// Connectors map gateway codes to reasons, never to anything else of this table.
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "payments/outcome.hpp"

namespace turnout::payments {

enum class decline_class : std::uint8_t { issuer_soft, issuer_hard, technical, risk, authentication, invalid_data };
inline constexpr std::size_t decline_class_count = 6;
std::string_view to_string(decline_class) noexcept;
std::optional<decline_class> parse_decline_class(std::string_view) noexcept;

enum class advice : std::uint8_t { do_not_retry, retry_later, update_card, authenticate, contact_issuer };
std::string_view to_string(advice) noexcept;

/// Index into the table; `none` is "no reason was given" and is not in it.
enum class decline_reason : std::uint8_t {
  none,
  // issuer_soft
  do_not_honor,
  try_again_later,
  insufficient_funds,
  limit_exceeded,
  incorrect_cvc,
  declined,
  not_permitted,
  restricted_card,
  // issuer_hard
  expired_card,
  lost_card,
  stolen_card,
  pickup_card,
  closed_account,
  invalid_card,
  invalid_account,
  do_not_retry,
  stop_recurring,
  // technical
  issuer_unavailable,
  processing_error,
  gateway_error,
  timeout_upstream,
  // risk
  fraud_suspected,
  gateway_risk,
  // authentication
  authentication_required,
  authentication_failed,
  // invalid_data
  invalid_amount,
  invalid_data,
  currency_not_supported,
  card_not_supported,
  duplicate,
};

struct decline_info {
  decline_reason reason;
  std::string_view name;      ///< as written in YAML and in the API
  payments::outcome outcome;  ///< hard_decline or soft_decline
  decline_class group;
  payments::advice advice;
  bool blames_gateway;       ///< counts against the gateway in routing
  bool may_fail_over;        ///< false: never tried elsewhere, whatever a policy says
  std::string_view message;  ///< for the merchant, in plain English
};

/// The whole table, in the order of the enum.
std::span<const decline_info> decline_table() noexcept;
/// Precondition: reason != none.
const decline_info& describe(decline_reason reason) noexcept;
std::string_view to_string(decline_reason) noexcept;  ///< "" for none
std::optional<decline_reason> parse_decline_reason(std::string_view) noexcept;

}  // namespace turnout::payments
