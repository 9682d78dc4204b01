#pragma once
// How long a gateway takes. Latencies are close to lognormal, so the estimate
// is kept in logarithms: decayed means of ln(ms) and ln(ms)², T = 120 s, with
// three imagined answers of a prior. Then mean = e^(μ + σ²/2).
#include "payments/instant.hpp"
#include "routing/decay.hpp"

namespace turnout::routing {

class latency_estimate {
 public:
  void observe(payments::milliseconds latency, steady_time now) noexcept;
  double mean_ms(steady_time now) const noexcept;

 private:
  static constexpr double time_constant_s = 120;
  decayed_mean log_{time_constant_s}, log_squared_{time_constant_s};
};

}  // namespace turnout::routing
