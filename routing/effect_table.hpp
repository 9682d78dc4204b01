#pragma once
// How much a segment differs from what is expected of it: for each key a
// decayed sum of residuals (seen − expected), and their weight n.
//   effect = Σ residuals / (n + m),  m = 50, T = 7200 s
// m is the empirical-Bayes pseudo-count σ²/τ² (Efron & Morris 1975): approval
// varies by σ² ≈ .05 within a segment and by τ ≈ 3 points between segments.
//
// Memory is bounded: 65,536 cells of 24 bytes, in sets of eight. A new key in a
// full set takes the place of the one with the least weight left.
#include <cstdint>
#include <vector>

#include "routing/decay.hpp"

namespace turnout::routing {

class effect_table {
 public:
  effect_table();
  /// 0 for a key that is not there.
  double effect(std::uint64_t key, steady_time now) const noexcept;
  void learn(std::uint64_t key, double residual, steady_time now) noexcept;
  static constexpr std::size_t capacity() noexcept { return sets * ways; }

 private:
  static constexpr std::size_t sets = 8192, ways = 8;
  struct cell {
    std::uint64_t key = 0;  ///< 0: free
    float weight = 0, residuals = 0;
    steady_time last{};
  };
  const cell* find(std::uint64_t key) const noexcept;

  std::vector<cell> cells_;
};

}  // namespace turnout::routing
