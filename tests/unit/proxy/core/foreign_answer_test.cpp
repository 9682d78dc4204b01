// Answers that echo another reference than the one that was sent: they prove
// nothing of the payment that reads them.
#include "modifying_world.hpp"

using namespace turnout::core;
using namespace turnout;
using behaviour = fake_transport::behaviour;
using payments::payment_status;

TEST_CASE("an approval of something else is not this payment's", "[engine][foreign]") {
  fake_world world;
  world.gateways.foreign = 1;
  world.pay();
  world.clock.run_for(1s);
  CHECK(world.gateways.distrusted == std::vector<std::string>{"alpha"});
  CHECK(world.only().status == payment_status::succeeded);
  CHECK(world.gateways.sent == std::vector<std::string>{"alpha sale", "alpha sale"});  // unknown: replayed
  CHECK(world.gateways.standing.size() == 1);
}

TEST_CASE("a decline of something else sends nobody to a second gateway", "[engine][foreign]") {
  fake_world world;
  world.gateways.script["alpha"] = {behaviour::decline};
  world.gateways.foreign = 1;
  world.pay();
  world.clock.run_for(20s);
  CHECK(world.only().status == payment_status::succeeded);
  CHECK(world.only().attempts.size() == 1);
  CHECK(world.gateways.sent == std::vector<std::string>{"alpha sale", "alpha sale"});
  CHECK(world.gateways.standing.size() == 1);
}

TEST_CASE("the first answer of a charge says unknown in the record", "[engine][foreign]") {
  fake_world world;
  world.gateways.foreign = 1'000;
  const auto answer = world.pay();
  world.clock.run_for(9s);
  REQUIRE(*answer);
  CHECK((*answer)->answer.status == 202);
  CHECK(world.only().status == payment_status::processing);
  REQUIRE(world.only().attempts.size() == 1);
  CHECK(world.only().attempts.front().outcome == payments::outcome::unknown);
  CHECK(world.only().attempts.front().code == "foreign_answer");
  CHECK(world.only().attempts.front().gateway_reference.empty());
  world.gateways.foreign = 0;
  world.clock.run_for(10min);
  CHECK(world.only().status == payment_status::succeeded);
}

TEST_CASE("\"not found\" about something else proves nothing", "[engine][foreign]") {
  fake_world world;
  world.gateways.script["alpha"] = {behaviour::charge_then_stall};
  world.pay();
  world.clock.run_for(2s);
  world.crash();
  const auto stands = world.gateways.standing;
  REQUIRE(stands.size() == 1);
  world.gateways.standing.clear();  // what the inquiries of the first minutes say: not found, of another
  world.gateways.foreign = 4;
  while (world.gateways.foreign > 0) world.clock.run_for(1s);
  CHECK(world.only().status == payment_status::processing);
  world.gateways.standing = stands;
  world.clock.run_for(30min);
  CHECK(world.only().status == payment_status::succeeded);
  CHECK(world.only().attempts.size() == 1);
}

TEST_CASE("a refund that somebody else's answer refuses or grants is in doubt, and done once",
          "[modification][foreign]") {
  modifying_world world;
  world.clock.run_for(1s);
  REQUIRE(world.only().status == payment_status::succeeded);
  const auto next = GENERATE(behaviour::approve, behaviour::decline);
  world.plan() = {next};
  world.gateways.foreign = 1;
  const slot told = world.modify(world.modification(refund, 300));
  world.clock.run_for(15ms);
  CHECK_FALSE(*told);
  world.settle();
  REQUIRE(*told);
  CHECK(world.gateways.distrusted == std::vector<std::string>{"alpha"});
  CHECK(world.last().status == modification_status::succeeded);
  CHECK(world.charge().refunded == 300);
  world.agree();
}
