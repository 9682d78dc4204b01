#include "routing/expected_value.hpp"

#include <algorithm>
#include <cmath>

namespace turnout::routing {
namespace {

constexpr double least_margin = .001;
constexpr double worst = -1000;
constexpr double failed_retry = .8, declined_retry = .5;

}  // namespace

double sane_share(double share) noexcept { return std::isfinite(share) ? std::clamp(share, 0.0, 1.0) : 1.0; }

price_list prices_for(const request& payment, const payments::money& charged,
                      const policies::objective& prices) noexcept {
  const auto share_of = [&](const std::optional<payments::money>& price) {
    if (!price) return 0.0;
    const payments::money& amount = price->unit == payment.amount.unit ? payment.amount : charged;
    if (price->unit != amount.unit || amount.minor <= 0) return 0.0;
    return std::max(0.0, static_cast<double>(price->minor) / static_cast<double>(amount.minor));
  };
  const double margin = std::isfinite(prices.margin) ? std::max(prices.margin, least_margin) : least_margin;
  return {margin, share_of(prices.latency_price_per_s) / 1000, share_of(prices.unknown_cost)};
}

double worth_alone(const outlook& of, const candidate& at, const price_list& prices) noexcept {
  const double approved = (1 - of.failure) * of.approval;
  const double costs = approved * sane_share(at.cost) + sane_share(at.attempt_cost) +
                       prices.latency_per_ms * of.latency_ms + prices.unknown * of.unknown;
  const double worth = approved - costs / prices.margin;
  return std::isfinite(worth) ? std::clamp(worth, worst, 1.0) : worst;
}

double goes_on(const outlook& of) noexcept {
  return (of.failure - of.unknown) * failed_retry + (1 - of.failure) * (1 - of.approval) * declined_retry;
}

}  // namespace turnout::routing
