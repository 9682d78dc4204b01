#include "routing/health_filter.hpp"

namespace turnout::routing {
namespace {

using by_level = health_filter::by_level;

constexpr double entry_per_s = 1.0 / 7200;
constexpr std::array<double, 2> duration_share{.75, .25}, recovery_per_s{1.0 / 300, 1.0 / 2400};
constexpr by_level additional_failure{0, .06, .15, .3, .55, .92};
constexpr by_level entry_split{0, .15, .2, .2, .1, .35};
constexpr double healthy_memory = 500;  ///< answers that q0 remembers
constexpr double healthy_least = .001, healthy_most = .10;

constexpr std::array<double, 2> sick_in_the_long_run() {
  std::array<double, 2> ratio{};
  double all = 1;
  for (std::size_t c = 0; c < ratio.size(); ++c) all += ratio[c] = duration_share[c] * entry_per_s / recovery_per_s[c];
  for (double& each : ratio) each /= all;
  return ratio;
}
constexpr std::array<double, 2> long_run = sick_in_the_long_run();

}  // namespace

health_filter::health_filter() noexcept {
  state_.healthy = 1;
  for (std::size_t c = 0; c < durations; ++c) {
    state_.healthy -= long_run[c];
    for (std::size_t i = 0; i < levels; ++i) state_.sick[c][i] = long_run[c] * entry_split[i];
  }
  evidence_.fill(1);
}

by_level health_filter::failure_levels() const noexcept {
  by_level level;
  for (std::size_t i = 0; i < levels; ++i)
    level[i] = healthy_failures_ + (1 - healthy_failures_) * additional_failure[i];
  return level;
}

health_filter::state health_filter::predicted(steady_time now) const noexcept {
  return after(state_, begun_ ? seconds_between(last_, now) : 0);
}

health_filter::state health_filter::after(const state& before, double elapsed) noexcept {
  if (elapsed <= 0) return before;
  state then;
  then.healthy = 1;
  for (std::size_t c = 0; c < durations; ++c) {
    const double stay = faded(recovery_per_s[c] * elapsed);
    const double fresh = long_run[c] * (1 - stay);
    for (std::size_t i = 1; i < levels; ++i) {
      then.sick[c][i] = before.sick[c][i] * stay + fresh * entry_split[i];
      then.healthy -= then.sick[c][i];
    }
  }
  then.healthy = std::max(then.healthy, 0.0);
  return then;
}

void health_filter::multiply(const by_level& likelihood, steady_time now) noexcept {
  state next = predicted(now);
  next.healthy *= likelihood[0];
  double total = next.healthy;
  for (by_level& sick : next.sick)
    for (std::size_t i = 1; i < levels; ++i) total += sick[i] *= likelihood[i];
  // Whatever was seen before, a burst of failures within one moment is believed
  // at the fourth, for no state is ever less likely than this.
  constexpr double floor = 1e-7;
  next.healthy = std::max(next.healthy / total, floor);
  for (by_level& sick : next.sick)
    for (std::size_t i = 1; i < levels; ++i) sick[i] = std::max(sick[i] / total, floor);
  state_ = next;
  last_ = begun_ ? std::max(last_, now) : now;
  begun_ = true;
}

void health_filter::observe(bool technical_failure, steady_time now) noexcept {
  by_level likelihood = failure_levels();
  if (!technical_failure)
    for (double& each : likelihood) each = 1 - each;
  multiply(likelihood, now);
  const double step = state_.healthy / healthy_memory;
  healthy_failures_ += ((technical_failure ? 1.0 : 0.0) - healthy_failures_) * step;
  healthy_failures_ = std::clamp(healthy_failures_, healthy_least, healthy_most);
}

void health_filter::take_back_failure(steady_time now) noexcept {
  by_level likelihood = failure_levels();
  for (double& each : likelihood) each = (1 - each) / each;
  multiply(likelihood, now);
}

health_filter::reading health_filter::read(steady_time now) const noexcept {
  const state current = predicted(now);
  const by_level level = failure_levels();
  double sick = 0, failing = 0, recovering = 0;
  for (std::size_t c = 0; c < durations; ++c)
    for (std::size_t i = 1; i < levels; ++i) {
      const double mass = current.sick[c][i] * evidence_[i];
      sick += mass;
      failing += mass * level[i];
      recovering += mass * recovery_per_s[c];
    }
  const double total = current.healthy + sick;
  reading seen;
  seen.healthy = current.healthy / total;
  seen.failure_healthy = healthy_failures_;
  seen.failure_sick = sick > 0 ? failing / sick : level.back();
  seen.recovery_per_s = sick > 0 ? recovering / sick : recovery_per_s.front();
  seen.failure = std::clamp((current.healthy * healthy_failures_ + failing) / total, 0.0, 1.0);
  return seen;
}

void health_filter::save(state_writer& into, steady_time now) const {
  const state current = predicted(now);
  into.number(current.healthy);
  for (const by_level& sick : current.sick)
    for (std::size_t i = 1; i < levels; ++i) into.number(sick[i]);
  into.number(healthy_failures_);
}

void health_filter::load(state_reader& from, double elapsed_s, steady_time now) {
  state read{};
  double total = read.healthy = from.number(0, 1);
  for (by_level& sick : read.sick)
    for (std::size_t i = 1; i < levels; ++i) total += sick[i] = from.number(0, 1);
  healthy_failures_ = from.number(healthy_least, healthy_most);
  if (!from.good() || !(total > 0)) return;
  read.healthy /= total;
  for (by_level& sick : read.sick)
    for (double& each : sick) each /= total;
  state_ = after(read, elapsed_s);
  last_ = now;
  begun_ = true;
}

}  // namespace turnout::routing
