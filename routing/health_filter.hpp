#pragma once
// How likely the gateway is to fail technically right now: a hidden Markov
// model over levels of the technical-failure probability
//   τ = q0 + (1 − q0)·{0 (healthy), .06, .15, .3, .55, .92},
// where q0, what is normal for this gateway, is a slow mean over its answers,
// each counted by how likely the gateway was healthy.
// Healthy turns sick at rate λ = 1/7200 s, spread over the levels by
// {.15, .2, .2, .1, .35}. Three in four illnesses are short (recovery at 1/300 s),
// the others long (1/2400 s): the longer one lasts, the less often it is worth
// asking whether it is over. Each answer multiplies the state probabilities by
// its likelihood (τ for a failure, 1 − τ otherwise); what is still in flight
// adds evidence of its own (flight_evidence.hpp). One failure of a gateway that
// answered thousands of times is noise, one of a gateway that has been silent
// for an hour is news: that is what a count of failures cannot say.
//
// Between two answers t seconds apart, per duration c with recovery rate μ_c:
//   S_c(t) = S∞_c + (S_c(0) − S∞_c)·e^(−μ_c·t),   S∞_c = share_c·λ/μ_c, normalised
// what was sick before keeps its level, what is new follows the split.
// Method: Rabiner, "A Tutorial on Hidden Markov Models", Proc. IEEE 77 (1989),
// forward recursion; levels from this project's own simulation study.
#include <array>

#include "routing/decay.hpp"
#include "routing/state_bytes.hpp"

namespace turnout::routing {

class health_filter {
 public:
  static constexpr std::size_t levels = 6;  ///< the first is healthy
  using by_level = std::array<double, levels>;

  health_filter() noexcept;
  /// An answer came (or provably failed to): was it a technical failure?
  void observe(bool technical_failure, steady_time now) noexcept;
  /// What observe() took for a failure answered after all.
  void take_back_failure(steady_time now) noexcept;
  /// Likelihood of what is in flight at each level, relative to healthy; until the next call.
  void weigh(const by_level& evidence) noexcept { evidence_ = evidence; }

  struct reading {
    double failure = 0;          ///< P(the next send fails technically); in (0,1)
    double healthy = 0;          ///< P(healthy)
    double failure_healthy = 0;  ///< q0
    double failure_sick = 0;     ///< P(failure | not healthy)
    double recovery_per_s = 0;   ///< expected rate of recovery, if sick
  };
  reading read(steady_time now) const noexcept;
  /// Failure probability of each level.
  by_level failure_levels() const noexcept;

  void save(state_writer& into, steady_time now) const;
  /// What save() wrote `elapsed_s` ago.
  void load(state_reader& from, double elapsed_s, steady_time now);

 private:
  static constexpr std::size_t durations = 2;
  struct state {
    double healthy;
    std::array<by_level, durations> sick;  ///< [.][0] is not used
  };
  state predicted(steady_time now) const noexcept;
  static state after(const state& before, double elapsed_s) noexcept;
  void multiply(const by_level& likelihood, steady_time now) noexcept;

  state state_;                     ///< sums to 1
  by_level evidence_;               ///< of what is in flight
  double healthy_failures_ = .005;  ///< q0
  steady_time last_{};
  bool begun_ = false;  ///< last_ is a real time
};

}  // namespace turnout::routing
