// Values and lists that several parts of a world have.
#include <algorithm>
#include <array>

#include "routing/simulator/reading.hpp"

namespace turnout::routing::simulator {
namespace {

using settings::value;

constexpr std::array<std::pair<std::string_view, feature>, feature_count> features{{{"issuer", feature::issuer},
                                                                                    {"country", feature::country},
                                                                                    {"brand", feature::brand},
                                                                                    {"amount", feature::amount},
                                                                                    {"method", feature::method}}};
constexpr double largest_effect = 10;

template <class Read>
std::optional<range> read_range(const value& from, Read&& read) {
  if (!from.present()) return std::nullopt;
  if (!from.is_list()) {
    const auto only = read(from);
    if (!only) return std::nullopt;
    return range{*only, *only};
  }
  const std::vector<value> ends = from.items();
  if (ends.size() != 2) {
    from.error("'" + from.name() + "' must be one value or [least, most]");
    return std::nullopt;
  }
  const auto low = read(ends[0]), high = read(ends[1]);
  if (!low || !high) return std::nullopt;
  if (*low > *high) {
    from.error("'" + from.name() + "' must be [least, most], not the other way round");
    return std::nullopt;
  }
  return range{*low, *high};
}

// "issuer_brand" is the two together.
std::optional<std::vector<feature>> parse_features(std::string_view text) {
  std::vector<feature> found;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('_'), text.size());
    const auto known = std::find_if(features.begin(), features.end(),
                                    [&](const auto& each) { return each.first == text.substr(0, end); });
    if (known == features.end() || std::find(found.begin(), found.end(), known->second) != found.end())
      return std::nullopt;
    found.push_back(known->second);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  if (found.empty()) return std::nullopt;
  return found;
}

}  // namespace

std::optional<range> read_numbers(const value& from, double least, double most) {
  return read_range(from, [&](const value& each) { return each.number(least, most); });
}

std::optional<range> read_percents(const value& from) {
  return read_range(from, [](const value& each) { return each.percent(); });
}

std::optional<double> read_seconds(const value& from) {
  const auto read = from.duration();
  if (!read) return std::nullopt;
  return std::chrono::duration<double>(*read).count();
}

std::optional<range> read_durations(const value& from) { return read_range(from, read_seconds); }

void read_reasons(const value& from, std::vector<reason_share>& into) {
  if (!from.present()) return;
  std::vector<std::string_view> words;
  for (const payments::decline_info& each : payments::decline_table()) words.push_back(each.name);
  into.clear();
  double total = 0;
  bool understood = from.is_map();
  for (const settings::entry& each : from.entries()) {
    const auto reason = payments::parse_decline_reason(each.key);
    if (!reason) {
      understood = false;
      each.key_value.error(settings::unknown_word("unknown reason", each.key, words));
      continue;
    }
    if (payments::describe(*reason).group == payments::decline_class::technical) {
      understood = false;
      each.key_value.error("'" + each.key + "' is a technical failure, not a decline: see 'technical'");
      continue;
    }
    const auto share = each.item.percent();
    if (share) into.push_back({*reason, *share});
    total += share.value_or(0);
  }
  if (understood && total <= 0) from.error("'" + from.name() + "' needs a reason with a share above 0%");
}

void read_effects(const value& from, std::vector<effect>& into) {
  if (!from.present()) return;
  into.clear();
  for (const settings::entry& each : from.entries()) {
    auto over = parse_features(each.key);
    if (!over) {
      std::vector<std::string_view> words;
      for (const auto& known : features) words.push_back(known.first);
      each.key_value.error(settings::unknown_word("unknown effect", each.key, words) +
                           ", or several joined by '_' (issuer_brand)");
      continue;
    }
    effect read{std::move(*over), 0, {}};
    if (each.item.is_list()) {
      if (read.over.size() != 1) each.item.error("values can be listed for a single feature only");
      for (const value& item : each.item.items())
        read.fixed.push_back(item.number(-largest_effect, largest_effect).value_or(0));
    } else {
      read.deviation = each.item.number(0, largest_effect).value_or(0);
    }
    into.push_back(std::move(read));
  }
}

std::optional<payments::decline_reason> read_reason(const value& from) {
  std::vector<std::string_view> words;
  for (const payments::decline_info& each : payments::decline_table()) words.push_back(each.name);
  const auto name = from.one_of(words);
  return name ? payments::parse_decline_reason(*name) : std::nullopt;
}

std::optional<feature> read_feature(const value& from) {
  return from.choice<feature>({features.begin(), features.end()});
}

}  // namespace turnout::routing::simulator
