// How a request reaches its gateway and how the answer comes back: lost, late,
// twice, or refused at the door.
#include <algorithm>
#include <memory>
#include <utility>

#include "tests/simulation/gateway.hpp"

namespace turnout::simulation {

namespace {

// A declared bound that holds: what was lost on the way is processed within
// this after the proxy hung up.
constexpr milliseconds latest{8000};
constexpr milliseconds stalest{3000};

bool charges(const asked& what) { return what.operation == "sale" || what.operation == "authorize"; }

}  // namespace

struct gateway::call {
  asked what;
  answer done;
  steady_time begun, deadline;
  scheduler::life whose;
  bool late = false, dropped = false, broken = false;
  milliseconds held_back{0};
  bool open = true;
  std::uint64_t limit = 0;
};

bool gateway::strikes(fault which) {
  if (!random_.chance(odds_[which])) return false;
  ++count_[which];
  return true;
}

bool gateway::is_charge_again(const asked& what) const {
  const auto scope = key_scope(what);
  return scope && keys_.contains(*scope);
}

bool gateway::ends_early(const asked& what, steady_time deadline, scheduler::life whose, const answer& done) {
  const steady_time now = time_.now().steady;
  const auto finish = [&](steady_time when, core::exchange came_back) {
    const steady_time heard = std::min(when, deadline);
    came_back.latency = std::chrono::duration_cast<milliseconds>(heard - now);
    time_.at(heard, whose, [done, came_back = std::move(came_back)] { done(came_back); });
    return true;
  };
  core::exchange ended;
  const bool down = now < down_until_;
  if ((down && !down_stalls_) || strikes(fault::refused_connection)) {
    ended.error = "connect_refused";
    return finish(now + 1ms, std::move(ended));
  }
  ended.carried = true;
  if (down || strikes(fault::stall)) {
    ended.error = "response_timeout";
    return finish(deadline, std::move(ended));
  }
  const milliseconds way = random_.between(2ms, 120ms);
  if (strikes(fault::drop_before)) {
    ended.error = "connection_lost";
    return finish(now + way, std::move(ended));
  }
  reply refusal;
  if (strikes(fault::refused_credentials))
    refusal.word = "rejected";
  else if (what.operation == "inquire")
    refusal.word = strikes(fault::inquiry_error) ? "unclear" : "";
  else if (strikes(fault::rate_limited))
    refusal.word = "not_sent";
  else if (odds_[fault::called_duplicate] > 0 && is_charge_again(what) && strikes(fault::called_duplicate))
    refusal = {.word = "declined", .reason = payments::decline_reason::duplicate};
  if (refusal.word.empty()) return false;
  note(what, refusal);
  ended.reply = write_reply(refusal);
  return finish(now + way, std::move(ended));
}

void gateway::receive(asked what, steady_time deadline, scheduler::life whose, answer done) {
  if (ends_early(what, deadline, whose, done)) return;
  const steady_time now = time_.now().steady;
  const auto from = std::make_shared<call>(call{std::move(what), std::move(done), now, deadline, whose});
  const bool asks = from->what.operation == "inquire";
  from->late = !asks && strikes(fault::late);
  from->dropped = !from->late && strikes(fault::drop_after);
  from->broken = !from->late && !from->dropped && !asks && strikes(fault::error_after);
  if (strikes(fault::stale_answer)) from->held_back = random_.between(100ms, stalest);
  // Who hung up is answered into the void; the deadline ends the wait in any case.
  from->limit = time_.at(deadline, whose, [from] {
    from->open = false;
    core::exchange failed;
    failed.carried = true;
    failed.error = "response_timeout";
    failed.latency = std::chrono::duration_cast<milliseconds>(from->deadline - from->begun);
    from->done(std::move(failed));
  });
  const auto send = [&] {
    // A capture or refund that is late beyond all bounds cannot be undone: only charges are.
    const milliseconds bound = charges(from->what) ? std::max(latest, habits_.broken.arrives_within) : latest;
    const steady_time arrival = from->late ? deadline + random_.between(1ms, bound) : now + random_.between(1ms, 60ms);
    time_.at(arrival, scheduler::world, [this, from] { arrive(from); });
  };
  // Only what may be repeated is: nobody sends again what could be done a second time.
  const bool kept = declared_.idempotency.caches == payments::key_caches::all && key_scope(from->what).has_value();
  const bool twice = (asks || from->what.operation == "reverse" || kept) && strikes(fault::duplicated);
  send();
  if (twice) send();
}

void gateway::deliver(const caller& to, const reply& made) {
  if (down_for_) {
    down_until_ = time_.now().steady + *std::exchange(down_for_, std::nullopt);
    down_stalls_ = random_.chance(0.3);
  }
  if (time_.now().steady < down_until_) to->dropped = true;
  if (!to->open || to->late) return;
  to->open = false;
  time_.cancel(to->limit);
  core::exchange came_back;
  came_back.carried = true;
  if (to->dropped)
    came_back.error = "connection_lost";
  else
    came_back.reply = write_reply(to->broken ? reply{.word = "unclear"} : made);
  const steady_time now = time_.now().steady;
  const steady_time heard = std::max(now, std::min(now + to->held_back, to->deadline - 1ms));
  came_back.latency = std::chrono::duration_cast<milliseconds>(heard - to->begun);
  const bool hard = made.word == "declined" && charges(to->what) && !to->dropped && !to->broken &&
                    (made.reason == payments::decline_reason::none
                         ? made.hard
                         : describe(made.reason).outcome == payments::outcome::hard_decline);
  time_.at(heard, to->whose, [this, to, hard, came_back = std::move(came_back)]() mutable {
    if (hard) told_hard_.emplace(to->what.reference, time_.now().steady);
    to->done(std::move(came_back));
  });
}

void gateway::answer_later(const caller& to, reply made) {
  time_.after(random_.between(1ms, 60ms), scheduler::world, [this, to, made = std::move(made)] {
    note(to->what, made);
    deliver(to, made);
  });
}

void gateway::arrive(const caller& from) {
  std::optional<std::string> scope = key_scope(from->what);
  if (scope) {
    key_record& known = keys_[*scope];
    if (known.running) {
      if (declared_.idempotency.in_flight == payments::key_in_flight::wait) return known.waiting.push_back(from);
      return answer_later(from, {.word = "unclear"});
    }
    const steady_time now = time_.now().steady;
    milliseconds life = habits_.key_life.value_or(declared_.idempotency.ttl);
    if (charges(from->what) && habits_.broken.charge_key_life) life = *habits_.broken.charge_key_life;
    if (known.cached && now - known.made_at < life) return answer_later(from, *known.cached);
    known.running = true;
    known.made_at = now;
  }
  time_.after(random_.between(1ms, 60ms), scheduler::world, [this, scope = std::move(scope), from] {
    if (scope) return end_first(*scope, from);
    const reply made = perform(from->what);
    note(from->what, made);
    deliver(from, made);
  });
}

std::optional<std::string> gateway::key_scope(const asked& what) const {
  if (declared_.idempotency.caches == payments::key_caches::none) return std::nullopt;
  if (what.operation == "inquire" || what.operation == "reverse") return std::nullopt;
  if (charges(what)) return "charge;" + what.key;
  if (habits_.forgets_operation_keys) return std::nullopt;
  return what.operation + ";" + what.reference + ";" + what.key;
}

// The first request with a key has been processed: who waited gets the same answer.
void gateway::end_first(const std::string& scope, const caller& from) {
  const reply made = perform(from->what);
  note(from->what, made);
  key_record& known = keys_[scope];
  known.running = false;
  // "Not processed" is never remembered: the same key may be processed yet.
  const bool kept = declared_.idempotency.caches == payments::key_caches::all || made.word == "approved" ||
                    made.word == "pending" || made.word == "action";
  known.cached = kept && made.word != "not_sent" ? std::optional(made) : std::nullopt;
  const auto waiting = std::exchange(known.waiting, {});
  deliver(from, made);
  for (const caller& each : waiting) deliver(each, made);
}

}  // namespace turnout::simulation
