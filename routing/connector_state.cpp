#include "routing/connector_state.hpp"

namespace turnout::routing {

void connector_state::save(state_writer& into, steady_time now) const {
  health.save(into, now);
  latency.save(into);
  unknown_well.save(into);
  unknown_sick.save(into);
  into.number(offered_per_s);
  outages.save(into, now);
}

void connector_state::load(state_reader& from, double elapsed_s, steady_time now) {
  constexpr double most_per_s = 1e7;
  health.load(from, elapsed_s, now);
  latency.load(from);
  unknown_well.load(from);
  unknown_sick.load(from);
  offered_per_s = from.number(0, most_per_s);
  outages.load(from, elapsed_s, now);
}

}  // namespace turnout::routing
