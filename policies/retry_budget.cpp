// A token bucket: each payment puts `share` of a token in, time puts the floor
// in, a failover takes one out. The idea is that of Envoy's and Finagle's retry
// budgets: retries as a share of the traffic cannot multiply an overload.
#include "policies/retry_budget.hpp"

#include <algorithm>
#include <chrono>

namespace turnout::policies {
namespace {

// A quiet hour must not be saved up into a storm: what a thousand payments
// earned, or ten seconds of the floor where that is more, can be spent at once.
// A gateway that dies under load takes about a second's payments with it, and
// those are meant to fail over.
constexpr double payments_saved = 1000;
constexpr double floor_seconds = 10;

/// What time alone can earn, and what there is before the first payment.
double floor_allowance(double share, double floor_per_second) noexcept {
  if (share <= 0 && floor_per_second <= 0) return 0;
  return std::max(1.0, floor_per_second * floor_seconds);
}

}  // namespace

retry_budget::retry_budget(double share, double floor_per_second)
    : share_(std::clamp(share, 0.0, 1.0)),
      floor_per_second_(std::max(0.0, floor_per_second)),
      floor_cap_(floor_allowance(share_, floor_per_second_)),
      cap_(std::max(floor_cap_, payments_saved * share_)),
      tokens_(floor_cap_) {}

void retry_budget::refill(payments::steady_time now) noexcept {
  tokens_ = remaining(now);
  last_ = std::max(last_, now);
}

double retry_budget::remaining(payments::steady_time now) const noexcept {
  // Only payments earn more than the floor's allowance: an idle night does not.
  if (tokens_ >= floor_cap_) return tokens_;
  const double elapsed = std::max(0.0, std::chrono::duration<double>(now - last_).count());
  return std::min(floor_cap_, tokens_ + elapsed * floor_per_second_);
}

void retry_budget::on_payment(payments::steady_time now) noexcept {
  refill(now);
  tokens_ = std::min(cap_, tokens_ + share_);
}

bool retry_budget::withdraw(payments::steady_time now) noexcept {
  refill(now);
  // Shares such as a tenth are not exact in binary: ten of them are one.
  constexpr double rounding = 1e-9;
  if (tokens_ < 1 - rounding) return false;
  tokens_ = std::max(0.0, tokens_ - 1);
  return true;
}

}  // namespace turnout::policies
