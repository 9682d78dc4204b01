#pragma once
// One charge tried at one gateway. It may take several sends: the first try,
// replays, inquiries, reversals.
#include <cstdint>
#include <optional>
#include <string>

#include "payments/decline_reason.hpp"
#include "payments/instant.hpp"
#include "payments/kept_values.hpp"
#include "payments/money.hpp"
#include "payments/outcome.hpp"

namespace turnout::payments {

/// Whether the gateway has been told to undo this attempt.
enum class reversal_state : std::uint8_t {
  none,
  wanted,     ///< durable intent: from now on the attempt is only ever reversed
  confirmed,  ///< the gateway acknowledged it
};
std::string_view to_string(reversal_state) noexcept;

struct attempt {
  std::string id;  ///< att_…; also our reference at the gateway
  std::string connector;
  payments::operation operation = operation::sale;  ///< sale or authorize
  money amount;                                     ///< charged
  bool in_flight = true;                            ///< the intent is durable, no result yet
  payments::outcome outcome = outcome::unknown;     ///< meaningless while in_flight
  std::string code;                                 ///< machine word for the outcome, may be empty
  decline_reason reason = decline_reason::none;
  std::string gateway_code, gateway_reference;
  bool captured = false;  ///< of an approved attempt
  reversal_state reversal = reversal_state::none;
  std::string reversal_reason;  ///< wrong_amount | canceled | expired | late_approval | resolve
  bool seen_approved = false;   ///< the gateway has said, at least once, that the charge exists
  /// Minor units that the gateway said it approved, where they are not those asked.
  std::optional<std::int64_t> found_amount;
  /// A second charge that was found under the reference of this attempt (its
  /// id): only the gateway's own reference tells the two apart.
  std::string twin_of;
  bool doubted = false;  ///< it was unknown once
  /// Believed to be what it is on the gateway's word, while it was in doubt: it
  /// is asked again then, in case the word was wrong. nullopt: not, or no more.
  std::optional<wall_time> look_again_at;
  int looks = 0;     ///< how often that got an answer
  kept_values kept;  ///< what its answers gave us to bring back; no card number
  int sends = 0;
  milliseconds latency{0};  ///< of the first send
  wall_time started_at{}, ended_at{};

  /// No definite answer yet: it may stand or come to stand.
  bool unresolved() const noexcept {
    return in_flight || outcome == outcome::unknown || outcome == outcome::pending ||
           outcome == outcome::requires_action;
  }
  /// Money is authorised or captured and not given back.
  bool stands() const noexcept {
    return !in_flight && outcome == outcome::approved && reversal != reversal_state::confirmed;
  }
};

}  // namespace turnout::payments
