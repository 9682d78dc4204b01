#pragma once
// Worlds and runs for the tests of this folder.
#include <catch2/catch.hpp>

#include <fstream>
#include <map>
#include <sstream>

#include "routing/simulator/algorithms.hpp"
#include "routing/simulator/compare.hpp"
#include "routing/simulator/measures.hpp"
#include "routing/simulator/read_world.hpp"

namespace turnout::routing::simulator::test {

inline const std::string header = "version: 1\nworld: w\n";

/// Reads "w.yaml" from `files`.
inline std::optional<world> read_text(const std::map<std::string, std::string>& files, settings::problems& found) {
  const auto reader = [&](const std::string& path) -> std::optional<std::string> {
    const auto file = files.find(path);
    return file == files.end() ? std::nullopt : std::optional(file->second);
  };
  return read_world("w.yaml", reader, found);
}

inline world good_world(const std::string& text) {
  settings::problems found;
  auto read = read_text({{"w.yaml", header + text}}, found);
  for (const auto& problem : found) FAIL_CHECK(problem.to_string());
  REQUIRE(read);
  return *read;
}

/// The only problem of a text, as it is shown.
inline std::string problem_of(const std::string& text) {
  settings::problems found;
  CHECK_FALSE(read_text({{"w.yaml", header + text}}, found));
  REQUIRE(found.size() == 1);
  return found.front().to_string();
}

inline world shipped_world(const std::string& name) {
  const auto reader = [](const std::string& path) -> std::optional<std::string> {
    std::ifstream in(path);
    std::ostringstream text;
    if (!in || !(text << in.rdbuf())) return std::nullopt;
    return text.str();
  };
  settings::problems found;
  const auto read = read_world(TURNOUT_SOURCE_DIR "/tests/bench/routing/" + name + ".yaml", reader, found);
  for (const auto& problem : found) FAIL_CHECK(problem.to_string());
  REQUIRE(read);
  return *read;
}

/// Gateways that differ in nothing but their declines, payments that are all
/// alike: everything can be calculated.
inline world plain_world(const std::string& gateways, const std::string& more = "") {
  const std::string plain = header +
                            "traffic: {tps: 100, duration: 1000s}\n"
                            "context: {issuers: 1, countries: 1, brands: [1], amounts: [1], methods: [1]}\n"
                            "intrinsic_declines: {bias: -2, effects: {}}\n"
                            "gateway_declines: {base: 0%, effects: {}, reasons: {do_not_honor: 100%}}\n"
                            "technical: {rate: 0%}\n"
                            "latency: {median: 100ms, spread: 1, sigma: 0.1, timeout: 60s}\n"
                            "gateways: 1\n";
  settings::problems found;
  const auto read = read_text(
      {{"plain.yaml", plain}, {"w.yaml", header + "extends: plain.yaml\ngateways: " + gateways + "\n" + more}}, found);
  for (const auto& problem : found) FAIL_CHECK(problem.to_string());
  REQUIRE(read);
  return *read;
}

/// A scenario with one algorithm's run in it.
struct course_run {
  course_run(const world& of, std::uint64_t seed, std::string_view algorithm) : drawn(of, seed), arrives(drawn) {
    stage on{drawn, arrives, truth(drawn)};
    const auto uses = find_algorithm(algorithm)->make(on);
    log = run(on, *uses);
    found = measure(on, log);
  }
  scenario drawn;
  traffic arrives;
  run_log log;
  measures found;
  double approved_share() const { return static_cast<double>(found.approved) / static_cast<double>(found.payments); }
};

}  // namespace turnout::routing::simulator::test
