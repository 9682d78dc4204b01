#pragma once
// What choosing a candidate is worth, as a share of the amount, by the
// policy's prices:
//
//   value = health·approval·margin − cost − price_per_s·latency/amount − P(unknown)·unknown_cost/amount
//   score = value / margin, cut to [0,1]
//
// so a score is "approvals after costs": with no costs it is health × approval.
// Prices count in the payment's presentment or charged currency. The router
// knows no rates: a price in another currency is left out.
#include "policies/policy.hpp"
#include "routing/router.hpp"

namespace turnout::routing {

struct outlook {
  double approval = 0, health = 0, latency_ms = 0, cost = 0;
  double unknown = 0;  ///< P(no definite answer)
};

/// value/margin, not cut: candidates are ordered by it. Always finite.
double net_worth(const outlook& of, const request& payment, const payments::money& charged,
                 const policies::objective& prices) noexcept;

}  // namespace turnout::routing
