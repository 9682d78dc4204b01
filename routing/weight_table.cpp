#include "routing/weight_table.hpp"

#include "payments/assertion.hpp"

namespace turnout::routing {

weight drifted(weight before, double elapsed_s, double time_constant_s) noexcept {
  const double steps = elapsed_s / time_constant_s;
  if (steps <= 0) return before;
  const double kept = faded(steps);
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

void save(const weight& known, state_writer& into) {
  into.small_number(static_cast<float>(known.mean));
  into.small_number(static_cast<float>(known.open));
}

weight load_weight(state_reader& from) {
  constexpr float most_mean = 100;
  weight known;
  known.mean = from.small_number(-most_mean, most_mean);
  known.open = from.small_number(0, 1);
  return known;
}

void weight_table::save(state_writer& into, stamp now) const {
  std::uint32_t count = 0;
  for (const line& each : lines_)
    for (const cell& here : each.cells) count += here.tag != 0;
  into.integer(count);
  for (std::size_t place = 0; place < lines_.size(); ++place)
    for (const cell& here : lines_[place].cells) {
      if (here.tag == 0) continue;
      into.integer(static_cast<std::uint32_t>(place));
      into.integer(here.tag);
      routing::save(drifted({here.mean, here.open}, seconds_since(here.last, now), time_constant_s_), into);
    }
}

void weight_table::load(state_reader& from, double elapsed_s, stamp now) {
  for (auto left = from.integer<std::uint32_t>(); left > 0 && from.good(); --left) {
    const std::uint64_t place = from.integer<std::uint32_t>(), tag = from.integer<std::uint32_t>();
    write(tag << 32 | place, drifted(load_weight(from), elapsed_s, time_constant_s_), now);
  }
}

}  // namespace turnout::routing
