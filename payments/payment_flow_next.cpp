// What to do next, given the record: answer, climb the ladder of an unknown
// attempt, reverse what may not stand, try another gateway, or finish.
#include <algorithm>
#include <array>
#include <utility>

#include "payments/assertion.hpp"
#include "payments/payment_flow.hpp"

namespace turnout::payments {

namespace {

using std::chrono::duration_cast;

// Back-off between rounds of the ladder. While the merchant waits: doubling.
// Afterwards: a quarter of the age, so that waiting in vain never costs more
// than a quarter of the time the gateway took to come back.
constexpr milliseconds first_pause{100};
constexpr milliseconds longest_pause_waiting{1000};
constexpr milliseconds shortest_pause_answered{500};
constexpr milliseconds longest_pause_answered{5 * 60 * 1000};
constexpr milliseconds longest_nap{60 * 1000};
constexpr int age_share = 4;
constexpr double jitter = 0.2;  // of the pause, both ways
// What "retry_later" means to the merchant.
constexpr std::chrono::seconds retry_after_technical{60};
constexpr std::chrono::seconds retry_after_issuer{3600};

constexpr std::array rungs{send_kind::replay, send_kind::inquire, send_kind::reverse};

bool can_inquire(const connector_profile& gateway) {
  return gateway.resolve.inquire && gateway.offers(operation::inquire);
}

bool can_reverse_as_proof(const connector_profile& gateway) {
  return gateway.resolve.reverse && gateway.offers(operation::reverse) && gateway.resolve.reverse_blocks_late;
}

milliseconds send_limit(const connector_profile& gateway) {
  return gateway.timeouts.connect + gateway.timeouts.response;
}

}  // namespace

flow::action payment_flow::next(instant now, random_source& random) {
  if (charge_chosen_) return begin_charge(now);
  expire_action(now);
  reverse_what_may_not_stand(now);
  update_status(now, random);
  expire_authorization(now, random);
  forget_card(now);
  if (!record_.answered && must_answer(now)) {
    record_.answered = true;
    for (std::size_t i = 0; i < ladders_.size(); ++i) {
      if (record_.attempts[i].outcome == outcome::requires_action) continue;
      ladders_[i].next_at = now.steady;
      ladders_[i].rung = 0;
    }
    note(payment_event_type::answered, now, {}, to_string(record_.status));
    return flow::answer{};
  }
  raise_attention(now);
  if (auto look = begin_look(now)) return *look;
  for (;;) {
    std::size_t due = record_.attempts.size();
    for (std::size_t i = 0; i < record_.attempts.size(); ++i)
      if (needs_work(i) && (due == record_.attempts.size() || ladders_[i].next_at < ladders_[due].next_at)) due = i;
    const bool attempt_due = due != record_.attempts.size();
    const std::optional<due_modification> pending = next_modification(now);
    if (!attempt_due && !pending) break;
    const bool modify = pending && (!attempt_due || pending->at < ladders_[due].next_at);
    const steady_time at = modify ? pending->at : ladders_[due].next_at;
    if (at > now.steady) {
      phase_ = phase::waiting;
      return flow::wait{record_.answered ? at : std::min(at, deadline_)};
    }
    auto action = modify ? begin_modification(pending->index, now, random) : climb(due, now, random);
    if (action) return *action;
    if (modify) return next(now, random);  // it may have ended, and the payment with it
  }
  if (!is_final(record_.status)) {
    TURNOUT_ASSERT(may_continue(now));
    phase_ = phase::choosing;
    return flow::choose{};
  }
  if (look_awaits_permit_) {
    phase_ = phase::waiting;
    return flow::wait{now.steady + permit_patience};
  }
  phase_ = phase::finished;
  return flow::finish{};
}

bool payment_flow::permitted(std::size_t attempt) const {
  return !may_send_ || may_send_(record_.attempts[attempt].connector);
}

std::optional<flow::action> payment_flow::climb(std::size_t index, instant now, random_source& random) {
  if (rung_due(index, now)) {
    ladders_[index].awaits_permit = !permitted(index);
    if (ladders_[index].awaits_permit) {
      ladders_[index].next_at = now.steady + permit_patience;
      return std::nullopt;
    }
  }
  const std::optional<send_kind> kind = take_rung(index, now);
  if (!kind) {
    end_round(index, now, random);
    return std::nullopt;
  }
  ladders_[index].rung_begun = now.steady;
  ladders_[index].asked_overdue |= *kind == send_kind::inquire && action_overdue(now);
  sending_ = index;
  sending_kind_ = *kind;
  sending_undo_.reset();
  if (*kind == send_kind::reverse && undone_by_gateway_reference(index)) sending_undo_ = way_to_undo(index, now);
  phase_ = phase::sending;
  const steady_time limit = now.steady + send_limit(*profile(index));
  return flow::send{index, *kind,         record_.answered ? limit : std::min(limit, deadline_),
                    {},    sending_undo_, ladders_[index].undo_refused};
}

flow::action payment_flow::begin_charge(instant now) {
  charge_chosen_ = false;
  const std::size_t index = record_.attempts.size() - 1;
  for (std::size_t i = 0; i < index; ++i)  // invariant 1, before every charge
    TURNOUT_ASSERT(!record_.attempts[i].unresolved() && !record_.attempts[i].stands());
  sending_ = index;
  sending_kind_ = send_kind::charge;
  phase_ = phase::sending;
  ladders_[index].rung_begun = now.steady;
  return flow::send{index, send_kind::charge, std::min(deadline_, now.steady + send_limit(*profile(index))), {}};
}

bool payment_flow::expired(instant now) const noexcept {
  return record_.answered && (record_.action_expired || (record_.expires_at && now.wall >= *record_.expires_at));
}

bool payment_flow::needs_work(std::size_t index) const noexcept {
  const attempt& each = record_.attempts[index];
  return each.unresolved() || each.reversal == reversal_state::wanted;
}

// After a cancel or the expiry whatever appears is voided.
void payment_flow::reverse_what_may_not_stand(instant now) {
  if (is_final(record_.status) || !(record_.cancel_requested || expired(now))) return;
  const std::string_view reason = record_.cancel_requested ? "canceled"
                                  : record_.action_expired ? "action_expired"
                                                           : "expired";
  for (std::size_t i = 0; i < record_.attempts.size(); ++i) {
    const attempt& each = record_.attempts[i];
    if (each.reversal != reversal_state::none || each.in_flight) continue;
    const connector_profile* gateway = profile(i);
    const bool may_ask = gateway != nullptr && gateway->resolve.reverse && gateway->offers(operation::reverse);
    if (each.outcome == outcome::approved || (each.unresolved() && may_ask)) want_reversal(i, reason, now);
  }
}

void payment_flow::update_status(instant now, random_source& random) {
  if (is_final(record_.status)) return;
  bool open = false, action = false;
  const attempt* standing = nullptr;
  for (std::size_t i = 0; i < record_.attempts.size(); ++i) {
    const attempt& each = record_.attempts[i];
    if (each.unresolved()) {
      open = true;
      action |= shopper_has_time(i);
    } else if (each.stands()) {
      if (each.reversal == reversal_state::none)
        standing = &each;
      else
        open = true;
    }
  }
  if (standing != nullptr) {
    record_.connector = standing->connector;
    record_.amount_authorized = standing->amount.minor;
    const auto index = static_cast<std::size_t>(standing - record_.attempts.data());
    if (capture_automatically(*standing, index, now, random)) {
      record_.status = payment_status::processing;
      return;
    }
    record_.amount_captured = standing->captured ? standing->amount.minor : 0;
    if (!standing->captured) set_capture_limit(index);
    return finalize(standing->captured ? payment_status::succeeded : payment_status::authorized, now);
  }
  record_.connector.clear();
  record_.amount_authorized = record_.amount_captured = 0;
  if (open || may_continue(now)) {
    record_.status = action ? payment_status::requires_action : payment_status::processing;
    return;
  }
  if (record_.cancel_requested) return finalize(payment_status::canceled, now);
  record_.error = explain_failure();
  finalize(payment_status::failed, now);
}

// Counted from the gateway's answer, not from when it was heard of: rather too early.
void payment_flow::set_capture_limit(std::size_t index) {
  const connector_profile* gateway = profile(index);
  if (gateway != nullptr && gateway->authorization_valid)
    record_.capture_before = record_.attempts[index].started_at + *gateway->authorization_valid;
}

void payment_flow::finalize(payment_status status, instant now) {
  record_.status = status;
  record_.next_action = {};
  note(payment_event_type::finished, now, {}, to_string(status));
}

bool payment_flow::must_answer(instant now) const noexcept {
  if (is_final(record_.status) || now.steady >= deadline_) return true;
  return std::any_of(record_.attempts.begin(), record_.attempts.end(), [](const attempt& each) {
    return !each.in_flight && (each.outcome == outcome::pending || each.outcome == outcome::requires_action);
  });
}

// The only gate to another gateway.
bool payment_flow::may_continue(instant now) const noexcept {
  if (is_final(record_.status) || record_.answered || record_.cancel_requested || record_.interrupted) return false;
  if (!no_candidate_.empty() || now.steady + plan_.least_time > deadline_) return false;
  for (const attempt& each : record_.attempts) {
    if (each.unresolved() || each.stands() || each.outcome == outcome::hard_decline) return false;
  }
  if (record_.attempts.empty()) return true;
  if (ladders_.back().declined_for_good) return false;
  if (record_.attempts.size() >= static_cast<std::size_t>(plan_.max_attempts)) return false;
  const attempt& last = record_.attempts.back();
  return may_fail_over(plan_, last.outcome, last.reason);
}

bool payment_flow::may_replay(std::size_t index, instant now) const {
  const attempt& each = record_.attempts[index];
  const connector_profile* gateway = profile(index);
  if (gateway == nullptr || !card_in_memory_ || record_.interrupted || record_.cancel_requested || expired(now))
    return false;
  if (each.outcome != outcome::unknown || each.reversal != reversal_state::none) return false;
  if (!gateway->resolve.replay || !gateway->idempotency.replay_is_proof()) return false;
  const steady_time begun = ladders_[index].begun;
  // The whole replay must fit into the key's declared life, also one that arrives late, on both
  // clocks: the steady one stands still while the machine is suspended, the gateway's does not.
  const milliseconds latest = send_limit(*gateway) + gateway->resolve.not_found_final_after.value_or(milliseconds(0));
  const milliseconds life = std::min<milliseconds>(gateway->resolve.replay_for, gateway->idempotency.ttl - latest);
  return now.steady - begun < life && now.wall - each.started_at < life;
}

bool payment_flow::rung_allowed(std::size_t index, send_kind kind, instant now) const {
  const attempt& each = record_.attempts[index];
  const ladder& steps = ladders_[index];
  const connector_profile* gateway = profile(index);
  if (gateway == nullptr) return false;
  if (kind == send_kind::replay) return may_replay(index, now);
  if (kind == send_kind::inquire)
    // By our reference it would tell of the charge beside its twin.
    return can_inquire(*gateway) && each.twin_of.empty() &&
           (each.reversal == reversal_state::none || steps.reverse_acknowledged || steps.undo_in_doubt ||
            steps.undo_refused > 0);
  if (each.reversal == reversal_state::wanted) {
    if (undone_by_gateway_reference(index)) return way_to_undo(index, now).has_value();
    return each.twin_of.empty() && gateway->offers(operation::reverse) && !steps.reverse_acknowledged;
  }
  // Nobody asked to undo it: reverse only where that is the way to a proof.
  if (each.outcome != outcome::unknown || !can_reverse_as_proof(*gateway)) return false;
  const bool others = may_replay(index, now) || can_inquire(*gateway);
  if (!record_.answered) return !others || (steps.round > 0 && steps.reachable);
  const bool inquiry_will_prove = can_inquire(*gateway) && gateway->resolve.not_found_final_after.has_value();
  return !inquiry_will_prove && !may_replay(index, now);
}

std::optional<send_kind> payment_flow::take_rung(std::size_t index, instant now) {
  ladder& steps = ladders_[index];
  while (steps.rung < static_cast<int>(rungs.size())) {
    const send_kind kind = rungs[static_cast<std::size_t>(steps.rung++)];
    if (!rung_allowed(index, kind, now)) continue;
    if (kind == send_kind::reverse && record_.attempts[index].reversal == reversal_state::none)
      want_reversal(index, "resolve", now);
    if (kind == send_kind::reverse) steps.rung = static_cast<int>(rungs.size());
    return kind;
  }
  return std::nullopt;
}

bool payment_flow::rung_due(std::size_t index, instant now) const {
  for (std::size_t next = static_cast<std::size_t>(ladders_[index].rung); next < rungs.size(); ++next)
    if (rung_allowed(index, rungs[next], now)) return true;
  return false;
}

void payment_flow::end_round(std::size_t index, instant now, random_source& random) {
  ladder& steps = ladders_[index];
  steps.reachable = true;  // asked below: could any rung be taken in a coming round?
  ++steps.round;
  const bool any =
      std::any_of(rungs.begin(), rungs.end(), [&](send_kind kind) { return rung_allowed(index, kind, now); });
  steps.reachable = false;
  steps.rung = 0;
  // The shopper's time ends by the wall clock; nobody sleeps past it.
  const bool challenged = record_.attempts[index].outcome == outcome::requires_action;
  const steady_time overdue_at =
      challenged && record_.action_expires_at && !action_overdue(now)
          ? now.steady + duration_cast<milliseconds>(*record_.action_expires_at - now.wall) + milliseconds(1)
          : steady_time::max();
  if (!any) {
    steps.next_at = overdue_at;
    // What cannot be refunded before it has settled; the clock may be set meanwhile.
    if (const auto from = undo_possible_from(index, now))
      steps.next_at =
          std::min(overdue_at, now.steady + std::min(std::chrono::ceil<milliseconds>(*from - now.wall), longest_nap));
    return;
  }
  if (std::exchange(steps.woken, false)) {
    steps.next_at = now.steady;  // what failed was asked of a gateway that is back by now
    return;
  }
  const auto age = duration_cast<milliseconds>(now.steady - steps.begun);
  milliseconds pause = record_.answered
                           ? std::clamp(age / age_share, shortest_pause_answered, longest_pause_answered)
                           : std::min(first_pause * (1 << std::min(steps.round - 1, 10)), longest_pause_waiting);
  if (challenged) pause = std::max(pause, first_question_after_action);
  const double factor = 1 - jitter + 2 * jitter * random.uniform();
  steps.next_at = now.steady + milliseconds(static_cast<std::int64_t>(static_cast<double>(pause.count()) * factor) + 1);
  steps.next_at = std::min(steps.next_at, overdue_at);
  // Do not sleep past the moment from which "not found" is final, or a replay's decline.
  const connector_profile* gateway = profile(index);
  if (!gateway->resolve.not_found_final_after || !(can_inquire(*gateway) || may_replay(index, now))) return;
  const steady_time final_from = steps.last_carried + *gateway->resolve.not_found_final_after;
  if (final_from > now.steady) steps.next_at = std::min(steps.next_at, final_from);
}

bool payment_flow::can_prove(std::size_t index, instant now) const {
  const attempt& each = record_.attempts[index];
  const connector_profile* gateway = profile(index);
  if (gateway == nullptr) return false;
  const bool told = each.outcome == outcome::pending || each.outcome == outcome::requires_action;
  const bool inquiry_proves = can_inquire(*gateway) && (told || gateway->resolve.not_found_final_after);
  if (each.reversal == reversal_state::wanted && undone_by_gateway_reference(index)) return can_undo(index);
  if (each.reversal == reversal_state::wanted)
    return each.twin_of.empty() && gateway->offers(operation::reverse) &&
           (each.seen_approved || gateway->resolve.reverse_blocks_late || inquiry_proves);
  return may_replay(index, now) || inquiry_proves || can_reverse_as_proof(*gateway);
}

bool payment_flow::shopper_has_time(std::size_t index) const noexcept {
  const attempt& each = record_.attempts[index];
  return each.outcome == outcome::requires_action && each.reversal == reversal_state::none && !record_.action_expired;
}

// A restart begins the ladder anew, and must not begin the waiting anew.
bool payment_flow::unresolved_for_long(std::size_t index, instant now) const {
  const attempt& each = record_.attempts[index];
  const bool reversing = each.reversal == reversal_state::wanted;
  if (record_.attention && record_.attention->reason == (reversing ? "reversal_unconfirmed" : "unresolved_for_long"))
    return true;
  return now.steady - ladders_[index].begun > attention_after ||
         (!reversing && now.wall - each.started_at > attention_after);
}

void payment_flow::raise_attention(instant now) {
  std::string_view reason;
  for (std::size_t i = 0; i < record_.attempts.size(); ++i) {
    if (!record_.answered || !needs_work(i)) continue;
    if (!can_prove(i, now))
      reason = "no_proof_available";
    else if (unresolved_for_long(i, now) && !shopper_has_time(i))
      reason = record_.attempts[i].reversal == reversal_state::wanted ? "reversal_unconfirmed" : "unresolved_for_long";
  }
  if (reason.empty()) reason = modification_trouble(now);
  if (reason.empty()) {
    if (!record_.attention) return;
    record_.attention.reset();
    note(payment_event_type::attention_cleared, now, {}, {});
  } else if (!record_.attention || record_.attention->reason != reason) {
    record_.attention = attention{now.wall, std::string(reason)};
    note(payment_event_type::attention_raised, now, {}, reason);
  }
}

// The card stays in memory only while some send may still need it.
void payment_flow::forget_card(instant now) {
  if (!card_in_memory_ || (!record_.answered && !is_final(record_.status))) return;
  for (std::size_t i = 0; i < record_.attempts.size(); ++i)
    if (may_replay(i, now)) return;
  card_in_memory_ = false;
}

payment_error payment_flow::explain_failure() const {
  payment_error error;
  const attempt* told = nullptr;  // the last attempt with something to say to the shopper
  for (const attempt& each : record_.attempts)
    if (told == nullptr || each.reason != decline_reason::none || told->reason == decline_reason::none) told = &each;
  if (told != nullptr) {
    error.connector = told->connector;
    error.gateway_code = told->gateway_code;
  }
  if (told != nullptr && told->reason != decline_reason::none) {
    const decline_info& info = describe(told->reason);
    error.code = info.group == decline_class::authentication ? "authentication_required" : "card_declined";
    error.message = info.message;
    error.reason = told->reason;
    error.group = info.group;
    error.advice = info.advice;
    if (info.advice == advice::retry_later)
      error.retry_after = info.group == decline_class::technical ? retry_after_technical : retry_after_issuer;
  } else if (told != nullptr && told->outcome == outcome::hard_decline) {
    error.code = "card_declined";
    error.message = "The card was declined and may not be tried again.";
    error.group = decline_class::issuer_hard;
    error.advice = advice::do_not_retry;
  } else if (told != nullptr && told->outcome == outcome::soft_decline) {
    error.code = "card_declined";
    error.message = "The card was declined.";
    error.group = decline_class::issuer_soft;
    error.advice = advice::contact_issuer;
  } else if (told != nullptr && told->outcome == outcome::approved) {
    error.code = "capture_refused";
    error.message = "The gateway authorised the payment and refused to capture it; the authorization is given back.";
    error.group = decline_class::technical;
    error.advice = advice::retry_later;
    error.retry_after = retry_after_technical;
  } else if (told != nullptr && told->outcome == outcome::rejected) {
    error.code = "gateway_rejected";
    error.message = "The payment gateway refused the request; nothing was charged.";
    error.group = decline_class::invalid_data;
    error.advice = advice::do_not_retry;
  } else {
    error.code = no_candidate_.empty() ? "no_gateway_available" : no_candidate_;
    error.message = "No payment gateway could take the payment; nothing was charged.";
    error.group = decline_class::technical;
    error.advice = advice::retry_later;
    error.retry_after = retry_after_technical;
  }
  if (record_.action_expired) {
    error.code = "action_expired";
    error.message = "The shopper did not authenticate in time; the payment is proven not charged.";
    error.group = decline_class::authentication;
    error.advice = advice::authenticate;
    error.retry_after.reset();
    return error;
  }
  if (record_.action_expires_at && told != nullptr && told->reason != decline_reason::none) {
    // A challenge ends long after the answer, and what the gateway says then is its answer.
    if (error.group == decline_class::authentication) error.code = "authentication_failed";
    return error;
  }
  // What is learned after the answer, or after a crash, ends the payment all the same.
  if (record_.interrupted) {
    error.code = "interrupted";
    error.message = "The payment was interrupted and is proven not charged.";
  } else if (record_.answered) {
    error.code = "not_charged";
    error.message = "The payment could not be completed in time and is proven not charged.";
  }
  if (told != nullptr && told->code == "resolved_by_person")
    error.message = "The payment could not be completed in time; a person established that it is not charged.";
  return error;
}

}  // namespace turnout::payments
