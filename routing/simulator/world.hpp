#pragma once
// What a world is made of, as its YAML file describes it (docs/simulate.md).
// A seed turns it into one scenario: what the file gives as a range is drawn.
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "payments/decline_reason.hpp"
#include "payments/retry_plan.hpp"

namespace turnout::routing::simulator {

/// Uniform between the two; a fixed value when they are equal.
struct range {
  double low = 0, high = 0;
  double at(double uniform) const noexcept { return low + (high - low) * uniform; }
};

enum class feature : std::uint8_t { issuer, country, brand, amount, method };
inline constexpr std::size_t feature_count = 5;

/// Who pays: independent features; the country follows from the issuer (its number modulo `countries`).
struct context_distribution {
  std::size_t issuers = 24;
  double issuer_exponent = 1;  ///< issuer i has weight (i+1)^-exponent
  std::size_t countries = 6;
  std::vector<double> brands{.5, .3, .12, .08}, amounts{.4, .3, .2, .1}, methods{.7, .2, .1};
};
inline constexpr std::size_t most_brands = 8, most_amounts = 5, most_methods = 6, most_countries = 40;

/// A term of a logit: one value for each combination of the features' values,
/// drawn from N(0, deviation²), or the `fixed` ones of a single feature.
struct effect {
  std::vector<feature> over;
  double deviation = 0;
  std::vector<double> fixed;
};

struct reason_share {
  payments::decline_reason reason;
  double weight;
};

/// Declines that are the same at every gateway: the card's or the issuer's own.
struct intrinsic_declines {
  double bias = -2.5;  ///< logit
  std::vector<effect> effects{{{feature::issuer}, .5, {}},
                              {{feature::brand}, .2, {}},
                              {{feature::amount}, 0, {-.3, 0, .3, .8}},
                              {{feature::method}, .3, {}}};
  std::vector<reason_share> reasons{{payments::decline_reason::do_not_honor, .5},
                                    {payments::decline_reason::do_not_retry, .5}};
};

/// Declines that another gateway may not get: logit(base + gap) + effects, each gateway its own.
struct gateway_declines {
  range base{.025, .045};  ///< drawn once a seed
  range gap{.005, .08};    ///< of every gateway but the best
  std::vector<effect> effects{{{feature::brand}, .35, {}},  {{feature::country}, .3, {}},
                              {{feature::issuer}, .35, {}}, {{feature::amount}, .2, {}},
                              {{feature::method}, .3, {}},  {{feature::issuer, feature::brand}, .25, {}}};
  std::vector<reason_share> reasons{{payments::decline_reason::do_not_honor, .85},
                                    {payments::decline_reason::do_not_retry, .15}};
};

/// Failures of the machinery. Slow ones end at the timeout, the others at once.
struct technical_failures {
  range rate{.003, .01};
  range fast_s{.15, .45};
  double disguised = 0;  ///< share of the fast ones that look like a decline for the reason below
  payments::decline_reason disguise = payments::decline_reason::do_not_honor;
};

/// What a card tester's payments, all of one issuer, are declined for wherever they go.
inline const std::vector<reason_share> card_testing_reasons{{payments::decline_reason::incorrect_cvc, .5},
                                                            {payments::decline_reason::invalid_card, .2},
                                                            {payments::decline_reason::stolen_card, .15},
                                                            {payments::decline_reason::expired_card, .15}};

/// Lognormal.
struct latency_distribution {
  double median_s = .8;
  range spread{.6, 1.5};  ///< factor on the median, each gateway its own
  double sigma = .5;
  double timeout_s = 10;
};

/// Slow change of each gateway's decline logit: a sine and an Ornstein–Uhlenbeck process.
struct drift_rule {
  double amplitude = 0;  ///< of the sine, times U(.5, 1)
  double period_s = 7200;
  double wander = 0;  ///< stationary standard deviation
  double wander_s = 1800;
  bool any() const noexcept { return amplitude > 0 || wander > 0; }
};

struct gateway_group {
  std::string name;       ///< of the only one; empty: g1, g2, … by position
  std::size_t count = 1;  ///< gateways described alike
  std::optional<range> gap, technical, median_s;
  double appears_s = 0;
  double disappears_s = std::numeric_limits<double>::infinity();
};
inline constexpr std::size_t most_gateways = 64;

enum class event_kind : std::uint8_t { outage, brown_out, segment_outage, latency_spike, card_testing };

struct event_rule {
  event_kind kind = event_kind::outage;
  std::size_t count = 1;
  range duration_s;
  /// outage: the technical rate is at least this; brown_out: it is added; segment_outage:
  /// declines of the segment's payments; latency_spike: factor on the median; card_testing:
  /// fraudulent payments as a multiple of the mean traffic.
  range strength;
  std::optional<range> starts_s;      ///< else anywhere in the run
  std::vector<std::string> gateways;  ///< to draw from; empty: all, by `at_best`
  double at_best = .5;                ///< share that hits one of the two best gateways
  std::size_t together = 1;           ///< gateways hit at the same time
  double slow = .5;                   ///< share whose technical failures end at the timeout
  feature over = feature::issuer;     ///< segment_outage
  std::size_t top = 6;                ///< segment_outage, card_testing (issuers): one of that many most frequent values
  payments::decline_reason reason = payments::decline_reason::do_not_honor;  ///< segment_outage: how it looks
  bool disguised = false;  ///< fast failures look like a decline (technical_failures::disguise)
};

struct traffic_rule {
  double tps = 50;  ///< mean; arrivals are a Poisson process
  double seconds = 3000;
  std::vector<double> daily;  ///< weight of each of 24 hours; empty: even
};

struct world {
  std::string name;
  std::string title;
  traffic_rule traffic;
  context_distribution context;
  std::vector<gateway_group> gateways;
  intrinsic_declines intrinsic;
  gateway_declines declines;
  technical_failures technical;
  latency_distribution latency;
  drift_rule drift;
  std::vector<event_rule> events;
  payments::retry_plan retry;
  double retry_share = .6;  ///< no attempt begins later than this share of the deadline
  /// An attempt that ran into the timeout ends the payment (its outcome is
  /// `unknown`), as in the proxy; else it counts as proven not charged.
  bool timeouts_are_final = false;
};

}  // namespace turnout::routing::simulator
