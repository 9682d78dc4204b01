#pragma once
// The state of every gateway at one moment of virtual time, and what it
// answers. Time only moves forward.
//
//   S = (1 − τ) · (1 − P(latency > timeout)) · (1 − segment outages) · (1 − e)
//
// is the true success probability of a payment that the issuer would approve.
#include <optional>
#include <vector>

#include "payments/send_result.hpp"
#include "routing/simulator/scenario.hpp"

namespace turnout::routing::simulator {

/// One payment of the run; the same for all algorithms.
struct payment_case {
  double at_s = 0;
  std::uint32_t context = 0;
  payments::decline_reason intrinsic = payments::decline_reason::none;  ///< why every gateway declines it
  std::int64_t amount_minor = 0;
  float best = 0;       ///< the largest S of any gateway when it arrives
  bool genuine = true;  ///< false: card testing
};

struct answer {
  payments::send_result result;
  double latency_s = 0;
  bool technical = false;  ///< truly, however it looks
};

/// How a send may end, of a payment that the issuer would approve.
struct prospect {
  double success = 0;    ///< S
  double retryable = 0;  ///< fails in a way after which another gateway may be tried
};

class truth {
 public:
  explicit truth(const scenario& of);
  /// `at_s` never less than before.
  void advance(double at_s);
  double now_s() const noexcept { return now_s_; }

  bool exists(std::size_t gateway) const noexcept { return of_.gateways()[gateway].exists(now_s_); }
  /// S; 0 when the gateway does not exist.
  double success(std::uint32_t context, std::size_t gateway) const noexcept;
  prospect expect(std::uint32_t context, std::size_t gateway) const noexcept;
  /// Payment number `payment` is sent to `gateway` now.
  answer ask(std::uint64_t payment, const payment_case& what, std::size_t gateway) const;

 private:
  struct segment {
    feature over;
    std::uint16_t value;
    double declined;
    payments::decline_reason reason;
    bool retried;
  };
  struct state {
    double fast = 0, slow = 0;  ///< technical failures
    double disguised = 0;       ///< share of the fast ones
    double median_s = 0;
    double late = 0;    ///< P(latency > timeout)
    double served = 0;  ///< (1 − fast − slow)·(1 − late)
    double drift = 1;
    std::vector<segment> segments;
  };
  void renew(std::size_t gateway);
  double decline(std::uint32_t context, std::size_t gateway) const noexcept;
  double segment_passes(const state& is, std::uint32_t context) const noexcept;
  payments::decline_reason segment_decline(const state& is, std::uint32_t context, double uniform) const noexcept;
  answer technical_failure(std::uint64_t payment, std::size_t gateway, bool slow) const;
  answer declined(payments::decline_reason reason, double latency_s) const;

  const scenario& of_;
  double now_s_ = 0, drift_until_s_ = 0;
  double soft_share_ = 0, disguise_retryable_ = 0;
  bool technical_retryable_ = false, late_retryable_ = false;
  std::vector<state> states_;
  std::vector<std::size_t> active_;  ///< events under way
  std::size_t next_event_ = 0;
  double next_change_s_ = 0;
};

}  // namespace turnout::routing::simulator
