#include "routing/segment_outage.hpp"

namespace turnout::routing {
namespace {

constexpr double entry_per_s = 1.0 / 14'400, recovery_per_s = 1.0 / 600;
constexpr double half_share = 1.0 / 3;
constexpr double half_kept = .5, down_kept = .08;
constexpr double sick_in_the_long_run = entry_per_s / (entry_per_s + recovery_per_s);
constexpr double long_run_half = sick_in_the_long_run * half_share;
constexpr double long_run_down = sick_in_the_long_run * (1 - half_share);
constexpr double floor = 1e-5;  ///< a node that was up for months is still doubted in seconds
constexpr std::uint64_t whole_connector = 0x9a7e;

std::uint32_t tag_of(std::uint64_t key) noexcept {
  const auto high = static_cast<std::uint32_t>(key >> 32);
  return high == 0 ? 1 : high;
}

}  // namespace

segment_outage::segment_outage() : lines_(lines) {}

segment_outage::node_keys segment_outage::nodes_of(const segment_keys& keys) noexcept {
  const auto key = [&keys](feature which) { return keys[static_cast<std::size_t>(which)]; };
  return {mix(whole_connector, 1), key(feature::brand), key(feature::country), key(feature::issuer),
          key(feature::merchant)};
}

segment_outage::belief segment_outage::relaxed(belief before, double elapsed_s) noexcept {
  if (elapsed_s <= 0) return before;
  const double kept = faded((entry_per_s + recovery_per_s) * elapsed_s);
  return {long_run_half + (before.half - long_run_half) * kept, long_run_down + (before.down - long_run_down) * kept};
}

double segment_outage::kept(const belief& of) noexcept {
  const double excess_half = std::max(0.0, of.half - long_run_half),
               excess_down = std::max(0.0, of.down - long_run_down);
  return 1 - (1 - half_kept) * excess_half - (1 - down_kept) * excess_down;
}

segment_outage::belief segment_outage::read_node(std::uint64_t key, stamp now) const noexcept {
  const std::uint32_t tag = tag_of(key);
  for (const cell& here : lines_[key % lines].cells)
    if (here.tag == tag) return relaxed({here.half, here.down}, seconds_since(here.last, now));
  return {long_run_half, long_run_down};
}

void segment_outage::write_node(std::uint64_t key, const belief& learned, stamp now) noexcept {
  const std::uint32_t tag = tag_of(key);
  cell* chosen = nullptr;
  double least = 2;
  for (cell& here : lines_[key % lines].cells) {
    if (here.tag == tag) {
      chosen = &here;
      break;
    }
    const belief known = relaxed({here.half, here.down}, seconds_since(here.last, now));
    const double sick = here.tag == 0 ? -1 : known.half + known.down;
    if (sick < least) {
      chosen = &here;
      least = sick;
    }
  }
  const stamp last = chosen->tag == tag ? std::max(chosen->last, now) : now;
  *chosen = {tag, static_cast<float>(learned.half), static_cast<float>(learned.down), last};
}

void segment_outage::expect(const segment_keys& keys) const noexcept {
  for (std::uint64_t key : nodes_of(keys)) __builtin_prefetch(&lines_[key % lines]);
}

segment_outage::reading segment_outage::read(const segment_keys& keys, steady_time now) const noexcept {
  reading seen;
  const stamp at = stamp_of(now);
  for (std::uint64_t key : nodes_of(keys)) {
    if (key == 0) continue;
    const belief known = read_node(key, at);
    seen.kept *= kept(known);
    seen.up *= 1 - std::max(0.0, known.half + known.down - sick_in_the_long_run);
  }
  return seen;
}

double segment_outage::learn(const segment_keys& keys, double approval, bool approved, steady_time now) noexcept {
  const stamp at = stamp_of(now);
  const node_keys all = nodes_of(keys);
  std::array<belief, nodes> known;
  double product = 1;
  for (std::size_t k = 0; k < nodes; ++k) {
    if (all[k] == 0) continue;
    known[k] = read_node(all[k], at);
    product *= kept(known[k]);
  }
  double credence = 1;
  for (std::size_t k = 0; k < nodes; ++k) {
    if (all[k] == 0) continue;
    const double others = approval * product / kept(known[k]);
    const auto likelihood = [&](double share) { return approved ? share : (1 - share * others); };
    const double up = (1 - known[k].half - known[k].down) * likelihood(1);
    const double half = known[k].half * likelihood(half_kept), down = known[k].down * likelihood(down_kept);
    const double total = up + half + down;
    const belief after{std::max(half / total, floor), std::max(down / total, floor)};
    write_node(all[k], after, at);
    credence *= 1 - std::max(0.0, after.half + after.down - sick_in_the_long_run);
  }
  return credence;
}

void segment_outage::save(state_writer& into, steady_time now) const {
  std::uint32_t count = 0;
  for (const line& each : lines_)
    for (const cell& here : each.cells) count += here.tag != 0;
  into.integer(count);
  for (std::size_t place = 0; place < lines_.size(); ++place)
    for (const cell& here : lines_[place].cells) {
      if (here.tag == 0) continue;
      const belief known = relaxed({here.half, here.down}, seconds_since(here.last, stamp_of(now)));
      into.integer(static_cast<std::uint32_t>(place));
      into.integer(here.tag);
      into.small_number(static_cast<float>(known.half));
      into.small_number(static_cast<float>(known.down));
    }
}

void segment_outage::load(state_reader& from, double elapsed_s, steady_time now) {
  for (auto left = from.integer<std::uint32_t>(); left > 0 && from.good(); --left) {
    const std::uint64_t place = from.integer<std::uint32_t>(), tag = from.integer<std::uint32_t>();
    belief known;
    known.half = from.small_number(0, 1);
    known.down = from.small_number(0, 1);
    if (known.half + known.down <= 1) write_node(tag << 32 | place, relaxed(known, elapsed_s), stamp_of(now));
  }
}

}  // namespace turnout::routing
