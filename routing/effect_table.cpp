#include "routing/effect_table.hpp"

namespace turnout::routing {
namespace {

constexpr double time_constant_s = 7200;
constexpr double pseudo_count = 50;

double faded(steady_time last, steady_time now) noexcept {
  return std::exp(-seconds_between(last, now) / time_constant_s);
}

}  // namespace

effect_table::effect_table() : cells_(capacity()) {}

const effect_table::cell* effect_table::find(std::uint64_t key) const noexcept {
  const cell* set = &cells_[(key % sets) * ways];
  for (std::size_t i = 0; i < ways; ++i)
    if (set[i].key == key) return set + i;
  return nullptr;
}

double effect_table::effect(std::uint64_t key, steady_time now) const noexcept {
  if (key == 0) return 0;
  const cell* found = find(key);
  if (!found) return 0;
  const double factor = faded(found->last, now);
  return static_cast<double>(found->residuals) * factor / (static_cast<double>(found->weight) * factor + pseudo_count);
}

void effect_table::learn(std::uint64_t key, double residual, steady_time now) noexcept {
  if (key == 0) return;
  cell* set = &cells_[(key % sets) * ways];
  cell* chosen = nullptr;
  double least = 0;
  for (std::size_t i = 0; i < ways; ++i) {
    cell& here = set[i];
    if (here.key == key) {
      chosen = &here;
      break;
    }
    const double left = here.key == 0 ? -1 : static_cast<double>(here.weight) * faded(here.last, now);
    if (!chosen || left < least) {
      chosen = &here;
      least = left;
    }
  }
  if (chosen->key != key) *chosen = cell{key, 0, 0, now};
  const double factor = faded(chosen->last, now);
  chosen->weight = static_cast<float>(static_cast<double>(chosen->weight) * factor + 1);
  chosen->residuals = static_cast<float>(static_cast<double>(chosen->residuals) * factor + residual);
  chosen->last = std::max(chosen->last, now);
}

}  // namespace turnout::routing
