// `gateways:` and `events:` of a world.
#include <algorithm>
#include <cmath>

#include "routing/simulator/read_world.hpp"
#include "routing/simulator/reading.hpp"
#include "routing/simulator/scenario.hpp"

namespace turnout::routing::simulator {
namespace {

using settings::fields;
using settings::value;

constexpr double longest_median_s = 3600, most_factor = 1000;
constexpr std::size_t longest_name = 32;

gateway_group read_group(const value& from) {
  const fields keys(from, {"name", "count", "gap", "technical", "latency_median", "appears", "disappears"});
  gateway_group read;
  if (const value name = keys.optional("name")) {
    read.name = name.text().value_or("");
    if (read.name.size() > longest_name) name.error("'name' must have at most 32 bytes");
    if (keys.has("count")) keys.optional("count").error("a gateway with a name is one: leave out 'count'");
  } else {
    read.count = static_cast<std::size_t>(keys.optional("count").integer(1, most_gateways).value_or(1));
  }
  read.gap = read_percents(keys.optional("gap"));
  read.technical = read_percents(keys.optional("technical"));
  read.median_s = read_durations(keys.optional("latency_median"));
  if (read.median_s && read.median_s->low <= 0) {
    keys.optional("latency_median").error("'latency_median' must be longer than 0");
    read.median_s.reset();
  }
  read.appears_s = read_seconds(keys.optional("appears")).value_or(0);
  if (const auto gone = read_seconds(keys.optional("disappears"))) read.disappears_s = *gone;
  if (read.disappears_s <= read.appears_s)
    keys.optional("disappears").error("'disappears' must be later than 'appears'");
  return read;
}

std::optional<range> read_strength(const value& from, event_kind kind) {
  if (kind == event_kind::latency_spike) return read_numbers(from, 1, most_factor);
  if (kind == event_kind::card_testing) return read_numbers(from, 0, most_factor);
  return read_percents(from);
}

std::vector<std::string> all_names(const world& of) {
  std::vector<std::string> names;
  for (const gateway_group& group : of.gateways)
    for (std::size_t i = 0; i < group.count; ++i)
      names.push_back(group.name.empty() ? "g" + std::to_string(names.size() + 1) : group.name);
  return names;
}

void read_targets(const value& from, const world& about, event_rule& into) {
  const std::vector<std::string> names = all_names(about);
  const std::vector<std::string_view> known(names.begin(), names.end());
  for (const value& each : from.one_or_more())
    if (const auto name = each.one_of(known)) into.gateways.push_back(*name);
}

event_rule read_event(const value& from, const world& about) {
  const fields keys(from, {"type", "count", "duration", "strength", "starts", "gateways", "at_best", "together", "slow",
                           "over", "top", "reason", "disguised"});
  event_rule read;
  read.kind = keys.required("type")
                  .choice<event_kind>({{"outage", event_kind::outage},
                                       {"brown_out", event_kind::brown_out},
                                       {"segment_outage", event_kind::segment_outage},
                                       {"latency_spike", event_kind::latency_spike},
                                       {"card_testing", event_kind::card_testing}})
                  .value_or(event_kind::outage);
  read.count = static_cast<std::size_t>(keys.optional("count").integer(0, most_events).value_or(1));
  read.duration_s = read_durations(keys.required("duration")).value_or(range{});
  read.strength = read_strength(keys.required("strength"), read.kind).value_or(range{1, 1});
  read.starts_s = read_durations(keys.optional("starts"));
  if (const value named = keys.optional("gateways")) read_targets(named, about, read);
  read.at_best = keys.optional("at_best").percent().value_or(read.at_best);
  read.together = static_cast<std::size_t>(keys.optional("together").integer(1, most_gateways).value_or(1));
  read.slow = keys.optional("slow").percent().value_or(read.slow);
  read.disguised = keys.optional("disguised").boolean().value_or(false);
  read.over = read_feature(keys.optional("over")).value_or(read.over);
  read.top = static_cast<std::size_t>(
      keys.optional("top").integer(1, most_issuers).value_or(std::int64_t(values_of(about.context, read.over))));
  if (const value word = keys.optional("reason")) read.reason = read_reason(word).value_or(read.reason);
  if (read.kind != event_kind::segment_outage)
    for (const char* only : {"over", "reason"})
      keys.optional(only).error("'" + std::string(only) + "' is for a segment_outage only");
  return read;
}

}  // namespace

void read_gateways(const value& from, world& into) {
  if (!from.present()) return;
  into.gateways.clear();
  if (from.is_scalar()) {
    gateway_group alike;
    alike.count = static_cast<std::size_t>(from.integer(1, most_gateways).value_or(1));
    into.gateways.push_back(alike);
    return;
  }
  for (const value& each : from.items()) into.gateways.push_back(read_group(each));
  std::vector<std::string> names = all_names(into);
  if (names.empty() || names.size() > most_gateways) from.error("there must be 1 to 64 gateways");
  std::sort(names.begin(), names.end());
  const auto twice = std::adjacent_find(names.begin(), names.end());
  if (twice != names.end()) from.error("two gateways are named '" + *twice + "'");
}

void read_events(const value& from, world& into) {
  if (!from.present()) return;
  into.events.clear();
  if (from.is_null()) return;
  std::size_t count = 0;
  for (const value& each : from.items()) {
    into.events.push_back(read_event(each, into));
    count += into.events.back().count * into.events.back().together;
  }
  if (count > most_events) from.error("there may be up to 1000 events");
}

}  // namespace turnout::routing::simulator
