#pragma once
// The record of one payment: everything about it that is durable. It holds no
// card number and no CVC.
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "payments/attempt.hpp"
#include "payments/authentication.hpp"
#include "payments/card.hpp"
#include "payments/modification.hpp"
#include "payments/money.hpp"
#include "payments/resolution.hpp"

namespace turnout::payments {

enum class payment_status : std::uint8_t { processing, requires_action, authorized, succeeded, failed, canceled };
std::string_view to_string(payment_status) noexcept;
std::optional<payment_status> parse_payment_status(std::string_view) noexcept;
/// authorized, succeeded, failed, canceled: the routing of the payment is over.
bool is_final(payment_status) noexcept;

struct customer {
  std::string id, email, country;  ///< each may be empty
};

/// Why a payment failed, for the merchant.
struct payment_error {
  std::string code;  ///< card_declined | authentication_required | gateway_rejected | no_gateway_available |
                     ///< authentication_failed | action_expired | not_charged | interrupted |
                     ///< retry_budget_exhausted | …
  std::string message;
  decline_reason reason = decline_reason::none;
  std::optional<decline_class> group;
  std::optional<payments::advice> advice;
  std::optional<std::chrono::seconds> retry_after;
  std::string connector, gateway_code;
};

struct attention {
  wall_time since;
  std::string reason;  ///< no_proof_available | unresolved_for_long | reversal_unconfirmed | wrong_amount |
                       ///< authorization_expired | capture_refused
};

struct payment {
  std::string id;  ///< pay_…
  std::string merchant;
  bool livemode = false;
  payment_status status = payment_status::processing;
  money amount;  ///< presentment: what the shopper agreed to
  capture_mode capture = capture_mode::automatic;
  std::int64_t amount_authorized = 0, amount_captured = 0, amount_refunded = 0;  ///< minor units
  std::string method = "card";
  card_summary card;
  std::string reference;
  customer buyer;
  std::string return_url;
  std::vector<std::pair<std::string, std::string>> metadata;  ///< in the order given
  std::string policy;                                         ///< the name of the policy that matched
  std::string connector;                                      ///< of the attempt that stands; empty when none does
  std::vector<attempt> attempts;
  std::vector<modification> modifications;  ///< in the order they were asked for
  std::vector<resolution> resolutions;      ///< what people said where nothing was proven, oldest first
  std::optional<payment_error> error;
  std::optional<payments::attention> attention;
  std::optional<payments::authentication> authentication;  ///< brought by the merchant
  shopper_action next_action;                              ///< while requires_action
  /// Set once a challenge was shown: then the gateway is asked a last time, and
  /// an approval that appears after that is reversed.
  std::optional<wall_time> action_expires_at;
  bool action_expired = false;  ///< it passed, and that last question was asked
  bool cancel_requested = false;
  /// The merchant has been (or, after a crash, may have been) answered: no
  /// other gateway is tried from here on.
  bool answered = false;
  bool interrupted = false;             ///< the process that took it crashed: there is no card to send again
  std::optional<wall_time> expires_at;  ///< an approval seen later than this is reversed
  /// While authorized: the authorization is given up then. nullopt: never.
  std::optional<wall_time> capture_before;
  wall_time created_at{}, updated_at{};
};

enum class payment_event_type : std::uint8_t {
  created,
  attempt_started,
  attempt_ended,
  attempt_resolved,
  reversal_wanted,
  reversal_confirmed,
  late_approval,
  charge_found,
  action_expired,
  answered,
  cancel_requested,
  recovered,
  attention_raised,
  attention_cleared,
  finished,
  modification_requested,  ///< code: capture, refund or cancellation
  modification_sent,
  modification_ended,  ///< code: succeeded or failed, or why it still waits
  status_changed,      ///< of a payment that was finished: code is the new status
  resolved_by_person,  ///< code: charged or not_charged; who and why is in the record's resolutions
  wrong_amount,        ///< another amount was approved, captured or refunded than asked: code is why
  looked_again         ///< at an attempt that is believed not charged: code is what the gateway said
};
std::string_view to_string(payment_event_type) noexcept;

/// One line of a payment's story, as appended to the journal.
struct payment_event {
  payment_event_type type;
  wall_time at;
  std::string attempt;  ///< att_…, or a modification's cap_…, ref_… or can_…; empty when it is about the payment
  std::string code;     ///< outcome, status or reason: a machine word
  /// Of created, attempt_started (charged) and modification_requested.
  std::optional<money> amount;
};

/// A merchant's wish to be paid, checked and typed; the card travels beside it.
struct payment_request {
  std::string merchant;
  bool livemode = false;
  money amount;
  capture_mode capture = capture_mode::automatic;
  std::string method = "card";
  std::string reference;
  customer buyer;
  std::string return_url;
  std::vector<std::pair<std::string, std::string>> metadata;
  std::optional<payments::authentication> authentication;
};

}  // namespace turnout::payments
