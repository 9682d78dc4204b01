// Giving back what may not stand: by our own reference where the gateway offers
// that, otherwise as a void or a full refund of the charge that its own reference
// names. Either way it is repeated until it is confirmed.
#include <algorithm>
#include <utility>

#include "payments/modification_rules.hpp"
#include "payments/payment_flow.hpp"

namespace turnout::payments {

namespace {

bool is_refusal(outcome ended) noexcept {
  return ended == outcome::hard_decline || ended == outcome::soft_decline || ended == outcome::rejected;
}

}  // namespace

// Durable before the reversal is sent: from here on the attempt is only ever
// reversed. A replay would give back the cached approval of a charge that is gone.
void payment_flow::want_reversal(std::size_t index, std::string_view reason, instant now) {
  attempt& each = record_.attempts[index];
  each.reversal = reversal_state::wanted;
  each.reversal_reason = reason;
  ladder& steps = ladders_[index];
  steps.round = 0;
  steps.rung = 0;
  steps.next_at = now.steady;
  steps.reverse_acknowledged = steps.undo_in_doubt = false;
  steps.undo_refused = 0;
  note(payment_event_type::reversal_wanted, now, each.id, reason);
}

void payment_flow::reversal_ended(std::size_t index, const send_result& result, instant now) {
  if (sending_undo_) return undo_ended(index, result, now);
  if (result.result != outcome::approved) return;
  const attempt& each = record_.attempts[index];
  const connector_profile* gateway = profile(index);
  const bool proof = each.seen_approved || (gateway != nullptr && gateway->resolve.reverse_blocks_late);
  if (proof)
    confirm_reversal(index, result, now);
  else
    ladders_[index].reverse_acknowledged = true;
}

void payment_flow::confirm_reversal(std::size_t index, const send_result& result, instant now) {
  attempt& each = record_.attempts[index];
  each.reversal = reversal_state::confirmed;
  note(payment_event_type::reversal_confirmed, now, each.id, each.reversal_reason);
  if (!standing_attempt(record_)) drop_modifications(now);
  if (!each.unresolved()) return;
  send_result undone = result;
  const bool wrong_amount = each.reversal_reason == "wrong_amount";
  undone.code = wrong_amount ? "wrong_amount" : "reversed";
  settle(index, wrong_amount ? outcome::rejected : outcome::not_sent, undone, now);
}

bool payment_flow::undone_by_gateway_reference(std::size_t index) const {
  const attempt& each = record_.attempts[index];
  const connector_profile* gateway = profile(index);
  if (gateway == nullptr || !each.seen_approved || each.gateway_reference.empty()) return false;
  return !each.twin_of.empty() || !gateway->offers(operation::reverse);
}

// A capture that is in doubt may have been done.
bool payment_flow::may_be_captured(std::size_t index) const {
  return record_.attempts[index].captured ||
         std::any_of(record_.modifications.begin(), record_.modifications.end(), [](const modification& each) {
           return each.kind == modification_kind::capture && (each.doubtful || each.in_flight);
         });
}

// Of an authorisation that may be captured in part a void may only release the rest.
bool payment_flow::voids_all(std::size_t index) const {
  const connector_profile* gateway = profile(index);
  const bool whole = gateway != nullptr && gateway->refunds.unsettled == unsettled_refund::void_if_full;
  return whole || record_.attempts[index].operation == operation::sale || !may_be_captured(index);
}

std::optional<wall_time> payment_flow::undo_possible_from(std::size_t index, instant now) const {
  const attempt& each = record_.attempts[index];
  const connector_profile* gateway = profile(index);
  if (gateway == nullptr || !may_be_captured(index) || gateway->refunds.unsettled != unsettled_refund::wait)
    return std::nullopt;
  const wall_time settled = each.ended_at + gateway->refunds.settles_after;
  return now.wall < settled ? std::optional(settled) : std::nullopt;
}

// What was only authorised is voided, what was captured is refunded; a whole
// charge that has not settled yet may have to be voided instead. A refusal says
// that the charge is in the other state: then the other way is tried.
std::optional<operation> payment_flow::way_to_undo(std::size_t index, instant now) const {
  const attempt& each = record_.attempts[index];
  const connector_profile& gateway = *profile(index);
  if (undo_possible_from(index, now)) return std::nullopt;
  const bool settled = now.wall >= each.ended_at + gateway.refunds.settles_after;
  const bool void_first =
      !may_be_captured(index) || (gateway.refunds.unsettled == unsettled_refund::void_if_full && !settled);
  // A refund needs the amount: of a charge for another one it may not have been told.
  const bool amount_known = each.code != "wrong_amount" || each.found_amount;
  const bool can_void = gateway.offers(operation::void_payment);
  // Alone it is for what is captured; where there is a void it is tried once that was refused.
  const bool can_refund = gateway.offers(operation::refund) && amount_known && (can_void || may_be_captured(index));
  if (!can_void && !can_refund) return std::nullopt;
  if (!can_void || !can_refund) return can_void ? operation::void_payment : operation::refund;
  const bool other_way = ladders_[index].undo_refused % 2 == 1;
  return void_first != other_way ? operation::void_payment : operation::refund;
}

bool payment_flow::can_undo(std::size_t index) const {
  const attempt& each = record_.attempts[index];
  const connector_profile& gateway = *profile(index);
  if (gateway.offers(operation::void_payment)) return true;
  return may_be_captured(index) && gateway.offers(operation::refund) &&
         (each.code != "wrong_amount" || each.found_amount);
}

void payment_flow::undo_ended(std::size_t index, const send_result& result, instant now) {
  const operation way = *std::exchange(sending_undo_, std::nullopt);
  const attempt& each = record_.attempts[index];
  ladder& steps = ladders_[index];
  if (result.result == outcome::approved) {
    const std::int64_t wanted = each.found_amount.value_or(each.amount.minor);
    const bool other_currency = result.currency && *result.currency != each.amount.unit.code();
    const bool whole = !result.amount_unreadable && !other_currency && result.amount_minor.value_or(wanted) == wanted;
    if (way == operation::void_payment ? voids_all(index) : whole) return confirm_reversal(index, result, now);
    if (way == operation::void_payment) ++steps.undo_refused;  // what is captured may stand: refund it
    if (way == operation::refund && !steps.undo_in_doubt)
      note(payment_event_type::wrong_amount, now, each.id, "refunded");
    steps.undo_in_doubt = true;
  } else if (is_refusal(result.result)) {
    ++steps.undo_refused;
  } else if (result.carried) {
    steps.undo_in_doubt = true;
  }
}

// It was lost, or refused because it had been done: the totals tell.
bool payment_flow::shown_undone(std::size_t index, const send_result& result) const {
  const attempt& each = record_.attempts[index];
  const ladder& steps = ladders_[index];
  if (!undone_by_gateway_reference(index) || (!steps.undo_in_doubt && steps.undo_refused == 0)) return false;
  const bool same = result.gateway_reference.empty() || result.gateway_reference == each.gateway_reference;
  return same && (is_undone(result).value_or(false) || (result.voided.value_or(false) && voids_all(index)));
}

}  // namespace turnout::payments
