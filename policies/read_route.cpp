// `route:`: the strategy, the connectors and what the objective prices.
#include <algorithm>

#include "policies/reading.hpp"

namespace turnout::policies {
namespace {

using settings::value;

constexpr std::string_view no_such_connector = "unknown connector";

std::vector<std::string> read_connectors(const value& from, const std::vector<std::string_view>& known) {
  std::vector<std::string> names;
  const std::vector<value> items = from.items();
  if (from.is_list() && items.empty())
    from.error("'connectors' must not be empty; leave it out to use every connector");
  for (const value& item : items) {
    const auto name = item.text();
    if (!name) continue;
    if (std::find(known.begin(), known.end(), *name) == known.end())
      item.error(settings::unknown_word(no_such_connector, *name, known));
    else if (std::find(names.begin(), names.end(), *name) != names.end())
      item.error("connector '" + *name + "' is named twice");
    else
      names.push_back(*name);
  }
  return names;
}

/// `weights: {alpha: 70, beta: 30}` names the connectors, too.
void read_weights(const value& from, const std::vector<std::string_view>& known, route& into) {
  constexpr double least = .001, most = 1'000'000;
  const std::vector<settings::entry> entries = from.entries();
  if (entries.empty()) from.error("'weights' needs a weight for each connector, such as {alpha: 70, beta: 30}");
  for (const settings::entry& each : entries) {
    if (std::find(known.begin(), known.end(), each.key) == known.end())
      each.key_value.error(settings::unknown_word(no_such_connector, each.key, known));
    else if (const auto weight = each.item.number(least, most)) {
      into.connectors.push_back(each.key);
      into.weights.push_back(*weight);
    }
  }
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
  const settings::fields keys(from, {"strategy", "connectors", "weights", "objective"});
  route read;
  const value chosen = keys.optional("strategy");
  if (chosen)
    read.strategy = chosen
                        .choice<strategy>({{"adaptive", strategy::adaptive},
                                           {"priority", strategy::priority},
                                           {"weighted", strategy::weighted},
                                           {"least_cost", strategy::least_cost}})
                        .value_or(strategy::adaptive);
  read.connectors = read_connectors(keys.optional("connectors"), connectors);
  read.objective = read_objective(keys.optional("objective"));
  if (read.strategy == strategy::priority && !keys.has("connectors"))
    chosen.error("strategy 'priority' needs 'connectors' in the order they are to be used");
  const value weights = keys.optional("weights");
  if (read.strategy == strategy::weighted && !weights)
    chosen.error("strategy 'weighted' needs 'weights', such as {alpha: 70, beta: 30}");
  if (!weights) return read;
  if (read.strategy != strategy::weighted)
    weights.error("only strategy 'weighted' has 'weights', not '" + std::string(to_string(read.strategy)) + "'");
  else if (keys.has("connectors"))
    keys.optional("connectors").error("with 'weights' leave 'connectors' out: the weights name them");
  else
    read_weights(weights, connectors, read);
  return read;
}

}  // namespace turnout::policies
