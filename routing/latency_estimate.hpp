#pragma once
// How long a gateway takes to answer. Latencies are close to lognormal, so the
// estimate is kept in logarithms: exponentially weighted mean μ and variance σ²
// of ln(ms) over the last few hundred answers (by number, not by time: a quiet
// gateway is not a fast one). It starts from a prior that counts as three answers.

#include "routing/state_bytes.hpp"

namespace turnout::routing {

class latency_estimate {
 public:
  void observe(double latency_ms) noexcept;
  double mean_ms() const noexcept { return mean_ms_; }                  ///< e^(μ + σ²/2)
  bool known() const noexcept { return weight_ >= prior_weight + 10; }  ///< from ten answers on
  /// Milliseconds by which an answer has come with probability Φ(deviations).
  double quantile_ms(double deviations) const noexcept;
  /// P(no answer yet after `age_ms`), with σ taken a fifth wider than seen.
  double survival(double age_ms) const noexcept;

  void save(state_writer& into) const;
  void load(state_reader& from);

 private:
  static constexpr double prior_ms = 300, prior_sigma = 1.2, prior_weight = 3;
  double mean_log_ = 5.703782474656201;  ///< ln(prior_ms)
  double variance_ = prior_sigma * prior_sigma;
  double weight_ = prior_weight;
  double mean_ms_ = 616.3299631932;  ///< kept, since every choice asks for it
};

}  // namespace turnout::routing
