// Runs simulated worlds and audits them.
//   simulation --seeds 100            worlds 1 to 100
//   simulation --seed 7 --trace pay_… one world, and a payment's story
//   simulation --broken-promises      gateways that lie: what is charged twice must be found
//   simulation --variants             every broken variant must be caught
//   simulation --coverage             which transitions of the core were reached
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include "tests/simulation/world.hpp"

namespace {

using namespace turnout::simulation;

constexpr std::uint64_t payments_for_rare_ones = 10'000'000;
constexpr std::size_t shown_violations = 10, shown_failures = 5;

struct totals {
  world_report sum;
  std::uint64_t worlds = 0;
  void add(const world_report& each) {
    ++worlds;
    sum.payments += each.payments;
    sum.modifications += each.modifications;
    sum.answers += each.answers;
    sum.charges += each.charges;
    sum.steps += each.steps;
    sum.attention += each.attention;
    sum.doubled += each.doubled;
    sum.detected += each.detected;
    sum.late_approvals += each.late_approvals;
    sum.virtual_hours += each.virtual_hours;
    for (std::size_t i = 0; i < fault_count; ++i) sum.faults.values[i] += each.faults.values[i];
  }
  void print(double seconds) const {
    std::printf("%llu worlds, %llu payments, %llu captures, refunds and cancels asked, %llu answers, %llu charges\n",
                static_cast<unsigned long long>(worlds), static_cast<unsigned long long>(sum.payments),
                static_cast<unsigned long long>(sum.modifications), static_cast<unsigned long long>(sum.answers),
                static_cast<unsigned long long>(sum.charges));
    std::printf("%.0f virtual hours in %.1f s: %.0f payments/s; left to a person for want of a proof: %llu\nfaults:",
                sum.virtual_hours, seconds, static_cast<double>(sum.payments) / std::max(seconds, 1e-9),
                static_cast<unsigned long long>(sum.attention));
    for (std::size_t i = 0; i < fault_count; ++i)
      std::printf(" %s %llu", std::string(fault_names[static_cast<fault>(i)]).c_str(),
                  static_cast<unsigned long long>(sum.faults.values[i]));
    std::printf("\ncharged twice at a time: %llu payments, %llu detected; %llu late approvals counted\n",
                static_cast<unsigned long long>(sum.doubled), static_cast<unsigned long long>(sum.detected),
                static_cast<unsigned long long>(sum.late_approvals));
  }
};

void print_violations(const world_report& report) {
  for (std::size_t i = 0; i < std::min(report.violations.size(), shown_violations); ++i)
    std::printf("  %s\n", report.violations[i].c_str());
  if (report.violations.size() > shown_violations) std::printf("  … %zu in all\n", report.violations.size());
}

bool fails(const world_options& options) { return !run_world(options).violations.empty(); }

/// Fewer payments and fewer kinds of fault, as long as something is still violated.
world_options shrink(world_options failing) {
  for (bool smaller_found = true; std::exchange(smaller_found, false);) {
    for (int share = 2; share <= 8; share *= 2) {
      world_options smaller = failing;
      smaller.payments -= std::max(1, failing.payments / share);
      if (smaller.payments < 1 || !fails(smaller)) continue;
      failing = smaller;
      smaller_found = true;
      break;
    }
    for (std::size_t i = 0; i < fault_count; ++i) {
      const auto which = static_cast<fault>(i);
      if (std::find(failing.without.begin(), failing.without.end(), which) != failing.without.end()) continue;
      world_options calmer = failing;
      calmer.without.push_back(which);
      if (!fails(calmer)) continue;
      failing = calmer;
      smaller_found = true;
    }
  }
  return failing;
}

/// The first payment that a violation names, or one of its attempts.
std::string named_in(const std::vector<std::string>& violations) {
  for (const std::string& each : violations)
    if (const std::size_t at = each.find("pay_"); at != std::string::npos) return each.substr(at, 30);
  return {};
}

void report_failure(const world_options& options) {
  world_options small = shrink(options);
  const world_report report = run_world(small);
  std::printf("seed %llu is violated; smallest: --seed %llu --payments %d", static_cast<unsigned long long>(small.seed),
              static_cast<unsigned long long>(small.seed), small.payments);
  for (const fault each : small.without) std::printf(" --without %s", std::string(fault_names[each]).c_str());
  if (small.broken_promises) std::printf(" --broken-promises");
  if (small.broken != nullptr) std::printf(" --variant %s", std::string(small.broken->name).c_str());
  std::printf("\n");
  print_violations(report);
  small.story_of = named_in(report.violations);
  if (small.story_of.empty()) return;
  for (const std::string& line : run_world(small).story) std::printf("  %s\n", line.c_str());
}

/// The number of worlds it took, or 0.
std::uint64_t catch_variant(const variant& broken, std::uint64_t most, int payments) {
  for (std::uint64_t seed = 1; seed <= most; ++seed) {
    world_options options{.seed = seed, .payments = payments, .broken = &broken};
    if (!run_world(options).violations.empty()) return seed;
  }
  return 0;
}

}  // namespace

int main(int count, char** arguments) {
  CLI::App app{"Simulated worlds of payments, in virtual time from a seed"};
  std::uint64_t seeds = 40, from = 1, seed = 0;
  world_options options;
  std::string trace, broken;
  std::vector<std::string> without;
  bool variants = false, covers = false;
  app.add_option("--seeds", seeds, "how many worlds");
  app.add_option("--from", from, "the first seed");
  app.add_option("--seed", seed, "one world");
  app.add_option("--payments", options.payments, "in each world");
  app.add_option("--trace", trace, "a payment's id, or all: tells its story (with --seed)");
  app.add_option("--without", without, "faults that do not happen");
  app.add_option("--variant", broken, "a proxy that is broken in this way");
  app.add_flag("--broken-promises", options.broken_promises, "gateways break the bounds that they declare");
  app.add_flag("--variants", variants, "every broken variant must be caught");
  app.add_flag("--coverage", covers, "every transition of the core must be reached, and no other");
  CLI11_PARSE(app, count, arguments);
  for (const std::string& each : without) {
    const auto known = fault_names.find(each);
    if (!known) return std::printf("there is no fault '%s'\n", each.c_str()), 2;
    options.without.push_back(*known);
  }
  if (!broken.empty() && (options.broken = find_variant(broken)) == nullptr)
    return std::printf("there is no variant '%s'\n", broken.c_str()), 2;

  if (variants) {
    bool all = true;
    for (const variant& each : broken_variants()) {
      const std::uint64_t took = catch_variant(each, seeds, options.payments);
      all = all && took != 0;
      std::printf("%-26s %s (%s)\n", std::string(each.name).c_str(),
                  took != 0 ? ("caught by seed " + std::to_string(took)).c_str() : "NOT CAUGHT",
                  std::string(each.what).c_str());
    }
    return all ? 0 : 1;
  }
  if (seed != 0) {
    options.seed = seed;
    options.story_of = trace;
    const world_report report = run_world(options);
    for (const std::string& line : report.story) std::printf("%s\n", line.c_str());
    print_violations(report);
    return report.violations.empty() ? 0 : 1;
  }
  totals all;
  coverage reached;
  if (covers) options.reached = &reached;
  std::uint64_t failed = 0;
  const auto begun = std::chrono::steady_clock::now();
  for (std::uint64_t each = from; each < from + seeds; ++each) {
    options.seed = each;
    const world_report report = run_world(options);
    all.add(report);
    if (report.violations.empty()) continue;
    if (++failed <= shown_failures) report_failure(options);
  }
  all.print(std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count());
  std::printf(failed == 0 ? "no invariant was violated\n" : "%llu worlds violated an invariant\n",
              static_cast<unsigned long long>(failed));
  const bool complete = !covers || reached.report(all.sum.payments >= payments_for_rare_ones);
  return failed == 0 && complete ? 0 : 1;
}
