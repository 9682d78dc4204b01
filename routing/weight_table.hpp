#pragma once
// Learned weights of segments in bounded memory: for each key the mean of a
// weight and how much of its prior variance is still open. What is not in the
// table is what nothing is known of: mean 0, everything open.
//
// Between two updates t seconds apart a weight drifts back to its prior, as an
// Ornstein-Uhlenbeck process with time constant T does:
//   mean(t) = mean·e^(−t/T),   open(t) = 1 − (1 − open)·e^(−2t/T)
//
// Memory: 16 bytes a cell, four cells to a cache line. A new key takes the
// place of the one of its line of which least is known.
#include <bit>
#include <cstdint>
#include <vector>

#include "routing/decay.hpp"
#include "routing/state_bytes.hpp"

namespace turnout::routing {

struct weight {
  double mean = 0;
  double open = 1;  ///< share of the prior variance that is left; in (0, 1]
};

/// What a weight is after `elapsed_s` without an update.
weight drifted(weight before, double elapsed_s, double time_constant_s) noexcept;

void save(const weight& known, state_writer& into);
weight load_weight(state_reader& from);

/// A quarter of a second since the steady clock's epoch.
using stamp = std::uint32_t;
stamp stamp_of(steady_time now) noexcept;
double seconds_since(stamp then, stamp now) noexcept;  ///< never negative

class weight_table {
 public:
  /// `cells`: a power of two, at least four.
  weight_table(std::size_t cells, double time_constant_s);
  weight read(std::uint64_t key, stamp now) const noexcept;
  /// A read of `key` is coming: lets the memory begin to fetch it.
  void expect(std::uint64_t key) const noexcept { __builtin_prefetch(&lines_[place_of(key)]); }
  void write(std::uint64_t key, weight learned, stamp now) noexcept;

  /// All weights as they are at `now`.
  void save(state_writer& into, stamp now) const;
  /// What save() wrote `elapsed_s` ago, into an empty table. What is senseless fails `from`.
  void load(state_reader& from, double elapsed_s, stamp now);

 private:
  static constexpr std::size_t ways = 4;
  struct cell {
    std::uint32_t tag = 0;  ///< 0: free
    float mean = 0, open = 1;
    stamp last = 0;
  };
  struct alignas(64) line {
    cell cells[ways];
  };
  static std::uint32_t tag_of(std::uint64_t key) noexcept {
    const auto high = static_cast<std::uint32_t>(key >> 32);
    return high == 0 ? 1 : high;
  }
  std::size_t place_of(std::uint64_t key) const noexcept { return key & (lines_.size() - 1); }

  double time_constant_s_;
  std::vector<line> lines_;
};

}  // namespace turnout::routing
