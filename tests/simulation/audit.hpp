#pragma once
// After everything has settled: gateways' ledgers, the journal, and what every
// merchant was told, against the invariants of docs/ARCHITECTURE.md.
#include <vector>

#include "tests/simulation/disk.hpp"
#include "tests/simulation/gateway.hpp"
#include "tests/simulation/shop.hpp"
#include "tests/simulation/world.hpp"

namespace turnout::simulation {

void audit_world(const disk& journal, const std::vector<const gateway*>& gateways, const shop& merchants,
                 world_report& report);

}  // namespace turnout::simulation
