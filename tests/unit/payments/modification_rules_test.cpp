// What may be captured, refunded or canceled, and what may not.
#include <catch2/catch.hpp>

#include "flow_driver.hpp"
#include "payments/modification_rules.hpp"

using namespace turnout::payments;
using namespace std::chrono_literals;
using kind = modification_kind;
using refusal = modification_refusal;

namespace {

constexpr wall_time today{std::chrono::hours(500000)};

struct desk {
  payment record = flow_driver::fresh_record();
  connector_profile gateway = full_profile("alpha");
  wall_time now = today;

  explicit desk(payment_status status = payment_status::authorized) {
    for (const operation each : {operation::capture, operation::refund, operation::void_payment})
      gateway.operations.push_back(each);
    gateway.multiple_captures = true;
    attempt made{.id = "att_1", .connector = "alpha", .amount = record.amount};
    made.in_flight = false;
    made.outcome = outcome::approved;
    made.ended_at = today - 1h;
    record.attempts.push_back(made);
    record.status = status;
    record.amount_authorized = 1250;
    if (status == payment_status::succeeded) record.amount_captured = 1250;
  }
  modification& with(kind what, std::int64_t amount, modification_status status, bool final = false) {
    modification made{.id = "m" + std::to_string(record.modifications.size()), .kind = what, .amount = amount};
    made.status = status;
    made.final_capture = final;
    record.modifications.push_back(made);
    if (status == modification_status::succeeded && what == kind::capture) record.amount_captured += amount;
    if (status == modification_status::succeeded && what == kind::refund) record.amount_refunded += amount;
    return record.modifications.back();
  }
  modification_check check(kind what, std::optional<std::int64_t> amount = {}, bool final = true) const {
    return check_modification(record, {.kind = what, .amount = amount, .final_capture = final}, &gateway, now);
  }
  refusal why(kind what, std::optional<std::int64_t> amount = {}, bool final = true) const {
    return check(what, amount, final).refusal;
  }
  void without(operation gone) { std::erase(gateway.operations, gone); }
};

constexpr auto pending = modification_status::pending, succeeded = modification_status::succeeded,
               failed = modification_status::failed;

}  // namespace

TEST_CASE("where a payment is says what can be done", "[modification_rules]") {
  for (const auto status : {payment_status::processing, payment_status::requires_action, payment_status::authorized,
                            payment_status::succeeded, payment_status::failed, payment_status::canceled}) {
    desk at(status);
    INFO(to_string(status));
    const bool open = status == payment_status::authorized, paid = status == payment_status::succeeded;
    CHECK(at.why(kind::capture) == (open ? refusal::none : refusal::invalid_state));
    CHECK(at.why(kind::cancellation) == (open ? refusal::none : refusal::invalid_state));
    CHECK(at.why(kind::refund) == (paid ? refusal::none : refusal::invalid_state));
  }
}

TEST_CASE("pending captures count as used, failed ones do not", "[modification_rules]") {
  desk at;
  at.with(kind::capture, 300, succeeded);
  at.with(kind::capture, 400, pending);
  at.with(kind::capture, 500, failed);
  CHECK(left_to_capture(at.record) == 550);
  CHECK(at.why(kind::capture, 551) == refusal::amount_too_large);
  CHECK(at.why(kind::capture, 550) == refusal::none);
  CHECK(at.check(kind::capture).planned.amount == 550);
  CHECK(left_to_refund(at.record) == 300);
  CHECK(at.why(kind::refund, 301) == refusal::amount_too_large);
  at.with(kind::capture, 550, pending);
  CHECK(at.why(kind::capture) == refusal::amount_too_large);
  CHECK(at.why(kind::capture, 1) == refusal::amount_too_large);
}

TEST_CASE("pending refunds count as used, failed ones do not", "[modification_rules]") {
  desk at(payment_status::succeeded);
  at.with(kind::refund, 300, succeeded);
  at.with(kind::refund, 400, pending);
  at.with(kind::refund, 1250, failed);
  CHECK(left_to_refund(at.record) == 550);
  CHECK(at.why(kind::refund, 551) == refusal::amount_too_large);
  CHECK(at.check(kind::refund).planned.amount == 550);
  CHECK(has_pending_modification(at.record));
}

TEST_CASE("what is planned is final, or leaves the rest open where the gateway can", "[modification_rules]") {
  desk at;
  CHECK(at.check(kind::capture, 400).planned.final_capture);
  CHECK_FALSE(at.check(kind::capture, 400, false).planned.final_capture);
  CHECK(at.check(kind::capture, 1250, false).planned.final_capture);  // nothing is left for another
  at.with(kind::capture, 100, pending, true);
  CHECK(at.why(kind::capture, 100) == refusal::operation_pending);
  at.record.modifications.clear();
  at.gateway.multiple_captures = false;
  CHECK(at.why(kind::capture, 400, false) == refusal::not_supported);
  CHECK(at.why(kind::capture, 400) == refusal::none);
}

TEST_CASE("captures and cancellations exclude each other", "[modification_rules]") {
  for (const auto first : {kind::capture, kind::cancellation})
    for (const auto second : {kind::capture, kind::cancellation}) {
      desk at;
      at.with(first, 400, pending, false);
      const bool both = first == kind::capture && second == kind::capture;
      CHECK(at.why(second) == (both ? refusal::none : refusal::operation_pending));
      at.record.modifications.back().status = failed;
      CHECK(at.why(second) == refusal::none);
    }
}

TEST_CASE("an expired authorization is not captured, but canceled", "[modification_rules]") {
  desk at;
  at.record.capture_before = today + 1h;
  CHECK(authorization_due(at.record) == today + 1h);
  CHECK(at.why(kind::capture) == refusal::none);
  at.now = today + 1h;
  CHECK(at.why(kind::capture) == refusal::authorization_expired);
  CHECK(at.why(kind::cancellation) == refusal::none);
  at.with(kind::cancellation, 1250, failed).cause = "merchant";
  CHECK(authorization_due(at.record));
  at.with(kind::cancellation, 1250, failed).cause = "expired";
  CHECK_FALSE(authorization_due(at.record));
  at.record.modifications.clear();
  at.record.status = payment_status::succeeded;
  CHECK_FALSE(authorization_due(at.record));
}

TEST_CASE("a gateway is asked only for what it offers", "[modification_rules]") {
  desk at;
  CHECK(check_modification(at.record, {.kind = kind::capture}, nullptr, today).refusal == refusal::not_supported);
  CHECK(check_modification(at.record, {.kind = kind::cancellation}, nullptr, today).refusal == refusal::not_supported);
  at.without(operation::capture);
  CHECK(at.why(kind::capture) == refusal::not_supported);
  CHECK(at.check(kind::cancellation).planned.operation == operation::void_payment);
  at.without(operation::void_payment);
  CHECK(at.check(kind::cancellation).planned.operation == operation::reverse);
  at.record.amount_captured = 400;  // by our reference it would give that back, too
  CHECK(at.why(kind::cancellation) == refusal::not_supported);
  at.record.amount_captured = 0;
  at.without(operation::reverse);
  CHECK(at.why(kind::cancellation) == refusal::not_supported);
  desk paid(payment_status::succeeded);
  CHECK(check_modification(paid.record, {.kind = kind::refund}, nullptr, today).refusal == refusal::not_supported);
  paid.without(operation::refund);
  CHECK(paid.why(kind::refund) == refusal::not_supported);
}

TEST_CASE("a cancellation gives up what is left", "[modification_rules]") {
  desk at;
  CHECK(at.check(kind::cancellation).planned.amount == 1250);
  at.with(kind::capture, 400, succeeded);
  CHECK(at.check(kind::cancellation).planned.amount == 850);
}

TEST_CASE("refunds of what has not settled are as the connector declares", "[modification_rules]") {
  desk at(payment_status::succeeded);
  at.gateway.refunds.settles_after = 24h;
  const auto planned = [&](std::optional<std::int64_t> amount = {}) { return at.check(kind::refund, amount).planned; };
  CHECK(planned().operation == operation::refund);
  CHECK_FALSE(planned().not_before);
  at.gateway.refunds.unsettled = unsettled_refund::wait;
  CHECK(planned().operation == operation::refund);
  CHECK(planned().not_before == today + 23h);
  at.gateway.refunds.unsettled = unsettled_refund::void_if_full;
  CHECK(planned().operation == operation::void_payment);
  CHECK_FALSE(planned().not_before);
  CHECK(planned(1249).operation == operation::refund);
  CHECK(planned(1249).not_before == today + 23h);
  at.with(kind::refund, 1, failed);
  CHECK(planned().operation == operation::void_payment);
  at.with(kind::refund, 1, pending);  // then the rest is not the whole
  CHECK(planned().operation == operation::refund);
  at.record.modifications.clear();
  at.now = today + 23h;
  CHECK(planned().operation == operation::refund);
  CHECK_FALSE(planned().not_before);
  at.now = today;
  at.record.status = payment_status::authorized;  // more may be captured: a void would take that, too
  CHECK(planned().operation == operation::refund);
  at.record.status = payment_status::succeeded;
  at.record.amount_captured = 0;
  at.with(kind::capture, 1250, succeeded).updated_at = today - 10min;  // settles after its own capture
  CHECK(planned(10).not_before == today - 10min + 24h);
}

TEST_CASE("amounts of nothing are refused, and there is an end to it", "[modification_rules]") {
  desk at(payment_status::succeeded);
  for (const std::int64_t amount : {std::int64_t{0}, std::int64_t{-1}, std::numeric_limits<std::int64_t>::max()})
    CHECK(at.why(kind::refund, amount) == refusal::amount_too_large);
  for (std::size_t i = 0; i < most_modifications; ++i) {
    CHECK(at.why(kind::refund, 1) == refusal::none);
    at.with(kind::refund, 1, failed);
  }
  CHECK(at.why(kind::refund, 1) == refusal::too_many);
  CHECK(to_string(refusal::too_many) == "too_many_operations");
}

TEST_CASE("only an attempt that is kept stands", "[modification_rules]") {
  desk at;
  CHECK(standing_attempt(at.record) == 0u);
  at.record.attempts[0].reversal = reversal_state::wanted;
  CHECK_FALSE(standing_attempt(at.record));
  at.record.attempts[0].reversal = reversal_state::confirmed;
  CHECK_FALSE(standing_attempt(at.record));
  at.record.attempts[0].reversal = reversal_state::none;
  at.record.attempts[0].outcome = outcome::unknown;
  CHECK_FALSE(standing_attempt(at.record));
}
