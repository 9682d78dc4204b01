#pragma once
// When another gateway may be tried after an attempt that did not approve, as
// a policy says it. Whether it is *safe* is not asked here: payment_flow never
// consults the plan while an attempt is unknown.
#include <bitset>
#include <chrono>

#include "payments/decline_reason.hpp"
#include "payments/outcome.hpp"

namespace turnout::payments {

struct retry_plan {
  int max_attempts = 3;                      ///< 1..10, the first try included
  std::chrono::milliseconds deadline{8000};  ///< from the request's arrival; > 0
  /// No new attempt begins with less than this left of the deadline.
  std::chrono::milliseconds least_time{200};
  std::bitset<outcome_count> outcomes;  ///< never unknown, pending, approved, hard_decline
  std::bitset<decline_class_count> classes;
  std::bitset<64> reasons;  ///< by decline_reason; never a hard one
  /// After answering, an approval that arrives later than this is reversed;
  /// zero: it stands however late it comes.
  std::chrono::seconds expire_after{0};
  /// How long the shopper has for a challenge, from when the gateway asked for it; > 0.
  std::chrono::milliseconds action_expires_after{15 * 60 * 1000};
};

/// technical, not_sent, rejected, do_not_honor.
retry_plan default_retry_plan();

/// True when `plan` lets another gateway try after (ended, reason). `reason`
/// may be none for outcomes that carry none.
bool may_fail_over(const retry_plan& plan, outcome ended, decline_reason reason) noexcept;

}  // namespace turnout::payments
