#pragma once
// P(approved | the gateway answered), for a connector and a payment's segments:
//
//   P = σ( b + Σ_f s_f(x)  +  g + Σ_f g_f(x)  +  a(x) )
//
//   b, s_f   shared by all connectors: what is true of an issuer or an amount
//            everywhere. They are why nobody is blamed for the hard payments
//            it was given, and what a newcomer starts with.
//   g, g_f   the connector's own deviations from that.
//   a        only after a decline elsewhere: such payments are a biased sample
//            (the declined ones), so their lower approval is given to this term
//            (by kind of decline, and by issuer) and to nobody else.
//
// Every weight has a Gaussian prior around 0 and is updated as the diagonal of
// an extended Kalman filter (the logistic likelihood made Gaussian at the
// current estimate), for an outcome y in {0, 1} that counts c ≤ 1:
//   h = P(1 − P)·c,  V = Σ v_i,
//   w_i += v_i·c·(y − P)/(1 + V·h),   v_i *= 1 − v_i·h/(1 + V·h)
// Source: Spiegelhalter & Lauritzen 1990 (sequential updating of a logistic
// regression); the diagonal as in Chu, Li, Reyzin, Schapire / Graepel et al.
// 2010 (AdPredictor). b and g are sums of a slow weight and a fast one, so that
// the filter itself decides how much of a surprise is drift: where nothing
// drifts, the slow one learns it for good, at 0.1 payments/s as at 1,000.
//
// Memory, for one connector: 8,192 segments of 16 bytes (128 KiB); shared:
// 16,384 (256 KiB). The segments least is known of make room.
#include <vector>

#include "routing/segment.hpp"
#include "routing/weight_table.hpp"

namespace turnout::routing {

/// What happened to the payment before: decides which a(x) applies.
enum class aftermath : std::uint8_t {
  none,          ///< first attempt, or nobody judged the payment so far
  issuer_said,   ///< declined by the issuer's word, or without a reason
  gateway_said,  ///< refused by a gateway's own opinion
};

class approval_model {
 public:
  approval_model();
  /// Room for so many connectors: new ones know nothing, what is beyond is forgotten.
  void resize(std::size_t connectors);

  /// The part of a payment's prediction that is the same for all connectors.
  struct prepared {
    segment_keys keys;
    double logit = 0;
    stamp now = 0;
  };
  prepared prepare(const segment_keys& keys, aftermath before, steady_time now) const noexcept;

  /// A prediction is coming: lets the memory begin to fetch what it reads.
  void expect(std::uint16_t connector, const segment_keys& keys) const noexcept;

  struct estimate {
    double logit = 0;
    double deviation = 0;  ///< of the connector's own weights, in logits
  };
  estimate predict(std::uint16_t connector, const prepared& payment) const noexcept;
  /// Without any segment: what view() shows.
  estimate overall(std::uint16_t connector, steady_time now) const noexcept;

  /// `credence` in [0, 1]: how much the outcome is this model's to explain.
  void learn(std::uint16_t connector, const segment_keys& keys, aftermath before, bool approved, double credence,
             steady_time now) noexcept;

  /// What is shared by all connectors, and what is one's own. load_… as weight_table::load().
  void save_shared(state_writer& into, steady_time now) const;
  void load_shared(state_reader& from, double elapsed_s, steady_time now);
  void save_own(std::uint16_t connector, state_writer& into, steady_time now) const;
  void load_own(std::uint16_t connector, state_reader& from, double elapsed_s, steady_time now);
  void forget(std::uint16_t connector);

 private:
  struct dense {
    weight slow, fast;
    stamp last = 0;
  };
  struct connector_weights {
    dense base;
    weight_table segments;
  };
  struct gathered;  ///< the weights that one outcome updates
  static dense at(const dense& before, stamp now) noexcept;
  static void save(const dense& known, state_writer& into, stamp now);
  static dense load_dense(state_reader& from, double elapsed_s, stamp now);

  dense bias_;
  weight after_[2];  ///< by aftermath
  weight_table shared_;
  std::vector<connector_weights> connectors_;
};

double logistic(double logit) noexcept;

}  // namespace turnout::routing
