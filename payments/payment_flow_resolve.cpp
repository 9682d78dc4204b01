// A person ends a doubt that no gateway ends. Their word does what a proof would
// do, and no more: it lets nobody else be tried, and what a gateway says later
// against it is treated as ever.
#include <algorithm>
#include <utility>

#include "payments/assertion.hpp"
#include "payments/modification_rules.hpp"
#include "payments/payment_flow.hpp"

namespace turnout::payments {

namespace {

constexpr std::string_view by_person = "resolved_by_person";

}  // namespace

std::string_view payment_flow::sending_about() const noexcept {
  if (phase_ != phase::sending || sending_kind_ == send_kind::inquire) return {};
  // What a reversal of an attempt finds changes no word about it.
  if (sending_kind_ == send_kind::reverse && !sending_modification_) return {};
  return sending_modification_ ? record_.modifications[*sending_modification_].id : record_.attempts[sending_].id;
}

void payment_flow::on(const flow::resolved& event, instant now) {
  if (phase_ == phase::waiting || phase_ == phase::finished) phase_ = phase::idle;
  resolution word = event.word;
  TURNOUT_ASSERT(check_resolution(record_, word.target, word.as).refusal == resolution_refusal::none);
  TURNOUT_ASSERT(sending_about() != word.target);
  TURNOUT_ASSERT(record_.answered);
  word.at = now.wall;
  word.before = state_of(record_, word.target);
  note(payment_event_type::resolved_by_person, now, word.target, to_string(word.as));
  for (std::size_t i = 0; i < record_.attempts.size(); ++i)
    if (record_.attempts[i].id == word.target) resolve_attempt(i, word, now);
  for (std::size_t i = 0; i < record_.modifications.size(); ++i)
    if (record_.modifications[i].id == word.target) resolve_modification(i, word, now);
  word.after = state_of(record_, word.target);
  record_.resolutions.push_back(std::move(word));
}

void payment_flow::resolve_attempt(std::size_t index, const resolution& word, instant now) {
  attempt& each = record_.attempts[index];
  send_result told;
  told.gateway_reference = word.gateway_reference;
  told.code = by_person;
  if (word.as == verdict::charged) {
    told.result = outcome::approved;
    return approve(index, told, now, false);
  }
  if (each.seen_approved) {  // it was charged, as the gateway said, and was given back
    each.reversal = reversal_state::confirmed;
    note(payment_event_type::reversal_confirmed, now, each.id, by_person);
    if (!standing_attempt(record_)) drop_modifications(now);
    if (!each.unresolved()) return;
  }
  const bool given_back = each.reversal == reversal_state::confirmed;
  settle(index, given_back && each.reversal_reason == "wrong_amount" ? outcome::rejected : outcome::not_sent, told,
         now);
}

void payment_flow::resolve_modification(std::size_t index, const resolution& word, instant now) {
  modification& each = record_.modifications[index];
  each.updated_at = now.wall;
  if (word.as == verdict::charged) {
    send_result told;
    told.gateway_reference = word.gateway_reference;
    return modification_succeeded(index, told, now);
  }
  each.code = by_person;
  modification_failed(index, now);
}

}  // namespace turnout::payments
