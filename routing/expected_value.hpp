#pragma once
// What an attempt is worth, in units of the margin on the payment (so that
// without any costs it is the probability of an approval):
//
//   worth = P(approved)·(1 − cost/margin) + P(goes on)·V
//         − (attempt_cost + price_per_s·latency + P(unknown)·unknown_cost)/margin
//
// with costs and prices as shares of the amount. V is what the best of the
// other candidates is worth, 0 when this is the last attempt that the policy
// allows. An attempt goes on when it fails with a definite answer: fully after a
// technical failure (nobody judged the payment), and for `declined_retry` of its
// declines, since most of them would come again elsewhere. An unknown outcome
// ends the payment's routing: it is worth nothing and costs unknown_cost, which
// is why a gateway that times out ranks below one that fails fast as often.
//
// Prices count in the payment's presentment or charged currency. The router
// knows no rates: a price in another currency is left out.
#include "policies/policy.hpp"
#include "routing/router.hpp"

namespace turnout::routing {

struct outlook {
  double approval = 0;  ///< P(approved | answered)
  double failure = 0;   ///< P(technical failure)
  double unknown = 0;   ///< P(no definite answer); part of `failure`
  double latency_ms = 0;
};

/// The policy's prices as shares of one payment's amount.
struct price_list {
  double margin, latency_per_ms, unknown;
};
price_list prices_for(const request& payment, const payments::money& charged,
                      const policies::objective& prices) noexcept;

/// Without going on. Always finite.
double worth_alone(const outlook& of, const candidate& at, const price_list& prices) noexcept;
/// P(goes on), as above.
double goes_on(const outlook& of) noexcept;

/// A share that came from outside: in [0, 1]; what is no number counts as all of the amount.
double sane_share(double share) noexcept;

}  // namespace turnout::routing
