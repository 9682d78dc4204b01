#pragma once
// Runs algorithms through the same scenarios and compares them.
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "routing/simulator/algorithms.hpp"
#include "routing/simulator/measures.hpp"

namespace turnout::routing::simulator {

/// One algorithm, all seeds, in the order of the seeds.
struct course_of_algorithm {
  const algorithm* of = nullptr;
  std::vector<measures> seeds;
};

struct comparison {
  std::vector<std::uint64_t> seeds;
  std::vector<course_of_algorithm> algorithms;  ///< as asked for; random and the oracle are always among them
};

/// `wanted` in any order; random and the oracle are added, for they are what the others are measured by.
/// `progress` is told after each run.
comparison compare(const world& in, const std::vector<std::uint64_t>& seeds, std::vector<const algorithm*> wanted,
                   const std::function<void(std::uint64_t seed, const algorithm&)>& progress);

/// A mean over seeds and the half-width of its 95 % interval (Student's t); infinite for a single seed.
struct estimate {
  double mean = 0, half_width = 0;
};
estimate estimate_of(const std::vector<double>& values);

/// Points of payments that the oracle had approved and this did not, each seed.
std::vector<double> regrets(const comparison& of, const course_of_algorithm& algorithm);

/// The table that a person reads.
std::string to_text(const world& in, const comparison& of);

}  // namespace turnout::routing::simulator
