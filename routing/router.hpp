#pragma once
// Which gateway next, and why. Pure and deterministic: time and randomness
// come in, the same calls give the same choices.
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "payments/connector_profile.hpp"
#include "payments/instant.hpp"
#include "payments/money.hpp"
#include "payments/random_source.hpp"
#include "payments/send_result.hpp"
#include "policies/policy.hpp"

namespace turnout::routing {

using payments::instant;
using payments::random_source;

/// What the router may know of a payment: the features of its segment.
struct request {
  std::string_view merchant, method;
  payments::card_brand brand = payments::card_brand::unknown;
  std::string_view bin;      ///< six digits
  std::string_view country;  ///< issuer's, where known
  payments::money amount;
};

struct candidate {
  std::string_view connector;
  payments::money charged;
  double cost = 0;  ///< expected fees as a share of the amount
};

struct tried {
  std::string_view connector;
  payments::outcome outcome;
  payments::decline_reason reason;
};

/// Why a connector is not among the candidates.
struct exclusion {
  std::string connector;
  /// currency_not_supported | brand_not_supported | merchant_not_listed | mode | capture_not_supported |
  /// already_tried | breaker_open | breaker_half_open (its probe is under way) | …
  std::string reason;
};

/// One candidate's place in the ranking.
struct ranked {
  std::string connector;
  double score = 0;       ///< what the ranking is by; within [0,1]
  double approval = 0;    ///< estimated P(approved | reached), segment-shrunk
  double health = 0;      ///< estimated P(no technical failure)
  double latency_ms = 0;  ///< estimated
  double cost = 0;
  double probability = 0;  ///< of being placed first in this decision; they sum to 1
};

enum class choice_reason : std::uint8_t { best_score, explored, priority, only_candidate, least_sick, retry };
std::string_view to_string(choice_reason) noexcept;

struct decision {
  std::uint64_t id = 0;             ///< for on_sent and observe
  std::vector<ranked> order;        ///< best first; empty when there was no candidate
  std::vector<exclusion> excluded;  ///< by the router itself (breaker), after the caller's own
  choice_reason why = choice_reason::best_score;
  std::string segment;     ///< the features that the scores were read for, readable
  double probability = 1;  ///< of order.front() being first
};

/// How one connector looks, for metrics, /admin/connectors and `turnout top`.
struct connector_view {
  std::string connector;
  double score = 0, approval = 0, health = 0, latency_ms = 0;  ///< overall
  std::string_view state;                                      ///< closed | open | half_open (the breaker)
  std::uint64_t in_flight = 0;
  double share = 0;  ///< of recent first choices
};

class router {
 public:
  virtual ~router() = default;
  /// `tried` are this payment's earlier attempts; their connectors are not chosen again.
  virtual decision choose(const request& payment, const policies::route& route,
                          const std::vector<candidate>& candidates, const std::vector<tried>& tried, instant now,
                          random_source& random) = 0;
  /// The first candidate of `made` was really sent to.
  virtual void on_sent(const request& payment, const decision& made, instant now) = 0;
  /// How that went. May come late, twice or never.
  virtual void observe(const request& payment, const decision& made, const payments::send_result& result,
                       instant now) = 0;
  virtual void tick(instant now) = 0;
  /// The connector exists: view() shows it from now on, before its first payment.
  virtual void declare(std::string_view) {}
  virtual std::vector<connector_view> view(instant now) const = 0;
};

std::unique_ptr<router> create_router();

}  // namespace turnout::routing
