#pragma once
// Forgetting in time: what was seen t seconds ago weighs e^(-t/T). Weights are
// in seconds, not in samples, so that a busy gateway and a quiet one forget a
// bad hour equally fast.
#include <algorithm>
#include <chrono>
#include <cmath>

#include "payments/instant.hpp"

namespace turnout::routing {

using payments::steady_time;

/// Never negative: a clock that seems to run backwards stands still here.
inline double seconds_between(steady_time earlier, steady_time later) noexcept {
  return std::max(0.0, std::chrono::duration<double>(later - earlier).count());
}

/// A mean over values that fade with the time constant T, and the weight
/// (number of values, faded) that stands behind it.
class decayed_mean {
 public:
  explicit decayed_mean(double time_constant_s) noexcept : time_constant_s_(time_constant_s) {}

  void add(double value, steady_time now) noexcept {
    fade(now);
    sum_ += value;
    weight_ += 1;
  }
  double weight(steady_time now) const noexcept { return weight_ * faded(now); }
  double sum(steady_time now) const noexcept { return sum_ * faded(now); }
  /// (Σ w·x + m·prior) / (Σ w + m): `pseudo_count` m > 0 imagined values at `prior`.
  double shrunk(steady_time now, double prior, double pseudo_count) const noexcept {
    const double factor = faded(now);
    return (sum_ * factor + pseudo_count * prior) / (weight_ * factor + pseudo_count);
  }

 private:
  double faded(steady_time now) const noexcept { return std::exp(-seconds_between(last_, now) / time_constant_s_); }
  void fade(steady_time now) noexcept {
    const double factor = faded(now);
    sum_ *= factor;
    weight_ *= factor;
    last_ = std::max(last_, now);
  }

  double time_constant_s_;
  double sum_ = 0, weight_ = 0;
  steady_time last_{};
};

}  // namespace turnout::routing
