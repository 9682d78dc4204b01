#pragma once
// From worths to one choice, with its exact probability.
//
// First attempts of strategy adaptive:
//   probes    each half-open candidate with a free probe: .10 (together at most .30)
//   explore   ε = .04 of the rest, shared over the closed candidates that are not best, by weight
//             .05 + exp(−max(0, gap − deviation)/.05): near misses and the little known get most,
//             the surely bad some, for they may have recovered
//   best      what is left, split evenly over candidates that tie within .0005
// Retries are greedy; strategy priority takes the first that is well (health
// at least .5), and otherwise the first. Half-open ones come after all closed
// ones in a retry. When every candidate is open, the least sick is used.
#include <vector>

#include "routing/router.hpp"

namespace turnout::routing {

/// How the breaker leaves a candidate.
enum class standing : std::uint8_t { closed, probe, blocked };

struct option {
  std::uint16_t connector = 0;
  routing::standing standing = standing::closed;
  double worth = 0;  ///< higher is better
  double deviation = 0;
  double health = 0;
  std::size_t position = 0;  ///< in the policy's order
  double probability = 0;    ///< filled: of being placed first
  std::size_t index = 0;     ///< the caller's, not read here
};

struct selection_rules {
  policies::strategy strategy = policies::strategy::adaptive;
  bool retry = false;  ///< not the payment's first attempt
};

/// Orders `options` (not empty), chosen one first, fills the probabilities and
/// says why. Blocked options are dropped unless all are.
choice_reason select_first(std::vector<option>& options, const selection_rules& rules, random_source& random);

}  // namespace turnout::routing
