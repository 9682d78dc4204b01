#include "routing/expected_value.hpp"

#include <algorithm>
#include <cmath>

namespace turnout::routing {
namespace {

constexpr double least_margin = .001;
constexpr double worst = -1000;

/// `price` as a share of the amount; 0 when they cannot be compared.
double share_of(const std::optional<payments::money>& price, const request& payment, const payments::money& charged) {
  if (!price) return 0;
  const payments::money& amount = price->unit == payment.amount.unit ? payment.amount : charged;
  if (price->unit != amount.unit || amount.minor <= 0) return 0;
  return static_cast<double>(price->minor) / static_cast<double>(amount.minor);
}

}  // namespace

double net_worth(const outlook& of, const request& payment, const payments::money& charged,
                 const policies::objective& prices) noexcept {
  const double margin = std::isfinite(prices.margin) ? std::max(prices.margin, least_margin) : least_margin;
  const double latency = share_of(prices.latency_price_per_s, payment, charged) * of.latency_ms / 1000;
  const double unknown = share_of(prices.unknown_cost, payment, charged) * of.unknown;
  const double worth = of.health * of.approval - (of.cost + latency + unknown) / margin;
  return std::isfinite(worth) ? std::clamp(worth, worst, 1.0) : worst;
}

}  // namespace turnout::routing
