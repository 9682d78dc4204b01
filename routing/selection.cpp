#include "routing/selection.hpp"

#include <algorithm>

namespace turnout::routing {
namespace {

using policies::strategy;

bool better(const option& a, const option& b) noexcept {
  if (a.worth != b.worth) return a.worth > b.worth;
  return a.position < b.position;
}

bool before(const option& a, const option& b, strategy by) noexcept {
  if (by == strategy::adaptive) return better(a, b);
  if (a.works != b.works) return a.works;
  if (!a.works) return better(a, b);
  if (by == strategy::priority) return a.position < b.position;
  if (by == strategy::least_cost && a.cost != b.cost) return a.cost < b.cost;
  return better(a, b);
}

// Precondition: sorted. Before probes take their part.
void share_out(std::vector<option>& options, strategy by, exploration_budget& budget) {
  const auto weight = [&](const option& o) {
    if (by == strategy::adaptive) return &o == &options.front() ? 1 : o.explore;
    if (by == strategy::weighted && options.front().works) return o.works ? o.weight : 0;
    return &o == &options.front() ? 1.0 : 0.0;
  };
  double weights = 0, loss = 0;
  for (option& o : options) weights += o.probability = weight(o);
  if (!(weights > 0)) {  // no weight says anything about those that are here
    weights = options.front().probability = 1;
  }
  for (option& o : options) {
    o.probability /= weights;
    loss += o.probability * (options.front().worth - o.worth);
  }
  if (by != strategy::adaptive) return;
  const double allowed = budget.spend(loss);
  double explored = 0;
  for (option& o : options)
    if (&o != &options.front()) explored += o.probability *= allowed;
  options.front().probability = 1 - explored;
}

void let_probes_through(std::vector<option>& options) {
  const auto probes = std::count_if(options.begin(), options.end(), [](const option& o) { return o.probe_due; });
  if (probes == 0) return;
  const double each = probe_share(static_cast<int>(probes));
  const double rest = 1 - each * static_cast<double>(probes);
  for (option& o : options) o.probability = rest * o.probability + (o.probe_due ? each : 0);
}

std::size_t draw(const std::vector<option>& options, random_source& random) {
  double left = random.uniform();
  for (std::size_t i = 0; i < options.size(); ++i) {
    left -= options[i].probability;
    if (left < 0) return i;
  }
  return 0;  // the probabilities sum to 1 but for rounding
}

choice_reason reason_of(const option& chosen, bool is_best, strategy by) noexcept {
  if (chosen.probe_due) return choice_reason::probed;
  switch (by) {
    case strategy::adaptive: return is_best ? choice_reason::best_score : choice_reason::explored;
    case strategy::priority: return choice_reason::priority;
    case strategy::weighted: return choice_reason::weighted;
    case strategy::least_cost: return choice_reason::least_cost;
  }
  return choice_reason::best_score;
}

}  // namespace

choice_reason select_first(std::vector<option>& options, strategy by, bool retry, exploration_budget& budget,
                           random_source& random) {
  std::sort(options.begin(), options.end(), [by](const option& a, const option& b) { return before(a, b, by); });
  const bool none_works = std::none_of(options.begin(), options.end(), [](const option& o) { return o.works; });
  const bool only_one = options.size() == 1;
  if (retry || only_one) {
    options.front().probability = 1;
    if (retry) return choice_reason::retry;
    return none_works ? choice_reason::least_sick : choice_reason::only_candidate;
  }
  share_out(options, by, budget);
  let_probes_through(options);
  const std::size_t chosen = draw(options, random);
  const auto place = options.begin() + static_cast<std::ptrdiff_t>(chosen);
  std::rotate(options.begin(), place, place + 1);  // the others keep their order
  const choice_reason why = reason_of(options.front(), chosen == 0, by);
  return none_works && why != choice_reason::probed ? choice_reason::least_sick : why;
}

}  // namespace turnout::routing
