#include "routing/latency_estimate.hpp"

#include <algorithm>
#include <cmath>

namespace turnout::routing {
namespace {

constexpr double least_ms = 1, most_ms = 600'000;
constexpr double memory = 400;                             ///< answers
constexpr double least_variance = .01, most_variance = 2;  ///< a few outliers must not price a gateway out
constexpr double wider = 1.2;

}  // namespace

void latency_estimate::observe(double latency_ms) noexcept {
  const double log_ms = std::log(std::clamp(latency_ms, least_ms, most_ms));
  weight_ = std::min(weight_ + 1, memory);
  const double step = 1 / weight_, off = log_ms - mean_log_;
  mean_log_ += step * off;
  variance_ += step * (off * off * (1 - step) - variance_);
  variance_ = std::clamp(variance_, least_variance, most_variance);
  mean_ms_ = std::exp(mean_log_ + variance_ / 2);
}

double latency_estimate::quantile_ms(double deviations) const noexcept {
  return std::exp(mean_log_ + deviations * std::sqrt(variance_));
}

double latency_estimate::survival(double age_ms) const noexcept {
  if (age_ms <= 0) return 1;
  const double deviations = (std::log(age_ms) - mean_log_) / (wider * std::sqrt(variance_));
  return .5 * std::erfc(deviations / std::sqrt(2.0));
}

void latency_estimate::save(state_writer& into) const {
  into.number(mean_log_);
  into.number(variance_);
  into.number(weight_);
}

void latency_estimate::load(state_reader& from) {
  mean_log_ = from.number(0, std::log(most_ms));
  variance_ = from.number(least_variance, most_variance);
  weight_ = from.number(0, memory);
  mean_ms_ = std::exp(mean_log_ + variance_ / 2);
}

}  // namespace turnout::routing
