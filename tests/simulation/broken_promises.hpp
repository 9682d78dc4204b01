#pragma once
// The second class of worlds: gateways that break the bounds they declare. What
// is charged twice there cannot be prevented; it has to be found, counted and
// given back.
#include <optional>
#include <vector>

#include "payments/connector_profile.hpp"
#include "tests/simulation/scheduler.hpp"

namespace turnout::simulation {

class disk;
class gateway;
struct world_report;

/// Each is kept where it has its default.
struct broken_promises {
  milliseconds hides_for{0};                    ///< inquiries deny a charge for up to so long
  milliseconds arrives_within{0};               ///< a charge that was lost on the way is processed up to so late
  bool reversal_lets_through = false;           ///< a charge that is late passes an acknowledged reversal
  std::optional<milliseconds> charge_key_life;  ///< a replay after that is another charge
};

/// Of gateways that can be asked: where no inquiry is declared nobody can find out.
broken_promises draw_broken_promises(const payments::connector_profile& declared, seeded_random& random);

/// Each payment that was charged twice at a time is known as such to the journal:
/// see the report's doubled and detected.
void audit_doubled(const disk& journal, const std::vector<const gateway*>& gateways, world_report& report);

}  // namespace turnout::simulation
