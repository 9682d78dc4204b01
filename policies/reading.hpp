#pragma once
// The parts of a policy's YAML, each read on its own. Every one reports what is
// wrong at its position and carries on, so that one run shows all mistakes.
#include <memory>
#include <optional>

#include "policies/policy.hpp"
#include "settings/reader.hpp"

namespace turnout::policies {

/// "500.00 EUR": an exact, non-negative amount and its currency.
std::optional<payments::money> read_money(const settings::value& from);

/// A `match:` block; nullptr when there is none or it has no condition: everything matches.
std::shared_ptr<const matcher> read_match(const settings::value& from);

route read_route(const settings::value& from, const std::vector<std::string_view>& connectors);

struct retry_rules {
  payments::retry_plan plan;
  std::optional<double> budget;
};
retry_rules read_retry(const settings::value& from);

}  // namespace turnout::policies
