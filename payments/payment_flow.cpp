// Events change the record; next() then decides. The safety rules live in
// approve(), settle(), rung_allowed() and may_continue(): nothing else ends an
// attempt's uncertainty or lets another gateway try.
#include "payments/payment_flow.hpp"

#include <algorithm>
#include <utility>

#include "payments/assertion.hpp"
#include "payments/modification_rules.hpp"

namespace turnout::payments {

namespace {

bool is_decline(outcome ended) noexcept { return ended == outcome::hard_decline || ended == outcome::soft_decline; }

/// An approval counts only for the amount and currency asked.
bool amount_differs(const attempt& asked, const send_result& result) {
  if (result.amount_unreadable) return true;
  if (result.amount_minor && *result.amount_minor != asked.amount.minor) return true;
  return result.currency && *result.currency != asked.amount.unit.code();
}

/// nullopt: not told, or in another currency.
std::optional<std::int64_t> found_amount(const attempt& asked, const send_result& result) {
  const bool other_currency = result.currency && *result.currency != asked.amount.unit.code();
  return result.amount_unreadable || other_currency ? std::nullopt : result.amount_minor;
}

}  // namespace

std::string_view to_string(send_kind kind) noexcept {
  switch (kind) {
    case send_kind::charge: return "charge";
    case send_kind::replay: return "replay";
    case send_kind::inquire: return "inquire";
    case send_kind::reverse: return "reverse";
    case send_kind::modify: return "modify";
  }
  return "";
}

payment_flow::payment_flow(payment record, const retry_plan& plan, instant arrival, bool card_in_memory,
                           profile_lookup profiles, permit may_send)
    : record_(std::move(record)),
      plan_(plan),
      deadline_(arrival.steady + plan.deadline),
      profiles_(std::move(profiles)),
      may_send_(std::move(may_send)),
      card_in_memory_(card_in_memory) {
  record_.attempts.reserve(static_cast<std::size_t>(plan_.max_attempts));
  ladders_.resize(record_.attempts.size());
  steps_.resize(record_.modifications.size());
}

flow::action payment_flow::resume(const flow::event& event, instant now, random_source& random) {
  random_ = &random;
  std::visit([&](const auto& each) { on(each, now); }, event);
  if (phase_ == phase::choosing || phase_ == phase::sending) {
    if (std::holds_alternative<flow::resolved>(event)) {  // whoever said it is told what became of the payment
      reverse_what_may_not_stand(now);
      update_status(now, random);
    }
    return flow::none{};
  }
  return next(now, random);
}

std::vector<payment_event> payment_flow::take_events() noexcept { return std::exchange(events_, {}); }

bool payment_flow::waits_for(std::string_view connector) const noexcept {
  for (std::size_t i = 0; i < record_.attempts.size(); ++i)
    if (record_.attempts[i].connector == connector && needs_work(i)) return true;
  if (!has_pending_modification(record_)) return false;
  const auto standing = standing_attempt(record_);
  return standing && record_.attempts[*standing].connector == connector;
}

// ---- events -------------------------------------------------------------

void payment_flow::on(const flow::start&, instant now) {
  TURNOUT_ASSERT(phase_ == phase::idle && record_.attempts.empty());
  if (plan_.expire_after.count() > 0) record_.expires_at = record_.created_at + plan_.expire_after;
  note(payment_event_type::created, now, {}, to_string(record_.status), record_.amount);
}

void payment_flow::on(const flow::recovered&, instant now) {
  TURNOUT_ASSERT(phase_ == phase::idle);
  take_up(now);
  // Whoever waited is gone, or was answered already: either way nobody else is tried.
  record_.answered = true;
  record_.interrupted = !is_final(record_.status);
  note(payment_event_type::recovered, now, {}, to_string(record_.status));
}

void payment_flow::take_up(instant now) {
  for (std::size_t i = 0; i < record_.attempts.size(); ++i) {
    attempt& each = record_.attempts[i];
    ladders_[i] = ladder{.begun = now.steady, .last_carried = now.steady, .next_at = now.steady};
    if (!each.in_flight) continue;
    each.in_flight = false;
    each.sends = std::max(each.sends, 1);  // it may have been sent: that is all that is known
    each.outcome = outcome::unknown;
    each.doubted = true;
    each.code = "interrupted";
    each.ended_at = now.wall;
    note(payment_event_type::attempt_ended, now, each.id, to_string(each.outcome));
  }
  take_up_modifications(now);
  card_in_memory_ = false;
}

void payment_flow::on(const flow::chosen& event, instant now) {
  TURNOUT_ASSERT(phase_ == phase::choosing && event.connector != nullptr);
  phase_ = phase::idle;
  if (!may_continue(now)) return;  // cancelled, or out of time, while the router was asked
  attempt made{.id = event.attempt_id,
               .connector = event.connector->name,
               .operation = event.operation,
               .amount = event.charged};
  made.started_at = now.wall;
  record_.attempts.push_back(std::move(made));
  ladders_.push_back(ladder{.begun = now.steady, .last_carried = now.steady, .next_at = now.steady});
  charge_chosen_ = true;
  note(payment_event_type::attempt_started, now, record_.attempts.back().id, event.connector->name, event.charged);
}

void payment_flow::on(const flow::no_candidate& event, instant) {
  TURNOUT_ASSERT(phase_ == phase::choosing);
  phase_ = phase::idle;
  no_candidate_ = event.code.empty() ? "no_gateway_available" : event.code;
}

void payment_flow::on(const flow::sent& event, instant now) {
  TURNOUT_ASSERT(phase_ == phase::sending);
  phase_ = phase::idle;
  take_over(record_.attempts[sending_].kept, event.result.kept);
  if (const auto about = std::exchange(sending_modification_, std::nullopt))
    return modification_answered(*about, event.result, now);
  const std::size_t index = sending_;
  if (std::exchange(looking_, false)) return look_ended(index, event.result, now);
  ++record_.attempts[index].sends;
  ladders_[index].reachable |= event.result.not_found;
  switch (sending_kind_) {
    case send_kind::charge: return charge_ended(index, event.result, now);
    case send_kind::replay: return replay_ended(index, event.result, now);
    case send_kind::inquire: return inquiry_ended(index, event.result, now);
    case send_kind::reverse: return reversal_ended(index, event.result, now);
    case send_kind::modify: break;
  }
  TURNOUT_ASSERT(false);
}

void payment_flow::on(const flow::timer&, instant) {
  if (phase_ == phase::waiting) phase_ = phase::idle;
}

void payment_flow::on(const flow::cancel_requested&, instant now) {
  if (phase_ == phase::waiting) phase_ = phase::idle;
  if (is_final(record_.status) || record_.cancel_requested) return;
  record_.cancel_requested = true;
  note(payment_event_type::cancel_requested, now, {}, {});
}

void payment_flow::on(const flow::gateway_recovered& event, instant now) {
  if (phase_ == phase::waiting) phase_ = phase::idle;
  for (std::size_t i = 0; i < ladders_.size(); ++i) {
    const bool under_way = phase_ == phase::sending && sending_ == i;
    if (record_.attempts[i].connector != event.connector || !needs_work(i)) continue;
    ladders_[i].woken = under_way;
    if (under_way) continue;
    ladders_[i].next_at = now.steady;
    ladders_[i].rung = 0;
  }
  const auto standing = standing_attempt(record_);
  if (!standing || record_.attempts[*standing].connector != event.connector) return;
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    steps_[i].woken = sending_modification_ == i;
    if (steps_[i].woken) continue;
    steps_[i].next_at = now.steady;
    steps_[i].rung = 0;
  }
}

void payment_flow::on(const flow::permitted& event, instant now) {
  if (phase_ == phase::waiting) phase_ = phase::idle;
  for (std::size_t i = 0; i < ladders_.size(); ++i)
    if (record_.attempts[i].connector == event.connector && std::exchange(ladders_[i].awaits_permit, false))
      ladders_[i].next_at = now.steady;
  const auto standing = standing_attempt(record_);
  if (!standing || record_.attempts[*standing].connector != event.connector) return;
  for (modification_steps& each : steps_)
    if (std::exchange(each.awaits_permit, false)) each.next_at = now.steady;
}

void payment_flow::on(const flow::gateway_said& event, instant now) {
  if (phase_ == phase::waiting || phase_ == phase::finished) phase_ = phase::idle;
  const auto found = std::find_if(record_.attempts.begin(), record_.attempts.end(),
                                  [&](const attempt& each) { return each.id == event.attempt_id; });
  if (found == record_.attempts.end()) return;
  const auto index = static_cast<std::size_t>(found - record_.attempts.begin());
  if (found->in_flight) return;  // the send under way will say the same, or its ladder will
  if (event.result.result == outcome::approved) {
    approve(index, event.result, now, false);
  } else if (is_decline(event.result.result) && found->outcome != outcome::unknown && found->unresolved()) {
    settle(index, event.result.result, event.result, now);
  }
}

// ---- what a send taught -------------------------------------------------

void payment_flow::charge_ended(std::size_t index, const send_result& result, instant now) {
  attempt& each = record_.attempts[index];
  each.in_flight = false;
  each.latency = result.latency;
  each.ended_at = now.wall;
  ladder& steps = ladders_[index];
  steps.next_at = now.steady;
  if (result.carried) steps.last_carried = now.steady;
  if (result.result == outcome::approved) {
    approve(index, result, now, true);
  } else {
    each.outcome = result.result;
    each.doubted = result.result == outcome::unknown;
    each.code = result.code;
    each.reason = result.reason;
    each.gateway_code = result.gateway_code;
    each.gateway_reference = result.gateway_reference;
    if (result.result == outcome::requires_action) show_action(index, result, now);
  }
  note(payment_event_type::attempt_ended, now, each.id, to_string(each.outcome));
}

// A same-key replay is asked only where its definite answer is a proof
// (rung_allowed); a 429, a refused connection, a "duplicate" or a 5xx changes nothing.
void payment_flow::replay_ended(std::size_t index, const send_result& result, instant now) {
  const bool after_all_sends = asked_after_all_sends(index);
  if (result.carried) ladders_[index].last_carried = now.steady;
  attempt& each = record_.attempts[index];
  if (result.result == outcome::approved) return approve(index, result, now, false);
  if (each.seen_approved || !each.unresolved()) return;    // settled by news that came meanwhile
  if (result.reason == decline_reason::duplicate) return;  // of its own first send, for all we know
  if (is_decline(result.result)) {
    // Where declines are not kept, a first send that is still on its way is judged anew.
    const connector_profile* gateway = profile(index);
    const bool kept = gateway != nullptr && gateway->idempotency.caches == key_caches::all;
    if (kept || after_all_sends) return settle(index, result.result, result, now);
    ladders_[index].declined_for_good |= result.result == outcome::hard_decline;
  } else if (result.result == outcome::pending || result.result == outcome::requires_action) {
    each.outcome = result.result;  // still unresolved, and now known to the gateway
    each.gateway_reference = result.gateway_reference;
    if (result.result == outcome::requires_action) show_action(index, result, now);
    note(payment_event_type::attempt_ended, now, each.id, to_string(each.outcome));
  }
}

// The question under way was begun when nothing could be on its way any more.
bool payment_flow::asked_after_all_sends(std::size_t index) const {
  const connector_profile* gateway = profile(index);
  if (gateway == nullptr || !gateway->resolve.not_found_final_after) return false;
  const ladder& steps = ladders_[index];
  return steps.rung_begun >= steps.last_carried + *gateway->resolve.not_found_final_after;
}

void payment_flow::inquiry_ended(std::size_t index, const send_result& result, instant now) {
  attempt& each = record_.attempts[index];
  if (each.reversal == reversal_state::wanted && shown_undone(index, result))
    return confirm_reversal(index, result, now);
  if (result.result == outcome::approved) return approve(index, result, now, false);
  // It told us otherwise before (only a reversal ends that), or news came meanwhile.
  if (each.seen_approved || !each.unresolved()) return;
  if (result.result == outcome::requires_action && each.outcome == outcome::unknown) {
    // The answer that asked for a challenge was lost: the shopper can still take it.
    each.outcome = outcome::requires_action;
    if (!result.gateway_reference.empty()) each.gateway_reference = result.gateway_reference;
    show_action(index, result, now);
    return note(payment_event_type::attempt_ended, now, each.id, to_string(each.outcome));
  }
  const bool says_declined = is_decline(result.result);
  if (!says_declined && !result.not_found) return;
  // The gateway itself told us of this attempt: its later decline is its answer.
  if (says_declined && each.outcome != outcome::unknown) return settle(index, result.result, result, now);
  // Otherwise "no charge" counts only when asked long enough after the last
  // connection that could have carried one was closed.
  if (!asked_after_all_sends(index)) return;
  if (says_declined) return settle(index, result.result, result, now);
  each.doubted = true;  // also of an attempt that it knew before
  send_result proof = result;
  proof.code = "not_found";
  settle(index, outcome::not_sent, proof, now);
}

// The gateway says that the charge exists.
void payment_flow::approve(std::size_t index, const send_result& result, instant now, bool first_answer) {
  attempt& each = record_.attempts[index];
  const bool seen_before = std::exchange(each.seen_approved, true);
  if (!result.gateway_reference.empty()) each.gateway_reference = result.gateway_reference;
  if (each.reversal == reversal_state::confirmed) {
    if (seen_before) return;
    // Acknowledged as reversed before anybody had seen it, and it stands all the
    // same: the gateway broke its promise to block late arrivals.
    note(payment_event_type::late_approval, now, each.id, {});
    return want_reversal(index, "late_approval", now);
  }
  if (each.reversal == reversal_state::wanted) {
    ladders_[index].reverse_acknowledged = false;  // it exists after all: reverse it again
    if (!seen_before) note(payment_event_type::charge_found, now, each.id, {});
    return;
  }
  if (each.outcome == outcome::approved && seen_before) return;  // told twice
  each.captured = result.captured.value_or(each.operation == operation::sale);
  const bool settled_already = !each.in_flight && !each.unresolved();
  const bool other_stands = std::any_of(record_.attempts.begin(), record_.attempts.end(), [&](const attempt& other) {
    const bool kept = other.stands() && other.reversal == reversal_state::none;
    return &other != &each && (kept || other.in_flight);
  });
  const bool late = settled_already || other_stands || is_final(record_.status);
  if (late) note(payment_event_type::late_approval, now, each.id, {});
  if (amount_differs(each, result)) {
    each.outcome = outcome::unknown;
    each.code = "wrong_amount";
    each.found_amount = found_amount(each, result);
    note(payment_event_type::wrong_amount, now, each.id, "approved");
    return want_reversal(index, "wrong_amount", now);
  }
  each.outcome = outcome::approved;
  each.code.clear();
  each.reason = decline_reason::none;
  if (late) return want_reversal(index, "late_approval", now);
  const connector_profile* gateway = profile(index);
  const bool may_have_twin = each.doubted && gateway != nullptr && gateway->resolve.replay &&
                             gateway->resolve.gateway_reference_is_charge && !each.gateway_reference.empty();
  if (may_have_twin) plan_looks(index, now);
  if (!first_answer) note(payment_event_type::attempt_resolved, now, each.id, to_string(each.outcome));
}

// The attempt is proven not charged: by a definite answer, or by a proof.
void payment_flow::settle(std::size_t index, outcome ended, const send_result& result, instant now) {
  attempt& each = record_.attempts[index];
  TURNOUT_ASSERT(each.unresolved() && ended != outcome::approved && ended != outcome::unknown);
  each.outcome = ended;
  each.code = result.code;
  each.reason = result.reason;
  if (!result.gateway_code.empty()) each.gateway_code = result.gateway_code;
  if (!result.gateway_reference.empty()) each.gateway_reference = result.gateway_reference;
  if (each.reversal == reversal_state::wanted) each.reversal = reversal_state::none;  // nothing left to undo
  // It was in doubt, or its reversal is said to stop what is still under way.
  if (each.doubted || (each.reversal == reversal_state::confirmed && !each.seen_approved)) plan_looks(index, now);
  note(payment_event_type::attempt_resolved, now, each.id, to_string(ended));
}

void payment_flow::note(payment_event_type type, instant now, std::string_view attempt, std::string_view code,
                        std::optional<money> amount) {
  record_.updated_at = std::max(record_.updated_at, now.wall);
  events_.push_back({type, now.wall, std::string(attempt), std::string(code), amount});
}

}  // namespace turnout::payments
