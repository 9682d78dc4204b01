// Which policy a payment falls under: the first that matches. One that cannot
// be decided for want of a rate ends the search: going on could pick a policy
// that is not meant for this payment.
#include "policies/policy.hpp"

namespace turnout::policies {

std::string_view to_string(strategy value) noexcept {
  switch (value) {
    case strategy::adaptive: return "adaptive";
    case strategy::priority: return "priority";
    case strategy::weighted: return "weighted";
    case strategy::least_cost: return "least_cost";
  }
  return "adaptive";
}

policy_choice select(const policy_set& set, const match_input& input, const amount_lookup& convert) {
  for (const policy& each : set.policies) {
    const match_result result = each.match ? each.match->matches(input, convert) : match_result::yes;
    if (result == match_result::yes) return {&each, false};
    if (result == match_result::rate_unavailable) return {nullptr, true};
  }
  return {};
}

}  // namespace turnout::policies
