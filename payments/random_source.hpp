#pragma once
// Randomness comes in as an argument: pure rooms own no random device.
#include <cstdint>

namespace turnout::payments {

class random_source {
 public:
  virtual ~random_source() = default;
  /// 64 uniformly distributed bits.
  virtual std::uint64_t next() = 0;
  /// Uniform in [0, 1).
  double uniform() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }
};

}  // namespace turnout::payments
