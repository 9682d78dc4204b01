// A person's word on what nobody proves: it ends a doubt and nothing else.
#include "fake_world.hpp"

using namespace turnout::core;
using namespace turnout;
using behaviour = fake_transport::behaviour;
using payments::payment_status;
using payments::verdict;

namespace {

struct doubtful_world : fake_world {
  /// Alpha proves nothing, and is silent.
  doubtful_world() {
    auto unprovable = profile("alpha");
    unprovable.resolve = {};
    unprovable.resolve.reverse = true;
    unprovable.resolve.accept_unprovable = true;
    unprovable.operations.push_back(payments::operation::refund);
    config->connectors.front() = std::make_shared<fake_gateway>(unprovable);
    gateways.otherwise = behaviour::drop;
  }
  resolve_result say(std::string target, verdict as) {
    std::optional<resolve_result> told;
    const std::string id = only().id;
    engine->resolve({id,
                     {.target = std::move(target),
                      .as = as,
                      .by = "mira",
                      .reason = "the portal says so",
                      .gateway_reference = "ch_77"}},
                    [&](resolve_result result) { told = std::move(result); });
    for (int i = 0; i < 100 && !told; ++i) clock.run_for(1ms);
    REQUIRE(told);
    return *told;
  }
  const payments::attempt& first() const { return only().attempts.front(); }
};

}  // namespace

TEST_CASE("said not to be charged: failed, kept, and nobody else is tried", "[resolution]") {
  doubtful_world world;
  const auto answer = world.pay();
  world.clock.run_for(20s);
  REQUIRE((*answer)->answer.status == 202);
  REQUIRE(world.only().attention);
  const auto told = world.say(world.first().id, verdict::not_charged);
  CHECK(told.status == resolve_status::resolved);
  CHECK(told.text.find("nothing else is tried") != std::string::npos);
  REQUIRE(told.record);
  CHECK(told.record->status == payment_status::failed);
  const payments::payment& kept = world.only();  // what is durable
  CHECK(kept.status == payment_status::failed);
  CHECK(kept.error->code == "not_charged");
  CHECK_FALSE(kept.attention);
  REQUIRE(kept.resolutions.size() == 1);
  CHECK(kept.resolutions[0].by == "mira");
  CHECK(kept.resolutions[0].before == "unknown");
  CHECK(kept.resolutions[0].after == "not_sent");
  CHECK(kept.resolutions[0].at != wall_time{});
  REQUIRE(world.watcher.words.size() == 1);
  CHECK(std::count(world.records.story.begin(), world.records.story.end(), "finished") == 1);
  world.clock.run_for(1h);
  for (const std::string& each : world.gateways.sent) CHECK(each.starts_with("alpha"));
  // Once is enough.
  CHECK(world.say(world.first().id, verdict::not_charged).status == resolve_status::not_in_doubt);
  CHECK(world.say(world.first().id, verdict::charged).status == resolve_status::not_in_doubt);
  CHECK(world.only().resolutions.size() == 1);
}

TEST_CASE("said to be charged: it stands, or is reversed where it may not", "[resolution]") {
  const bool canceled = GENERATE(false, true);
  doubtful_world world;
  world.gateways.script["alpha"] = {behaviour::charge_then_stall};
  world.pay();
  world.clock.run_for(20s);
  REQUIRE(world.gateways.standing.size() == 1);
  if (canceled) world.modify(world.modification(payments::modification_kind::cancellation));
  world.clock.run_for(20s);
  REQUIRE(world.only().status == payment_status::processing);
  world.gateways.otherwise = behaviour::approve;
  const auto told = world.say(world.first().id, verdict::charged);
  CHECK(told.status == resolve_status::resolved);
  CHECK(world.first().gateway_reference == "ch_77");
  world.clock.run_for(10min);
  CHECK(world.only().status == (canceled ? payment_status::canceled : payment_status::succeeded));
  CHECK(world.gateways.standing.size() == (canceled ? 0u : 1u));
}

TEST_CASE("nothing is said of what is not in doubt, nor while somebody waits", "[resolution]") {
  doubtful_world world;
  world.pay();
  world.clock.run_for(2s);
  CHECK(world.say(world.first().id, verdict::not_charged).status == resolve_status::busy);
  world.clock.run_for(20s);
  CHECK(world.say("att_other", verdict::not_charged).status == resolve_status::unknown_target);
  std::optional<resolve_result> told;
  world.engine->resolve({"pay_other", {}}, [&](resolve_result result) { told = std::move(result); });
  REQUIRE(told);
  CHECK(told->status == resolve_status::not_found);
  CHECK(world.only().resolutions.empty());
}

TEST_CASE("not while a replay is on its way, which may charge", "[resolution]") {
  fake_world world;
  world.gateways.otherwise = behaviour::drop;
  world.pay();
  world.clock.run_for(9s);
  REQUIRE(world.only().status == payment_status::processing);
  const auto say = [&] {
    std::optional<resolve_result> told;
    world.engine->resolve({world.only().id, {.target = world.only().attempts.front().id}},
                          [&](resolve_result result) { told = std::move(result); });
    for (int i = 0; i < 100 && !told; ++i) world.clock.run_for(1ms);
    return told->status;
  };
  while (!world.gateways.sent.back().ends_with("sale")) REQUIRE(world.clock.step());
  CHECK(say() == resolve_status::busy);
  while (!world.gateways.sent.back().ends_with("inquire")) REQUIRE(world.clock.step());
  CHECK(say() == resolve_status::resolved);
  CHECK(world.only().status == payment_status::failed);
  const auto sent = world.gateways.sent.size();
  world.clock.run_for(1h);
  CHECK(world.gateways.sent.size() == sent);
}

TEST_CASE("a word that the journal does not take was never said", "[resolution][journal]") {
  doubtful_world world;
  world.pay();
  world.clock.run_for(20s);
  world.records.full = true;
  CHECK(world.say(world.first().id, verdict::not_charged).status == resolve_status::unavailable);
  world.records.full = false;
  world.clock.run_for(1min);
  CHECK(world.only().status == payment_status::processing);
  CHECK(world.only().resolutions.empty());
  CHECK(world.watcher.words.empty());
  CHECK(world.say(world.first().id, verdict::charged).status == resolve_status::resolved);
}

TEST_CASE("a refund that is in doubt, after a restart: done or not, as a person says", "[resolution][modification]") {
  const auto as = GENERATE(verdict::charged, verdict::not_charged);
  doubtful_world world;
  auto profile = world.config->connectors.front()->profile();
  profile.idempotency.caches = payments::key_caches::none;  // then not even its key proves anything
  world.config->connectors.front() = std::make_shared<fake_gateway>(profile);
  world.gateways.otherwise = behaviour::approve;
  world.pay();
  world.clock.run_for(1s);
  world.gateways.modification_script["alpha"] = {behaviour::drop};
  world.modify(world.modification(payments::modification_kind::refund, 500));
  world.clock.run_for(1min);
  REQUIRE(world.only().modifications.front().doubtful);
  world.crash();
  world.clock.run_for(1s);
  const auto told = world.say(world.only().modifications.front().id, as);
  REQUIRE(told.status == resolve_status::resolved);
  CHECK(world.only().amount_refunded == (as == verdict::charged ? 500 : 0));
  CHECK(world.only().modifications.front().status ==
        (as == verdict::charged ? payments::modification_status::succeeded : payments::modification_status::failed));
  CHECK(world.only().status == payment_status::succeeded);
  world.clock.run_for(1h);
  CHECK(std::count(world.gateways.sent.begin(), world.gateways.sent.end(), "alpha refund") == 1);
}

TEST_CASE("a card number in a reason is masked", "[resolution][secrets]") {
  doubtful_world world;
  world.pay();
  world.clock.run_for(20s);
  std::optional<resolve_result> told;
  world.engine->resolve(
      {world.only().id, {.target = world.first().id, .by = "a", .reason = "card 4242 4242 4242 4242"}},
      [&](resolve_result result) { told = std::move(result); });
  world.clock.run_for(1s);
  REQUIRE(told);
  CHECK(world.only().resolutions.at(0).reason.find("4242 4242 4242") == std::string::npos);
}
