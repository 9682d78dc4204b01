// `route:`: the strategy, the connectors and what the objective prices.
#include <algorithm>

#include "policies/reading.hpp"

namespace turnout::policies {
namespace {

using settings::value;

strategy read_strategy(const value& from) {
  const std::string word = from.raw();
  if (word == "weighted" || word == "least_cost") {
    from.error("strategy '" + word + "' is not supported yet by this version; allowed: adaptive, priority");
    return strategy::adaptive;
  }
  return from.choice<strategy>({{"adaptive", strategy::adaptive}, {"priority", strategy::priority}})
      .value_or(strategy::adaptive);
}

std::vector<std::string> read_connectors(const value& from, const std::vector<std::string_view>& known) {
  std::vector<std::string> names;
  const std::vector<value> items = from.items();
  if (from.is_list() && items.empty())
    from.error("'connectors' must not be empty; leave it out to use every connector");
  for (const value& item : items) {
    const auto name = item.text();
    if (!name) continue;
    if (std::find(known.begin(), known.end(), *name) == known.end())
      item.error(settings::unknown_word("unknown connector", *name, known));
    else if (std::find(names.begin(), names.end(), *name) != names.end())
      item.error("connector '" + *name + "' is named twice");
    else
      names.push_back(*name);
  }
  return names;
}

objective read_objective(const value& from) {
  // Below it a share of nothing is divided by almost nothing.
  constexpr double least_margin = .001;
  const settings::fields prices(from, {"margin", "latency_price_per_s", "unknown_cost"});
  objective read;
  read.margin = prices.optional("margin").percent(least_margin, 1).value_or(read.margin);
  read.latency_price_per_s = read_money(prices.optional("latency_price_per_s"));
  read.unknown_cost = read_money(prices.optional("unknown_cost"));
  return read;
}

}  // namespace

route read_route(const settings::value& from, const std::vector<std::string_view>& connectors) {
  const settings::fields keys(from, {"strategy", "connectors", "objective"});
  route read;
  if (const value chosen = keys.optional("strategy")) read.strategy = read_strategy(chosen);
  read.connectors = read_connectors(keys.optional("connectors"), connectors);
  read.objective = read_objective(keys.optional("objective"));
  if (read.strategy == strategy::priority && !keys.has("connectors"))
    keys.optional("strategy").error("strategy 'priority' needs 'connectors' in the order they are to be used");
  return read;
}

}  // namespace turnout::policies
