#include "routing/selection.hpp"

#include <algorithm>
#include <cmath>

namespace turnout::routing {
namespace {

constexpr double probe_share = .10, probe_share_most = .30;
constexpr double explore_share = .04;
constexpr double explore_floor = .05, explore_scale = .05;
constexpr double tie = .0005;
constexpr double well = .5;

bool better(const option& a, const option& b) noexcept {
  if (a.worth != b.worth) return a.worth > b.worth;
  return a.position < b.position;
}

bool healthier(const option& a, const option& b) noexcept {
  if (a.health != b.health) return a.health > b.health;
  return a.position < b.position;
}

// Closed ones by worth, then probes by worth.
void rank_greedily(std::vector<option>& options) {
  std::sort(options.begin(), options.end(), [](const option& a, const option& b) {
    if (a.standing != b.standing) return a.standing < b.standing;
    return better(a, b);
  });
}

void rank_by_priority(std::vector<option>& options, bool retry) {
  const auto rank = [retry](const option& o) {
    if (o.standing == standing::probe) return retry ? 1 : 0;  // a probe is due: it keeps its place
    return o.health >= well ? 0 : 2;
  };
  std::sort(options.begin(), options.end(), [&](const option& a, const option& b) {
    if (rank(a) != rank(b)) return rank(a) < rank(b);
    return a.position < b.position;
  });
}

// Precondition: ranked greedily, the first is closed. Returns how many tie for best.
std::size_t share_out(std::vector<option>& options) {
  std::size_t closed = 0, tied = 0;
  for (const option& o : options) {
    if (o.standing != standing::closed) continue;
    ++closed;
    if (options.front().worth - o.worth <= tie) ++tied;
  }
  const std::size_t probing = options.size() - closed;
  const double probes = std::min(probe_share_most, probe_share * static_cast<double>(probing));
  const double explored = closed > tied ? (1 - probes) * explore_share : 0;
  double weights = 0;
  for (std::size_t i = tied; i < closed; ++i) {
    option& o = options[i];
    const double gap = std::max(0.0, options.front().worth - o.worth - o.deviation);
    o.probability = explore_floor + std::exp(-gap / explore_scale);
    weights += o.probability;
  }
  for (std::size_t i = 0; i < options.size(); ++i) {
    option& o = options[i];
    if (o.standing == standing::probe)
      o.probability = probes / static_cast<double>(probing);
    else if (i < tied)
      o.probability = (1 - probes - explored) / static_cast<double>(tied);
    else
      o.probability *= explored / weights;
  }
  return tied;
}

std::size_t draw(const std::vector<option>& options, random_source& random) {
  double left = random.uniform();
  for (std::size_t i = 0; i < options.size(); ++i) {
    left -= options[i].probability;
    if (left < 0) return i;
  }
  return 0;  // the probabilities sum to 1 but for rounding
}

void only_first(std::vector<option>& options) {
  for (option& o : options) o.probability = 0;
  options.front().probability = 1;
}

}  // namespace

choice_reason select_first(std::vector<option>& options, const selection_rules& rules, random_source& random) {
  const bool only_one = options.size() == 1;
  const auto blocked = [](const option& o) { return o.standing == standing::blocked; };
  if (std::all_of(options.begin(), options.end(), blocked)) {
    std::sort(options.begin(), options.end(), healthier);
    only_first(options);
    return choice_reason::least_sick;
  }
  std::erase_if(options, blocked);
  if (rules.strategy == policies::strategy::priority) {
    rank_by_priority(options, rules.retry);
    only_first(options);
    return rules.retry ? choice_reason::retry : only_one ? choice_reason::only_candidate : choice_reason::priority;
  }
  rank_greedily(options);
  if (rules.retry || only_one || options.front().standing == standing::probe) {
    only_first(options);
    return rules.retry ? choice_reason::retry : only_one ? choice_reason::only_candidate : choice_reason::best_score;
  }
  const std::size_t tied = share_out(options);
  const std::size_t chosen = draw(options, random);
  const auto place = options.begin() + static_cast<std::ptrdiff_t>(chosen);
  std::rotate(options.begin(), place, place + 1);  // the others keep their order
  return tied > chosen ? choice_reason::best_score : choice_reason::explored;
}

}  // namespace turnout::routing
