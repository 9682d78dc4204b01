#include "routing/simulator/truth.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "payments/assertion.hpp"

namespace turnout::routing::simulator {
namespace {

using payments::decline_reason;
using payments::outcome;

constexpr double never_s = std::numeric_limits<double>::infinity();

double normal_tail(double z) noexcept { return .5 * std::erfc(z / std::numbers::sqrt2); }

double share_that_may_fail_over(const world& of) noexcept {
  double total = 0, retried = 0;
  for (const reason_share& each : of.declines.reasons) {
    total += each.weight;
    if (may_fail_over(of.retry, payments::describe(each.reason).outcome, each.reason)) retried += each.weight;
  }
  return total > 0 ? retried / total : 0;
}

bool retried(const world& of, decline_reason reason) noexcept {
  return may_fail_over(of.retry, payments::describe(reason).outcome, reason);
}

}  // namespace

truth::truth(const scenario& of) : of_(of), states_(of.gateways().size()) {
  const world& about = of.description();
  soft_share_ = share_that_may_fail_over(about);
  technical_retryable_ = retried(about, decline_reason::gateway_error);
  disguise_retryable_ = retried(about, about.technical.disguise) ? 1 : 0;
  late_retryable_ = !about.timeouts_are_final && retried(about, decline_reason::timeout_upstream);
  for (std::size_t g = 0; g < states_.size(); ++g) renew(g);
  next_change_s_ = of.events().empty() ? never_s : of.events().front().begins_s;
}

// The gateway as its own figures and the events under way make it.
void truth::renew(std::size_t gateway) {
  const world& about = of_.description();
  const simulated_gateway& normal = of_.gateways()[gateway];
  state& is = states_[gateway];
  is.fast = normal.technical;
  is.slow = 0;
  is.median_s = normal.median_s;
  is.segments.clear();
  double disguised = about.technical.disguised * is.fast;
  for (std::size_t index : active_) {
    const event& now = of_.events()[index];
    if (now.gateway != gateway) continue;
    if (now.kind == event_kind::segment_outage) {
      is.segments.push_back({now.over, now.value, now.strength, now.reason, retried(about, now.reason)});
      continue;
    }
    if (now.kind == event_kind::latency_spike) {
      is.median_s *= now.strength;
      continue;
    }
    const double before = is.fast + is.slow;
    const double after = now.kind == event_kind::outage ? std::max(before, now.strength) : before + now.strength;
    const double added = std::min(after, 1.0) - before;
    (now.slow ? is.slow : is.fast) += added;
    if (now.disguised && !now.slow) disguised += added;
  }
  is.disguised = is.fast > 0 ? disguised / is.fast : 0;
  is.late = normal_tail(std::log(about.latency.timeout_s / is.median_s) / about.latency.sigma);
  is.served = (1 - is.fast - is.slow) * (1 - is.late);
}

void truth::advance(double at_s) {
  TURNOUT_ASSERT(at_s >= now_s_);
  now_s_ = at_s;
  if (at_s >= drift_until_s_ && of_.description().drift.any()) {
    for (std::size_t g = 0; g < states_.size(); ++g) states_[g].drift = of_.drift(g, at_s);
    drift_until_s_ = (std::floor(at_s / scenario::drift_step_s) + 1) * scenario::drift_step_s;
  }
  if (at_s < next_change_s_) return;
  const std::vector<event>& events = of_.events();
  std::vector<std::size_t> changed;
  while (next_event_ < events.size() && events[next_event_].begins_s <= at_s) {
    active_.push_back(next_event_);
    changed.push_back(events[next_event_++].gateway);
  }
  std::erase_if(active_, [&](std::size_t index) {
    if (events[index].ends_s > at_s) return false;
    changed.push_back(events[index].gateway);
    return true;
  });
  for (std::size_t g : changed) renew(g);
  next_change_s_ = next_event_ < events.size() ? events[next_event_].begins_s : never_s;
  for (std::size_t index : active_) next_change_s_ = std::min(next_change_s_, events[index].ends_s);
}

double truth::decline(std::uint32_t context, std::size_t gateway) const noexcept {
  const double odds = of_.decline_odds(context)[gateway] * states_[gateway].drift;
  return odds / (1 + odds);
}

double truth::segment_passes(const state& is, std::uint32_t context) const noexcept {
  if (is.segments.empty()) return 1;
  const payer who = of_.payer_of(context);
  double passes = 1;
  for (const segment& each : is.segments)
    if (who.of(each.over) == each.value) passes *= 1 - each.declined;
  return passes;
}

// Why a segment outage declines the payment, or none.
decline_reason truth::segment_decline(const state& is, std::uint32_t context, double uniform) const noexcept {
  if (is.segments.empty()) return decline_reason::none;
  const payer who = of_.payer_of(context);
  double passes = 1;
  for (const segment& each : is.segments) {
    if (who.of(each.over) != each.value) continue;
    passes *= 1 - each.declined;
    if (uniform >= passes) return each.reason;
  }
  return decline_reason::none;
}

double truth::success(std::uint32_t context, std::size_t gateway) const noexcept {
  if (!exists(gateway)) return 0;
  const state& is = states_[gateway];
  return is.served * segment_passes(is, context) * (1 - decline(context, gateway));
}

prospect truth::expect(std::uint32_t context, std::size_t gateway) const noexcept {
  prospect is;
  if (!exists(gateway)) return is;
  const state& now = states_[gateway];
  const double passes = segment_passes(now, context), e = decline(context, gateway);
  is.success = now.served * passes * (1 - e);
  const double fast_retried = (technical_retryable_ ? 1 - now.disguised : 0) + disguise_retryable_ * now.disguised;
  is.retryable = now.fast * fast_retried;
  if (late_retryable_) is.retryable += now.slow + (1 - now.fast - now.slow) * now.late;
  double segments_retried = 0;
  if (!now.segments.empty()) {
    const payer who = of_.payer_of(context);
    double reaches = 1;
    for (const segment& each : now.segments) {
      if (who.of(each.over) != each.value) continue;
      if (each.retried) segments_retried += reaches * each.declined;
      reaches *= 1 - each.declined;
    }
  }
  is.retryable += now.served * (segments_retried + passes * e * soft_share_);
  return is;
}

answer truth::declined(decline_reason reason, double latency_s) const {
  answer given;
  given.result.result = payments::describe(reason).outcome;
  given.result.reason = reason;
  given.result.answered = given.result.carried = true;
  given.latency_s = latency_s;
  return given;
}

answer truth::technical_failure(std::uint64_t payment, std::size_t gateway, bool slow) const {
  const world& about = of_.description();
  const draws& random = of_.random();
  answer given;
  if (slow) {
    given = declined(decline_reason::timeout_upstream, about.latency.timeout_s);
    given.result.code = "response_timeout";
    given.result.answered = false;
    if (about.timeouts_are_final) {
      given.result.result = outcome::unknown;
      given.result.reason = decline_reason::none;
    }
  } else {
    const bool disguised = random.uniform(purpose::disguise, payment, gateway) < states_[gateway].disguised;
    given = declined(disguised ? about.technical.disguise : decline_reason::gateway_error,
                     about.technical.fast_s.at(random.uniform(purpose::latency_a, payment, gateway)));
  }
  given.technical = true;
  return given;
}

answer truth::ask(std::uint64_t payment, const payment_case& what, std::size_t gateway) const {
  const world& about = of_.description();
  const draws& random = of_.random();
  const state& is = states_[gateway];
  const double failure = random.uniform(purpose::technical, payment, gateway);
  if (!exists(gateway) || failure < is.fast + is.slow)
    return technical_failure(payment, gateway, exists(gateway) && failure >= is.fast);
  const double latency_s =
      is.median_s * std::exp(about.latency.sigma * random.normal(purpose::latency_b, payment, gateway));
  if (latency_s > about.latency.timeout_s) return technical_failure(payment, gateway, true);
  if (what.intrinsic != decline_reason::none) return declined(what.intrinsic, latency_s);
  const decline_reason broken = segment_decline(is, what.context, random.uniform(purpose::segment, payment, gateway));
  if (broken != decline_reason::none) return declined(broken, latency_s);
  if (random.uniform(purpose::decline, payment, gateway) < decline(what.context, gateway))
    return declined(draw_reason(about.declines.reasons, random.uniform(purpose::decline_reason, payment, gateway)),
                    latency_s);
  answer given;
  given.result.result = outcome::approved;
  given.result.answered = given.result.carried = true;
  given.latency_s = latency_s;
  return given;
}

}  // namespace turnout::routing::simulator
