#pragma once
// Seeded randomness for one kind of draw. Approvals, faults and latencies each
// have their own stream, so turning one on does not shift the others.
#include <cstdint>

#include "payments/random_source.hpp"

namespace turnout::sandbox {

/// splitmix64: every seed gives a full-period stream.
class random_stream final : public payments::random_source {
 public:
  explicit random_stream(std::uint64_t seed) noexcept : state_(seed) {}
  std::uint64_t next() override;
  /// Draws only when it can matter: a probability of 0 consumes nothing.
  bool happens(double probability) { return probability > 0.0 && uniform() < probability; }
  /// `median` · e^(sigma · z), z standard normal; `median` itself when sigma is 0.
  double lognormal(double median, double sigma);

 private:
  std::uint64_t state_;
};

}  // namespace turnout::sandbox
