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

/// One exchange with the proxy that somebody may still wait for.
struct gateway::call {
  answer done;
  steady_time begun, deadline;
  scheduler::life caller;
  bool dropped = false, broken = false;
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

bool gateway::ends_early(const asked& what, steady_time deadline, scheduler::life caller, const answer& done) {
  const steady_time now = time_.now().steady;
  const auto finish = [&](steady_time when, core::exchange came_back) {
    const steady_time heard = std::min(when, deadline);
    came_back.latency = std::chrono::duration_cast<milliseconds>(heard - now);
    time_.at(heard, caller, [done, came_back = std::move(came_back)] { done(came_back); });
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

void gateway::receive(asked what, steady_time deadline, scheduler::life caller, answer done) {
  if (ends_early(what, deadline, caller, done)) return;
  const steady_time now = time_.now().steady;
  const bool asks = what.operation == "inquire";
  const bool late = !asks && strikes(fault::late);
  const auto to = std::make_shared<call>(call{std::move(done), now, deadline, caller});
  to->dropped = !late && strikes(fault::drop_after);
  to->broken = !late && !to->dropped && !asks && strikes(fault::error_after);
  if (strikes(fault::stale_answer)) to->held_back = random_.between(100ms, stalest);
  // Who hung up is answered into the void; the deadline ends the wait in any case.
  to->limit = time_.at(deadline, caller, [to] {
    to->open = false;
    core::exchange failed;
    failed.carried = true;
    failed.error = "response_timeout";
    failed.latency = std::chrono::duration_cast<milliseconds>(to->deadline - to->begun);
    to->done(std::move(failed));
  });
  const answer_word said = [this, to, what, late](const reply& made) {
    if (!late) deliver(to, what, made);
  };
  const auto send = [&] {
    // A capture or refund that is late beyond all bounds cannot be undone: only charges are.
    const milliseconds bound = charges(what) ? std::max(latest, habits_.broken.arrives_within) : latest;
    const steady_time arrival = late ? deadline + random_.between(1ms, bound) : now + random_.between(1ms, 60ms);
    time_.at(arrival, scheduler::world, [this, what, said] { arrive(what, said); });
  };
  // Only what may be repeated is: nobody sends again what could be done a second time.
  const bool kept = declared_.idempotency.caches == payments::key_caches::all && key_scope(what).has_value();
  const bool repeatable = asks || what.operation == "reverse" || kept;
  const bool twice = repeatable && strikes(fault::duplicated);
  send();
  if (twice) send();
}

void gateway::deliver(const std::shared_ptr<call>& to, const asked& what, const reply& made) {
  if (down_for_) {
    down_until_ = time_.now().steady + *std::exchange(down_for_, std::nullopt);
    down_stalls_ = random_.chance(0.3);
  }
  if (time_.now().steady < down_until_) to->dropped = true;
  if (!to->open) return;
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
  const bool hard = made.word == "declined" && charges(what) && !to->dropped && !to->broken &&
                    (made.reason == payments::decline_reason::none
                         ? made.hard
                         : describe(made.reason).outcome == payments::outcome::hard_decline);
  time_.at(heard, to->caller, [this, to, hard, reference = what.reference, came_back = std::move(came_back)] {
    if (hard) told_hard_.emplace(reference, time_.now().steady);
    to->done(came_back);
  });
}

void gateway::arrive(const asked& what, const answer_word& said) {
  const auto later = [this](auto work) { time_.after(random_.between(1ms, 60ms), scheduler::world, std::move(work)); };
  const std::optional<std::string> scope = key_scope(what);
  if (!scope)
    return later([this, what, said] {
      const reply made = perform(what);
      note(what, made);
      said(made);
    });
  key_record& known = keys_[*scope];
  if (known.running) {
    if (declared_.idempotency.in_flight == payments::key_in_flight::wait)
      known.waiting.push_back(said);
    else
      later([said] { said({.word = "unclear"}); });
    return;
  }
  const steady_time now = time_.now().steady;
  milliseconds life = habits_.key_life.value_or(declared_.idempotency.ttl);
  if (charges(what) && habits_.broken.charge_key_life) life = *habits_.broken.charge_key_life;
  if (known.cached && now - known.made_at < life)
    return later([this, what, said, cached = *known.cached] {
      note(what, cached);
      said(cached);
    });
  known.running = true;
  known.made_at = now;
  later([this, scope = *scope, what, said] { end_first(scope, what, said); });
}

std::optional<std::string> gateway::key_scope(const asked& what) const {
  if (declared_.idempotency.caches == payments::key_caches::none) return std::nullopt;
  if (what.operation == "inquire" || what.operation == "reverse") return std::nullopt;
  if (charges(what)) return "charge;" + what.key;
  if (habits_.forgets_operation_keys) return std::nullopt;
  return what.operation + ";" + what.reference + ";" + what.key;
}

// The first request with a key has been processed: who waited gets the same answer.
void gateway::end_first(const std::string& scope, const asked& what, const answer_word& said) {
  const reply made = perform(what);
  note(what, made);
  key_record& known = keys_[scope];
  known.running = false;
  // "Not processed" is never remembered: the same key may be processed yet.
  const bool kept = declared_.idempotency.caches == payments::key_caches::all || made.word == "approved" ||
                    made.word == "pending" || made.word == "action";
  known.cached = kept && made.word != "not_sent" ? std::optional(made) : std::nullopt;
  const auto waiting = std::exchange(known.waiting, {});
  said(made);
  for (const answer_word& each : waiting) each(made);
}

}  // namespace turnout::simulation
