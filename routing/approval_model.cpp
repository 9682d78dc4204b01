#include "routing/approval_model.hpp"

namespace turnout::routing {
namespace {

constexpr double time_constant_s = 1800;
constexpr double prior = .85, prior_weight = 10;
constexpr double connector_pseudo_count = 30;
constexpr double pool_weight_most = 50;
constexpr double least = .001, most = .999;

// Keys of the shared effects are the plain ones; a connector's own are mixed with its number.
std::uint64_t own_key(std::uint16_t connector, std::uint64_t key) noexcept {
  return key == 0 ? 0 : mix(std::uint64_t{connector} + 1000, key);
}

}  // namespace

void approval_model::grow(std::size_t count) {
  while (overall_.size() < count) overall_.emplace_back(time_constant_s);
}

double approval_model::pool(steady_time now) const noexcept {
  double sum = prior * prior_weight, weight = prior_weight;
  for (const decayed_mean& rate : overall_) {
    const double seen = rate.weight(now);
    if (seen < 1e-9) continue;
    const double share = std::min(seen, pool_weight_most);
    sum += share * std::clamp(rate.sum(now) / seen, 0.0, 1.0);
    weight += share;
  }
  return sum / weight;
}

double approval_model::overall(std::uint16_t connector, steady_time now) const noexcept {
  return std::clamp(overall_[connector].shrunk(now, pool(now), connector_pseudo_count), least, most);
}

approval_model::context approval_model::read(const segment_keys& keys, steady_time now) const noexcept {
  context about{keys, 0, pool(now)};
  for (std::uint64_t key : keys) about.shared += effects_.effect(key, now);
  return about;
}

approval_model::estimate approval_model::predict(std::uint16_t connector, const context& about,
                                                 steady_time now) const noexcept {
  const decayed_mean& rate = overall_[connector];
  double approval = rate.shrunk(now, about.pool, connector_pseudo_count) + about.shared;
  for (std::uint64_t key : about.keys) approval += effects_.effect(own_key(connector, key), now);
  approval = std::clamp(approval, least, most);
  const double deviation = std::sqrt(approval * (1 - approval) / (rate.weight(now) + connector_pseudo_count));
  return {approval, deviation};
}

void approval_model::learn(std::uint16_t connector, const segment_keys& keys, bool approved, steady_time now) {
  const double seen = approved ? 1 : 0;
  double expected = overall_[connector].shrunk(now, pool(now), connector_pseudo_count);
  const auto learn_one = [&](std::uint64_t key) {
    const double effect = effects_.effect(key, now);
    effects_.learn(key, seen - expected, now);
    expected = std::clamp(expected + effect, 0.0, 1.0);
  };
  for (std::uint64_t key : keys) learn_one(key);
  for (std::uint64_t key : keys) learn_one(own_key(connector, key));
  overall_[connector].add(seen, now);
}

}  // namespace turnout::routing
