#include "routing/health_filter.hpp"

namespace turnout::routing {
namespace {

constexpr double entry_per_s = 1.0 / 7200, recovery_per_s = 1.0 / 400;
constexpr double sick_share = entry_per_s / (entry_per_s + recovery_per_s);
constexpr std::array<double, 6> failure_level{0, .06, .15, .3, .55, .92};
constexpr std::array<double, 6> entry_split{0, .15, .2, .2, .1, .35};
constexpr double healthy_memory = 500;  ///< answers that q0 remembers
constexpr double healthy_least = .001, healthy_most = .05;
constexpr double surely_healthy = .9;

}  // namespace

health_filter::health_filter() noexcept {
  state_[0] = 1 - sick_share;
  for (std::size_t i = 1; i < levels; ++i) state_[i] = sick_share * entry_split[i];
}

double health_filter::level(std::size_t i) const noexcept { return i == 0 ? healthy_failures_ : failure_level[i]; }

health_filter::distribution health_filter::predicted(steady_time now) const noexcept {
  if (!begun_) return state_;
  const double elapsed = seconds_between(last_, now);
  const double stay = std::exp(-recovery_per_s * elapsed);
  const double sick = 1 - state_[0];
  const double sick_then = sick_share + (sick - sick_share) * stay * std::exp(-entry_per_s * elapsed);
  const double fresh = std::max(0.0, sick_then - sick * stay);
  distribution then;
  then[0] = 1 - sick_then;
  for (std::size_t i = 1; i < levels; ++i) then[i] = state_[i] * stay + fresh * entry_split[i];
  return then;
}

void health_filter::observe(bool technical_failure, steady_time now) noexcept {
  distribution next = predicted(now);
  double total = 0;
  for (std::size_t i = 0; i < levels; ++i) {
    next[i] *= technical_failure ? level(i) : 1 - level(i);
    total += next[i];
  }
  // Every level is strictly between 0 and 1, so the total is positive. The floor
  // keeps a state possible after millions of equal answers: a burst of failures
  // within one moment is believed at the third, not at the sixth.
  constexpr double floor = 1e-6;
  double kept = 0;
  for (double& probability : next) {
    probability = std::max(probability / total, floor);
    kept += probability;
  }
  for (double& probability : next) probability /= kept;
  state_ = next;
  last_ = begun_ ? std::max(last_, now) : now;
  begun_ = true;
  if (state_[0] > surely_healthy) {
    healthy_failures_ += ((technical_failure ? 1.0 : 0.0) - healthy_failures_) / healthy_memory;
    healthy_failures_ = std::clamp(healthy_failures_, healthy_least, healthy_most);
  }
}

double health_filter::failure_probability(steady_time now) const noexcept {
  const distribution current = predicted(now);
  double failure = 0;
  for (std::size_t i = 0; i < levels; ++i) failure += current[i] * level(i);
  return std::clamp(failure, 0.0, 1.0);
}

}  // namespace turnout::routing
