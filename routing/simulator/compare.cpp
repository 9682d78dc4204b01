#include "routing/simulator/compare.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "payments/assertion.hpp"

namespace turnout::routing::simulator {
namespace {

constexpr double points = 100;

const course_of_algorithm& course_named(const comparison& of, std::string_view name) {
  for (const course_of_algorithm& each : of.algorithms)
    if (each.of->name == name) return each;
  TURNOUT_ASSERT(false);
}

// Two-sided 95 % quantiles of Student's t for 1 to 30 degrees of freedom.
constexpr std::array student{12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228,
                             2.201,  2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086,
                             2.080,  2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042};
constexpr double normal_quantile = 1.96;

}  // namespace

comparison compare(const world& in, const std::vector<std::uint64_t>& seeds, std::vector<const algorithm*> wanted,
                   const std::function<void(std::uint64_t, const algorithm&)>& progress) {
  wanted.push_back(find_algorithm("random"));
  wanted.push_back(find_algorithm("oracle"));
  comparison made{seeds, {}};
  for (const algorithm& each : algorithms())  // in their order, each once
    if (std::find(wanted.begin(), wanted.end(), &each) != wanted.end()) made.algorithms.push_back({&each, {}});
  for (std::uint64_t seed : seeds) {
    const scenario drawn(in, seed);
    const traffic arrives(drawn);
    for (course_of_algorithm& each : made.algorithms) {
      stage on{drawn, arrives, truth(drawn)};
      const auto uses = each.of->make(on);
      each.seeds.push_back(measure(on, run(on, *uses)));
      if (progress) progress(seed, *each.of);
    }
  }
  return made;
}

estimate estimate_of(const std::vector<double>& values) {
  estimate found;
  if (values.empty()) return {0, std::numeric_limits<double>::infinity()};
  const auto count = static_cast<double>(values.size());
  for (double each : values) found.mean += each / count;
  if (values.size() < 2) return {found.mean, std::numeric_limits<double>::infinity()};
  double squares = 0;
  for (double each : values) squares += (each - found.mean) * (each - found.mean);
  const double quantile = values.size() - 1 <= student.size() ? student[values.size() - 2] : normal_quantile;
  found.half_width = quantile * std::sqrt(squares / (count - 1) / count);
  return found;
}

std::vector<double> regrets(const comparison& of, const course_of_algorithm& algorithm) {
  const course_of_algorithm& best = course_named(of, "oracle");
  std::vector<double> found;
  for (std::size_t i = 0; i < algorithm.seeds.size(); ++i) {
    const auto payments = std::max<double>(1, static_cast<double>(best.seeds[i].payments));
    found.push_back(points *
                    (static_cast<double>(best.seeds[i].approved) - static_cast<double>(algorithm.seeds[i].approved)) /
                    payments);
  }
  return found;
}

}  // namespace turnout::routing::simulator
