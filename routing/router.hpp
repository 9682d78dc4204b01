#pragma once
// Which gateway next, and why. Pure and deterministic: time and randomness
// come in, the same calls give the same choices.
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <boost/container/small_vector.hpp>

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
  std::string_view bin;      ///< six digits, or the issuer's name where a table of BINs gives one
  std::string_view country;  ///< issuer's, where known
  payments::money amount;
  int attempts_left = 2;  ///< that the policy allows, this one included; >= 1
};

struct candidate {
  std::string_view connector;  ///< must live as long as decisions made from it
  payments::money charged;
  double cost = 0;                       ///< expected fees of an approval, as a share of the amount
  double attempt_cost = 0;               ///< fee of every attempt, as a share of the amount
  std::chrono::milliseconds timeout{0};  ///< after which an attempt is unknown; 0: not known
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
  /// already_tried | …
  std::string reason;
};

/// One candidate's place in the ranking. `connector` is the candidate's own view.
struct ranked {
  std::string_view connector;
  double score = 0;               ///< what an attempt is worth, see expected_value.hpp; within [0,1]
  double approval = 0;            ///< estimated P(approved | answered), for this payment
  double health = 0;              ///< estimated P(no technical failure), now
  double latency_ms = 0;          ///< estimated
  double cost = 0;                ///< of an approval, per attempt included; a share of the amount
  double probability = 0;         ///< of being placed first in this decision; they sum to 1
  double approval_deviation = 0;  ///< standard deviation of `approval`: how little is known of this connector
  double unknown = 0;             ///< estimated P(no definite answer); part of 1 - health
};

enum class choice_reason : std::uint8_t {
  best_score,      ///< the highest score
  explored,        ///< to learn whether it approves more than is known
  probed,          ///< to learn whether it, or its segment, works again
  priority,        ///< the policy's order
  weighted,        ///< drawn by the policy's weights
  least_cost,      ///< the cheapest
  only_candidate,  ///< nobody else
  least_sick,      ///< every candidate fails more often than not; this one least
  retry,           ///< not the first attempt: the best of those not tried
};
std::string_view to_string(choice_reason) noexcept;

struct decision {
  std::uint64_t id = 0;                                   ///< for on_sent and observe
  boost::container::small_vector<ranked, 8> order;        ///< best first; empty when there was no candidate
  boost::container::small_vector<exclusion, 4> excluded;  ///< by the router itself, after the caller's own
  choice_reason why = choice_reason::best_score;
  std::string segment;     ///< for who explains: describe_segment(); choose() leaves it empty
  double probability = 1;  ///< of order.front() being first
};

/// The features that scores are read for: "card/visa/424242/EUR/10-100", "/DE" behind it where the country is known.
std::string describe_segment(const request& payment);

/// How one connector looks, for metrics, /admin/connectors and `turnout top`.
struct connector_view {
  std::string connector;
  double score = 0, approval = 0, health = 0, latency_ms = 0;  ///< overall
  /// closed: it works; open: it fails more often than not and gets no traffic; half_open: a probe is under way
  std::string_view state;
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
  /// About every 100 ms: reads what is in flight, forgets what never came.
  virtual void tick(instant now) = 0;
  /// The connector exists: view() shows it from now on, before its first payment.
  virtual void declare(std::string_view) {}
  /// The connector is gone: everything learned of it alone is forgotten.
  virtual void retire(std::string_view) {}
  /// A copy that learns for itself; nullptr where there is none to be had.
  virtual std::unique_ptr<router> copy() const { return nullptr; }
  /// What was learned, as bytes that only restore() reads: versioned, checksummed.
  virtual std::string snapshot(instant) const { return {}; }
  /// Takes over what a snapshot knows of the declared connectors; before the first payment. Empty when it
  /// did; otherwise why the snapshot is refused (damaged, too old, of another version), and nothing changed.
  virtual std::string restore(std::string_view, instant) { return {}; }
  virtual std::vector<connector_view> view(instant now) const = 0;
};

std::unique_ptr<router> create_router();

}  // namespace turnout::routing
