#pragma once
// Which connectors could take a payment at all: the capability filter.
#include <vector>

#include "payments/payment.hpp"
#include "policies/policy.hpp"
#include "proxy/core/configuration.hpp"
#include "routing/router.hpp"

namespace turnout::core {

struct candidate_set {
  std::vector<routing::candidate> candidates;  ///< in the route's order; views into the configuration
  std::vector<routing::exclusion> excluded;    ///< everybody else, each with the first reason that applies
};

/// The connectors of `route` (all, when it names none) that can serve `record`.
candidate_set find_candidates(const configuration& config, const policies::route& route,
                              const payments::payment& record);

}  // namespace turnout::core
