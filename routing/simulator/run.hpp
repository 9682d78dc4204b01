#pragma once
// One algorithm lives through one scenario in virtual time: payments arrive,
// answers come back when their latency has passed, the router's tick comes
// every 100 ms. The router sees what it would see in the proxy.
#include <cstdint>
#include <memory>
#include <vector>

#include "routing/router.hpp"
#include "routing/simulator/traffic.hpp"

namespace turnout::routing::simulator {

/// What the run is at: the algorithms that know the truth read it here.
struct stage {
  const scenario& of;
  const traffic& all;
  truth now;
  std::uint32_t context = 0;  ///< of the payment that is being routed
};

inline constexpr std::uint8_t no_gateway = 255;

/// How one payment went.
struct payment_log {
  std::uint8_t first = no_gateway;  ///< the gateway of its first attempt
  bool approved = false;            ///< in the end
  bool approved_first = false;      ///< at its first attempt
  bool explored = false;            ///< its first choice was an exploration
  bool technical = false;           ///< its first attempt failed technically
  float first_regret = 0;           ///< (1−d)·(best S − S of the first choice): expected, not drawn
};

struct run_log {
  std::vector<payment_log> payments;
  std::uint64_t attempts = 0;
  std::uint64_t false_alarms = 0;
  double watched_gateway_s = 0;  ///< gateway-seconds in which an alarm would be false
};

/// `on` was made for this run; `router` may refer to it.
run_log run(stage& on, router& router);

/// A gateway counts as alarmed when its view says anything but "closed", or a health below this.
inline constexpr double alarm_health = .75;
/// A gateway that always fails this often is no false alarm.
inline constexpr double sick_rate = .05;
/// An alarm is not false this soon after an event at the gateway.
inline constexpr double alarm_grace_s = 60;

}  // namespace turnout::routing::simulator
