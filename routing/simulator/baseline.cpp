#include "routing/simulator/baseline.hpp"

#include <algorithm>

namespace turnout::routing::simulator {
namespace {

// A decision's id says which arm it was for.
constexpr int arm_bits = 8;
constexpr std::uint64_t arm_mask = (1u << arm_bits) - 1;

bool is_technical(const payments::send_result& result) noexcept {
  if (result.result == payments::outcome::unknown || result.result == payments::outcome::not_sent) return true;
  return result.reason != payments::decline_reason::none &&
         payments::describe(result.reason).group == payments::decline_class::technical;
}

}  // namespace

std::size_t baseline::number_of(std::string_view connector, std::size_t guess) {
  if (guess < names_.size() && names_[guess] == connector) return guess;
  const auto found = std::find(names_.begin(), names_.end(), connector);
  if (found != names_.end()) return static_cast<std::size_t>(found - names_.begin());
  names_.emplace_back(connector);
  spelled_.resize(names_.size());
  grow(names_.size());
  return names_.size() - 1;
}

decision baseline::choose(const request&, const policies::route&, const std::vector<candidate>& candidates,
                          const std::vector<tried>& tried, instant now, random_source& random) {
  open_.clear();
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    const std::string_view name = candidates[i].connector;
    if (std::any_of(tried.begin(), tried.end(), [&](const auto& each) { return each.connector == name; })) continue;
    const std::size_t arm = number_of(name, i);
    open_.push_back(arm);
    spelled_[arm] = name;
  }
  decision made;
  if (open_.empty()) return made;
  const pick chosen = choose_arm(open_, !tried.empty(), now, random);
  made.id = (++decisions_ << arm_bits) | chosen.arm;
  made.why = chosen.explored ? choice_reason::explored : choice_reason::best_score;
  made.order.emplace_back().connector = spelled_[chosen.arm];
  return made;
}

void baseline::observe(const request&, const decision& made, const payments::send_result& result, instant now) {
  learn(made.id & arm_mask, result.result == payments::outcome::approved, is_technical(result), now);
}

std::vector<connector_view> baseline::view(instant now) const {
  std::vector<connector_view> seen(names_.size());
  for (std::size_t arm = 0; arm < names_.size(); ++arm) {
    seen[arm].connector = names_[arm];
    seen[arm].health = 1;
    seen[arm].state = judged_sick(arm, now) ? "open" : "closed";
  }
  return seen;
}

}  // namespace turnout::routing::simulator
