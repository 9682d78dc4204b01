#pragma once
// What one send (charge, replay, inquiry, reversal) told us, already read
// through the connector's response rules.
#include <cstdint>
#include <optional>
#include <string>

#include "payments/authentication.hpp"
#include "payments/decline_reason.hpp"
#include "payments/instant.hpp"
#include "payments/kept_values.hpp"
#include "payments/outcome.hpp"

namespace turnout::payments {

struct send_result {
  /// charge, replay: how the attempt ended.
  /// inquire: approved | a decline | pending | requires_action | unknown (no usable answer; see not_found).
  /// reverse: approved means the gateway acknowledged the reversal.
  payments::outcome result = outcome::unknown;
  /// inquire, reverse: the gateway says that it has no such reference; result is unknown.
  bool not_found = false;
  /// A complete HTTP answer arrived, whatever it said: the gateway is reachable.
  bool answered = false;
  /// The connection may have carried at least one byte of this request.
  bool carried = false;
  std::string code;  ///< machine word: "connect_timeout", "response_timeout", "no_rule_matched", …
  decline_reason reason = decline_reason::none;
  std::string gateway_code;       ///< as the gateway wrote it
  std::string gateway_reference;  ///< the gateway's own id, where told
  /// Where the rule names it: our reference as the answer echoes it, empty where
  /// it should be and is not. An answer with another one answers something else.
  std::optional<std::string> echo;
  bool foreign = false;          ///< it does; nothing else of the answer is here
  std::optional<bool> captured;  ///< where the rule says it; read from the answer only when it is true or false
  std::optional<std::int64_t> amount_minor;  ///< where the gateway tells, in the charged currency's minor units
  std::optional<std::string> currency;       ///< where the gateway tells
  /// The rule reads an amount, a currency or `captured`, and the answer had none
  /// that parses: an approval is reversed and rejected, never taken for the one asked.
  bool amount_unreadable = false;
  /// inquire: how much of the charge the gateway says is captured or refunded by
  /// now, in the charged currency's minor units, and whether it is voided; where
  /// it tells. It settles a capture, refund or void whose own answer was lost.
  std::optional<std::int64_t> captured_total, refunded_total;
  std::optional<bool> voided;
  shopper_action action;  ///< requires_action: what the shopper must do
  kept_values kept;       ///< what to bring back with later requests; an empty value: no longer
  milliseconds latency{0};
};

/// inquire: whether nothing is left of the charge, by the totals that the
/// gateway tells; nullopt: it does not say.
std::optional<bool> is_undone(const send_result& result) noexcept;

}  // namespace turnout::payments
