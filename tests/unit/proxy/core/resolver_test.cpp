// Who waits for a gateway, how often it is asked meanwhile, and how soon all
// that waits hears the truth when it is back.
#include "fake_world.hpp"

using namespace turnout::core;
using namespace turnout;
using behaviour = fake_transport::behaviour;
using payments::payment_status;

namespace {

std::ptrdiff_t unresolved(const fake_world& world) {
  return std::count_if(world.records.durable.begin(), world.records.durable.end(),
                       [](const auto& each) { return !is_final(each.second.status); });
}

/// `count` payments, charged or not, whose merchants heard "processing"; then alpha is silent.
void make_unresolved(fake_world& world, int count, payments::milliseconds silent_for) {
  world.gateways.otherwise = behaviour::charge_then_stall;
  for (int i = 0; i < count; ++i) world.pay();
  world.clock.run_for(9s);
  world.gateways.otherwise = behaviour::drop;
  world.clock.run_for(silent_for);
  REQUIRE(unresolved(world) == count);
}

}  // namespace

TEST_CASE("a silent gateway is asked by one payment at a time, and soon enough", "[engine][resolver]") {
  fake_world world;
  make_unresolved(world, 300, 2min);
  const std::size_t before = world.gateways.sent.size();
  world.clock.run_for(10min);
  const std::size_t asked = world.gateways.sent.size() - before;
  CHECK(asked > 200);  // every two to three seconds
  CHECK(asked <= 301);
  // A good hour later nobody pays, everybody sleeps, and yet it is noticed.
  world.clock.run_for(1h);
  world.gateways.otherwise = behaviour::approve;
  const auto back = world.clock.now().steady;
  while (unresolved(world) == 300) REQUIRE(world.clock.step());
  CHECK(world.clock.now().steady - back <= 3s);
  CHECK(world.watcher.recoveries == 1);
  world.clock.run_for(3s);
  CHECK(unresolved(world) <= 3);  // whose question was under way when the gateway came back
  world.clock.run_for(6s);
  CHECK(unresolved(world) == 0);
}

TEST_CASE("the oldest is asked first, and whose merchant waits before all", "[engine][resolver]") {
  fake_world world;
  make_unresolved(world, 60, 5min);
  std::map<std::string, std::string> payment_of;
  for (const auto& [id, record] : world.records.durable) payment_of[record.attempts.front().id] = id;
  world.gateways.otherwise = behaviour::approve;
  world.gateways.script["alpha"] = {};
  while (unresolved(world) == 60) REQUIRE(world.clock.step());
  // Those are woken now. A payment whose first answer is lost does not queue behind them.
  world.gateways.script["alpha"] = {behaviour::drop};
  const auto answer = world.pay();
  world.clock.run_for(7s);
  REQUIRE(*answer);
  CHECK((*answer)->answer.status == 201);
}

TEST_CASE("no gateway is tried a second time because a send waits for its turn", "[engine][resolver]") {
  fake_world world;
  auto slow = fake_world::profile("alpha");
  slow.resolve.sends_per_second = 1;
  world.config->connectors.front() = std::make_shared<fake_gateway>(slow);
  world.gateways.otherwise = behaviour::charge_then_stall;
  std::vector<std::shared_ptr<std::optional<create_result>>> answers;
  for (int i = 0; i < 20; ++i) answers.push_back(world.pay());
  world.clock.run_for(5900ms);
  world.gateways.otherwise = behaviour::approve;
  world.clock.run_for(2500ms);
  // At their deadline all are answered, also those that wait for leave to ask.
  for (const auto& each : answers) REQUIRE(*each);
  CHECK(world.watcher.delayed > 0);
  CHECK(unresolved(world) > 0);
  world.clock.run_for(1min);
  CHECK(unresolved(world) == 0);
  CHECK(world.gateways.standing.size() == 20);
  for (const std::string& each : world.gateways.sent) CHECK(each.starts_with("alpha"));
}

TEST_CASE("what one worker sees of a gateway, all know", "[engine][resolver]") {
  fake_world world;
  const auto make = [&](std::size_t index) {
    return std::make_unique<engine>(
        engine::ports{world.records, world.gateways, world.clock, world.random}, world.routing, world.watcher,
        world.config, [](const routing::decision&, const decision_context&) { return std::string("{}"); },
        ownership{index, 2});
  };
  std::array workers{make(0), make(1)};
  int told = 0;
  for (const auto& each : workers)
    each->on_gateway_recovered = [&](const std::string& name) {
      ++told;
      for (const auto& other : workers) other->gateway_recovered(name);
    };
  world.gateways.otherwise = behaviour::drop;
  for (int i = 0; i < 50; ++i)
    for (const auto& each : workers) each->create(world.command(), [](const create_result&) {});
  world.clock.run_for(1h);
  REQUIRE(unresolved(world) == 100);
  const std::size_t before = world.gateways.sent.size();
  world.clock.run_for(1min);
  CHECK(world.gateways.sent.size() - before <= 31);  // not 30 for each worker
  world.gateways.otherwise = behaviour::approve;
  while (told == 0) REQUIRE(world.clock.step());
  world.clock.run_for(500ms);
  CHECK(unresolved(world) < 50);
  world.clock.run_for(500ms);
  CHECK(unresolved(world) <= 3);  // as above
  world.clock.run_for(6s);
  CHECK(unresolved(world) == 0);
  CHECK(told == 1);
}

TEST_CASE("after a restart everybody asks, within the rate", "[engine][resolver][crash]") {
  fake_world world;
  make_unresolved(world, 500, 1min);
  const auto age = world.engine->unresolved(world.clock.now()).at(0).oldest;
  CHECK(age >= 1min);
  world.crash();
  REQUIRE(world.engine->unresolved(world.clock.now()).size() == 1);
  CHECK(world.engine->unresolved(world.clock.now()).at(0).count == 500);
  CHECK(world.engine->unresolved(world.clock.now()).at(0).oldest >= age);
  world.gateways.otherwise = behaviour::approve;
  const std::size_t before = world.gateways.sent.size();
  world.clock.run_for(2s);
  CHECK(world.gateways.sent.size() - before <= 226);
  CHECK(unresolved(world) < 500);
  world.clock.run_for(6s);
  CHECK(unresolved(world) == 0);
}

TEST_CASE("refunds that are sent again keep to the rate as well", "[engine][resolver][modification]") {
  fake_world world;
  auto slow = fake_world::profile("alpha");
  slow.operations.push_back(payments::operation::refund);
  slow.resolve.sends_per_second = 1;
  world.config->connectors.front() = std::make_shared<fake_gateway>(slow);
  std::vector<std::shared_ptr<std::optional<create_result>>> paid;
  for (int i = 0; i < 10; ++i) paid.push_back(world.pay());
  world.clock.run_for(1s);
  for (int i = 0; i < 10; ++i) world.gateways.modification_script["alpha"].push_back(behaviour::refuse);
  for (const auto& [id, record] : world.records.durable) {
    modify_command made{.payment_id = id, .merchant = "demo", .wish = {.kind = payments::modification_kind::refund}};
    made.render = [](const payments::payment&, std::string_view) { return stored_answer{202, ""}; };
    world.modify(made);
  }
  world.clock.run_for(100ms);
  REQUIRE(std::count(world.gateways.sent.begin(), world.gateways.sent.end(), "alpha refund") == 10);
  world.clock.run_for(4s);
  CHECK(std::count(world.gateways.sent.begin(), world.gateways.sent.end(), "alpha refund") <= 15);
  world.clock.run_for(30s);
  CHECK(world.gateways.ledger.size() == 10);
}

TEST_CASE("a restart does not take attention away, nor the hour after which it is due", "[engine][resolver][crash]") {
  fake_world world;
  make_unresolved(world, 1, 50min);
  CHECK_FALSE(world.only().attention);
  world.crash();
  world.clock.run_for(15min);
  REQUIRE(world.only().attention);
  CHECK(world.only().attention->reason == "unresolved_for_long");
  const auto since = world.only().attention->since;
  world.crash();
  world.clock.run_for(1min);
  REQUIRE(world.only().attention);
  CHECK(world.only().attention->since == since);
  world.gateways.otherwise = behaviour::approve;
  world.clock.run_for(10min);
  CHECK_FALSE(world.only().attention);
  CHECK(is_final(world.only().status));
}
