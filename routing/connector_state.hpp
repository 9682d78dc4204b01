#pragma once
// What is known of one connector beside its approvals: health, speed, how it
// fails, what it is asked.
#include <string>

#include "routing/flight_evidence.hpp"
#include "routing/health_filter.hpp"
#include "routing/latency_estimate.hpp"
#include "routing/segment_outage.hpp"

namespace turnout::routing {

/// The place for the payment that finds out whether a sick gateway is back: one
/// at a time, given up when it ends or should have ended.
class probe_place {
 public:
  bool taken(steady_time now) const noexcept { return decision_ != 0 && now < until_; }
  void take(std::uint64_t decision, steady_time until) noexcept {
    decision_ = decision;
    until_ = until;
  }
  void release(std::uint64_t decision) noexcept {
    if (decision_ == decision) decision_ = 0;
  }

 private:
  std::uint64_t decision_ = 0;  ///< 0: free
  steady_time until_{};
};

struct connector_state {
  std::string name;  ///< empty: the place of one that was retired
  health_filter health;
  flight_evidence flights;
  latency_estimate latency;
  segment_outage outages;
  /// Shares of its technical failures that gave no definite answer, well and sick.
  recent_mean unknown_well{.5, 4, 50}, unknown_sick{.5, 2, 10};
  decayed_sum first_choices;
  probe_place probe;
  double timeout_ms = 0;      ///< as the candidate said last; 0: not known
  double offered_per_s = 0;   ///< first attempts that it was a candidate for
  std::uint32_t offered = 0;  ///< since the rate was last brought up to date
  std::uint64_t in_flight = 0;
  std::uint64_t seen_in = 0;  ///< the choice that it was last a candidate in

  /// What a restart should not lose; not what is in flight.
  void save(state_writer& into, steady_time now) const;
  /// What save() wrote `elapsed_s` ago; senseless values fail `from`.
  void load(state_reader& from, double elapsed_s, steady_time now);
};

}  // namespace turnout::routing
