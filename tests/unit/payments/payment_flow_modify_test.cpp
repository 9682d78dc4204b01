// Captures, refunds and cancellations, step by step: what each answer of a
// gateway changes, and what it must not.
#include "modify_driver.hpp"

using namespace turnout::payments;
using namespace std::chrono_literals;

TEST_CASE("a capture is in flight before it is sent, and done when the gateway says so", "[flow][modify]") {
  modify_driver run;
  run.ask(kind::capture, 400, false);
  REQUIRE(run.sends(send_kind::modify));
  CHECK(run.mod().in_flight);
  CHECK(run.mod().first_sent_at == run.now.wall);
  CHECK(run.record().amount_captured == 0);
  run.reply(said(outcome::approved));
  CHECK(run.is<flow::finish>());
  CHECK(run.mod().status == modification_status::succeeded);
  CHECK_FALSE(run.mod().in_flight);
  CHECK(run.record().amount_captured == 400);
  CHECK(run.record().status == payment_status::authorized);
  run.ask(kind::capture, 100);
  run.reply(said(outcome::approved));
  CHECK(run.record().status == payment_status::succeeded);
  CHECK(run.record().amount_captured == 500);
}

TEST_CASE("the last unit captured ends the authorization, final or not", "[flow][modify]") {
  modify_driver run;
  run.ask(kind::capture, 1000, false);
  run.reply(said(outcome::approved));
  run.ask(kind::capture, 250, false);
  run.reply(said(outcome::approved));
  CHECK(run.record().status == payment_status::succeeded);
}

TEST_CASE("a definite refusal fails it, whichever", "[flow][modify]") {
  for (const auto result : {outcome::rejected, outcome::hard_decline, outcome::soft_decline}) {
    modify_driver run(payment_status::succeeded);
    run.ask(kind::refund, 1250);
    send_result refused = said(result);
    refused.gateway_code = "E5";
    run.reply(refused);
    CHECK(run.mod().status == modification_status::failed);
    CHECK(run.mod().code == "refused");
    CHECK(run.mod().gateway_code == "E5");
    CHECK(run.record().amount_refunded == 0);
    CHECK(left_to_refund(run.record()) == 1250);
    CHECK(run.is<flow::finish>());
  }
}

TEST_CASE("nothing but a refusal or a proof ends a doubt", "[flow][modify]") {
  std::vector<send_result> nothing{silence(), said(outcome::unknown), said(outcome::pending), refused_connection(),
                                   said(outcome::requires_action)};
  for (const send_result& each : nothing) {
    modify_driver run(payment_status::succeeded);
    run.ask(kind::refund, 1000);
    run.reply(silence());
    CHECK(run.mod().doubtful);
    REQUIRE(run.sends(send_kind::modify));  // the same key first
    run.reply(each);
    CHECK(run.mod().status == modification_status::pending);
    CHECK(run.mod().doubtful);
    CHECK(left_to_refund(run.record()) == 250);
  }
}

TEST_CASE("a replay that is refused at the door, or as a duplicate, says nothing of its first send", "[flow][modify]") {
  send_result duplicate = said(outcome::soft_decline);
  duplicate.reason = decline_reason::duplicate;
  for (const send_result& each : {said(outcome::rejected), duplicate}) {
    modify_driver run(payment_status::succeeded);
    run.ask(kind::refund, 1000);
    run.reply(silence());
    REQUIRE(run.sends(send_kind::modify));
    run.reply(each);
    CHECK(run.mod().doubtful);
    CHECK(left_to_refund(run.record()) == 250);
    REQUIRE(run.sends(send_kind::inquire));
    run.reply(totals(1250, 0));  // too early to be a proof
    for (int asked = 0; run.mod().doubtful; ++asked) {
      REQUIRE(asked < 20);
      run.sleep();
      REQUIRE(run.sends(send_kind::inquire));  // and nothing else, until it is one
      run.reply(totals(1250, 0));
    }
    REQUIRE(run.sends(send_kind::modify));  // proven not done, it is sent anew: now the refusal counts
    run.reply(each);
    CHECK(run.mod().status == modification_status::failed);
    CHECK(left_to_refund(run.record()) == 1250);
  }
}

TEST_CASE("provably not sent: sent again after a pause, without a doubt; given up after a day", "[flow][modify]") {
  modify_driver run(payment_status::succeeded);
  run.ask(kind::refund, 1000);
  run.reply(refused_connection());
  CHECK_FALSE(run.mod().doubtful);
  CHECK(left_to_refund(run.record()) == 250);
  for (int tries = 0; run.is<flow::wait>(); ++tries) {
    REQUIRE(tries < 1000);
    run.sleep();
    if (run.is<flow::finish>()) break;
    REQUIRE(run.sends(send_kind::modify));
    run.reply(refused_connection());
  }
  CHECK(run.mod().status == modification_status::failed);
  CHECK(run.mod().code == "gateway_unavailable");
  CHECK(run.now.wall >= run.mod().created_at + 24h);
  CHECK(left_to_refund(run.record()) == 1250);
}

TEST_CASE("a lost answer: the same key, then an inquiry, then a pause", "[flow][modify]") {
  modify_driver run(payment_status::succeeded);
  run.ask(kind::refund, 1000);
  run.reply(silence());
  REQUIRE(run.sends(send_kind::modify));
  run.reply(silence());
  REQUIRE(run.sends(send_kind::inquire));
  run.reply(totals({}, {}));
  REQUIRE(run.is<flow::wait>());
  run.sleep();
  REQUIRE(run.sends(send_kind::modify));
  run.reply(said(outcome::approved));
  CHECK(run.mod().status == modification_status::succeeded);
  CHECK(run.record().amount_refunded == 1000);
}

TEST_CASE("totals prove that it was done", "[flow][modify]") {
  modify_driver run;
  run.alpha().idempotency = {};
  SECTION("a capture") {
    run.ask(kind::capture, 400);
    run.reply(silence());
    REQUIRE(run.sends(send_kind::inquire));
    run.reply(totals(400, 0));
    CHECK(run.record().amount_captured == 400);
    CHECK(run.record().status == payment_status::succeeded);
  }
  SECTION("a cancellation") {
    run.ask(kind::cancellation);
    run.reply(silence());
    REQUIRE(run.sends(send_kind::inquire));
    run.reply(totals(0, 0, true));
    CHECK(run.record().status == payment_status::canceled);
    CHECK(run.at(0).reversal == reversal_state::confirmed);
    CHECK(run.record().amount_authorized == 0);
  }
}

TEST_CASE("'not done' counts only when asked long enough after the last send", "[flow][modify]") {
  modify_driver run(payment_status::succeeded);
  run.alpha().idempotency = {};
  run.ask(kind::refund, 100);
  run.reply(silence());
  REQUIRE(run.sends(send_kind::inquire));
  run.pass(31s);  // begun too early, however late it answers
  run.reply(totals(1250, 0));
  CHECK(run.mod().doubtful);
  REQUIRE(run.is<flow::wait>());
  run.pass(1h);
  run.feed(flow::timer{});
  REQUIRE(run.sends(send_kind::inquire));
  run.reply(totals(1250, 0));
  CHECK_FALSE(run.mod().doubtful);
  REQUIRE(run.sends(send_kind::modify));  // anew
  CHECK(run.mod().in_flight);
  run.reply(said(outcome::approved));
  CHECK(run.record().amount_refunded == 100);
}

TEST_CASE("where 'not found' is never final, 'not done' is not either", "[flow][modify]") {
  modify_driver run(payment_status::succeeded);
  run.alpha().idempotency = {};
  run.alpha().resolve.not_found_final_after.reset();
  run.ask(kind::refund, 100);
  run.reply(silence());
  for (int i = 0; i < 50; ++i) {
    REQUIRE(run.sends(send_kind::inquire));
    run.reply(totals(1250, 0));
    CHECK(run.mod().doubtful);
    run.sleep();
  }
}

TEST_CASE("a total that is neither proves nothing", "[flow][modify]") {
  modify_driver run(payment_status::succeeded);
  run.alpha().idempotency = {};
  run.ask(kind::refund, 100);
  run.reply(silence());
  run.pass(1h);
  for (const std::int64_t total : {50, 99, 101, 1250}) {
    REQUIRE(run.sends(send_kind::inquire));
    run.reply(totals(1250, total));
    CHECK(run.mod().status == modification_status::pending);
    CHECK(run.mod().doubtful);
    run.pass(1h);
    run.feed(flow::timer{});
  }
}

TEST_CASE("of two in doubt a total proves both or neither", "[flow][modify]") {
  modify_driver run(payment_status::succeeded);
  run.alpha().idempotency = {};
  modification first{.id = "ref_1", .kind = kind::refund, .operation = operation::refund, .amount = 300};
  first.doubtful = true;
  first.first_sent_at = run.now.wall;
  modification second = first;
  second.id = "ref_2";
  second.amount = 200;
  run.record_.modifications = {first, second};
  run.open(run.record_);
  run.feed(flow::recovered{});
  REQUIRE(run.sends(send_kind::inquire, 0));
  for (const std::int64_t total : {200, 300}) {
    run.reply(totals(1250, total));
    CHECK(run.mod(0).doubtful);
    CHECK(run.mod(1).doubtful);
    run.pass(1h);
    run.feed(flow::timer{});
    REQUIRE(run.sends(send_kind::inquire, 0));
  }
  SECTION("both") {
    run.reply(totals(1250, 500));
    CHECK(run.mod(0).status == modification_status::succeeded);
    REQUIRE(run.sends(send_kind::inquire, 1));
    run.reply(totals(1250, 500));
    CHECK(run.record().amount_refunded == 500);
  }
  SECTION("neither") {
    run.reply(totals(1250, 0));
    REQUIRE(run.sends(send_kind::modify, 0));
    CHECK(run.mod(1).doubtful);
  }
}

TEST_CASE("another amount or currency is never taken for the one asked", "[flow][modify]") {
  send_result other = said(outcome::approved), foreign = other, unreadable = other;
  other.amount_minor = 399;
  foreign.amount_minor = 400;
  foreign.currency = "USD";
  unreadable.amount_unreadable = true;
  for (const send_result& each : {other, foreign, unreadable}) {
    modify_driver run;
    run.ask(kind::capture, 400);
    run.reply(each);
    CHECK(run.mod().status == modification_status::pending);
    CHECK(run.mod().code == "wrong_amount");
    CHECK(run.told(payment_event_type::wrong_amount));
    REQUIRE(run.record().attention);
    CHECK(run.record().attention->reason == "wrong_amount");
    REQUIRE(run.sends(send_kind::inquire));  // a replay would say the same again
    run.reply(totals(800, 0));               // more than was asked is not what was asked
    CHECK(run.mod().status == modification_status::pending);
    CHECK(run.record().amount_captured == 0);
    run.pass(1h);
    run.feed(flow::timer{});
    REQUIRE(run.sends(send_kind::inquire));
    run.reply(totals(400, 0));
    CHECK(run.mod().status == modification_status::succeeded);
    CHECK_FALSE(run.record().attention);
  }
  modify_driver right;
  right.ask(kind::capture, 400);
  send_result same = said(outcome::approved);
  same.amount_minor = 400;
  same.currency = "EUR";
  right.reply(same);
  CHECK(right.mod().status == modification_status::succeeded);
}

TEST_CASE("another amount that the totals confirm is the truth", "[flow][modify]") {
  send_result other = said(outcome::approved);
  SECTION("of a refund") {
    other.amount_minor = 120;
    modify_driver run(payment_status::succeeded);
    run.ask(kind::refund, 100);
    run.reply(other);
    REQUIRE(run.sends(send_kind::inquire));
    run.reply(totals(1250, 120));
    CHECK(run.mod().status == modification_status::succeeded);
    CHECK(run.mod().amount == 120);
    CHECK(run.record().amount_refunded == 120);
    CHECK(left_to_refund(run.record()) == 1130);
    CHECK_FALSE(run.record().attention);
  }
  SECTION("of a capture, which is final as it was asked") {
    other.amount_minor = 399;
    modify_driver run;
    run.ask(kind::capture, 400);
    run.reply(other);
    run.reply(totals(399, 0));
    CHECK(run.record().amount_captured == 399);
    CHECK(run.record().status == payment_status::succeeded);
  }
  SECTION("not where it is more than there is room for") {
    other.amount_minor = 1000;
    modify_driver run(payment_status::succeeded);
    run.ask(kind::refund, 100);
    run.ask(kind::refund, 500);
    run.reply(other);
    run.reply(totals(1250, 1000));
    CHECK(run.mod().status == modification_status::pending);
    CHECK(run.record().amount_refunded == 0);
    REQUIRE(run.record().attention);
  }
  SECTION("not while another is in doubt") {
    other.amount_minor = 120;
    modify_driver run(payment_status::succeeded);
    run.ask(kind::refund, 100);
    run.reply(other);
    run.feed(flow::modify{run.record().modifications[0]});
    payment kept = run.record();
    kept.modifications[1].amount = 50;
    kept.modifications[1].doubtful = true;
    run.open(std::move(kept));
    run.feed(flow::recovered{});
    REQUIRE(run.sends(send_kind::inquire, 0));
    run.reply(totals(1250, 120));  // the first alone, or something else altogether
    CHECK(run.record().amount_refunded == 0);
  }
  SECTION("not a void: its amount means nothing") {
    other.amount_minor = 1;
    modify_driver run;
    run.ask(kind::cancellation);
    run.reply(other);
    REQUIRE(run.sends(send_kind::inquire));
    run.reply(totals(1, 0, false));
    CHECK(run.mod().status == modification_status::pending);
  }
}

TEST_CASE("what was confirmed for another amount and is denied later is not sent again", "[flow][modify]") {
  modify_driver run(payment_status::succeeded);
  run.ask(kind::refund, 100);
  send_result other = said(outcome::approved);
  other.amount_minor = 120;
  run.reply(other);
  run.pass(1h);
  run.reply(silence());
  for (int step = 0; step < 20; ++step) {
    if (run.is<flow::wait>()) run.sleep();
    REQUIRE_FALSE(run.sends(send_kind::modify));
    run.reply(totals(1250, 0));
  }
  CHECK(run.mod().doubtful);
  CHECK(run.record().attention->reason == "wrong_amount");
}

TEST_CASE("a key is replayed within its life only, on both clocks", "[flow][modify]") {
  const auto replays_after = [](milliseconds steady, milliseconds wall) {
    modify_driver run(payment_status::succeeded);
    run.alpha().resolve.inquire = false;
    run.ask(kind::refund, 100);
    run.reply(silence());
    REQUIRE(run.sends(send_kind::modify));
    run.now.steady += steady;
    run.now.wall += wall;
    run.reply(silence());
    if (!run.is<flow::wait>() || run.waits_for_ever()) return false;
    run.sleep();
    return run.sends(send_kind::modify);
  };
  CHECK(replays_after(1min, 1min));
  CHECK(replays_after(23h, 23h));
  CHECK_FALSE(replays_after(24h, 24h));
  CHECK_FALSE(replays_after(24h, 0h));  // the wall clock stood still
  CHECK_FALSE(replays_after(0h, 24h));  // the machine slept
  CHECK_FALSE(replays_after(0h, -1h));  // the wall clock went back: its age is not known
}

TEST_CASE("beyond proof it is shown to a person, and its amount stays reserved", "[flow][modify]") {
  modify_driver run(payment_status::succeeded);
  run.alpha().idempotency = {};
  run.alpha().resolve = {};
  run.ask(kind::refund, 1000);
  run.reply(silence());
  CHECK(run.waits_for_ever());
  REQUIRE(run.record().attention);
  CHECK(run.record().attention->reason == "no_proof_available");
  CHECK(left_to_refund(run.record()) == 250);
  run.ask(kind::refund, 250);  // another one can be done all the same
  REQUIRE(run.sends(send_kind::modify, 1));
  run.reply(said(outcome::approved));
  CHECK(run.record().amount_refunded == 250);
  CHECK(run.mod(0).status == modification_status::pending);
}

TEST_CASE("they are done one at a time, in the order they were asked for", "[flow][modify]") {
  modify_driver run;
  run.ask(kind::capture, 400, false);
  REQUIRE(run.sends(send_kind::modify, 0));
  run.ask(kind::capture, 300, false);
  CHECK(run.busy);
  run.reply(silence());
  REQUIRE(run.sends(send_kind::modify, 0));
  run.reply(silence());
  REQUIRE(run.sends(send_kind::inquire, 0));
  run.reply(totals({}, {}));
  REQUIRE(run.is<flow::wait>());  // the second waits for the proof of the first
  run.sleep();
  REQUIRE(run.sends(send_kind::modify, 0));
  run.reply(said(outcome::approved));
  REQUIRE(run.sends(send_kind::modify, 1));
}

TEST_CASE("after a restart what was in flight is in doubt, what was not is sent", "[flow][modify]") {
  modify_driver run;
  run.ask(kind::capture, 400, false);
  run.ask(kind::capture, 300, false);
  run.restart();
  CHECK(run.mod(0).doubtful);
  CHECK(run.mod(0).code == "interrupted");
  CHECK_FALSE(run.mod(1).doubtful);
  REQUIRE(run.sends(send_kind::modify, 0));
  run.reply(said(outcome::approved));
  REQUIRE(run.sends(send_kind::modify, 1));
  CHECK(run.mod(1).in_flight);
  run.reply(said(outcome::approved));
  CHECK(run.record().amount_captured == 700);
}

TEST_CASE("a cancellation undoes the authorization, or gives up the rest of it", "[flow][modify]") {
  SECTION("all") {
    modify_driver run;
    run.ask(kind::cancellation);
    REQUIRE(run.sends(send_kind::modify));
    CHECK(run.record().status == payment_status::authorized);
    run.reply(said(outcome::approved));
    CHECK(run.record().status == payment_status::canceled);
    CHECK(run.record().connector.empty());
    CHECK(run.at(0).reversal_reason == "canceled");
    CHECK(run.is<flow::finish>());
  }
  SECTION("the rest") {
    modify_driver run;
    run.ask(kind::capture, 400, false);
    run.reply(said(outcome::approved));
    run.ask(kind::cancellation);
    run.reply(said(outcome::approved));
    CHECK(run.record().status == payment_status::succeeded);
    CHECK(run.record().amount_captured == 400);
  }
  SECTION("refused: it stays authorized") {
    modify_driver run;
    run.ask(kind::cancellation);
    run.reply(said(outcome::rejected));
    CHECK(run.mod().status == modification_status::failed);
    CHECK(run.record().status == payment_status::authorized);
    CHECK(run.record().amount_authorized == 1250);
  }
  SECTION("in doubt: a reversal by our reference is a proof, as nothing is captured") {
    modify_driver run;
    run.alpha().idempotency = {};
    run.alpha().resolve.inquire = false;
    run.ask(kind::cancellation);
    run.reply(silence());
    REQUIRE(run.sends(send_kind::reverse));
    run.reply(said(outcome::approved));
    CHECK(run.record().status == payment_status::canceled);
  }
  SECTION("in doubt, with something captured: never reversed by reference") {
    modify_driver run;
    run.alpha().idempotency = {};
    run.alpha().resolve.inquire = false;
    run.ask(kind::capture, 400, false);
    run.reply(said(outcome::approved));
    run.ask(kind::cancellation);
    run.reply(silence());
    CHECK(run.waits_for_ever());
  }
}

TEST_CASE("a refund is never resolved by a reversal", "[flow][modify]") {
  modify_driver run(payment_status::succeeded);
  run.alpha().idempotency = {};
  run.alpha().resolve.inquire = false;
  run.ask(kind::refund, 100);
  run.reply(silence());
  CHECK(run.waits_for_ever());
}

TEST_CASE("a refund that has to wait is woken to read the wall clock, whatever that does", "[flow][modify]") {
  modify_driver run(payment_status::succeeded);
  run.alpha().refunds = {unsettled_refund::wait, 24h};
  run.record_.attempts[0].ended_at = run.now.wall;
  run.ask(kind::refund, 100);
  REQUIRE(run.is<flow::wait>());
  CHECK(std::get<flow::wait>(run.last).until <= run.now.steady + 1min);
  run.now.wall -= 1h;
  run.sleep();
  REQUIRE(run.is<flow::wait>());
  run.now.wall += 26h;
  run.sleep();
  REQUIRE(run.sends(send_kind::modify));
  CHECK_FALSE(run.told(payment_event_type::attention_raised));
  run.now.wall -= 30h;  // once it may have been sent, its proof waits for nothing
  run.reply(silence());
  REQUIRE(run.sends(send_kind::inquire));
}

TEST_CASE("a void for a refund that is refused becomes a refund", "[flow][modify]") {
  modify_driver run(payment_status::succeeded);
  run.alpha().refunds = {unsettled_refund::void_if_full, 24h};
  run.record_.attempts[0].ended_at = run.now.wall;
  run.ask(kind::refund);
  CHECK(run.mod().operation == operation::void_payment);
  run.reply(said(outcome::rejected));
  REQUIRE(run.sends(send_kind::modify));
  CHECK(run.mod().operation == operation::refund);
  CHECK(run.mod().in_flight);
  run.reply(said(outcome::approved));
  CHECK(run.record().amount_refunded == 1250);
}

TEST_CASE("a capture is not sent once its authorization has expired", "[flow][modify]") {
  modify_driver run;
  run.record_.capture_before = run.now.wall + 1min;
  run.ask(kind::capture);
  run.reply(refused_connection());
  run.pass(2min);
  run.feed(flow::timer{});
  CHECK(run.mod().status == modification_status::failed);
  CHECK(run.mod().code == "authorization_expired");
  REQUIRE(run.sends(send_kind::modify, 1));  // and then it is given up
  CHECK(run.mod(1).kind == kind::cancellation);
  CHECK(run.mod(1).cause == "expired");
}

TEST_CASE("an authorization does not expire under a capture that may have been done", "[flow][modify]") {
  modify_driver run;
  run.record_.capture_before = run.now.wall + 1min;
  run.ask(kind::capture);
  run.reply(silence());
  run.pass(2min);
  REQUIRE(run.sends(send_kind::modify, 0));
  run.reply(silence());
  CHECK(run.record().modifications.size() == 1);
  REQUIRE(run.sends(send_kind::inquire));
  run.reply(totals(1250, 0));
  CHECK(run.record().status == payment_status::succeeded);
  CHECK(run.record().modifications.size() == 1);
}

TEST_CASE("a refund that waits does not hold up the expiry of the rest", "[flow][modify]") {
  modify_driver run;
  run.alpha().refunds = {unsettled_refund::wait, 24h};
  run.record_.capture_before = run.now.wall + 1h;
  run.ask(kind::capture, 400, false);
  run.reply(said(outcome::approved));
  run.ask(kind::refund, 100);
  REQUIRE(run.is<flow::wait>());
  run.pass(1h);
  run.feed(flow::timer{});
  REQUIRE(run.sends(send_kind::modify, 2));
  CHECK(run.mod(2).cause == "expired");
  run.reply(said(outcome::approved));
  CHECK(run.record().status == payment_status::succeeded);
  CHECK(run.mod(1).status == modification_status::pending);
  CHECK(run.is<flow::wait>());
}

TEST_CASE("an expiry that the gateway refuses is shown to a person, once", "[flow][modify]") {
  modify_driver run;
  run.record_.capture_before = run.now.wall - 1s;
  run.open(run.record_);
  run.feed(flow::reopened{});
  REQUIRE(run.sends(send_kind::modify));
  run.reply(said(outcome::rejected));
  CHECK(run.record().status == payment_status::authorized);
  REQUIRE(run.record().attention);
  CHECK(run.record().attention->reason == "authorization_expired");
  CHECK(run.is<flow::finish>());
  CHECK(run.record().modifications.size() == 1);
}
