// Captures, refunds and cancellations of an approved payment: one at a time,
// at the gateway that approved it, until each is done, definitely refused, or
// beyond proof. Nothing else releases an amount or sends one again.
#include <algorithm>
#include <array>
#include <utility>

#include "payments/assertion.hpp"
#include "payments/identifier.hpp"
#include "payments/modification_rules.hpp"
#include "payments/payment_flow.hpp"

namespace turnout::payments {

namespace {

// A modification that provably never reached its gateway is given up after this long.
constexpr std::chrono::hours give_up_after{24};
constexpr milliseconds first_pause{500};
constexpr milliseconds longest_pause{5 * 60 * 1000};
constexpr double jitter = 0.2;  // of the pause, both ways
// How long a wait for a wall-clock time lasts before the clock is read again.
constexpr milliseconds longest_nap{60 * 1000};

// What can prove a modification whose answer was lost, in this order.
constexpr std::array proofs{send_kind::modify, send_kind::inquire, send_kind::reverse};

milliseconds send_limit(const connector_profile& gateway) {
  return gateway.timeouts.connect + gateway.timeouts.response;
}

/// It may not be sent yet. Once it may have been sent its proof waits for nothing.
bool is_early(const modification& each, instant now) noexcept {
  return !each.doubtful && each.not_before && now.wall < *each.not_before;
}

bool is_refusal(outcome ended) noexcept {
  return ended == outcome::hard_decline || ended == outcome::soft_decline || ended == outcome::rejected;
}

}  // namespace

// ---- events -------------------------------------------------------------

void payment_flow::on(const flow::modify& event, instant now) {
  if (phase_ == phase::waiting || phase_ == phase::finished) phase_ = phase::idle;
  add_modification(event.planned, now);
}

void payment_flow::on(const flow::reopened&, instant now) {
  TURNOUT_ASSERT(phase_ == phase::idle);
  take_up(now);
}

void payment_flow::add_modification(modification planned, instant now) {
  planned.created_at = planned.updated_at = now.wall;
  std::optional<money> amount;
  if (const auto standing = standing_attempt(record_))
    amount = money{planned.amount, record_.attempts[*standing].amount.unit};
  note(payment_event_type::modification_requested, now, planned.id, to_string(planned.kind), amount);
  record_.modifications.push_back(std::move(planned));
  steps_.push_back({.begun = now.steady, .next_at = now.steady, .last_carried = now.steady});
}

// After a restart, what was under way may have been done.
void payment_flow::take_up_modifications(instant now) {
  steps_.assign(record_.modifications.size(), {.begun = now.steady, .next_at = now.steady, .last_carried = now.steady});
  for (modification& each : record_.modifications) {
    if (!each.in_flight) continue;
    each.in_flight = false;
    each.doubtful = true;
    each.code = "interrupted";
    note(payment_event_type::modification_ended, now, each.id, "unknown");
  }
}

// ---- what a send taught -------------------------------------------------

void payment_flow::modification_answered(std::size_t index, const send_result& result, instant now) {
  modification& each = record_.modifications[index];
  if (each.status != modification_status::pending) return;  // its attempt was reversed meanwhile
  each.updated_at = now.wall;
  switch (sending_kind_) {
    case send_kind::inquire: return modification_inquired(index, result, now);
    case send_kind::reverse:
      if (result.result == outcome::approved) modification_succeeded(index, result, now);
      return;
    default: break;
  }
  ++each.sends;
  each.in_flight = false;
  const bool refused = is_refusal(result.result) && is_definite(index, result);
  if (result.carried) steps_[index].last_carried = now.steady;
  if (result.result == outcome::approved) {
    const std::string_view unit = record_.attempts[sending_].amount.unit.code();
    const bool other_amount = result.amount_unreadable ||
                              (result.amount_minor && *result.amount_minor != each.amount) ||
                              (result.currency && *result.currency != unit);
    if (!other_amount) return modification_succeeded(index, result, now);
    const bool readable = !result.amount_unreadable && result.amount_minor && *result.amount_minor > 0 &&
                          result.currency.value_or(std::string(unit)) == unit;
    each.doubtful = true;
    each.code = "wrong_amount";
    each.told_amount = readable ? result.amount_minor : std::nullopt;
    note(payment_event_type::wrong_amount, now, each.id, to_string(each.operation));
  } else if (refused) {
    return modification_refused(index, result, now);
  } else if (result.result == outcome::not_sent) {
    // Beside a doubt it says nothing about the send that is in doubt.
    if (!each.doubtful) each.code = result.code;
    pause(index, now);
  } else {
    steps_[index].replay_refused |= is_refusal(result.result);
    each.doubtful = true;
    each.code = result.code.empty() ? std::string(to_string(result.result)) : result.code;
  }
  note(payment_event_type::modification_ended, now, each.id, each.doubtful ? "unknown" : "not_sent");
}

// A refusal of a replay need not be what became of its first send: the credentials may
// have been revoked since, the first send may be what it duplicates, and where refusals
// are not kept, a first send that is still on its way is judged anew.
bool payment_flow::is_definite(std::size_t index, const send_result& refusal) const {
  if (!record_.modifications[index].doubtful) return true;
  if (refusal.result == outcome::rejected || refusal.reason == decline_reason::duplicate) return false;
  const connector_profile* gateway = profile(sending_);
  if (gateway == nullptr) return false;
  if (gateway->idempotency.caches == key_caches::all) return true;
  const auto& bound = gateway->resolve.not_found_final_after;
  return bound && steps_[index].asked_at >= steps_[index].last_carried + *bound;
}

// The totals that a gateway tells are a proof either way, while only modifications
// in doubt can have changed them: all of them were done, or none. Any other total
// says that something else happened to the charge, and proves nothing.
void payment_flow::modification_inquired(std::size_t index, const send_result& result, instant now) {
  modification& each = record_.modifications[index];
  std::optional<bool> done;
  if (each.operation == operation::void_payment || each.operation == operation::reverse) {
    done = result.voided;
  } else {
    const bool capture = each.operation == operation::capture;
    const auto& total = capture ? result.captured_total : result.refunded_total;
    const std::int64_t before = capture ? record_.amount_captured : record_.amount_refunded;
    std::int64_t in_doubt = 0;
    for (const modification& other : record_.modifications)
      if (other.operation == each.operation && other.doubtful) in_doubt += other.amount;
    if (total && *total == before + in_doubt) done = true;
    if (total && *total == before) done = false;
    if (total && in_doubt == each.amount && told_truly(each, *total - before)) {
      each.amount = *each.told_amount;
      done = true;
    }
  }
  if (!done) return;
  // The gateway said that it did something: what it denies now is not sent again.
  if (!*done && each.code == "wrong_amount") return;
  if (*done) return modification_succeeded(index, result, now);
  const connector_profile* gateway = profile(*standing_attempt(record_));
  if (gateway == nullptr || !gateway->resolve.not_found_final_after) return;
  modification_steps& steps = steps_[index];
  if (steps.asked_at < steps.last_carried + *gateway->resolve.not_found_final_after) return;
  each.doubtful = false;  // proven not done: it is sent anew
  each.code = "not_found";
  steps.next_at = now.steady;
  steps.rung = 0;
  steps.replay_refused = false;
  note(payment_event_type::modification_ended, now, each.id, "not_sent");
}

// Another amount was done than asked, and the totals say the same: that is the
// truth, as long as it leaves room for what else is taken on.
bool payment_flow::told_truly(const modification& each, std::int64_t done) const {
  if (each.told_amount != done || each.kind == modification_kind::cancellation) return false;
  const bool capture = each.kind == modification_kind::capture;
  return done <= each.amount + (capture ? left_to_capture(record_) : left_to_refund(record_));
}

void payment_flow::modification_succeeded(std::size_t index, const send_result& result, instant now) {
  modification& each = record_.modifications[index];
  const auto standing = standing_attempt(record_);
  TURNOUT_ASSERT(standing.has_value());
  each.status = modification_status::succeeded;
  each.doubtful = each.in_flight = false;
  each.code.clear();
  if (!result.gateway_reference.empty()) each.gateway_reference = result.gateway_reference;
  // The amount that was done, which may be another than was asked for.
  note(payment_event_type::modification_ended, now, each.id, to_string(each.status),
       money{each.amount, record_.attempts[*standing].amount.unit});
  switch (each.kind) {
    case modification_kind::capture:
      record_.amount_captured += each.amount;
      TURNOUT_ASSERT(record_.amount_captured <= record_.amount_authorized);
      record_.attempts[*standing].captured = true;
      if (each.final_capture || record_.amount_captured == record_.amount_authorized)
        change_status(payment_status::succeeded, now);
      return;
    case modification_kind::refund:
      record_.amount_refunded += each.amount;
      TURNOUT_ASSERT(record_.amount_refunded <= record_.amount_captured);
      return;
    case modification_kind::cancellation: break;
  }
  // What was captured before stays; only the rest is given up.
  if (record_.amount_captured > 0) return change_status(payment_status::succeeded, now);
  attempt& undone = record_.attempts[*standing];
  undone.reversal = reversal_state::confirmed;
  undone.reversal_reason = each.cause == "expired" ? "expired" : "canceled";
  record_.amount_authorized = 0;
  record_.connector.clear();
  change_status(payment_status::canceled, now);
}

void payment_flow::modification_refused(std::size_t index, const send_result& result, instant now) {
  modification& each = record_.modifications[index];
  each.doubtful = false;
  each.gateway_code = result.gateway_code;
  const connector_profile* gateway = profile(sending_);
  const bool can_refund = gateway != nullptr && gateway->offers(operation::refund);
  if (each.kind == modification_kind::refund && each.operation == operation::void_payment && can_refund) {
    // Settled by now, against what its profile says: then it is refunded.
    each.operation = operation::refund;
    each.first_sent_at.reset();
    steps_[index].next_at = now.steady;
    note(payment_event_type::modification_ended, now, each.id, "void_refused");
    return;
  }
  each.code = result.reason != decline_reason::none ? std::string(to_string(result.reason)) : "refused";
  modification_failed(index, now);
}

void payment_flow::modification_failed(std::size_t index, instant now) {
  modification& each = record_.modifications[index];
  each.status = modification_status::failed;
  each.doubtful = each.in_flight = false;
  each.updated_at = now.wall;
  note(payment_event_type::modification_ended, now, each.id, to_string(each.status));
}

// The charge itself is undone: nothing more can be done to it.
void payment_flow::drop_modifications(instant now) {
  for (std::size_t i = 0; i < record_.modifications.size(); ++i) {
    if (record_.modifications[i].status != modification_status::pending) continue;
    record_.modifications[i].code = "reversed";
    modification_failed(i, now);
  }
}

void payment_flow::change_status(payment_status status, instant now) {
  if (!is_final(record_.status)) return;  // update_status() ends it
  record_.status = status;
  note(payment_event_type::status_changed, now, {}, to_string(status));
}

// ---- what to do next ----------------------------------------------------

// An automatic payment whose gateway has only authorised it.
bool payment_flow::capture_automatically(const attempt& standing, std::size_t index, instant now,
                                         random_source& random) {
  if (record_.capture != capture_mode::automatic || standing.captured) return false;
  const connector_profile* gateway = profile(index);
  if (gateway == nullptr || !gateway->offers(operation::capture)) return false;
  const auto own = std::find_if(record_.modifications.begin(), record_.modifications.end(),
                                [](const modification& each) { return each.cause == "automatic"; });
  if (own == record_.modifications.end()) {
    modification planned{.kind = modification_kind::capture,
                         .operation = operation::capture,
                         .amount = record_.amount_authorized,
                         .cause = "automatic"};
    planned.id = make_identifier("cap", now.wall, random);
    add_modification(std::move(planned), now);
    return !record_.answered && now.steady + plan_.least_time <= deadline_;
  }
  if (own->status == modification_status::failed) {
    want_reversal(index, "capture_refused", now);
    return true;
  }
  return own->status == modification_status::pending && !own->doubtful && !record_.answered &&
         now.steady + plan_.least_time <= deadline_;
}

void payment_flow::expire_authorization(instant now, random_source& random) {
  const auto due = authorization_due(record_);
  if (!due || now.wall < *due) return;  // a refund that waits is no reason to wait; the rest check_modification knows
  const auto standing = standing_attempt(record_);
  if (!standing) return;
  modification_check made =
      check_modification(record_, {.kind = modification_kind::cancellation}, profile(*standing), now.wall);
  if (made.refusal != modification_refusal::none) return;
  made.planned.cause = "expired";
  made.planned.id = make_identifier("can", now.wall, random);
  add_modification(std::move(made.planned), now);
}

std::optional<payment_flow::due_modification> payment_flow::next_modification(instant now) const {
  std::optional<due_modification> found;
  const auto standing = standing_attempt(record_);
  if (!standing) return found;
  const bool reachable = profile(*standing) != nullptr;
  for (std::size_t i = 0; i < record_.modifications.size(); ++i) {
    const modification& each = record_.modifications[i];
    if (each.status != modification_status::pending) continue;
    const bool early = is_early(each, now);
    steady_time at = steps_[i].next_at;
    if (!reachable || (each.doubtful && !can_prove_modification(i, now)))
      at = steady_time::max();
    else if (early)
      at = now.steady + std::min(std::chrono::ceil<milliseconds>(*each.not_before - now.wall), longest_nap);
    if (!found || at < found->at) found = due_modification{i, at};
    // In the order they were asked for: a later one waits for this one's proof.
    if (!early && at != steady_time::max()) break;
  }
  return found;
}

std::optional<flow::action> payment_flow::begin_modification(std::size_t index, instant now, random_source& random) {
  modification& each = record_.modifications[index];
  if (is_early(each, now)) return std::nullopt;  // woken to read the clock again
  modification_steps& steps = steps_[index];
  const std::size_t standing = *standing_attempt(record_);
  const connector_profile& gateway = *profile(standing);
  send_kind kind = send_kind::modify;
  if (!each.doubtful) {
    const bool too_late =
        each.kind == modification_kind::capture && record_.capture_before && now.wall >= *record_.capture_before;
    const wall_time possible_from = std::max(each.created_at, each.not_before.value_or(each.created_at));
    if (too_late || (each.sends > 0 && now.wall - possible_from >= give_up_after)) {
      each.code = too_late ? "authorization_expired" : "gateway_unavailable";
      modification_failed(index, now);
      return std::nullopt;
    }
    if (each.first_sent_at && !permitted(standing)) return await_permit(steps, now);
    steps.awaits_permit = false;
    each.in_flight = true;
    each.updated_at = now.wall;
    if (!each.first_sent_at) {
      each.first_sent_at = now.wall;
      steps.begun = now.steady;
    }
    note(payment_event_type::modification_sent, now, each.id, to_string(each.operation));
  } else {
    while (steps.rung < static_cast<int>(proofs.size()) &&
           !proof_allowed(index, proofs[static_cast<std::size_t>(steps.rung)], now))
      ++steps.rung;
    if (steps.rung == static_cast<int>(proofs.size())) {
      steps.rung = 0;
      pause(index, now, random);
      return std::nullopt;
    }
    if (!permitted(standing)) return await_permit(steps, now);
    steps.awaits_permit = false;
    kind = proofs[static_cast<std::size_t>(steps.rung++)];
    if (kind == send_kind::reverse && each.operation != operation::reverse) {
      // Durable before it is sent: from here on it is only ever reversed. A void
      // would be refused because the reversal has been done.
      each.operation = operation::reverse;
      note(payment_event_type::modification_sent, now, each.id, to_string(each.operation));
    }
  }
  steps.asked_at = now.steady;
  sending_ = standing;
  sending_kind_ = kind;
  sending_modification_ = index;
  phase_ = phase::sending;
  const steady_time limit = now.steady + send_limit(gateway);
  return flow::send{standing, kind, record_.answered ? limit : std::min(limit, deadline_), index};
}

std::nullopt_t payment_flow::await_permit(modification_steps& steps, instant now) {
  steps.awaits_permit = true;
  steps.next_at = now.steady + permit_patience;
  return std::nullopt;
}

void payment_flow::pause(std::size_t index, instant now) {
  modification_steps& steps = steps_[index];
  const milliseconds pause = std::min(first_pause * (1 << std::min(steps.round, 10)), longest_pause);
  ++steps.round;
  steps.next_at = now.steady + (std::exchange(steps.woken, false) ? milliseconds(1) : pause);
}

void payment_flow::pause(std::size_t index, instant now, random_source& random) {
  pause(index, now);
  modification_steps& steps = steps_[index];
  const double factor = 1 - jitter + 2 * jitter * random.uniform();
  const auto length = std::chrono::duration_cast<milliseconds>(steps.next_at - now.steady);
  steps.next_at =
      now.steady + milliseconds(static_cast<std::int64_t>(static_cast<double>(length.count()) * factor) + 1);
  // Do not sleep past the moment from which "not done" is final.
  const connector_profile& gateway = *profile(*standing_attempt(record_));
  if (!gateway.resolve.not_found_final_after) return;
  const steady_time final_from = steps.last_carried + *gateway.resolve.not_found_final_after;
  if (final_from > now.steady) steps.next_at = std::min(steps.next_at, final_from);
}

bool payment_flow::proof_allowed(std::size_t index, send_kind kind, instant now) const {
  const modification& each = record_.modifications[index];
  const connector_profile& gateway = *profile(*standing_attempt(record_));
  const bool can_inquire = gateway.resolve.inquire && gateway.offers(operation::inquire);
  if (kind == send_kind::inquire) return can_inquire;
  // By our own reference: harmless to repeat, but it gives back what is captured, too.
  if (kind == send_kind::reverse)
    return each.kind == modification_kind::cancellation && record_.amount_captured == 0 && gateway.resolve.reverse &&
           gateway.offers(operation::reverse);
  if (each.operation == operation::reverse) return false;  // repeated as a reversal, above
  if (!gateway.idempotency.replay_is_proof() || !each.first_sent_at || each.code == "wrong_amount") return false;
  // Another one would only put off the moment from which the gateway's "not done" is final.
  if (steps_[index].replay_refused && can_inquire && gateway.resolve.not_found_final_after) return false;
  // The same key, within its declared life on both clocks, even if it arrives late; it needs no card.
  const milliseconds latest = send_limit(gateway) + gateway.resolve.not_found_final_after.value_or(milliseconds(0));
  const milliseconds life = gateway.idempotency.ttl - latest;
  const auto age = now.wall - *each.first_sent_at;
  return age >= age.zero() && age < life && now.steady - steps_[index].begun < life;
}

bool payment_flow::can_prove_modification(std::size_t index, instant now) const {
  return std::any_of(proofs.begin(), proofs.end(), [&](send_kind kind) { return proof_allowed(index, kind, now); });
}

std::string_view payment_flow::modification_trouble(instant now) const {
  const auto standing = standing_attempt(record_);
  if (!standing) return {};
  std::string_view reason;
  for (std::size_t i = 0; i < record_.modifications.size(); ++i) {
    const modification& each = record_.modifications[i];
    // The merchant was told that it would be captured.
    const bool never_captured = each.cause == "automatic" && each.status == modification_status::failed &&
                                record_.status == payment_status::authorized && record_.amount_captured == 0;
    if (never_captured) reason = "capture_refused";
    const bool expiry_failed = each.cause == "expired" && each.status == modification_status::failed &&
                               record_.status == payment_status::authorized;
    if (expiry_failed) reason = "authorization_expired";
    if (each.status != modification_status::pending || is_early(each, now)) continue;
    if (each.code == "wrong_amount") return "wrong_amount";
    if (profile(*standing) == nullptr || (each.doubtful && !can_prove_modification(i, now)))
      return "no_proof_available";
    // One that was not sent yet waits for its turn: what is before it has the trouble.
    if (each.first_sent_at && now.steady - steps_[i].begun > attention_after) reason = "unresolved_for_long";
  }
  // It expired, and nothing was taken on to give it up: the gateway cannot, or is not configured.
  const auto due = authorization_due(record_);
  if (due && now.wall >= *due && !has_pending_modification(record_)) reason = "authorization_expired";
  return reason;
}

}  // namespace turnout::payments
