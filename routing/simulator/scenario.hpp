#pragma once
// One seed of a world: every gateway, event and effect that its ranges left
// open, drawn. Nothing here depends on the algorithm that is tried in it.
//
//   intrinsic decline   d = σ(bias + Σ effects)                      the same at all gateways
//   gateway decline     e = σ(logit(base + gap) + Σ effects + drift)  each gateway its own
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "routing/router.hpp"
#include "routing/simulator/draws.hpp"
#include "routing/simulator/world.hpp"

namespace turnout::routing::simulator {

/// Who pays, as numbers: the features of a payment.
struct payer {
  std::uint16_t issuer = 0, country = 0, brand = 0, amount = 0, method = 0;
  std::uint16_t of(feature which) const noexcept;
};

struct simulated_gateway {
  std::string name;
  double decline_rate = 0;  ///< base + gap, before effects
  double technical = 0, median_s = 0;
  double appears_s = 0, disappears_s = 0;
  bool exists(double at_s) const noexcept { return at_s >= appears_s && at_s < disappears_s; }
};

struct event {
  event_kind kind;
  double begins_s, ends_s;
  std::size_t gateway;
  double strength;
  bool slow, disguised;
  feature over;  ///< segment_outage
  std::uint16_t value;
  payments::decline_reason reason;
};

/// A wave of card testing: hopeless payments with cards of one issuer.
struct burst {
  double begins_s, ends_s;
  double tps;
  std::uint16_t issuer;
};

class scenario {
 public:
  scenario(const world& of, std::uint64_t seed);

  const world& description() const noexcept { return world_; }
  const draws& random() const noexcept { return draws_; }
  std::uint64_t seed() const noexcept { return seed_; }
  const std::vector<simulated_gateway>& gateways() const noexcept { return gateways_; }
  const std::vector<event>& events() const noexcept { return events_; }  ///< by their beginning

  const std::vector<burst>& bursts() const noexcept { return bursts_; }

  std::size_t contexts() const noexcept { return intrinsic_.size(); }
  payer payer_of(std::uint32_t context) const noexcept;
  std::uint32_t context_of(const payer& who) const noexcept;
  /// P(declined wherever it goes).
  double intrinsic(std::uint32_t context) const noexcept { return intrinsic_[context]; }
  /// e/(1−e) of each gateway without drift, side by side.
  const float* decline_odds(std::uint32_t context) const noexcept { return &odds_[context * gateways_.size()]; }
  /// What the odds of `gateway` are multiplied by at `at_s`; changes every drift_step_s.
  double drift(std::size_t gateway, double at_s) const noexcept;

  /// The payment as a router sees it; views into this scenario.
  request request_of(std::uint32_t context, std::int64_t amount_minor) const;

  static constexpr double drift_step_s = 10;

 private:
  void draw_gateways();
  void draw_contexts();
  void draw_drift();
  void draw_events();
  void draw_event(const event_rule& rule, std::uint64_t number, const std::vector<std::size_t>& by_rate);
  std::vector<float> effect_cells(purpose what, std::uint64_t owner, const effect& of) const;
  std::size_t cell(const effect& of, const payer& who) const noexcept;

  const world& world_;
  std::uint64_t seed_;
  draws draws_;
  std::array<std::size_t, feature_count> cardinality_{};
  std::vector<simulated_gateway> gateways_;
  std::vector<event> events_;
  std::vector<burst> bursts_;
  std::vector<float> intrinsic_, odds_;
  std::size_t drift_steps_ = 0;
  std::vector<float> drift_;
  std::vector<std::string> bins_;
};

/// One of them, by their weights. Precondition: not empty.
payments::decline_reason draw_reason(const std::vector<reason_share>& shares, double uniform) noexcept;
/// Combinations of the features' values; the country follows from the issuer.
std::size_t contexts_of(const context_distribution& of) noexcept;
/// How many values the feature has.
std::size_t values_of(const context_distribution& of, feature which) noexcept;

}  // namespace turnout::routing::simulator
