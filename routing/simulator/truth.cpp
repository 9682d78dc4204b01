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
/// What a segment outage looks like: the issuer's vague no.
constexpr decline_reason segment_reason = decline_reason::do_not_honor;

double normal_tail(double z) noexcept { return .5 * std::erfc(z / std::numbers::sqrt2); }

decline_reason draw_reason(const std::vector<reason_share>& shares, double uniform) noexcept {
  double total = 0;
  for (const reason_share& each : shares) total += each.weight;
  double left = uniform * total;
  for (const reason_share& each : shares) {
    left -= each.weight;
    if (left < 0) return each.reason;
  }
  return shares.back().reason;
}

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
      is.segments.push_back({now.over, now.value, now.strength});
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
  const bool segment_retried = retried(of_.description(), segment_reason);
  is.retryable += now.served * ((segment_retried ? 1 - passes : 0) + passes * e * soft_share_);
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
  if (random.uniform(purpose::segment, payment, gateway) >= segment_passes(is, what.context))
    return declined(segment_reason, latency_s);
  if (random.uniform(purpose::decline, payment, gateway) < decline(what.context, gateway))
    return declined(draw_reason(about.declines.reasons, random.uniform(purpose::decline_reason, payment, gateway)),
                    latency_s);
  answer given;
  given.result.result = outcome::approved;
  given.result.answered = given.result.carried = true;
  given.latency_s = latency_s;
  return given;
}

namespace {

/// Draws one of the weighted values.
class weighted {
 public:
  explicit weighted(std::vector<double> weights) : sums_(std::move(weights)) {
    for (std::size_t i = 1; i < sums_.size(); ++i) sums_[i] += sums_[i - 1];
  }
  std::uint16_t at(double uniform) const noexcept {
    const auto found = std::upper_bound(sums_.begin(), sums_.end(), uniform * sums_.back());
    return static_cast<std::uint16_t>(std::min<std::ptrdiff_t>(found - sums_.begin(), std::ssize(sums_) - 1));
  }

 private:
  std::vector<double> sums_;
};

std::vector<double> issuer_weights(const context_distribution& of) {
  std::vector<double> weights(of.issuers);
  for (std::size_t i = 0; i < weights.size(); ++i)
    weights[i] = std::pow(static_cast<double>(i + 1), -of.issuer_exponent);
  return weights;
}

// Hourly weights around a mean of 1, joined by straight lines between the middles of the hours.
double rate_at(const traffic_rule& rule, double at_s) noexcept {
  if (rule.daily.empty()) return rule.tps;
  double total = 0;
  for (double each : rule.daily) total += each;
  const std::size_t hours = rule.daily.size();
  const double place = at_s / 3600 + static_cast<double>(hours) - .5;
  const auto before = static_cast<std::size_t>(place);
  const double part = place - static_cast<double>(before);
  const double weight = rule.daily[before % hours] * (1 - part) + rule.daily[(before + 1) % hours] * part;
  return rule.tps * weight * static_cast<double>(hours) / total;
}

constexpr double slowest_rate = 1e-6;

std::int64_t amount_within(std::uint16_t band, double uniform) noexcept {
  std::int64_t least = 100;  // the bands are powers of ten of major units
  for (int i = 0; i < band; ++i) least *= 10;
  return least + static_cast<std::int64_t>(uniform * 9 * static_cast<double>(least));
}

}  // namespace

traffic::traffic(const scenario& of) : mean_success(of.gateways().size()) {
  const world& about = of.description();
  const draws& random = of.random();
  const weighted issuers(issuer_weights(about.context)), brands(about.context.brands), amounts(about.context.amounts),
      methods(about.context.methods);
  payments.reserve(static_cast<std::size_t>(about.traffic.tps * about.traffic.seconds * 1.05) + 16);
  truth now(of);
  double at_s = 0;
  for (std::uint64_t number = 0;; ++number) {
    const double waits = -std::log(1 - random.uniform(purpose::arrival, number));
    at_s += waits / std::max(rate_at(about.traffic, at_s), slowest_rate);
    if (at_s >= about.traffic.seconds) break;
    now.advance(at_s);
    payer who;
    who.issuer = issuers.at(random.uniform(purpose::issuer, number));
    who.brand = brands.at(random.uniform(purpose::brand, number));
    who.amount = amounts.at(random.uniform(purpose::amount, number));
    who.method = methods.at(random.uniform(purpose::method, number));
    payment_case made;
    made.at_s = at_s;
    made.context = of.context_of(who);
    made.amount_minor = amount_within(who.amount, random.uniform(purpose::amount_minor, number));
    if (random.uniform(purpose::intrinsic, number) < of.intrinsic(made.context))
      made.intrinsic = draw_reason(about.intrinsic.reasons, random.uniform(purpose::intrinsic_reason, number));
    double best = 0;
    for (std::size_t g = 0; g < mean_success.size(); ++g) {
      const double success = now.success(made.context, g);
      mean_success[g] += success;
      best = std::max(best, success);
    }
    made.best = static_cast<float>(best);
    payments.push_back(made);
  }
  for (double& each : mean_success) each /= std::max<double>(1, static_cast<double>(payments.size()));
}

}  // namespace turnout::routing::simulator
