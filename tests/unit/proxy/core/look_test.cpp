// Second looks and reversals by the gateway's reference, through the engine:
// durable, counted, and without a payment kept in memory.
#include "modifying_world.hpp"
#include "payments/due.hpp"

using namespace turnout::core;
using namespace turnout;

namespace {

/// A charge that gets lost at a gateway with no keys; "not found" becomes final.
struct lost_world : fake_world {
  explicit lost_world(std::function<void(payments::connector_profile&)> change = {}) {
    payments::connector_profile made = profile("alpha");
    made.idempotency = {};
    made.resolve.replay = made.resolve.reverse_blocks_late = false;
    if (change) change(made);
    config->connectors = {std::make_shared<fake_gateway>(made)};
    gateways.script["alpha"] = {behaviour::drop};
    pay();
    clock.run_for(8100ms);
  }
  std::string reference() const { return only().attempts.at(0).id; }
  void appear() {
    gateways.standing.emplace(reference(), "alpha");
    gateways.charges.emplace(reference(), fake_transport::charge{1250, 1250});
  }
  payments::milliseconds until_due() {
    const auto due = due_at(only());
    REQUIRE(due);
    return std::chrono::ceil<payments::milliseconds>(*due - clock.now().wall);
  }
  /// What the proxy does every few seconds.
  void look_if_due() {
    if (const auto due = due_at(only()); due && *due <= clock.now().wall) REQUIRE(engine->look_at(only().id));
    clock.run_for(30s);
  }
  int inquiries() const {
    return static_cast<int>(std::count(gateways.sent.begin(), gateways.sent.end(), "alpha inquire"));
  }
};

}  // namespace

TEST_CASE("a gateway that denied a charge is asked again, and the charge is reversed", "[look]") {
  lost_world world;
  world.clock.run_for(5min);
  REQUIRE(world.only().status == payment_status::failed);
  const int asked = world.inquiries();
  SECTION("it keeps to its word: five questions in a day, none before their time") {
    CHECK(world.until_due() > -5min);
    for (int minute = 0; minute < 3 * 24 * 60; ++minute) {
      if (const auto due = due_at(world.only()); due && *due <= world.clock.now().wall)
        REQUIRE(world.engine->look_at(world.only().id));
      world.clock.run_for(1min);
    }
    CHECK(world.inquiries() == asked + 5);
    CHECK_FALSE(due_at(world.only()));
    CHECK(world.watcher.violations == 0);
  }
  SECTION("it lied") {
    world.appear();
    world.look_if_due();
    CHECK(world.inquiries() == asked + 1);
    CHECK(world.watcher.violations == 1);
    CHECK(world.gateways.standing.empty());
    CHECK(world.only().attempts.at(0).reversal == payments::reversal_state::confirmed);
    CHECK(world.only().status == payment_status::failed);
  }
  SECTION("a restart in between forgets nothing") {
    world.crash();
    world.appear();
    world.look_if_due();
    CHECK(world.watcher.violations == 1);
    CHECK(world.gateways.standing.empty());
  }
  SECTION("a crash while the reversal is under way does not, either") {
    world.appear();
    REQUIRE(world.engine->look_at(world.only().id));
    while (world.only().attempts.at(0).reversal == payments::reversal_state::none) REQUIRE(world.clock.step());
    REQUIRE(world.only().attempts.at(0).reversal == payments::reversal_state::wanted);
    world.crash();
    world.clock.run_for(1min);
    CHECK(world.gateways.standing.empty());
    CHECK(world.only().attempts.at(0).reversal == payments::reversal_state::confirmed);
  }
}

TEST_CASE("a payment that nobody doubted is never due for a look", "[look]") {
  fake_world world;
  world.pay();
  world.clock.run_for(1s);
  REQUIRE(world.only().status == payment_status::succeeded);
  CHECK_FALSE(due_at(world.only()));
}

TEST_CASE("what may not stand is given back by the gateway's reference", "[look]") {
  const auto no_reverse = [](payments::connector_profile& made) {
    made.resolve.reverse = false;
    made.operations = {operation::sale, operation::inquire, operation::void_payment, operation::refund};
  };
  lost_world world(no_reverse);
  world.gateways.tells_reference = true;
  world.appear();
  const slot told = world.modify(world.modification(cancellation));
  SECTION("at once") {}
  SECTION("the first answer is lost") { world.gateways.modification_script["alpha"] = {behaviour::charge_then_stall}; }
  SECTION("a crash while it is sent") {
    world.clock.run_for(25ms);
    world.crash();
  }
  world.clock.run_for(2min);
  CHECK(world.only().status == payment_status::canceled);
  CHECK(world.only().attempts.at(0).reversal == payments::reversal_state::confirmed);
  const auto& charge = world.gateways.charges.at(world.reference());
  CHECK(charge.refunded == charge.captured);
  REQUIRE(world.gateways.ledger.size() == 1);
  CHECK(world.gateways.ledger[0].operation == "refund");
  CHECK(world.gateways.ledger[0].key == world.reference() + "-refund");
}

TEST_CASE("a connector that no longer lists the merchant still gives their money back", "[modification]") {
  modifying_world world;
  world.clock.run_for(1s);
  REQUIRE(world.only().status == payment_status::succeeded);
  payments::connector_profile made = world.config->connectors[0]->profile();
  made.merchants = {"somebody_else"};
  auto changed = std::make_shared<configuration>(*world.config);
  changed->connectors = {std::make_shared<fake_gateway>(made)};
  SECTION("after a reload") { world.engine->configure(changed); }
  SECTION("after a restart") {
    world.config = changed;
    world.crash();
  }
  CHECK(world.now(world.modification(refund, 1250)).answer.status == 201);
  CHECK(world.charge().refunded == 1250);
  const auto refused = world.pay();  // and takes no new money of theirs
  world.clock.run_for(1s);
  CHECK((*refused)->status == create_status::no_candidate);
}
