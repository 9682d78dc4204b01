#include "routing/weight_table.hpp"

#include "payments/assertion.hpp"

namespace turnout::routing {

weight drifted(weight before, double elapsed_s, double time_constant_s) noexcept {
  const double steps = elapsed_s / time_constant_s;
  if (steps <= 0) return before;
  // Most reads are of weights that were just updated: the line is as good there.
  const double kept = steps < 1e-3 ? 1 - steps : std::exp(-steps);
  return {before.mean * kept, 1 - (1 - before.open) * kept * kept};
}

stamp stamp_of(steady_time now) noexcept {
  using quarters = std::chrono::duration<std::int64_t, std::ratio<1, 4>>;
  const std::int64_t since = std::chrono::duration_cast<quarters>(now.time_since_epoch()).count();
  return static_cast<stamp>(std::clamp<std::int64_t>(since, 0, UINT32_MAX));
}

double seconds_since(stamp then, stamp now) noexcept { return now <= then ? 0 : (now - then) / 4.0; }

weight_table::weight_table(std::size_t cells, double time_constant_s)
    : time_constant_s_(time_constant_s), lines_(cells / ways) {
  TURNOUT_ASSERT(std::has_single_bit(cells) && cells >= ways);
}

weight weight_table::read(std::uint64_t key, stamp now) const noexcept {
  const std::uint32_t tag = tag_of(key);
  for (const cell& here : lines_[place_of(key)].cells)
    if (here.tag == tag) return drifted({here.mean, here.open}, seconds_since(here.last, now), time_constant_s_);
  return {};
}

void weight_table::write(std::uint64_t key, weight learned, stamp now) noexcept {
  const std::uint32_t tag = tag_of(key);
  cell* chosen = nullptr;
  double most_open = -1;
  for (cell& here : lines_[place_of(key)].cells) {
    if (here.tag == tag) {
      chosen = &here;
      break;
    }
    const double open =
        here.tag == 0 ? 2 : drifted({here.mean, here.open}, seconds_since(here.last, now), time_constant_s_).open;
    if (open > most_open) {
      chosen = &here;
      most_open = open;
    }
  }
  const stamp last = chosen->tag == tag ? std::max(chosen->last, now) : now;
  *chosen = {tag, static_cast<float>(learned.mean), static_cast<float>(learned.open), last};
}

}  // namespace turnout::routing
