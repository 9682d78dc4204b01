#pragma once
// What ops configure in a simulated world, drawn from its seed: kinds of
// gateways, each of which declares what it then does, and policies over them.
#include <string>
#include <vector>

#include "payments/connector_profile.hpp"
#include "policies/policy.hpp"
#include "tests/simulation/faults.hpp"
#include "tests/simulation/scheduler.hpp"

namespace turnout::simulation {

per_fault<double> draw_odds(seeded_random& random, const std::vector<fault>& without);
payments::connector_profile draw_profile(std::string name, seeded_random& random);
policies::policy_set draw_policies(const std::vector<std::string>& connectors, seeded_random& random);
/// True when whatever happens to a charge there can be proven one day.
bool declares_proof(const payments::connector_profile& gateway) noexcept;

}  // namespace turnout::simulation
