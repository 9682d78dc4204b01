// The comparison as a table.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdarg>
#include <cstdio>

#include "routing/simulator/compare.hpp"

namespace turnout::routing::simulator {
namespace {

[[gnu::format(printf, 2, 3)]] void add(std::string& to, const char* format, ...) {
  std::array<char, 512> line;
  va_list arguments;
  va_start(arguments, format);
  const int written = std::vsnprintf(line.data(), line.size(), format, arguments);
  va_end(arguments);
  to.append(line.data(), std::min(line.size() - 1, static_cast<std::size_t>(std::max(written, 0))));
}

/// "1.23 ±.04", or blanks and a dash where there is no figure.
std::string with_interval(const estimate& of, int decimals) {
  std::string text;
  if (std::isfinite(of.half_width))
    add(text, "%.*f ±%.*f", decimals, of.mean, decimals, of.half_width);
  else
    add(text, "%.*f", decimals, of.mean);
  return text;
}

/// Right-aligned by characters, not bytes.
std::string padded(const std::string& text, std::size_t width, bool left = false) {
  const auto letters = static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
  const std::string blanks(width > letters ? width - letters : 0, ' ');
  return left ? text + blanks : blanks + text;
}

template <class Of>
std::vector<double> over_seeds(const course_of_algorithm& algorithm, Of&& of) {
  std::vector<double> values;
  for (const measures& each : algorithm.seeds) values.push_back(of(each));
  return values;
}

double median(std::vector<double> values) {
  if (values.empty()) return std::nan("");
  std::sort(values.begin(), values.end());
  const std::size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

std::string number(double of, int decimals) {
  std::string text;
  if (std::isfinite(of))
    add(text, "%.*f", decimals, of);
  else
    text = "–";
  return text;
}

struct outage_figures {
  double lost = std::nan(""), seconds = std::nan(""), back = std::nan("");
};

outage_figures outages_of(const course_of_algorithm& algorithm) {
  std::vector<double> lost, seconds, back;
  for (const measures& each : algorithm.seeds)
    for (const outage_course& one : each.outages) {
      lost.push_back(static_cast<double>(one.lost));
      seconds.push_back(one.left_s);
      back.push_back(one.back ? one.back_s : std::numeric_limits<double>::infinity());
    }
  if (lost.empty()) return {};
  return {estimate_of(lost).mean, estimate_of(seconds).mean, median(back)};
}

constexpr std::array columns{"after failover", "first attempt", "gap closed", "lost/outage",
                             "seconds",        "back (s)",      "calm",       "false alarms/h"};
constexpr std::array<std::size_t, columns.size()> widths{15, 15, 11, 12, 9, 9, 7, 15};
constexpr std::size_t name_width = 34;

double share_of_gap_closed(const comparison& of, const std::vector<double>& mine) {
  const auto random = std::find_if(of.algorithms.begin(), of.algorithms.end(),
                                   [](const course_of_algorithm& each) { return each.of->name == "random"; });
  const double whole = estimate_of(regrets(of, *random)).mean;
  return whole > 0 ? 1 - estimate_of(mine).mean / whole : std::nan("");
}

std::vector<std::string> row_of(const comparison& of, const course_of_algorithm& algorithm) {
  const std::vector<double> regret = regrets(of, algorithm);
  const estimate first = estimate_of(over_seeds(algorithm, [](const measures& each) { return each.first_regret; }));
  const estimate calm = estimate_of(over_seeds(algorithm, [](const measures& each) { return each.calm_first_regret; }));
  const bool any_calm = std::any_of(algorithm.seeds.begin(), algorithm.seeds.end(),
                                    [](const measures& each) { return each.calm_payments > 0; });
  const outage_figures outages = outages_of(algorithm);
  double alarms = 0, hours = 0;
  for (const measures& each : algorithm.seeds) {
    alarms += static_cast<double>(each.false_alarms);
    hours += each.watched_gateway_hours;
  }
  const double closed = share_of_gap_closed(of, regret);
  return {with_interval(estimate_of(regret), 3),
          with_interval(first, 2),
          std::isfinite(closed) ? number(100 * closed, 1) + " %" : "–",
          number(outages.lost, 1),
          number(outages.seconds, 1),
          number(outages.back, 1),
          any_calm ? number(calm.mean, 2) : "–",
          number(hours > 0 ? alarms / hours : std::nan(""), 2)};
}

}  // namespace

std::string to_text(const world& in, const comparison& of) {
  std::string text = in.name + (in.title.empty() ? "" : ": " + in.title) + "\n";
  double payments = 0;
  for (const measures& each : of.algorithms.front().seeds) payments += static_cast<double>(each.payments);
  add(text, "%zu seed%s, %.0f payments each%s\n", of.seeds.size(), of.seeds.size() == 1 ? "" : "s",
      payments / std::max<double>(1, static_cast<double>(of.seeds.size())),
      in.timeouts_are_final ? "; timeouts are final" : "");
  text += "Regret in points of payments approved, against an oracle; ± is a 95 % interval over the seeds.\n\n";
  text += padded("", name_width, true);
  for (std::size_t i = 0; i < columns.size(); ++i) text += padded(columns[i], widths[i]);
  text += '\n';
  for (const course_of_algorithm& each : of.algorithms) {
    text += padded(std::string(each.of->title), name_width, true);
    const std::vector<std::string> cells = row_of(of, each);
    for (std::size_t i = 0; i < cells.size(); ++i) text += padded(cells[i], widths[i]);
    text += '\n';
  }
  return text;
}

}  // namespace turnout::routing::simulator
