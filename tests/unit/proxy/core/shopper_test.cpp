// A shopper who comes back from a challenge, and those who never do.
#include "fake_world.hpp"

using namespace turnout::core;
using namespace turnout;
using behaviour = fake_transport::behaviour;
using payments::payment_status;

namespace {

struct challenged_world : fake_world {
  challenged_world() {
    engine->make_return_url = [](std::string_view payment, wall_time expires) {
      return std::string(payment) + " until " + std::to_string(expires.time_since_epoch() / 1s);
    };
    gateways.script["alpha"] = {behaviour::challenge};
    create_command wish = command("key");
    wish.request.return_url = "https://shop.example/return";
    wish.render = [](const payments::payment& record) {
      return stored_answer{201, std::string(to_string(record.status))};
    };
    const auto answer = pay(std::move(wish));
    clock.run_for(100ms);
    REQUIRE(*answer);
    REQUIRE((*answer)->answer.body == "requires_action");
    REQUIRE(only().status == payment_status::requires_action);
  }
  const std::string& reference() const { return only().attempts.front().id; }
  void pass() { gateways.standing.emplace(reference(), "alpha"); }
  void fail() { gateways.challenged[reference()] = "not_authenticated"; }
  std::shared_ptr<std::optional<std::string>> come_back() {
    auto told = std::make_shared<std::optional<std::string>>();
    engine->shopper_returned(only().id, [told](std::optional<payments::payment> known) {
      *told = known ? std::string(to_string(known->status)) : "unknown";
    });
    return told;
  }
  std::size_t asked() const {
    return static_cast<std::size_t>(std::count(gateways.sent.begin(), gateways.sent.end(), "alpha inquire"));
  }
};

}  // namespace

TEST_CASE("the gateway gets an address that outlives the challenge, when the merchant has one", "[shopper]") {
  challenged_world world;
  const wall_time until = world.only().attempts.front().started_at + 8s + 15min;
  CHECK(world.gateways.return_urls ==
        std::vector<std::string>{world.only().id + " until " + std::to_string(until.time_since_epoch() / 1s)});
  fake_world plain;
  plain.engine->make_return_url = [](std::string_view, wall_time) { return std::string("unwanted"); };
  plain.pay();
  plain.clock.run_for(1s);
  CHECK(plain.gateways.return_urls == std::vector<std::string>{""});
}

TEST_CASE("a shopper who passed hears so at once", "[shopper]") {
  challenged_world world;
  world.pass();
  const auto told = world.come_back();
  world.clock.run_for(100ms);
  CHECK(*told == "succeeded");
  CHECK(world.only().status == payment_status::succeeded);
  SECTION("and again, without another question") {
    const std::size_t before = world.asked();
    CHECK(*world.come_back() == "succeeded");
    CHECK(world.asked() == before);
  }
}

TEST_CASE("a shopper who failed hears so", "[shopper]") {
  challenged_world world;
  world.fail();
  const auto told = world.come_back();
  world.clock.run_for(100ms);
  CHECK(*told == "failed");
  CHECK(world.only().error->code == "authentication_failed");
}

TEST_CASE("a gateway that needs a moment is asked again", "[shopper]") {
  challenged_world world;
  const auto told = world.come_back();
  world.clock.run_for(1500ms);
  CHECK_FALSE(*told);
  world.pass();
  world.clock.run_for(1s);
  CHECK(*told == "succeeded");
}

TEST_CASE("a shopper waits no longer than a few seconds, and many ask once", "[shopper]") {
  challenged_world world;
  std::vector<std::shared_ptr<std::optional<std::string>>> all;
  for (int i = 0; i < 20; ++i) all.push_back(world.come_back());
  CHECK(*all.back() == "requires_action");  // too many of them: the others are asked for
  CHECK_FALSE(*all.front());
  world.clock.run_for(4500ms);
  for (const auto& each : all) CHECK(*each == "requires_action");
  CHECK(world.asked() <= 5);
  CHECK(world.only().status == payment_status::requires_action);
}

TEST_CASE("what is not durable is not told", "[shopper]") {
  challenged_world world;
  world.pass();
  world.records.full = true;
  const auto told = world.come_back();
  world.clock.run_for(4500ms);
  CHECK(*told == "requires_action");
  world.records.full = false;
  world.clock.run_for(1s);
  CHECK(world.only().status == payment_status::succeeded);
}

TEST_CASE("nobody comes back for a payment that does not exist", "[shopper]") {
  fake_world world;
  bool told = false;
  world.engine->shopper_returned("pay_none", [&](std::optional<payments::payment> known) { told = !known; });
  CHECK(told);
}

TEST_CASE("a crash between challenge and return loses nothing", "[shopper]") {
  challenged_world world;
  world.crash();
  world.clock.run_for(1s);
  CHECK(world.only().status == payment_status::requires_action);
  CHECK(world.only().next_action.url == "https://issuer.example/3ds");
  world.pass();
  const auto told = world.come_back();
  world.clock.run_for(100ms);
  CHECK(*told == "succeeded");
  CHECK(world.gateways.standing.size() == 1);
}

TEST_CASE("a key that was answered requires_action tells the current state", "[shopper]") {
  challenged_world world;
  const auto again = [&] {
    create_command wish = world.command("key");
    const auto answer = world.pay(std::move(wish));
    world.clock.run_for(100ms);
    REQUIRE(*answer);
    CHECK((*answer)->status == create_status::replayed);
    REQUIRE((*answer)->record);
    return (*answer)->record->status;
  };
  CHECK(again() == payment_status::requires_action);
  world.pass();
  world.come_back();
  world.clock.run_for(100ms);
  CHECK(again() == payment_status::succeeded);
}

TEST_CASE("nobody comes back: reversed when the time is over, a crash in between or not", "[shopper]") {
  challenged_world world;
  CHECK(world.engine->unresolved(world.clock.now()).empty());  // a shopper who takes their time is no trouble
  world.clock.run_for(10min);
  if (GENERATE(false, true)) world.crash();
  world.clock.run_for(6min);
  CHECK(world.only().status == payment_status::failed);
  CHECK(world.only().error->code == "action_expired");
  CHECK(world.gateways.challenged.empty());
  CHECK(world.watcher.violations == 0);
  const auto told = world.come_back();
  CHECK(*told == "failed");
}

TEST_CASE("an authentication goes only where it is carried", "[shopper]") {
  fake_world world;
  const auto authenticated = [&] {
    create_command wish = world.command();
    wish.request.authentication = payments::authentication{"2.2.0", "05", ""};
    const auto answer = world.pay(std::move(wish));
    world.clock.run_for(1s);
    REQUIRE(*answer);
    return std::move(**answer);
  };
  SECTION("nowhere") {
    const create_result refused = authenticated();
    CHECK(refused.status == create_status::no_candidate);
    REQUIRE(refused.excluded.size() == 2);
    CHECK(refused.excluded[0].reason == "authentication_not_supported");
  }
  SECTION("at beta") {
    payments::connector_profile able = fake_world::profile("beta");
    able.takes_authentication = true;
    world.config->connectors[1] = std::make_shared<fake_gateway>(able);
    CHECK(authenticated().status == create_status::answered);
    CHECK(world.only().connector == "beta");
    REQUIRE(world.only().authentication);
    CHECK(world.only().authentication->eci == "05");
  }
}
