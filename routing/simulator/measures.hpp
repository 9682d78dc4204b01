#pragma once
// What a run is judged by.
#include <cstdint>
#include <vector>

#include "routing/simulator/run.hpp"

namespace turnout::routing::simulator {

/// First choices second by second: how many there were, and how many went to the gateway.
struct timeline {
  static constexpr int from_s = -10, to_s = 60;  ///< around the moment in question
  std::vector<std::uint32_t> all, here;
};

/// One outage that hit a gateway which had traffic to lose.
struct outage_course {
  double share_before = 0;       ///< of first choices
  std::uint64_t lost = 0;        ///< first attempts that failed there before the traffic had left
  double left_s = 0;             ///< after the outage began; its whole length when the traffic never left
  std::uint64_t lost_later = 0;  ///< first attempts that failed there from then to the end: what probing costs
  double back_s = 0;             ///< after it ended, until half of the former share had returned
  timeline around_begin, around_end;
  bool back = false;  ///< false: the next event at the gateway, or the end of the run, came first (after back_s)
};

struct measures {
  std::uint64_t payments = 0, approved = 0, approved_first = 0;  ///< genuine ones
  std::uint64_t attempts = 0;
  double first_regret = 0;  ///< points: mean of (1−d)·(best S − S of the first choice)
  std::uint64_t calm_payments = 0;
  double calm_first_regret = 0;     ///< points, over calm payments
  double calm_explored = 0;         ///< share of calm payments whose first choice was an exploration
  double calm_explored_regret = 0;  ///< points of all calm payments: what those choices cost
  std::uint64_t false_alarms = 0;
  double watched_gateway_hours = 0;
  std::vector<outage_course> outages;
};

/// Traffic has left a gateway when at most one of the next payments goes there, and is back when five do, of
/// as many as ten used to come from.
inline constexpr double expected_of_window = 10;
/// An outage counts when the gateway had at least this share before.
inline constexpr double least_share = .1;
/// Calm: no event anywhere and none within this time before; and the first tenth of the run, when all is new, is over.
inline constexpr double calm_after_s = 60, learning_share = .1;

measures measure(const stage& on, const run_log& of);

}  // namespace turnout::routing::simulator
