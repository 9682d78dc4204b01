// turnout simulate: routing algorithms compared in a described world.
#include <algorithm>
#include <charconv>
#include <cstdio>
#include <fstream>
#include <sstream>

#include <boost/json.hpp>

#include "proxy/cli/commands.hpp"
#include "routing/simulator/compare.hpp"
#include "routing/simulator/read_world.hpp"
#include "settings/reader.hpp"

namespace turnout::cli {
namespace {

namespace simulator = routing::simulator;
namespace json = boost::json;

constexpr std::uint64_t most_seeds = 10'000;

struct simulate_options {
  std::string file, seeds = "1-3", format = "text";
  std::vector<std::string> algorithms;
  bool final_timeouts = false, quiet = false;
};

std::optional<std::string> read_text(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  if (!in || !(text << in.rdbuf())) return std::nullopt;
  return std::move(text).str();
}

/// "7", "1-20" or "1-3,101"; nothing when it is none of them.
std::vector<std::uint64_t> parse_seeds(std::string_view text) {
  std::vector<std::uint64_t> seeds;
  const auto take = [&text](std::uint64_t& into) {
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), into);
    const bool good = failed == std::errc() && end != text.data();
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    return good;
  };
  while (true) {
    std::uint64_t first = 0;
    if (!take(first)) return {};
    std::uint64_t last = first;
    if (text.starts_with('-')) {
      text.remove_prefix(1);
      if (!take(last)) return {};
    }
    if (last < first || last - first >= most_seeds || seeds.size() >= most_seeds) return {};
    for (std::uint64_t seed = first; seed <= last; ++seed) seeds.push_back(seed);
    if (text.empty()) return seeds;
    if (!text.starts_with(',')) return {};
    text.remove_prefix(1);
  }
}

/// Reported on stderr and nothing returned when a name is unknown.
std::optional<std::vector<const simulator::algorithm*>> find_algorithms(const std::vector<std::string>& names) {
  std::vector<const simulator::algorithm*> found;
  std::vector<std::string_view> known;
  for (const simulator::algorithm& each : simulator::algorithms()) {
    known.push_back(each.name);
    if (names.empty()) found.push_back(&each);
  }
  for (const std::string& name : names) {
    found.push_back(simulator::find_algorithm(name));
    if (found.back() != nullptr) continue;
    std::fprintf(stderr, "%s\n", settings::unknown_word("unknown algorithm", name, known).c_str());
    return std::nullopt;
  }
  return found;
}

json::object to_json(const simulator::timeline& of) {
  return {
      {"from_s", simulator::timeline::from_s}, {"all", json::value_from(of.all)}, {"here", json::value_from(of.here)}};
}

json::object to_json(const simulator::measures& of, double regret) {
  json::array outages;
  for (const simulator::outage_course& each : of.outages)
    outages.push_back({{"share_before", each.share_before},
                       {"lost", each.lost},
                       {"left_s", each.left_s},
                       {"lost_later", each.lost_later},
                       {"back", each.back},
                       {"back_s", each.back_s},
                       {"around_begin", to_json(each.around_begin)},
                       {"around_end", to_json(each.around_end)}});
  return {{"payments", of.payments},
          {"approved", of.approved},
          {"approved_first", of.approved_first},
          {"attempts", of.attempts},
          {"regret", regret},
          {"first_regret", of.first_regret},
          {"calm_payments", of.calm_payments},
          {"calm_first_regret", of.calm_first_regret},
          {"calm_explored", of.calm_explored},
          {"calm_explored_regret", of.calm_explored_regret},
          {"false_alarms", of.false_alarms},
          {"watched_gateway_hours", of.watched_gateway_hours},
          {"outages", std::move(outages)}};
}

json::object to_json(const simulator::world& in, const simulator::comparison& of) {
  json::object algorithms;
  for (const simulator::course_of_algorithm& each : of.algorithms) {
    const std::vector<double> regret = simulator::regrets(of, each);
    json::object seeds;
    for (std::size_t i = 0; i < of.seeds.size(); ++i)
      seeds[std::to_string(of.seeds[i])] = to_json(each.seeds[i], regret[i]);
    algorithms[each.of->name] = {{"title", each.of->title}, {"seeds", std::move(seeds)}};
  }
  return {{"world", in.name},
          {"title", in.title},
          {"timeouts_are_final", in.timeouts_are_final},
          {"algorithms", std::move(algorithms)}};
}

int simulate(const simulate_options& options) {
  settings::problems found;
  auto world = simulator::read_world(options.file, read_text, found);
  for (const settings::problem& each : found) std::fprintf(stderr, "%s\n", each.to_string().c_str());
  if (!world) return 1;
  if (options.final_timeouts) world->timeouts_are_final = true;
  const std::vector<std::uint64_t> seeds = parse_seeds(options.seeds);
  if (seeds.empty()) {
    std::fprintf(stderr, "--seeds must be like 7, 1-20 or 1-3,101 (up to 10000 of them), not '%s'\n",
                 options.seeds.c_str());
    return 1;
  }
  const auto algorithms = find_algorithms(options.algorithms);
  if (!algorithms) return 1;
  const auto progress = [&](std::uint64_t seed, const simulator::algorithm& of) {
    if (!options.quiet)
      std::fprintf(stderr, "\r%s seed %llu: %-40.*s\r", world->name.c_str(), static_cast<unsigned long long>(seed),
                   static_cast<int>(of.title.size()), of.title.data());
  };
  const simulator::comparison compared = simulator::compare(*world, seeds, *algorithms, progress);
  if (!options.quiet) std::fputs("\r\x1b[K", stderr);
  const std::string text = options.format == "json" ? json::serialize(to_json(*world, compared)) + "\n"
                                                    : simulator::to_text(*world, compared);
  std::fputs(text.c_str(), stdout);
  return 0;
}

}  // namespace

void add_simulate(CLI::App& app, command& chosen) {
  CLI::App* sub = app.add_subcommand("simulate", "Compare routing algorithms in a simulated world, in virtual time");
  auto options = std::make_shared<simulate_options>();
  sub->add_option("file", options->file, "The world's YAML file")->required();
  sub->add_option("--seeds", options->seeds, "Which scenarios to draw: 7, 1-20 or 1-3,101")->capture_default_str();
  sub->add_option("--algorithms", options->algorithms, "Names, separated by commas; left out: all")->delimiter(',');
  sub->add_option("--format", options->format, "text or json")
      ->check(CLI::IsMember({"text", "json"}))
      ->capture_default_str();
  sub->add_flag("--final-timeouts", options->final_timeouts,
                "An attempt that ran into the timeout ends the payment, whatever the file says");
  sub->add_flag("--quiet", options->quiet, "Say nothing of the progress");
  sub->callback([options, &chosen] { chosen = [options] { return simulate(*options); }; });
}

}  // namespace turnout::cli
