#pragma once
// What is done to an approved payment at the gateway that approved it: captured,
// refunded, or canceled (voided). It never changes gateway. Its amount counts
// as used from the moment it is recorded until a definite refusal releases it.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "payments/instant.hpp"
#include "payments/outcome.hpp"

namespace turnout::payments {

enum class modification_kind : std::uint8_t { capture, refund, cancellation };
std::string_view to_string(modification_kind) noexcept;
std::optional<modification_kind> parse_modification_kind(std::string_view) noexcept;

enum class modification_status : std::uint8_t { pending, succeeded, failed };
std::string_view to_string(modification_status) noexcept;
std::optional<modification_status> parse_modification_status(std::string_view) noexcept;

struct modification {
  std::string id;  ///< cap_…, ref_… or can_…; also its idempotency key at the gateway
  modification_kind kind = modification_kind::capture;
  payments::operation operation = operation::capture;  ///< how the gateway is asked: capture, refund or void
  std::int64_t amount = 0;                             ///< minor units of the charged currency; > 0
  bool final_capture = true;                           ///< of a capture: what is not captured is released
  modification_status status = modification_status::pending;
  bool in_flight = false;  ///< the intent to send is durable, no result yet
  /// A send may have carried it, and no definite answer came: it may have been done.
  bool doubtful = false;
  std::string cause;                        ///< merchant | automatic | expired
  std::string reference, reason;            ///< the merchant's own words, each may be empty
  std::string code, gateway_code;           ///< why it failed, or why it still waits
  std::string gateway_reference;            ///< the gateway's own id, where told
  std::optional<std::int64_t> told_amount;  ///< what the gateway said it did, where that is not what was asked
  int sends = 0;
  std::optional<wall_time> not_before;  ///< the gateway takes it only from then on
  std::optional<wall_time> first_sent_at;
  wall_time created_at{}, updated_at{};
};

}  // namespace turnout::payments
