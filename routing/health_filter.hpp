#pragma once
// How likely the gateway is to fail technically right now: a hidden Markov
// model over levels of the technical-failure probability
//   τ ∈ {q0 (healthy), .06, .15, .3, .55, .92}.
// Healthy turns sick at rate λ = 1/7200 s, spread over the levels by
// {.15, .2, .2, .1, .35}; sick recovers at μ = 1/400 s. Each answer multiplies
// the state probabilities by its likelihood (τ for a failure, 1 − τ otherwise).
// One failure of a gateway that answered thousands of times is noise, one of a
// gateway that has been silent for an hour is news: that is what a count of
// failures cannot say.
//
// Between two answers t seconds apart, with S the sum over the sick levels:
//   S(t) = S∞ + (S(0) − S∞)·e^(−(λ+μ)t),  S∞ = λ/(λ+μ)
//   p_i(t) = p_i(0)·e^(−μt) + (S(t) − S(0)·e^(−μt))·split_i
// Method: Rabiner, "A Tutorial on Hidden Markov Models", Proc. IEEE 77 (1989),
// forward recursion; levels from this project's own simulation study.
#include <array>

#include "routing/decay.hpp"

namespace turnout::routing {

class health_filter {
 public:
  health_filter() noexcept;
  /// An answer came (or provably failed to): was it a technical failure?
  void observe(bool technical_failure, steady_time now) noexcept;
  /// Estimated probability that the next send fails technically; in (0,1).
  double failure_probability(steady_time now) const noexcept;

 private:
  static constexpr std::size_t levels = 6;
  using distribution = std::array<double, levels>;
  distribution predicted(steady_time now) const noexcept;
  double level(std::size_t i) const noexcept;

  distribution state_;              ///< sums to 1; [0] is healthy
  double healthy_failures_ = .005;  ///< q0: slow mean while surely healthy
  steady_time last_{};
  bool begun_ = false;  ///< last_ is a real time
};

}  // namespace turnout::routing
