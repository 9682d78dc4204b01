// Second looks. What ends a doubt is a gateway's promise: that "not found" is
// final after a while, that a key gives back the first answer, that a reversal
// stops what is still on its way. A promise may be broken, and then a charge
// stands that nobody asks about any more. So an attempt that was in doubt and is
// believed not charged is asked about again, a few times over the day after; what
// appears is counted, and reversed like any approval that may not stand.
#include <algorithm>
#include <array>

#include "payments/identifier.hpp"
#include "payments/payment_flow.hpp"

namespace turnout::payments {

namespace {

using std::chrono::hours;
using std::chrono::minutes;

// After the proof, and after each look that got an answer: five looks, about a
// minute, ten minutes, an hour, six hours and a day after the proof.
constexpr std::array<milliseconds, 5> gaps{minutes(1), minutes(9), minutes(50), hours(5), hours(18)};
// Added at most, so that a gateway that was down for many is not asked about all at once.
constexpr double spread = 0.2;  // of the gap
// A look that got no answer is repeated after a quarter of its gap, at least and at most:
constexpr milliseconds shortest_pause = minutes(1), longest_pause = hours(1);
constexpr int gap_share = 4;
// A gateway that never answers is not asked for ever: so long after the attempt ended.
constexpr hours give_up_after{7 * 24};

milliseconds spread_out(milliseconds gap, random_source& random) {
  return gap + milliseconds(static_cast<std::int64_t>(static_cast<double>(gap.count()) * spread * random.uniform()));
}

bool is_other(const std::string& known, const std::string& told) noexcept {
  return !known.empty() && !told.empty() && known != told;
}

bool is_decline(outcome ended) noexcept { return ended == outcome::hard_decline || ended == outcome::soft_decline; }

}  // namespace

// The attempt has just got its outcome, on a promise.
void payment_flow::plan_looks(std::size_t index, instant now) {
  attempt& each = record_.attempts[index];
  const connector_profile* gateway = profile(index);
  if (gateway == nullptr || !gateway->resolve.inquire || !gateway->offers(operation::inquire)) return;
  each.looks = 0;
  each.look_again_at = now.wall + spread_out(gaps.front(), *random_);
}

std::optional<flow::action> payment_flow::begin_look(instant now) {
  look_awaits_permit_ = false;
  if (!record_.answered) return std::nullopt;
  for (std::size_t i = 0; i < record_.attempts.size(); ++i) {
    const attempt& each = record_.attempts[i];
    if (!each.look_again_at || now.wall < *each.look_again_at || needs_work(i)) continue;
    const connector_profile* gateway = profile(i);
    if (gateway == nullptr || !gateway->resolve.inquire || !gateway->offers(operation::inquire)) {
      plan_next_look(i, false, now);  // it may be configured again
      continue;
    }
    if (!permitted(i)) {
      look_awaits_permit_ = true;
      continue;
    }
    ladders_[i].rung_begun = now.steady;
    sending_ = i;
    sending_kind_ = send_kind::inquire;
    looking_ = true;
    phase_ = phase::sending;
    return flow::send{i, send_kind::inquire, now.steady + gateway->timeouts.connect + gateway->timeouts.response, {}};
  }
  return std::nullopt;
}

void payment_flow::plan_next_look(std::size_t index, bool got_answer, instant now) {
  attempt& each = record_.attempts[index];
  const milliseconds gap = gaps[static_cast<std::size_t>(each.looks)];
  if (got_answer && ++each.looks == static_cast<int>(gaps.size())) {
    each.look_again_at.reset();
  } else if (got_answer) {
    each.look_again_at = now.wall + spread_out(gaps[static_cast<std::size_t>(each.looks)], *random_);
  } else if (now.wall - each.ended_at >= give_up_after) {
    each.look_again_at.reset();
  } else {
    each.look_again_at = now.wall + std::clamp(gap / gap_share, shortest_pause, longest_pause);
  }
}

void payment_flow::look_ended(std::size_t index, const send_result& result, instant now) {
  const bool approved = result.result == outcome::approved;
  // "Found, and undone" has no outcome, but totals.
  const bool told_totals = result.voided || result.captured_total || result.refunded_total;
  const bool undecided = result.result == outcome::pending || result.result == outcome::requires_action;
  const bool got_answer = approved || is_decline(result.result) || result.not_found || (told_totals && !undecided);
  const std::string_view said = result.not_found          ? std::string_view("not_found")
                                : got_answer || undecided ? to_string(result.result)
                                                          : std::string_view("no_answer");
  note(payment_event_type::looked_again, now, record_.attempts[index].id, said);
  plan_next_look(index, got_answer, now);
  // A gateway that was wrong is asked anew from the start: there may be more.
  if (approved && charge_seen(index, result, now)) plan_looks(index, now);
}

// A look saw a charge. True: one that nobody knew of.
bool payment_flow::charge_seen(std::size_t index, const send_result& result, instant now) {
  attempt& each = record_.attempts[index];
  const bool other = is_other(each.gateway_reference, result.gateway_reference);
  const std::optional<bool> undone = is_undone(result);
  if (each.reversal == reversal_state::none && each.outcome == outcome::approved)
    return other && !undone.value_or(false) && twin_found(index, result, now);
  if (each.reversal == reversal_state::none || !each.seen_approved) {
    if (undone.value_or(false)) return false;  // it was stopped as promised
    approve(index, result, now, false);
    return true;
  }
  // Its reversal was confirmed, and nothing of it may stand: once more does no harm.
  if (undone.value_or(!other)) return false;
  if (!result.gateway_reference.empty()) each.gateway_reference = result.gateway_reference;
  note(payment_event_type::late_approval, now, each.id, {});
  want_reversal(index, "late_approval", now);
  return other;
}

// The attempt stands and is kept, and its gateway shows another charge under the
// same reference: a replay charged a second time. By our reference both would be
// given back; the other one is an attempt of its own, known by the gateway's.
bool payment_flow::twin_found(std::size_t index, const send_result& result, instant now) {
  const attempt& kept = record_.attempts[index];
  const bool known = std::any_of(record_.attempts.begin(), record_.attempts.end(), [&](const attempt& each) {
    return each.twin_of == kept.id && each.gateway_reference == result.gateway_reference;
  });
  if (known) return false;
  attempt twin{.id = make_identifier("att", now.wall, *random_),
               .connector = kept.connector,
               .operation = kept.operation,
               .amount = kept.amount,
               .in_flight = false,
               .outcome = outcome::approved,
               .gateway_reference = result.gateway_reference};
  twin.captured = result.captured.value_or(kept.operation == operation::sale);
  twin.seen_approved = true;
  twin.twin_of = kept.id;
  twin.kept = kept.kept;
  twin.started_at = kept.started_at;
  twin.ended_at = now.wall;
  if (result.amount_minor && *result.amount_minor != kept.amount.minor) twin.found_amount = result.amount_minor;
  record_.attempts.push_back(std::move(twin));
  ladders_.push_back(ladder{.begun = now.steady, .last_carried = now.steady, .next_at = now.steady});
  const std::size_t at = record_.attempts.size() - 1;
  // No start of it was ever written: the event names the attempt that it doubles.
  note(payment_event_type::late_approval, now, record_.attempts[at].id, record_.attempts[at].twin_of,
       record_.attempts[at].amount);
  want_reversal(at, "late_approval", now);
  return true;
}

}  // namespace turnout::payments
