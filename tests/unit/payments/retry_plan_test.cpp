// When another gateway may be tried: every outcome against every reason.
#include "payments/retry_plan.hpp"

#include <catch2/catch.hpp>

#include <random>
#include <vector>

using namespace turnout::payments;

namespace {

std::vector<decline_reason> all_reasons() {
  std::vector<decline_reason> found{decline_reason::none};
  for (const decline_info& each : decline_table()) found.push_back(each.reason);
  return found;
}

std::size_t bit(auto value) { return static_cast<std::size_t>(value); }

retry_plan nothing() { return {}; }
retry_plan everything() {
  retry_plan plan;
  plan.outcomes.set();
  plan.classes.set();
  plan.reasons.set();
  return plan;
}

}  // namespace

TEST_CASE("the default plan") {
  const retry_plan plan = default_retry_plan();
  CHECK(plan.max_attempts == 3);
  CHECK(plan.deadline == std::chrono::seconds(8));
  CHECK(may_fail_over(plan, outcome::not_sent, decline_reason::none));
  CHECK(may_fail_over(plan, outcome::rejected, decline_reason::none));
  for (const auto reason :
       {decline_reason::issuer_unavailable, decline_reason::processing_error, decline_reason::gateway_error,
        decline_reason::timeout_upstream, decline_reason::do_not_honor, decline_reason::try_again_later})
    CHECK(may_fail_over(plan, outcome::soft_decline, reason));
  for (const auto reason : {decline_reason::none, decline_reason::insufficient_funds, decline_reason::limit_exceeded,
                            decline_reason::incorrect_cvc, decline_reason::declined, decline_reason::restricted_card,
                            decline_reason::gateway_risk, decline_reason::authentication_required,
                            decline_reason::card_not_supported, decline_reason::duplicate})
    CHECK_FALSE(may_fail_over(plan, outcome::soft_decline, reason));
}

TEST_CASE("no plan whatsoever fails over where it must not") {
  std::mt19937_64 random(3);
  std::vector<retry_plan> plans{nothing(), default_retry_plan(), everything()};
  for (int count = 0; count < 200; ++count) {
    retry_plan plan;
    plan.outcomes = random();
    plan.classes = random();
    plan.reasons = random();
    plans.push_back(plan);
  }
  for (const retry_plan& plan : plans)
    for (const decline_reason reason : all_reasons()) {
      for (const auto ended :
           {outcome::approved, outcome::pending, outcome::requires_action, outcome::hard_decline, outcome::unknown})
        REQUIRE_FALSE(may_fail_over(plan, ended, reason));
      if (reason != decline_reason::none && !describe(reason).may_fail_over)
        for (const auto ended : {outcome::soft_decline, outcome::not_sent, outcome::rejected})
          REQUIRE_FALSE(may_fail_over(plan, ended, reason));
    }
}

TEST_CASE("an empty plan never fails over") {
  for (std::size_t index = 0; index < outcome_count; ++index)
    for (const decline_reason reason : all_reasons())
      CHECK_FALSE(may_fail_over(nothing(), static_cast<outcome>(index), reason));
}

TEST_CASE("a class stands for its reasons, except for those that must be named") {
  retry_plan plan = nothing();
  plan.classes.set(bit(decline_class::issuer_soft));
  CHECK(may_fail_over(plan, outcome::soft_decline, decline_reason::do_not_honor));
  CHECK(may_fail_over(plan, outcome::soft_decline, decline_reason::restricted_card));
  CHECK_FALSE(may_fail_over(plan, outcome::soft_decline, decline_reason::gateway_error));
  for (const auto reason :
       {decline_reason::insufficient_funds, decline_reason::limit_exceeded, decline_reason::incorrect_cvc}) {
    CHECK_FALSE(may_fail_over(plan, outcome::soft_decline, reason));
    retry_plan named = nothing();
    named.reasons.set(bit(reason));
    CHECK(may_fail_over(named, outcome::soft_decline, reason));
  }
}

TEST_CASE("an outcome stands for its reasons, except for those that must be named") {
  retry_plan plan = nothing();
  plan.outcomes.set(bit(outcome::soft_decline));
  CHECK(may_fail_over(plan, outcome::soft_decline, decline_reason::none));
  CHECK(may_fail_over(plan, outcome::soft_decline, decline_reason::gateway_risk));
  CHECK_FALSE(may_fail_over(plan, outcome::soft_decline, decline_reason::insufficient_funds));
  CHECK_FALSE(may_fail_over(plan, outcome::not_sent, decline_reason::none));
  CHECK_FALSE(may_fail_over(plan, outcome::rejected, decline_reason::none));
}

TEST_CASE("a reason stands for itself only") {
  retry_plan plan = nothing();
  plan.reasons.set(bit(decline_reason::gateway_risk));
  for (const decline_reason reason : all_reasons())
    CHECK(may_fail_over(plan, outcome::soft_decline, reason) == (reason == decline_reason::gateway_risk));
}
