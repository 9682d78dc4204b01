#pragma once
// What the sends that have not been answered yet say about a gateway's health.
// A gateway that died silently is noticed before the first time-out: by then
// everything sent to it since would be lost.
//
// From the newest send to the oldest, accumulating for each level τ_i of the
// health filter a log-likelihood L_i against healthy (q0):
//   answered, no failure      log((1 − τ_i)/(1 − q0))
//   in flight for a seconds   log((.7·τ_i + (1 − .7·τ_i)·V)/(V + .001)),  V = max(1 − F(a), .004)
//   failed                    0 (the filter has it)
// F is the gateway's lognormal latency; a send younger than its e^(μ−2σ) says
// nothing. The evidence is e^(the largest L_i of any prefix): "since some moment
// it looks dead". (Multiplying over all in flight instead gives thousands of
// false alarms.) A send older than min(e^(μ+3σ), .8·time-out) is written off:
// it counts as one failure, taken back if it answers after all.
// Source: this project's own routing study.
//
// Latencies are learned here too, in the order of sending: in the order of
// answering the quick ones would come first, and whoever learned from them would
// take all others for dead.
//
// Memory: 512 sends, 16 KiB. A gateway with more in flight is sampled: every
// second, fourth … send is followed, the others count when they end.
#include <cstdint>
#include <vector>

#include "routing/health_filter.hpp"
#include "routing/latency_estimate.hpp"

namespace turnout::routing {

class flight_evidence {
 public:
  flight_evidence();
  /// A send began. Returns its number; 0 when it is not followed.
  std::uint64_t sent(steady_time now) noexcept;
  /// It ended. `latency_ms`: of an answer, 0 when its time says nothing. True when it had been written off.
  bool ended(std::uint64_t number, bool technical_failure, double latency_ms) noexcept;
  /// It will not be heard of, or its end says nothing about health.
  void forget(std::uint64_t number) noexcept;

  /// Writes off what is too old, tells `latency` what was learned, and returns how many sends were
  /// written off. `timeout_ms` 0: not known.
  std::uint32_t settle(latency_estimate& latency, double timeout_ms, bool healthy, steady_time now) noexcept;
  health_filter::by_level weigh(const health_filter& health, const latency_estimate& latency,
                                steady_time now) const noexcept;

 private:
  static constexpr std::size_t capacity = 512;
  enum class progress : std::uint8_t { in_flight, answered, failed, written_off, forgotten };
  struct send {
    std::uint64_t number = 0;
    steady_time at{};
    float latency_ms = 0;
    progress now = progress::forgotten;
  };
  send* find(std::uint64_t number) noexcept;

  std::vector<send> ring_;
  std::uint64_t newest_ = 0;               ///< number of the latest send; the first is 1
  std::uint64_t oldest_ = 1;               ///< all before it ended or were written off
  std::uint32_t every_ = 1, skipped_ = 0;  ///< one in `every_` is followed
  std::uint64_t adapted_ = 0;              ///< the latest send when `every_` was last looked at
};

}  // namespace turnout::routing
