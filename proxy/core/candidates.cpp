#include "proxy/core/candidates.hpp"

#include <algorithm>

namespace turnout::core {

namespace {

template <class Range, class Value>
bool has(const Range& range, const Value& value) {
  return std::find(range.begin(), range.end(), value) != range.end();
}

/// Empty when the connector can serve the payment.
std::string_view why_not(const payments::connector_profile& profile, const payments::payment& record) {
  if (profile.live != record.livemode) return "mode";
  if (!has(profile.merchants, record.merchant)) return "merchant_not_listed";
  if (!has(profile.methods, record.method)) return "method_not_supported";
  if (!has(profile.brands, record.card.brand)) return "brand_not_supported";
  if (!has(profile.currencies, record.amount.unit)) return "currency_not_supported";
  const bool automatic = record.capture == payments::capture_mode::automatic;
  const bool captures_so = automatic ? profile.capture_automatic : profile.capture_manual;
  if (record.authentication && !profile.takes_authentication) return "authentication_not_supported";
  const bool authorizes = profile.offers(payments::operation::authorize);
  const bool offered = automatic ? profile.offers(payments::operation::sale) ||
                                       (authorizes && profile.offers(payments::operation::capture))
                                 : authorizes;
  if (!captures_so || !offered) return "capture_not_supported";
  return {};
}

/// A flat fee as a share of the amount. An estimate for ranking, never an amount.
double share_of(const std::vector<payments::money>& fee, const payments::money& amount) {
  double flat = 0;
  for (const payments::money& each : fee)
    if (each.unit == amount.unit) flat += static_cast<double>(each.minor);
  return flat / static_cast<double>(amount.minor);
}

routing::candidate candidate_for(const payments::connector_profile& profile, const payments::money& amount) {
  return {.connector = profile.name,
          .charged = amount,
          .cost = profile.fees.percent / 100 + share_of(profile.fees.fixed, amount),
          .attempt_cost = share_of(profile.fees.per_attempt, amount),
          .timeout = profile.timeouts.response};
}

}  // namespace

candidate_set find_candidates(const configuration& config, const policies::route& route,
                              const payments::payment& record) {
  candidate_set found;
  const auto consider = [&](const connectors::definition& each) {
    const payments::connector_profile& profile = each.profile();
    const std::string_view reason = why_not(profile, record);
    if (reason.empty())
      found.candidates.push_back(candidate_for(profile, record.amount));
    else
      found.excluded.push_back({profile.name, std::string(reason)});
  };
  if (route.connectors.empty()) {
    for (const auto& each : config.connectors) consider(*each);
    return found;
  }
  for (const std::string& name : route.connectors)
    if (const connectors::definition* each = config.find(name)) consider(*each);
  for (const auto& each : config.connectors)
    if (!has(route.connectors, each->profile().name)) found.excluded.push_back({each->profile().name, "not_in_policy"});
  return found;
}

}  // namespace turnout::core
