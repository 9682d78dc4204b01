// A challenge: shown, taken, failed, forgotten, cancelled, and found after a crash.
#include "flow_driver.hpp"

namespace turnout::payments {

namespace {

using std::chrono::minutes;
using std::chrono::seconds;

send_result challenge(std::string url = "https://issuer.example/3ds") {
  send_result made = said(outcome::requires_action);
  made.gateway_reference = "ch_1";
  made.action.url = std::move(url);
  return made;
}

/// A payment whose merchant was told that the shopper must act.
struct challenged : flow_driver {
  explicit challenged(void (*prepare)(flow_driver&) = nullptr) {
    if (prepare != nullptr) prepare(*this);
    begin();
    choose("alpha");
    reply(challenge());
    REQUIRE(is<flow::answer>());
    REQUIRE(record().status == payment_status::requires_action);
    answered();
    REQUIRE(is<flow::wait>());
  }
  void shopper_is_back() {
    feed(flow::gateway_recovered{"alpha"});
    REQUIRE(is_send(send_kind::inquire));
  }
  /// Every question before the end finds the shopper still busy.
  void let_time_run_out() {
    while (now.wall < *record().action_expires_at) {
      sleep();
      if (now.wall >= *record().action_expires_at) break;
      REQUIRE(is_send(send_kind::inquire));
      reply(said(outcome::pending));
      REQUIRE(record().status == payment_status::requires_action);
    }
    REQUIRE(is_send(send_kind::inquire));
  }
};

}  // namespace

TEST_CASE("a challenge has a time of its own, and nobody else is tried after it", "[flow][action]") {
  challenged run;
  CHECK(run.record().action_expires_at == run.now.wall + minutes(15));
  CHECK(std::get<flow::wait>(run.last).until == run.now.steady + seconds(5));
  run.pass_to_deadline();
  run.shopper_is_back();
  run.reply(said(outcome::soft_decline, decline_reason::processing_error));
  CHECK(run.is<flow::finish>());
  CHECK(run.record().status == payment_status::failed);
  CHECK(run.record().error->code == "card_declined");
  CHECK(run.record().error->reason == decline_reason::processing_error);
  CHECK(run.record().attempts.size() == 1);
}

TEST_CASE("a shopper who comes back is asked for at once", "[flow][action]") {
  challenged run;
  run.shopper_is_back();
  SECTION("still busy") {
    run.reply(said(outcome::pending));
    CHECK(run.record().status == payment_status::requires_action);
    CHECK(run.record().next_action.url == "https://issuer.example/3ds");
    CHECK(run.is<flow::wait>());
  }
  SECTION("passed") {
    run.reply(said(outcome::approved));
    CHECK(run.record().status == payment_status::succeeded);
    CHECK(run.record().next_action.empty());
    CHECK(run.is<flow::finish>());
  }
  SECTION("failed") {
    run.reply(said(outcome::soft_decline, decline_reason::authentication_failed));
    CHECK(run.record().status == payment_status::failed);
    CHECK(run.record().error->code == "authentication_failed");
    CHECK(run.record().error->group == decline_class::authentication);
    CHECK(run.record().error->advice == advice::authenticate);
    CHECK(run.is<flow::finish>());
  }
  SECTION("the gateway is silent") {
    run.reply(silence());
    CHECK(run.record().status == payment_status::requires_action);
    CHECK(run.is<flow::wait>());
  }
}

TEST_CASE("a challenge shown again keeps its time", "[flow][action]") {
  challenged run;
  const auto until = run.record().action_expires_at;
  run.shopper_is_back();
  run.reply(challenge("https://issuer.example/other"));
  CHECK(run.record().action_expires_at == until);
  CHECK(run.record().status == payment_status::requires_action);
}

TEST_CASE("a challenge that nobody takes is asked about, then reversed", "[flow][action]") {
  challenged run;
  run.let_time_run_out();
  SECTION("the shopper had passed and never came back") {
    run.reply(said(outcome::approved));
    CHECK(run.record().status == payment_status::succeeded);
    CHECK_FALSE(run.told(payment_event_type::action_expired));
  }
  SECTION("the shopper had failed") {
    run.reply(said(outcome::soft_decline, decline_reason::authentication_failed));
    CHECK(run.record().error->code == "authentication_failed");
  }
  SECTION("nobody took it, or nobody knows") {
    run.reply(GENERATE(said(outcome::pending), silence()));
    CHECK(run.told(payment_event_type::action_expired));
    CHECK(run.record().status == payment_status::processing);
    REQUIRE(run.is_send(send_kind::reverse));
    CHECK(run.at(0).reversal_reason == "action_expired");
    SECTION("confirmed") {
      run.reply(said(outcome::approved));
      CHECK(run.is<flow::finish>());
      CHECK(run.record().status == payment_status::failed);
      CHECK(run.record().error->code == "action_expired");
      CHECK(run.record().error->advice == advice::authenticate);
      CHECK(run.at(0).reversal == reversal_state::confirmed);
    }
    SECTION("an approval that appears meanwhile is reversed") {
      run.reply(silence());
      run.feed(flow::gateway_said{"att_1", said(outcome::approved)});
      CHECK(run.told(payment_event_type::charge_found));
      CHECK(run.record().status == payment_status::processing);
      run.sleep();
      REQUIRE(run.is_send(send_kind::reverse));
      run.reply(said(outcome::approved));
      CHECK(run.record().status == payment_status::failed);
    }
    SECTION("an approval after that is reversed as late") {
      run.reply(said(outcome::approved));
      run.feed(flow::gateway_said{"att_1", said(outcome::approved)});
      CHECK(run.told(payment_event_type::late_approval));
      REQUIRE(run.is_send(send_kind::reverse));
      run.reply(said(outcome::approved));
      CHECK(run.is<flow::finish>());
      CHECK(run.record().status == payment_status::failed);
    }
  }
}

TEST_CASE("a gateway that cannot reverse is asked until it knows", "[flow][action]") {
  challenged run([](flow_driver& driver) { driver.profiles.at("alpha").resolve.reverse = false; });
  run.let_time_run_out();
  run.reply(said(outcome::pending));
  CHECK(run.record().status == payment_status::processing);
  run.sleep();
  REQUIRE(run.is_send(send_kind::inquire));
  SECTION("declined at last") {
    run.reply(said(outcome::soft_decline, decline_reason::authentication_failed));
    CHECK(run.record().status == payment_status::failed);
    CHECK(run.record().error->code == "action_expired");
  }
  SECTION("approved after all: what cannot be reversed is shown") {
    run.profiles.at("alpha").operations = {operation::sale, operation::inquire};
    run.reply(said(outcome::approved));
    CHECK(run.at(0).reversal == reversal_state::wanted);
    CHECK_FALSE(is_final(run.record().status));
    REQUIRE(run.record().attention);
    CHECK(run.record().attention->reason == "no_proof_available");
  }
}

TEST_CASE("a gateway that cannot be asked loses the challenge when its time is over", "[flow][action]") {
  challenged run([](flow_driver& driver) { driver.profiles.at("alpha").resolve.inquire = false; });
  CHECK(run.is<flow::wait>());
  while (!run.is<flow::send>()) run.sleep();
  CHECK(run.now.wall >= *run.record().action_expires_at);
  CHECK(run.told(payment_event_type::action_expired));
  REQUIRE(run.is_send(send_kind::reverse));
}

TEST_CASE("a challenge survives a crash", "[flow][action]") {
  challenged before;
  flow_driver run;
  run.now = before.now;
  run.card = false;
  payment stored = before.record();
  SECTION("with time left") {
    run.pass(minutes(5));
    run.open(stored);
    run.feed(flow::recovered{});
    REQUIRE(run.is_send(send_kind::inquire));
    run.reply(said(outcome::pending));
    CHECK(run.record().status == payment_status::requires_action);
    CHECK(run.record().next_action.url == "https://issuer.example/3ds");
    CHECK(run.record().action_expires_at == stored.action_expires_at);
    run.feed(flow::gateway_recovered{"alpha"});
    REQUIRE(run.is_send(send_kind::inquire));
    SECTION("passed") {
      run.reply(said(outcome::approved));
      CHECK(run.record().status == payment_status::succeeded);
    }
    SECTION("failed: the crash is no reason") {
      run.reply(said(outcome::soft_decline, decline_reason::authentication_failed));
      CHECK(run.record().error->code == "authentication_failed");
    }
  }
  SECTION("after its time") {
    run.pass(minutes(20));
    run.open(stored);
    run.feed(flow::recovered{});
    REQUIRE(run.is_send(send_kind::inquire));
    run.reply(said(outcome::pending));
    REQUIRE(run.is_send(send_kind::reverse));
    run.reply(said(outcome::approved));
    CHECK(run.record().error->code == "action_expired");
  }
  SECTION("that came after the expiry was written") {
    stored.action_expired = true;
    stored.attempts[0].reversal = reversal_state::wanted;
    stored.attempts[0].reversal_reason = "action_expired";
    stored.status = payment_status::processing;
    run.open(stored);
    run.feed(flow::recovered{});
    REQUIRE(run.is_send(send_kind::reverse));
    run.reply(said(outcome::approved));
    CHECK(run.record().status == payment_status::failed);
    CHECK(run.record().error->code == "action_expired");
  }
}

TEST_CASE("an inquiry finds a challenge whose answer was lost", "[flow][action]") {
  flow_driver run;
  run.card = false;
  payment stored = flow_driver::fresh_record();
  stored.attempts.push_back({.id = "att_1", .connector = "alpha", .amount = stored.amount});
  run.open(stored);
  run.feed(flow::recovered{});
  REQUIRE(run.is_send(send_kind::inquire));
  run.reply(challenge());
  CHECK(run.record().status == payment_status::requires_action);
  CHECK(run.record().next_action.url == "https://issuer.example/3ds");
  CHECK(run.record().action_expires_at == run.now.wall + minutes(15));
  CHECK(run.at(0).gateway_reference == "ch_1");
  CHECK(run.is<flow::wait>());
}

TEST_CASE("a payment is cancelled while the shopper is away", "[flow][action]") {
  challenged run;
  run.feed(flow::cancel_requested{});
  REQUIRE(run.is_send(send_kind::reverse));
  CHECK(run.record().status == payment_status::processing);
  run.reply(said(outcome::approved));
  CHECK(run.record().status == payment_status::canceled);
}

TEST_CASE("a shopper with time left needs nobody's attention", "[flow][action]") {
  challenged run([](flow_driver& driver) { driver.plan.action_expires_after = std::chrono::hours(3); });
  run.pass(minutes(90));
  run.feed(flow::timer{});
  REQUIRE(run.is_send(send_kind::inquire));
  run.reply(said(outcome::pending));
  CHECK_FALSE(run.record().attention);
  CHECK(run.record().status == payment_status::requires_action);
}

}  // namespace turnout::payments
