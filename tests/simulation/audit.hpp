#pragma once
// After everything has settled: gateways' ledgers, the journal, and what every
// merchant was told, against the invariants:
//   1. At most one attempt of a payment stands.
//   2. What a merchant was told is true, stays readable, and survives crashes.
//   3. One idempotency key, one payment (or one capture, refund or cancel).
//   4. Captured <= authorised and refunded <= captured, as the gateway has it.
//   5. Every payment becomes final once its gateway answers, where it declares a
//      proof; elsewhere it says that a person is needed.
//   6. No card number is kept or told: see card_watch.hpp, which reads along.
// And two rules: a hard decline is retried nowhere, and a reload holds for new
// payments (proxy.cpp sees to that).
#include <vector>

#include "tests/simulation/disk.hpp"
#include "tests/simulation/gateway.hpp"
#include "tests/simulation/shop.hpp"
#include "tests/simulation/world.hpp"

namespace turnout::simulation {

/// `bounds_kept`: the gateways do what their connectors declare.
void audit_world(const disk& journal, const std::vector<const gateway*>& gateways, const shop& merchants,
                 bool bounds_kept, world_report& report);

}  // namespace turnout::simulation
