#include "routing/flight_evidence.hpp"

namespace turnout::routing {
namespace {

using by_level = health_filter::by_level;
constexpr std::size_t levels = health_filter::levels;

constexpr double telling_age = -2, lasting_age = 3;  ///< deviations of the latency
constexpr double timeout_share = .8;
constexpr double silent_share = .7;  ///< of technical failures never answer
constexpr double least_survival = .004, no_zero = .001;
constexpr double enough = 25;  ///< logs: nothing that comes can change the picture
constexpr double exponent_most = 60;
constexpr std::uint32_t every_most = 1024;

double age_ms(steady_time since, steady_time now) noexcept { return seconds_between(since, now) * 1000; }

}  // namespace

flight_evidence::flight_evidence() : ring_(capacity) {}

flight_evidence::send* flight_evidence::find(std::uint64_t number) noexcept {
  send& place = ring_[number % capacity];
  return number != 0 && place.number == number ? &place : nullptr;
}

std::uint64_t flight_evidence::sent(steady_time now) noexcept {
  if (++skipped_ < every_) return 0;
  skipped_ = 0;
  ++newest_;
  const std::uint64_t open = newest_ - oldest_ + 1;
  if (open >= capacity) oldest_ = newest_ - capacity + 1;
  if (newest_ - adapted_ >= capacity / 4) {
    if (open > capacity * 3 / 4 && every_ < every_most) every_ *= 2;
    if (open < capacity / 8 && every_ > 1) every_ /= 2;
    adapted_ = newest_;
  }
  ring_[newest_ % capacity] = {newest_, now, 0, progress::in_flight};
  return newest_;
}

bool flight_evidence::ended(std::uint64_t number, bool technical_failure, double latency_ms) noexcept {
  send* found = find(number);
  if (!found) return false;
  const bool written_off = found->now == progress::written_off;
  found->now = technical_failure ? progress::failed : progress::answered;
  found->latency_ms = static_cast<float>(latency_ms);
  return written_off;
}

void flight_evidence::forget(std::uint64_t number) noexcept {
  if (send* found = find(number); found && found->now == progress::in_flight) found->now = progress::forgotten;
}

std::uint32_t flight_evidence::settle(latency_estimate& latency, double timeout_ms, bool healthy,
                                      steady_time now) noexcept {
  double limit = latency.quantile_ms(lasting_age);
  if (timeout_ms > 0) limit = std::min(limit, timeout_share * timeout_ms);
  std::uint32_t count = 0;
  for (; oldest_ <= newest_; ++oldest_) {
    send& place = ring_[oldest_ % capacity];
    if (place.now == progress::answered && place.latency_ms > 0) latency.observe(place.latency_ms);
    if (place.now != progress::in_flight) continue;
    if (age_ms(place.at, now) < limit) break;
    if (healthy) latency.observe(age_ms(place.at, now));  // at least that
    place.now = progress::written_off;
    ++count;
  }
  return count;
}

by_level flight_evidence::weigh(const health_filter& health, const latency_estimate& latency,
                                steady_time now) const noexcept {
  by_level most{}, sum{}, answered{}, failure = health.failure_levels();
  if (!latency.known()) {  // nobody knows yet what is late here
    most.fill(1);
    return most;
  }
  for (std::size_t i = 1; i < levels; ++i) answered[i] = std::log((1 - failure[i]) / (1 - failure[0]));
  const double telling_ms = latency.quantile_ms(telling_age);
  for (std::uint64_t number = newest_; number >= oldest_ && number > 0; --number) {
    const send& here = ring_[number % capacity];
    if (here.now == progress::answered) {
      for (std::size_t i = 1; i < levels; ++i) sum[i] += answered[i];
    } else if (here.now == progress::in_flight) {
      const double age = age_ms(here.at, now);
      if (age <= telling_ms) continue;
      const double survival = std::max(latency.survival(age), least_survival);
      for (std::size_t i = 1; i < levels; ++i) {
        const double silent = silent_share * failure[i];
        sum[i] += std::log((silent + (1 - silent) * survival) / (survival + no_zero));
      }
    }
    for (std::size_t i = 1; i < levels; ++i) most[i] = std::max(most[i], sum[i]);
    // The mildest level falls the slowest: when it is far below its best, so are all.
    if (sum[1] < most[1] - enough || most[levels - 1] > exponent_most) break;
    if (sum[levels - 1] < most[levels - 1] - enough && sum[3] < most[3] - 4) break;
  }
  by_level evidence;
  for (std::size_t i = 0; i < levels; ++i) evidence[i] = std::exp(std::min(most[i], exponent_most));
  return evidence;
}

}  // namespace turnout::routing
