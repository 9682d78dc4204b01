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
