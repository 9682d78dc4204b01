// The life of a payment while its merchant waits: each outcome, each limit.
#include "flow_driver.hpp"

using namespace turnout::payments;
using namespace std::chrono_literals;

TEST_CASE("an approval finishes the payment", "[flow]") {
  flow_driver run;
  run.begin();
  run.choose("alpha");
  CHECK(run.at(0).in_flight);
  run.reply(said(outcome::approved));
  CHECK(run.record().status == payment_status::succeeded);
  CHECK(run.record().amount_captured == 1250);
  CHECK(run.record().connector == "alpha");
  run.answered();
  CHECK(run.is<flow::finish>());
  CHECK_FALSE(run.flow->needs_card());
}

TEST_CASE("an approval that is not captured is authorized", "[flow]") {
  flow_driver run;
  run.begin();
  run.choose("alpha");
  send_result authorized = said(outcome::approved);
  authorized.captured = false;
  run.reply(authorized);
  CHECK(run.record().status == payment_status::authorized);
  CHECK(run.record().amount_authorized == 1250);
  CHECK(run.record().amount_captured == 0);
}

TEST_CASE("a hard decline is retried nowhere", "[flow]") {
  flow_driver run;
  run.begin();
  run.choose("alpha");
  run.reply(said(outcome::hard_decline, decline_reason::stolen_card));
  CHECK(run.is<flow::answer>());
  CHECK(run.record().status == payment_status::failed);
  REQUIRE(run.record().error);
  CHECK(run.record().error->code == "card_declined");
  CHECK(run.record().error->reason == decline_reason::stolen_card);
  run.answered();
  CHECK(run.is<flow::finish>());
}

TEST_CASE("a soft decline fails over only where the plan says so", "[flow]") {
  flow_driver run;
  run.begin();
  run.choose("alpha");
  SECTION("do_not_honor is in the default plan") {
    run.reply(said(outcome::soft_decline, decline_reason::do_not_honor));
    run.choose("beta");
    run.reply(said(outcome::approved));
    CHECK(run.record().connector == "beta");
    CHECK_FALSE(run.record().error);
  }
  SECTION("insufficient funds are not") {
    run.reply(said(outcome::soft_decline, decline_reason::insufficient_funds));
    CHECK(run.is<flow::answer>());
    CHECK(run.record().status == payment_status::failed);
  }
}

TEST_CASE("not_sent and rejected go on to another gateway", "[flow]") {
  flow_driver run;
  run.begin();
  run.choose("alpha");
  run.reply(refused_connection());
  run.choose("beta");
  run.reply(said(outcome::rejected));
  run.choose("gamma");
  run.reply(refused_connection());
  CHECK(run.is<flow::answer>());  // three attempts is the limit
  CHECK(run.record().status == payment_status::failed);
  CHECK(run.record().attempts.size() == 3);
}

TEST_CASE("nobody left to try ends the payment with the last reason", "[flow]") {
  flow_driver run;
  run.begin();
  run.choose("alpha");
  run.reply(refused_connection());
  REQUIRE(run.is<flow::choose>());
  run.feed(flow::no_candidate{"no_gateway_available"});
  CHECK(run.is<flow::answer>());
  CHECK(run.record().error->code == "no_gateway_available");
}

TEST_CASE("no attempt begins without time for it", "[flow]") {
  flow_driver run;
  run.begin();
  run.choose("alpha");
  run.pass(run.plan.deadline - run.plan.least_time + 1ms);
  run.reply(refused_connection());
  CHECK(run.is<flow::answer>());
  CHECK(run.record().status == payment_status::failed);
}

TEST_CASE("a charge is bounded by the deadline and by the connector's own limits", "[flow]") {
  flow_driver run;
  run.profiles.at("alpha").timeouts = {100ms, 400ms};
  run.begin();
  run.choose("alpha");
  CHECK(std::get<flow::send>(run.last).deadline == run.now.steady + 500ms);
  run.reply(refused_connection());
  run.pass(7600ms);
  run.choose("beta");
  CHECK(std::get<flow::send>(run.last).deadline == run.flow->deadline());
}

TEST_CASE("pending is answered at once and settled by inquiry", "[flow]") {
  flow_driver run;
  run.begin();
  run.choose("alpha");
  run.reply(said(outcome::pending));
  CHECK(run.record().status == payment_status::processing);
  run.answered();
  REQUIRE(run.is_send(send_kind::inquire));
  run.reply(said(outcome::pending));
  run.sleep();
  REQUIRE(run.is_send(send_kind::inquire));
  SECTION("approved") {
    run.reply(said(outcome::approved));
    CHECK(run.record().status == payment_status::succeeded);
    CHECK(run.is<flow::finish>());
  }
  SECTION("declined: the gateway knows this attempt, so that is its answer") {
    run.reply(said(outcome::soft_decline, decline_reason::do_not_honor));
    CHECK(run.record().status == payment_status::failed);
    CHECK(run.record().attempts.size() == 1);  // the merchant was answered: nobody else is tried
  }
}

TEST_CASE("requires_action gives the merchant the URL and waits", "[flow]") {
  flow_driver run;
  run.begin();
  run.choose("alpha");
  send_result challenge = said(outcome::requires_action);
  challenge.action.url = "https://issuer.example/3ds";
  run.reply(challenge);
  CHECK(run.is<flow::answer>());
  CHECK(run.record().status == payment_status::requires_action);
  CHECK(run.record().next_action.url == "https://issuer.example/3ds");
  run.answered();
  run.sleep();
  REQUIRE(run.is_send(send_kind::inquire));
  run.reply(said(outcome::approved));
  CHECK(run.record().status == payment_status::succeeded);
  CHECK(run.record().next_action.empty());
}

TEST_CASE("a different amount or currency is reversed, then rejected, never accepted", "[flow]") {
  flow_driver run;
  run.begin();
  run.choose("alpha");
  send_result wrong = said(outcome::approved);
  SECTION("amount") { wrong.amount_minor = 1251; }
  SECTION("currency") { wrong.currency = "USD"; }
  SECTION("unreadable") { wrong.amount_unreadable = true; }
  run.reply(wrong);
  CHECK(run.at(0).outcome == outcome::unknown);
  REQUIRE(run.is_send(send_kind::reverse));
  run.reply(silence());
  CHECK_FALSE(run.is<flow::choose>());
  run.sleep();
  REQUIRE(run.is_send(send_kind::reverse));  // never replayed: that would give the cached approval back
  run.reply(said(outcome::approved));
  CHECK(run.at(0).outcome == outcome::rejected);
  CHECK(run.at(0).reversal == reversal_state::confirmed);
  CHECK(run.is<flow::choose>());
}

TEST_CASE("the same amount and currency are accepted", "[flow]") {
  flow_driver run;
  run.begin();
  run.choose("alpha");
  send_result right = said(outcome::approved);
  right.amount_minor = 1250;
  right.currency = "EUR";
  run.reply(right);
  CHECK(run.record().status == payment_status::succeeded);
}

TEST_CASE("cancel while the charge is under way voids what appears", "[flow]") {
  flow_driver run;
  run.begin();
  run.choose("alpha");
  run.feed(flow::cancel_requested{});
  CHECK(run.busy);
  SECTION("approved") {
    run.reply(said(outcome::approved));
    REQUIRE(run.is_send(send_kind::reverse));
    run.reply(said(outcome::approved));
    CHECK(run.record().status == payment_status::canceled);
    CHECK(run.record().amount_captured == 0);
  }
  SECTION("declined: no new attempt starts") {
    run.reply(said(outcome::soft_decline, decline_reason::do_not_honor));
    CHECK(run.is<flow::answer>());
    CHECK(run.record().status == payment_status::canceled);
  }
  SECTION("unknown: reversed by our reference, not replayed") {
    run.reply(silence());
    REQUIRE(run.is_send(send_kind::reverse));
    run.reply(said(outcome::approved));
    CHECK(run.record().status == payment_status::canceled);
  }
}

TEST_CASE("cancel while the router is asked stops the attempt", "[flow]") {
  flow_driver run;
  run.begin();
  run.feed(flow::cancel_requested{});
  run.feed(flow::chosen{&run.profiles.at("alpha"), "att_1", operation::sale, run.record().amount});
  CHECK(run.is<flow::answer>());
  CHECK(run.record().status == payment_status::canceled);
  CHECK(run.record().attempts.empty());
}
