// Automatic payments at gateways that authorize and capture apart.
#include "modify_driver.hpp"

using namespace turnout::payments;
using namespace std::chrono_literals;

namespace {

struct automatic_driver : modify_driver {
  automatic_driver() {
    std::erase(alpha().operations, operation::sale);
    begin();
    feed(flow::chosen{&alpha(), "att_1", operation::authorize, record().amount});
    REQUIRE(is_send(send_kind::charge));
  }
};

}  // namespace

TEST_CASE("an automatic payment without sale: authorized, captured, then told", "[flow][modify]") {
  automatic_driver run;
  run.reply(said(outcome::approved));
  REQUIRE(run.sends(send_kind::modify));
  CHECK(run.record().status == payment_status::processing);
  CHECK(run.mod().cause == "automatic");
  CHECK(std::get<flow::send>(run.last).deadline <= run.flow->deadline());
  SECTION("captured") {
    run.reply(said(outcome::approved));
    CHECK(run.record().status == payment_status::succeeded);
    CHECK(run.record().amount_captured == 1250);
    run.answered();
    CHECK(run.is<flow::finish>());
  }
  SECTION("in doubt: it is authorized, with a pending capture") {
    run.reply(silence());
    CHECK(run.record().status == payment_status::authorized);
    run.answered();
    CHECK(run.mod().status == modification_status::pending);
    REQUIRE(run.sends(send_kind::modify));
    run.reply(said(outcome::approved));
    CHECK(run.record().status == payment_status::succeeded);
  }
  SECTION("refused: it is given back, and no other gateway is tried") {
    run.reply(said(outcome::rejected));
    CHECK(run.record().status == payment_status::processing);
    REQUIRE(run.is_send(send_kind::reverse));
    run.reply(said(outcome::approved));
    run.answered();
    CHECK(run.record().status == payment_status::failed);
    CHECK(run.record().error->code == "capture_refused");
  }
  SECTION("not sent to the end of the merchant's patience: told as authorized, captured later") {
    while (!run.is<flow::answer>()) {
      run.reply(refused_connection());
      if (run.is<flow::wait>()) run.sleep();
      REQUIRE(run.now.steady <= run.flow->deadline());
    }
    CHECK(run.record().status == payment_status::authorized);
    run.answered();
    if (run.is<flow::wait>()) run.sleep();
    REQUIRE(run.sends(send_kind::modify));
    run.reply(said(outcome::approved));
    CHECK(run.record().status == payment_status::succeeded);
  }
  SECTION("canceled meanwhile: what is captured is given back") {
    run.feed(flow::cancel_requested{});
    CHECK(run.busy);
    run.reply(said(outcome::approved));
    REQUIRE(run.is_send(send_kind::reverse));
    run.reply(said(outcome::approved));
    CHECK(run.record().status == payment_status::canceled);
    CHECK(run.record().amount_captured == 0);
  }
  SECTION("canceled while the capture is in doubt: it ends with the reversal") {
    run.feed(flow::cancel_requested{});
    run.reply(silence());
    REQUIRE(run.is_send(send_kind::reverse));
    CHECK(run.mod().status == modification_status::pending);
    run.reply(said(outcome::approved));
    CHECK(run.mod().status == modification_status::failed);
    CHECK(run.mod().code == "reversed");
    CHECK(run.record().status == payment_status::canceled);
  }
  SECTION("a crash in between") {
    run.restart();
    CHECK(run.record().status == payment_status::authorized);
    CHECK(run.mod().doubtful);
    REQUIRE(run.sends(send_kind::modify));
    run.reply(said(outcome::approved));
    CHECK(run.record().status == payment_status::succeeded);
  }
}

TEST_CASE("the deadline ends the wait for an automatic capture, too", "[flow][modify]") {
  automatic_driver run;
  run.pass(4s);
  run.reply(said(outcome::approved));
  REQUIRE(run.sends(send_kind::modify));
  CHECK(std::get<flow::send>(run.last).deadline == run.flow->deadline());
  run.pass_to_deadline();
  run.reply(silence());
  CHECK(run.record().status == payment_status::authorized);
  run.answered();
  REQUIRE(run.sends(send_kind::modify));
  CHECK(std::get<flow::send>(run.last).deadline == run.now.steady + 6s);
}

TEST_CASE("an automatic payment that the gateway captured by itself needs no capture", "[flow][modify]") {
  automatic_driver run;
  send_result captured = said(outcome::approved);
  captured.captured = true;
  run.reply(captured);
  CHECK(run.record().status == payment_status::succeeded);
  CHECK(run.record().modifications.empty());
}

TEST_CASE("an automatic capture that is refused after the answer needs attention", "[flow][modify]") {
  automatic_driver run;
  run.reply(said(outcome::approved));
  run.reply(silence());
  run.answered();
  REQUIRE(run.record().status == payment_status::authorized);
  REQUIRE(run.sends(send_kind::modify));
  run.reply(said(outcome::soft_decline, decline_reason::not_permitted));
  CHECK(run.mod().status == modification_status::failed);
  CHECK(run.record().status == payment_status::authorized);
  REQUIRE(run.record().attention);
  CHECK(run.record().attention->reason == "capture_refused");
  CHECK(run.is<flow::finish>());
  SECTION("captured by hand") {
    run.ask(kind::capture);
    run.reply(said(outcome::approved));
    CHECK(run.record().status == payment_status::succeeded);
  }
  SECTION("or given up") {
    run.ask(kind::cancellation);
    run.reply(said(outcome::approved));
    CHECK(run.record().status == payment_status::canceled);
  }
  CHECK_FALSE(run.record().attention);
}

TEST_CASE("a void beside a capture in doubt may only have released the rest", "[flow][modify]") {
  automatic_driver run;
  std::erase(run.alpha().operations, operation::reverse);
  send_result authorized = said(outcome::approved);
  authorized.gateway_reference = "ch_1";
  authorized.captured = false;
  run.reply(authorized);
  REQUIRE(run.sends(send_kind::modify));
  run.feed(flow::cancel_requested{});
  run.reply(silence());
  const auto undoes_by = [&](operation wanted) {
    if (run.is<flow::wait>()) run.sleep();
    if (run.is<flow::answer>()) run.answered();
    if (run.is_send(send_kind::inquire)) run.reply(totals(1250, 0, true));
    return run.is_send(send_kind::reverse) && std::get<flow::send>(run.last).undo == wanted;
  };
  REQUIRE(undoes_by(operation::refund));  // for all we know it is captured
  run.reply(said(outcome::rejected));
  REQUIRE(undoes_by(operation::void_payment));
  run.reply(said(outcome::approved));
  CHECK(run.at(0).reversal == reversal_state::wanted);
  REQUIRE(undoes_by(operation::refund));
  run.reply(said(outcome::approved));
  CHECK(run.at(0).reversal == reversal_state::confirmed);
  CHECK(run.record().status == payment_status::canceled);
}
