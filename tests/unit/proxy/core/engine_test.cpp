// The engine over fake ports in virtual time: the same code that the proxy runs.
#include "fake_world.hpp"

using namespace turnout::core;
using namespace turnout;
using behaviour = fake_transport::behaviour;
using payments::payment_status;

TEST_CASE("a payment is approved, durable, then answered", "[engine]") {
  fake_world world;
  const auto answer = world.pay();
  world.clock.run_for(1s);
  REQUIRE(*answer);
  CHECK((*answer)->status == create_status::answered);
  CHECK((*answer)->answer.status == 201);
  CHECK(world.only().status == payment_status::succeeded);
  CHECK(world.gateways.standing.size() == 1);
  CHECK(world.records.story ==
        std::vector<std::string>{"created", "attempt_started", "attempt_ended", "finished", "answered"});
  CHECK(world.engine->unanswered() == 0);
}

TEST_CASE("a refused connection fails over", "[engine]") {
  fake_world world;
  world.gateways.script["alpha"] = {behaviour::refuse};
  const auto answer = world.pay();
  world.clock.run_for(1s);
  REQUIRE(*answer);
  CHECK(world.only().status == payment_status::succeeded);
  CHECK(world.only().connector == "beta");
  CHECK(world.watcher.failovers == 1);
  CHECK(world.gateways.sent == std::vector<std::string>{"alpha sale", "beta sale"});
}

TEST_CASE("charged, then silence: replayed at the same gateway, charged once", "[engine]") {
  fake_world world;
  world.gateways.script["alpha"] = {behaviour::charge_then_stall};
  const auto answer = world.pay();
  world.clock.run_for(20s);
  REQUIRE(*answer);
  CHECK(world.only().status == payment_status::succeeded);
  CHECK(world.gateways.standing.size() == 1);
  CHECK(world.gateways.sent == std::vector<std::string>{"alpha sale", "alpha sale"});
}

TEST_CASE("silence to the deadline is 202, later the truth", "[engine]") {
  fake_world world;
  world.gateways.script["alpha"] = {behaviour::charge_then_stall,
                                    behaviour::charge_then_stall,
                                    behaviour::refuse,
                                    behaviour::refuse,
                                    behaviour::refuse,
                                    behaviour::refuse};
  const auto answer = world.pay();
  world.clock.run_for(8100ms);
  REQUIRE(*answer);
  CHECK((*answer)->answer.status == 202);
  CHECK(world.only().status == payment_status::processing);
  world.clock.run_for(1min);
  CHECK(world.only().status == payment_status::succeeded);
  for (const std::string& each : world.gateways.sent) CHECK(each.starts_with("alpha"));
}

TEST_CASE("a crash after charging: found by inquiry, never charged again", "[engine][crash]") {
  fake_world world;
  world.gateways.script["alpha"] = {behaviour::charge_then_stall};
  world.pay();
  world.clock.run_for(2s);
  REQUIRE(world.gateways.standing.size() == 1);
  world.crash();
  world.clock.run_for(1min);
  CHECK(world.only().status == payment_status::succeeded);
  CHECK(world.gateways.standing.size() == 1);
  CHECK(world.gateways.sent == std::vector<std::string>{"alpha sale", "alpha inquire"});
}

TEST_CASE("a crash before charging: interrupted, once that is proven", "[engine][crash]") {
  fake_world world;
  world.gateways.script["alpha"] = {behaviour::drop};
  world.pay();
  world.clock.run_for(2s);
  world.crash();
  world.clock.run_for(29s);
  CHECK(world.only().status == payment_status::processing);
  world.clock.run_for(5s);
  CHECK(world.only().status == payment_status::failed);
  REQUIRE(world.only().error);
  CHECK(world.only().error->code == "interrupted");
  CHECK(world.gateways.standing.empty());
}

TEST_CASE("a crash at every moment of a payment leaves one story", "[engine][crash]") {
  for (int crash_at = 0; crash_at < 60; ++crash_at) {
    CAPTURE(crash_at);
    fake_world world;
    world.gateways.script["alpha"] = {behaviour::refuse};
    const auto answer = world.pay();
    for (int step = 0; step < crash_at / 4; ++step) world.clock.step();
    const bool told = answer->has_value();
    world.crash();
    world.clock.run_for(10min);
    if (world.records.durable.empty()) {
      CHECK(world.gateways.standing.empty());
      CHECK_FALSE(told);
      continue;
    }
    const payments::payment& record = world.only();
    CHECK(is_final(record.status));
    CHECK(world.gateways.standing.size() == (record.status == payment_status::succeeded ? 1 : 0));
    if (told) CHECK((*answer)->answer.body == record.id + " " + std::string(to_string(record.status)));
  }
}

TEST_CASE("one key, one payment", "[engine][idempotency]") {
  fake_world world;
  SECTION("while the first is running: in progress, then the same answer") {
    const auto first = world.pay(world.command("k1"));
    std::vector<std::shared_ptr<std::optional<create_result>>> others;
    for (int i = 0; i < 200; ++i) others.push_back(world.pay(world.command("k1")));
    world.clock.run_for(10ms);
    for (const auto& each : others) {
      REQUIRE(*each);
      CHECK((*each)->status == create_status::in_progress);
    }
    world.clock.run_for(1s);
    const auto again = world.pay(world.command("k1"));
    world.clock.run_for(1s);
    REQUIRE(*again);
    CHECK((*again)->status == create_status::replayed);
    CHECK((*again)->answer.body == (*first)->answer.body);
    CHECK(world.records.durable.size() == 1);
    CHECK(world.gateways.sent.size() == 1);
  }
  SECTION("with another body: refused") {
    world.pay(world.command("k1", "one"));
    world.clock.run_for(1s);
    const auto other = world.pay(world.command("k1", "two"));
    world.clock.run_for(1s);
    CHECK((*other)->status == create_status::key_reused);
  }
  SECTION("after 202 the current state is given") {
    world.gateways.script["alpha"] = {behaviour::charge_then_stall, behaviour::charge_then_stall};
    const auto first = world.pay(world.command("k1"));
    world.clock.run_for(8100ms);
    REQUIRE((*first)->answer.status == 202);
    world.clock.run_for(1min);
    const auto again = world.pay(world.command("k1"));
    world.clock.run_for(1s);
    CHECK((*again)->status == create_status::replayed);
    REQUIRE((*again)->record);
    CHECK((*again)->record->status == payment_status::succeeded);
  }
  SECTION("after a crash: the current state, not an eternal conflict") {
    world.gateways.script["alpha"] = {behaviour::charge_then_stall};
    world.pay(world.command("k1"));
    world.clock.run_for(1s);
    world.crash();
    const auto again = world.pay(world.command("k1"));
    world.clock.run_for(10ms);
    REQUIRE(*again);
    CHECK((*again)->status == create_status::replayed);
    CHECK((*again)->record);
  }
  SECTION("a key that was used is answered even when the request would be refused today") {
    world.pay(world.command("k1"));
    world.clock.run_for(1s);
    auto none = std::make_shared<configuration>();
    world.engine->configure(none);
    const auto again = world.pay(world.command("k1"));
    CHECK((*again)->status == create_status::replayed);
    const auto fresh = world.pay(world.command("k2"));
    CHECK((*fresh)->status == create_status::no_policy);
  }
}

TEST_CASE("a full disk refuses new payments before anything is sent", "[engine][journal]") {
  fake_world world;
  world.records.full = true;
  const auto refused = world.pay();
  world.clock.run_for(1s);
  CHECK((*refused)->status == create_status::unavailable);
  CHECK(world.gateways.sent.empty());
  world.records.full = false;
  const auto accepted = world.pay();
  world.clock.run_for(1s);
  CHECK((*accepted)->status == create_status::answered);
}

TEST_CASE("a full disk does not deny a payment that its key has made", "[engine][journal][idempotency]") {
  fake_world world;
  const auto first = world.pay(world.command("k1"));
  world.clock.run_for(1s);
  world.records.full = true;
  const auto again = world.pay(world.command("k1"));
  const auto fresh = world.pay(world.command("k2"));
  world.clock.run_for(1s);
  REQUIRE(*again);
  CHECK((*again)->status == create_status::replayed);
  CHECK((*again)->answer.body == (*first)->answer.body);
  CHECK((*fresh)->status == create_status::unavailable);
}

TEST_CASE("an outcome that cannot be written is not told; it is written when there is room", "[engine][journal]") {
  fake_world world;
  const auto answer = world.pay();
  while (world.gateways.sent.empty()) world.clock.step();
  world.records.full = true;
  world.clock.run_for(7s);
  CHECK_FALSE(*answer);
  world.clock.run_for(2s);
  REQUIRE(*answer);  // at the deadline: what the journal has
  CHECK((*answer)->answer.status == 202);
  CHECK(world.only().attempts.at(0).in_flight);
  world.records.full = false;
  world.clock.run_for(1s);
  CHECK(world.only().status == payment_status::succeeded);
}

TEST_CASE("nobody can take it: refused with every reason", "[engine]") {
  fake_world world;
  create_command wish = world.command();
  wish.request.amount = {1250, *payments::currency::find("USD")};
  const auto refused = world.pay(std::move(wish));
  REQUIRE(*refused);
  CHECK((*refused)->status == create_status::no_candidate);
  REQUIRE((*refused)->excluded.size() == 2);
  CHECK((*refused)->excluded[0].reason == "currency_not_supported");
}

TEST_CASE("draining refuses new payments and finishes those in flight", "[engine]") {
  fake_world world;
  const auto running = world.pay();
  world.clock.step();
  world.engine->drain();
  const auto refused = world.pay();
  CHECK((*refused)->status == create_status::unavailable);
  world.clock.run_for(1s);
  CHECK((*running)->status == create_status::answered);
}

TEST_CASE("a gateway that comes back wakes all that waits for it", "[engine][resolver]") {
  fake_world world;
  auto& script = world.gateways.script["alpha"];
  for (int i = 0; i < 100; ++i) script.push_back(behaviour::charge_then_stall);
  world.gateways.otherwise = behaviour::refuse;
  for (int i = 0; i < 100; ++i) world.pay();
  world.clock.run_for(5min);
  for (const auto& [id, record] : world.records.durable) REQUIRE(record.status == payment_status::processing);
  world.gateways.otherwise = behaviour::approve;
  // The first that asks gets an answer; everybody else follows at once.
  const auto unresolved = [&] {
    return std::count_if(world.records.durable.begin(), world.records.durable.end(),
                         [](const auto& each) { return !is_final(each.second.status); });
  };
  while (unresolved() == 100) REQUIRE(world.clock.step());
  world.clock.run_for(500ms);
  CHECK(unresolved() < 50);
  world.clock.run_for(500ms);
  CHECK(unresolved() == 0);
  CHECK(world.gateways.standing.size() == 100);
  CHECK(world.watcher.recoveries == 1);
}

TEST_CASE("a thousand that wait for a gateway are woken at the rate that it takes", "[engine][resolver]") {
  fake_world world;
  world.gateways.otherwise = behaviour::charge_then_stall;
  for (int i = 0; i < 1000; ++i) world.pay();
  world.clock.run_for(9s);
  world.gateways.otherwise = behaviour::refuse;
  world.clock.run_for(10min);
  world.gateways.otherwise = behaviour::approve;
  const auto unresolved = [&] {
    return std::count_if(world.records.durable.begin(), world.records.durable.end(),
                         [](const auto& each) { return !is_final(each.second.status); });
  };
  while (unresolved() == 1000) REQUIRE(world.clock.step());
  const std::size_t asked = world.gateways.sent.size();
  world.clock.run_for(5s);
  const std::size_t asked_since = world.gateways.sent.size() - asked;
  CHECK(asked_since > 480);
  CHECK(asked_since <= 526);  // 100 a second, and a burst of 25
  world.clock.run_for(6s);
  CHECK(unresolved() == 0);
  CHECK(world.gateways.standing.size() == 1000);
}

TEST_CASE("a payment resumes when its connector comes back", "[engine][crash]") {
  fake_world world;
  world.gateways.script["alpha"] = {behaviour::charge_then_stall};
  world.pay();
  world.clock.run_for(2s);
  const auto whole = world.config;
  world.config = std::make_shared<configuration>(*whole);
  world.config->connectors.erase(world.config->connectors.begin());
  world.crash();
  world.clock.run_for(1min);
  REQUIRE(world.only().attention);
  CHECK(world.only().status == payment_status::processing);
  world.engine->configure(whole);
  world.clock.run_for(1s);
  CHECK(world.only().status == payment_status::succeeded);
  CHECK_FALSE(world.only().attention);
}

TEST_CASE("a card number that a gateway writes back is not kept", "[engine][secrets]") {
  fake_world world;
  world.gateways.echo = "card 4242-4242-4242-4242 (4242424242424242) refused";
  world.gateways.script["alpha"] = {behaviour::decline};
  world.gateways.script["beta"] = {behaviour::decline};
  world.pay();
  world.clock.run_for(1s);
  CHECK(world.only().attempts.at(0).gateway_code == "card ****-****-****-**** (****************) refused");
  CHECK(world.only().attempts.at(0).kept ==
        payments::kept_values{{"echo", "card ****-****-****-**** (****************) refused"}});
}

TEST_CASE("a policy's own retry budget tightens the proxy's", "[engine]") {
  fake_world world;
  world.config = std::make_shared<configuration>(*world.config);
  world.config->policies.policies[0].retry_budget = 0.0;
  world.engine->configure(world.config);
  world.gateways.script["alpha"] = {behaviour::refuse};
  const auto answer = world.pay();
  world.clock.run_for(1s);
  REQUIRE(*answer);
  CHECK(world.only().status == payment_status::failed);
  CHECK(world.only().error->code == "retry_budget_exhausted");
  CHECK(world.gateways.sent == std::vector<std::string>{"alpha sale"});
}
