// When a policy lets another gateway try.
#include "payments/retry_plan.hpp"

#include "payments/assertion.hpp"

namespace turnout::payments {

namespace {

constexpr std::size_t bit(auto value) noexcept { return static_cast<std::size_t>(value); }

// A second gateway asks the same issuer about the same money, and the schemes
// count the tries: only a policy that names the reason itself wants that.
constexpr bool must_be_named(decline_reason reason) noexcept {
  return reason == decline_reason::insufficient_funds || reason == decline_reason::limit_exceeded ||
         reason == decline_reason::incorrect_cvc;
}

}  // namespace

retry_plan default_retry_plan() {
  retry_plan plan;
  plan.outcomes.set(bit(outcome::not_sent)).set(bit(outcome::rejected));
  plan.classes.set(bit(decline_class::technical));
  plan.reasons.set(bit(decline_reason::do_not_honor)).set(bit(decline_reason::try_again_later));
  return plan;
}

bool may_fail_over(const retry_plan& plan, outcome ended, decline_reason reason) noexcept {
  const decline_info* info = reason == decline_reason::none ? nullptr : &describe(reason);
  if (info != nullptr && !info->may_fail_over) return false;
  switch (ended) {
    case outcome::not_sent:
    case outcome::rejected: return plan.outcomes[bit(ended)];
    case outcome::soft_decline:
      if (info == nullptr) return plan.outcomes[bit(ended)];
      if (plan.reasons[bit(reason)]) return true;
      if (must_be_named(reason)) return false;
      return plan.classes[bit(info->group)] || plan.outcomes[bit(ended)];
    case outcome::approved:
    case outcome::pending:
    case outcome::requires_action:
    case outcome::hard_decline:
    case outcome::unknown: return false;
  }
  TURNOUT_ASSERT(false);
}

}  // namespace turnout::payments
