#pragma once
// The payments of a scenario: a Poisson process whose rate follows the hour
// and the waves of card testing.
#include <vector>

#include "routing/simulator/truth.hpp"

namespace turnout::routing::simulator {

/// The whole traffic of a scenario, and what of it every algorithm shares.
struct traffic {
  explicit traffic(const scenario& of);
  std::vector<payment_case> payments;
  /// Mean of S over the payments, each gateway: what the best static order rests on.
  std::vector<double> mean_success;
};

}  // namespace turnout::routing::simulator
