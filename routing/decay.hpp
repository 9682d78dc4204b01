#pragma once
// Means that forget: by time, or by number.
#include <algorithm>
#include <chrono>
#include <cmath>

#include "payments/instant.hpp"
#include "routing/state_bytes.hpp"

namespace turnout::routing {

using payments::steady_time;

/// Never negative: a clock that seems to run backwards stands still here.
inline double seconds_between(steady_time earlier, steady_time later) noexcept {
  return std::max(0.0, std::chrono::duration<double>(later - earlier).count());
}

/// e^(-x) for x >= 0; a line where that is good to six digits, which it is for what was just looked at.
inline double faded(double x) noexcept { return x < 1e-3 ? 1 - x : std::exp(-x); }

/// How much there was lately: each amount fades as e^(-t/T).
class decayed_sum {
 public:
  void add(double amount, double time_constant_s, steady_time now) noexcept {
    sum_ = at(time_constant_s, now) + amount;
    last_ = std::max(last_, now);
  }
  double at(double time_constant_s, steady_time now) const noexcept {
    return sum_ * faded(seconds_between(last_, now) / time_constant_s);
  }

 private:
  double sum_ = 0;
  steady_time last_{};
};

/// The mean of about the last `memory` values, which starts as `prior_weight` values of `prior`.
class recent_mean {
 public:
  constexpr recent_mean(double prior, double prior_weight, double memory) noexcept
      : mean_(prior), weight_(prior_weight), memory_(memory) {}
  void add(double value) noexcept {
    weight_ = std::min(weight_ + 1, memory_);
    mean_ += (value - mean_) / weight_;
  }
  double mean() const noexcept { return mean_; }

  void save(state_writer& into) const {
    into.number(mean_);
    into.number(weight_);
  }
  /// Of values in [0, 1].
  void load(state_reader& from) {
    mean_ = from.number(0, 1);
    weight_ = from.number(0, memory_);
  }

 private:
  double mean_, weight_, memory_;
};

}  // namespace turnout::routing
