// What may be said of what, and what is told to follow.
#include "payments/resolution.hpp"

#include <catch2/catch.hpp>

#include "payments/payment.hpp"

using namespace turnout::payments;
using refusal = resolution_refusal;

namespace {

payment in_doubt() {
  payment record{.id = "pay_1", .amount = {1250, *currency::find("EUR")}};
  record.answered = true;
  attempt each{.id = "att_1", .connector = "alpha", .amount = record.amount};
  each.in_flight = false;
  record.attempts = {each};
  return record;
}

std::string follows(const payment& record, verdict as, std::string_view target = "att_1") {
  const resolution_check check = check_resolution(record, target, as);
  CHECK(check.refusal == refusal::none);
  return check.text;
}

}  // namespace

TEST_CASE("what follows from a word is told before it is said", "[resolution]") {
  payment record = in_doubt();
  CHECK(follows(record, verdict::not_charged).find("becomes failed") != std::string::npos);
  CHECK(follows(record, verdict::charged).find("succeeds") != std::string::npos);
  record.attempts[0].operation = operation::authorize;
  CHECK(follows(record, verdict::charged).find("authorization stands") != std::string::npos);
  record.cancel_requested = true;
  CHECK(follows(record, verdict::not_charged).find("becomes canceled") != std::string::npos);
  CHECK(follows(record, verdict::charged).find("will be reversed") != std::string::npos);
  record.attempts[0].reversal = reversal_state::wanted;
  record.attempts[0].reversal_reason = "resolve";
  CHECK(follows(record, verdict::charged).find("goes on being reversed (resolve)") != std::string::npos);
  record.attempts[0].seen_approved = true;
  CHECK(follows(record, verdict::not_charged).find("given back") != std::string::npos);
  CHECK(check_resolution(record, "att_1", verdict::charged).refusal == refusal::not_in_doubt);
}

TEST_CASE("a final payment with an open attempt stays what it is", "[resolution]") {
  payment record = in_doubt();
  record.status = payment_status::succeeded;
  CHECK(follows(record, verdict::not_charged).find("stays succeeded") != std::string::npos);
  CHECK(follows(record, verdict::charged).find("will be reversed") != std::string::npos);
}

TEST_CASE("not of what is settled, and not while somebody waits", "[resolution]") {
  payment record = in_doubt();
  record.answered = false;
  CHECK(check_resolution(record, "att_1", verdict::charged).refusal == refusal::busy);
  record.answered = true;
  record.attempts[0].in_flight = true;
  CHECK(check_resolution(record, "att_1", verdict::charged).refusal == refusal::busy);
  record.attempts[0].in_flight = false;
  record.attempts[0].outcome = outcome::requires_action;
  CHECK(check_resolution(record, "att_1", verdict::charged).refusal == refusal::busy);
  record.action_expired = true;
  CHECK(check_resolution(record, "att_1", verdict::charged).refusal == refusal::none);
  record.attempts[0].outcome = outcome::approved;
  CHECK(check_resolution(record, "att_1", verdict::not_charged).refusal == refusal::not_in_doubt);
  CHECK(check_resolution(record, "att_2", verdict::charged).refusal == refusal::unknown_target);
}

TEST_CASE("a refund may be said of while it is in doubt only", "[resolution]") {
  payment record = in_doubt();
  record.status = payment_status::succeeded;
  record.attempts[0].outcome = outcome::approved;
  record.modifications = {
      {.id = "ref_1", .kind = modification_kind::refund, .operation = operation::refund, .amount = 5}};
  CHECK(check_resolution(record, "ref_1", verdict::charged).refusal == refusal::not_in_doubt);
  record.modifications[0].doubtful = true;
  CHECK(follows(record, verdict::charged, "ref_1").find("counts as done") != std::string::npos);
  CHECK(follows(record, verdict::not_charged, "ref_1").find("free again") != std::string::npos);
  record.modifications[0].in_flight = true;
  CHECK(check_resolution(record, "ref_1", verdict::charged).refusal == refusal::busy);
  record.modifications[0].status = modification_status::succeeded;
  CHECK(check_resolution(record, "ref_1", verdict::charged).refusal == refusal::not_in_doubt);
}

TEST_CASE("words of people round trip", "[resolution]") {
  for (const verdict as : {verdict::charged, verdict::not_charged}) CHECK(parse_verdict(to_string(as)) == as);
  CHECK_FALSE(parse_verdict("maybe"));
  CHECK(state_of(in_doubt(), "att_1") == "unknown");
  CHECK(state_of(in_doubt(), "att_9").empty());
}
