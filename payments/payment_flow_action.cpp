// The shopper's own part: a challenge that the gateway asked for, and what
// becomes of the payment when nobody takes it in time.
#include <algorithm>

#include "payments/payment_flow.hpp"

namespace turnout::payments {

// The merchant hears of it at once and nobody else is tried after that: the
// authentication is good at this gateway only.
void payment_flow::show_action(std::size_t index, const send_result& result, instant now) {
  const bool shown_before = !record_.next_action.empty();
  if (!result.action.empty()) record_.next_action = result.action;
  if (shown_before && record_.action_expires_at) return;  // asked again: the time runs on
  record_.action_expires_at = now.wall + plan_.action_expires_after;
  // The shopper needs a while, and whoever comes back wakes us: asking at once is in vain.
  ladders_[index].next_at =
      now.steady + std::min(first_question_after_action, plan_.action_expires_after + milliseconds(1));
  ladders_[index].rung = 0;
}

bool payment_flow::action_overdue(instant now) const noexcept {
  return record_.action_expires_at && now.wall >= *record_.action_expires_at;
}

// Once the time is over the gateway is asked a last time: a shopper who
// finished and never came back is not refused. After that question the expiry
// is durable, and whatever appears is reversed.
void payment_flow::expire_action(instant now) {
  if (!record_.answered || record_.action_expired || is_final(record_.status) || !action_overdue(now)) return;
  for (std::size_t i = 0; i < record_.attempts.size(); ++i) {
    const attempt& each = record_.attempts[i];
    if (each.in_flight || each.outcome != outcome::requires_action || each.reversal != reversal_state::none) continue;
    const connector_profile* gateway = profile(i);
    const bool can_ask = gateway != nullptr && gateway->resolve.inquire && gateway->offers(operation::inquire);
    ladder& steps = ladders_[i];
    if (can_ask && !steps.asked_overdue) {
      steps.next_at = std::min(steps.next_at, now.steady);
      steps.rung = 0;
      continue;
    }
    record_.action_expired = true;
    note(payment_event_type::action_expired, now, each.id, {});
  }
}

}  // namespace turnout::payments
