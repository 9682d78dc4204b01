#include "routing/latency_estimate.hpp"

namespace turnout::routing {
namespace {

constexpr double prior_ms = 300, prior_sigma = .5, prior_weight = 3;
constexpr double least_ms = 1, most_ms = 600'000;
constexpr double most_variance = 2;  ///< a few outliers must not price a gateway out

}  // namespace

void latency_estimate::observe(payments::milliseconds latency, steady_time now) noexcept {
  const double log_ms = std::log(std::clamp(static_cast<double>(latency.count()), least_ms, most_ms));
  log_.add(log_ms, now);
  log_squared_.add(log_ms * log_ms, now);
}

double latency_estimate::mean_ms(steady_time now) const noexcept {
  const double prior_log = std::log(prior_ms);
  const double mean = log_.shrunk(now, prior_log, prior_weight);
  const double square = log_squared_.shrunk(now, prior_log * prior_log + prior_sigma * prior_sigma, prior_weight);
  return std::exp(mean + std::clamp(square - mean * mean, 0.0, most_variance) / 2);
}

}  // namespace turnout::routing
