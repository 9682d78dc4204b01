#pragma once
// From what is known of the candidates to one choice, with its exact probability:
// a distribution is computed, and drawn from once.
//
//   first attempts   probes that are due take .25 each (together at most .3); the rest by strategy:
//     adaptive         by exploration weights (exploration.hpp); the best has 1
//     priority         the first in the policy's order that works
//     weighted         by the policy's weights, among those that work
//     least_cost       the cheapest that works; of equals the best
//   retries          the strategy's best, greedily; for weighted the best of those with a weight
//
// One works when it fails less often than not. When none does, the one of most
// worth is used and the choice says so (least_sick): never are all excluded.
#include <vector>

#include "routing/exploration.hpp"
#include "routing/router.hpp"

namespace turnout::routing {

struct option {
  std::uint16_t connector = 0;
  std::uint16_t index = 0;  ///< the caller's, not read here
  bool works = true;        ///< fails less often than not
  bool probe_due = false;
  double worth = 0;          ///< higher is better
  double explore = 0;        ///< weight against the best's 1; adaptive only
  double cost = 0;           ///< share of the amount
  double weight = 0;         ///< the policy's
  std::size_t position = 0;  ///< in the policy's order
  double probability = 0;    ///< filled: of being placed first
};

/// Orders `options` (not empty), chosen one first, fills the probabilities and says why.
choice_reason select_first(std::vector<option>& options, policies::strategy strategy, bool retry,
                           exploration_budget& budget, random_source& random);

}  // namespace turnout::routing
