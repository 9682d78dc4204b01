#pragma once
// P(approved | the gateway was reached) for a connector and a payment's
// segments, each estimate leaning on a coarser one:
//
//   prior .85 → pool mean → the connector's overall rate → effects of segments
//
//   pool    = (Σ_g min(n_g, 50)·s_g/n_g + 10·.85) / (Σ_g min(n_g, 50) + 10)
//   overall = (s_g + 30·pool) / (n_g + 30),           s, n decayed with T = 1800 s
//   P       = overall + Σ shared effects + Σ the connector's own effects, in [.001, .999]
//
// A newcomer starts at the pool's mean, never at 100 %; a connector counts in
// the pool for at most 50 payments, so that the mean is one over connectors and
// not of the one that has all the traffic. Shared effects hold what is true of
// an issuer or an amount at every gateway, so that a connector is not blamed
// for the hard payments it was given. Each effect learns from what those
// before it leave unexplained, hence nothing is counted twice.
#include <cstdint>
#include <vector>

#include "routing/effect_table.hpp"
#include "routing/segment.hpp"

namespace turnout::routing {

class approval_model {
 public:
  /// What is the same for every candidate of one decision; read it once.
  struct context {
    segment_keys keys;
    double shared = 0, pool = 0;
  };
  struct estimate {
    double approval;   ///< in [.001, .999]
    double deviation;  ///< how far off `approval` may be: sqrt(p(1−p)/(n + m))
  };

  context read(const segment_keys& keys, steady_time now) const noexcept;
  estimate predict(std::uint16_t connector, const context& about, steady_time now) const noexcept;
  /// Over all segments.
  double overall(std::uint16_t connector, steady_time now) const noexcept;
  void learn(std::uint16_t connector, const segment_keys& keys, bool approved, steady_time now);
  /// Makes room for connectors 0 … count − 1.
  void grow(std::size_t count);

 private:
  double pool(steady_time now) const noexcept;

  std::vector<decayed_mean> overall_;  ///< by connector
  effect_table effects_;
};

}  // namespace turnout::routing
