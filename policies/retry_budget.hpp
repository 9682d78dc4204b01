#pragma once
// Failovers as a share of recent payments, over the whole proxy: a storm of
// retries must not finish off a gateway that is only slow. Limits failovers,
// never the ladder of an unknown attempt. What the last 1000 payments earned
// can be saved up; time alone saves ten seconds of the floor, and with that a
// budget begins.
#include "payments/instant.hpp"

namespace turnout::policies {

class retry_budget {
 public:
  /// `share` in 0..1: failovers earned by each payment. `floor`: failovers per
  /// second that are always allowed, so that a quiet shop can fail over too.
  retry_budget(double share, double floor_per_second);
  void on_payment(payments::steady_time now) noexcept;
  /// Takes one failover from the budget; false when it is spent.
  bool withdraw(payments::steady_time now) noexcept;
  /// Failovers left at `now`.
  double remaining(payments::steady_time now) const noexcept;

 private:
  void refill(payments::steady_time now) noexcept;
  double share_, floor_per_second_, floor_cap_, cap_, tokens_;
  payments::steady_time last_{};
};

}  // namespace turnout::policies
