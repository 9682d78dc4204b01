// Captures, refunds and cancellations over the engine: never more than is there,
// each key once, each doubt resolved.
#include "modifying_world.hpp"

using namespace turnout::core;
using namespace turnout;

TEST_CASE("captured in parts, refunded in parts, never more than is there", "[modification]") {
  modifying_world world(manual);
  world.clock.run_for(1s);
  REQUIRE(world.only().status == payment_status::authorized);
  modify_command part = world.modification(capture, 400);
  part.wish.final_capture = false;
  CHECK(world.now(part).answer.status == 201);
  CHECK(world.only().status == payment_status::authorized);
  const modify_result much = world.now(world.modification(capture, 851));
  CHECK(much.status == modify_status::refused);
  CHECK(much.refusal == modification_refusal::amount_too_large);
  CHECK(world.now(world.modification(refund, 401)).refusal == modification_refusal::amount_too_large);
  CHECK(world.now(world.modification(refund, 100)).answer.status == 201);
  CHECK(world.now(world.modification(capture, 850)).answer.status == 201);
  CHECK(world.only().status == payment_status::succeeded);
  CHECK(world.now(world.modification(refund)).answer.status == 201);
  CHECK(world.only().amount_refunded == 1250);
  CHECK(world.now(world.modification(refund)).refusal == modification_refusal::amount_too_large);
  CHECK(world.now(world.modification(cancellation)).refusal == modification_refusal::invalid_state);
  world.agree();
}

TEST_CASE("an amount is reserved from the moment it is asked for, and released by a refusal only", "[modification]") {
  modifying_world world;
  world.clock.run_for(1s);
  world.plan() = {behaviour::drop, behaviour::drop};
  const slot first = world.modify(world.modification(refund, 1000));
  const slot second = world.modify(world.modification(refund, 251));
  world.clock.run_for(1s);
  REQUIRE(*second);
  CHECK((*second)->refusal == modification_refusal::amount_too_large);
  world.clock.run_for(7100ms);
  REQUIRE(*first);
  CHECK((*first)->answer.status == 202);  // the time-out released nothing
  CHECK(world.now(world.modification(refund, 251)).refusal == modification_refusal::amount_too_large);
  world.settle();
  CHECK(world.only().amount_refunded == 1000);
  world.plan() = {behaviour::decline};
  const modify_result refused = world.now(world.modification(refund, 250));
  CHECK(refused.answer.status == 201);
  CHECK(world.last().status == modification_status::failed);
  CHECK(world.now(world.modification(refund, 250)).answer.status == 201);
  world.agree();
}

TEST_CASE("50 refunds at once: as many as fit", "[modification]") {
  modifying_world world;
  world.clock.run_for(1s);
  std::vector<slot> all;
  for (int i = 0; i < 50; ++i) all.push_back(world.modify(world.modification(refund, 30 + i % 7)));
  world.clock.run_for(10s);
  int done = 0, refused = 0;
  for (const slot& each : all) {
    REQUIRE(*each);
    ++((*each)->status == modify_status::answered ? done : refused);
  }
  CHECK(done + refused == 50);
  CHECK(world.only().amount_refunded > 1250 - 30);
  world.agree();
}

TEST_CASE("a key does one thing, and says so after a crash", "[modification]") {
  modifying_world world;
  world.clock.run_for(1s);
  const slot first = world.modify(world.modification(refund, 10, "key"));
  const slot beside = world.modify(world.modification(refund, 10, "key"));
  world.clock.run_for(10ms);
  REQUIRE(*beside);
  CHECK((*beside)->status == modify_status::in_progress);
  world.clock.run_for(1s);
  REQUIRE(*first);
  CHECK((*first)->status == modify_status::answered);
  const auto kept = world.records.find_key("demo", false, "key");
  REQUIRE((kept && kept->answer));
  CHECK(kept->answer->body == (*first)->answer.body);
  for (int crashes = 0; crashes < 2; ++crashes) {
    const modify_result again = world.now(world.modification(refund, 10, "key"));
    CHECK(again.status == modify_status::replayed);
    CHECK(again.answer.body == (*first)->answer.body);
    CHECK(world.now(world.modification(refund, 11, "key", "other")).status == modify_status::key_reused);
    CHECK(world.now(world.modification(refund, 11, "first", "other")).status == modify_status::key_reused);
    world.crash();
  }
  const auto taken = world.pay(world.command("key", "mac of a payment"));
  world.clock.run_for(1s);
  CHECK((*taken)->status == create_status::key_reused);
  CHECK(world.only().amount_refunded == 10);
  world.agree();
}

TEST_CASE("the end of a refund that is not durable is not told", "[modification]") {
  modifying_world world;
  world.clock.run_for(1s);
  const slot told = world.modify(world.modification(refund, 10, "key"));
  world.clock.run_for(10ms);
  world.records.full = true;  // the gateway's approval cannot be written
  world.clock.run_for(9s);
  REQUIRE(world.gateways.ledger.size() == 1);
  REQUIRE(*told);
  CHECK((*told)->answer.status == 202);
  world.records.full = false;
  world.crash();
  world.settle();
  CHECK(world.only().amount_refunded == 10);
  world.agree();
}

TEST_CASE("a key whose answer was pending tells what became of it", "[modification]") {
  modifying_world world;
  world.clock.run_for(1s);
  world.plan() = {behaviour::drop, behaviour::drop, behaviour::drop};
  const modify_result told = world.now(world.modification(refund, 10, "key"), 8100ms);
  CHECK(told.answer.status == 202);
  const modify_result pending = world.now(world.modification(refund, 10, "key"), 10ms);
  CHECK(pending.status == modify_status::replayed);
  CHECK(pending.answer.status == 202);
  world.settle();
  const modify_result settled = world.now(world.modification(refund, 10, "key"), 10ms);
  CHECK(settled.status == modify_status::replayed);
  CHECK(settled.answer.status == 201);
  CHECK(settled.answer.body == world.last().id + " succeeded");
  world.agree();
}

TEST_CASE("nothing is told of another merchant's payment, nor to its key", "[modification]") {
  modifying_world world;
  world.clock.run_for(1s);
  modify_command wish = world.modification(refund, 10, "key");
  wish.merchant = "other";
  CHECK(world.now(wish).status == modify_status::not_found);
  wish = world.modification(refund, 10, "key");
  wish.livemode = true;
  CHECK(world.now(wish).status == modify_status::not_found);
  wish = world.modification(refund, 10);
  wish.payment_id = "pay_00000000000000000000000000";
  CHECK(world.now(wish).status == modify_status::not_found);
  CHECK(world.gateways.ledger.empty());
  CHECK(world.now(world.modification(refund, 10, "key")).status == modify_status::answered);
}

TEST_CASE("canceled twice is canceled, and the second key is kept, too", "[modification]") {
  modifying_world world(manual);
  world.clock.run_for(1s);
  CHECK(world.now(world.modification(cancellation, {}, "one")).answer.status == 201);
  CHECK(world.only().status == payment_status::canceled);
  const modify_result second = world.now(world.modification(cancellation, {}, "two"));
  CHECK(second.status == modify_status::answered);
  CHECK(second.answer.status == 201);
  CHECK(world.now(world.modification(cancellation)).answer.status == 201);
  CHECK(world.now(world.modification(cancellation, {}, "two")).status == modify_status::replayed);
  CHECK(world.now(world.modification(cancellation, {}, "two", "other")).status == modify_status::key_reused);
  CHECK(world.gateways.ledger.size() == 1);
  world.agree();
}

TEST_CASE("canceled while the first charge is under way: whatever appears is voided", "[modification]") {
  for (const auto fate : {behaviour::approve, behaviour::charge_then_stall, behaviour::drop, behaviour::decline})
    for (int steps = 2; steps < 12; ++steps) {
      modifying_world world;
      world.gateways.script["alpha"] = {fate};
      for (int step = 0; step < steps; ++step) world.clock.step();
      if (world.records.durable.empty()) continue;
      const slot told = world.modify(world.modification(cancellation, {}, "cancel"));
      world.settle();
      REQUIRE(*told);
      INFO(steps << ' ' << to_string(world.only().status));
      const bool late = (*told)->status == modify_status::refused;  // it was over by then
      if (!late) CHECK(world.only().status == payment_status::canceled);
      if (late)
        CHECK((world.only().status == payment_status::succeeded || world.only().status == payment_status::failed));
      CHECK(world.gateways.standing.size() == (world.only().status == payment_status::succeeded ? 1u : 0u));
      REQUIRE(*world.first);
    }
}

TEST_CASE("a cancel without a key beside one under way takes nothing back", "[modification]") {
  // The second changes nothing and so writes nothing. What came after it was
  // once undone when the disk was full, and the payment forgotten.
  modifying_world world;
  world.gateways.script["alpha"] = {behaviour::drop,   behaviour::drop,   behaviour::refuse,
                                    behaviour::refuse, behaviour::refuse, behaviour::refuse};
  world.clock.run_for(8500ms);
  REQUIRE(world.only().status == payment_status::processing);
  const slot first = world.modify(world.modification(cancellation));
  world.clock.run_for(100ms);
  const slot second = world.modify(world.modification(cancellation));
  world.clock.run_for(10ms);
  world.records.full = true;
  world.clock.run_for(30s);
  world.records.full = false;
  world.settle();
  for (const slot& each : {first, second}) {
    REQUIRE(*each);
    CHECK((*each)->status == modify_status::answered);
  }
  CHECK(world.only().status == payment_status::canceled);
  CHECK(world.engine->unanswered() == 0);
}

TEST_CASE("what the journal does not take never was, and others that wait are not disturbed", "[modification]") {
  modifying_world world;
  world.clock.run_for(1s);
  world.plan() = {behaviour::drop};
  const slot waiting = world.modify(world.modification(refund, 100, "one"));
  world.clock.run_for(100ms);
  world.records.full = true;
  const modify_result refused = world.now(world.modification(refund, 200, "two"), 100ms);
  CHECK(refused.status == modify_status::unavailable);
  CHECK(world.only().modifications.size() == 1);
  world.records.full = false;
  CHECK(world.now(world.modification(refund, 1151)).refusal == modification_refusal::amount_too_large);
  world.settle();
  REQUIRE(*waiting);
  CHECK(world.only().amount_refunded == 100);
  CHECK(world.now(world.modification(refund, 200, "two")).status == modify_status::answered);
  world.agree();
}

TEST_CASE("whoever is told may ask for more at once", "[modification]") {
  modifying_world world;
  world.clock.run_for(1s);
  int told = 0;
  std::function<void(modify_result)> again = [&](modify_result result) {
    CHECK(result.status == (told < 10 ? modify_status::answered : modify_status::refused));
    if (++told < 11) world.engine->modify(world.modification(refund, 125), again);
  };
  world.engine->modify(world.modification(refund, 125), again);
  world.clock.run_for(1min);
  CHECK(told == 11);
  CHECK(world.only().amount_refunded == 1250);
  world.agree();
}

TEST_CASE("an early 'not done' is not believed: what comes late is not done twice", "[modification]") {
  for (const auto kind : {capture, refund, cancellation}) {
    modifying_world world(kind == refund ? automatic : manual, [](payments::connector_profile& made) {
      made.idempotency = {};
      made.resolve.replay = made.resolve.reverse = false;
    });
    world.gateways.honours_keys = false;
    world.clock.run_for(1s);
    world.plan() = {behaviour::late};
    CHECK(world.now(world.modification(kind), 8100ms).answer.status == 202);
    world.settle();
    CHECK(world.last().status == modification_status::succeeded);
    CHECK(world.gateways.ledger.size() == 1);
    world.agree();
  }
}

TEST_CASE("a gateway that does another amount is never silently believed", "[modification]") {
  modifying_world world(automatic, [](payments::connector_profile& made) { made.resolve.inquire = false; });
  world.clock.run_for(1s);
  world.plan() = {behaviour::wrong_amount};
  CHECK(world.now(world.modification(refund, 100), 8100ms).answer.status == 202);
  world.settle();
  CHECK(world.last().status == modification_status::pending);
  CHECK(world.only().amount_refunded == 0);
  REQUIRE(world.only().attention);
  CHECK(world.only().attention->reason == "wrong_amount");
  CHECK(world.now(world.modification(refund, 1151)).refusal == modification_refusal::amount_too_large);
  CHECK(world.watcher.violations == 1);
}

TEST_CASE("another amount that the gateway's totals confirm is told as it is", "[modification]") {
  modifying_world world;
  world.clock.run_for(1s);
  world.plan() = {behaviour::wrong_amount};
  CHECK(world.now(world.modification(refund, 100)).answer.status == 201);
  CHECK(world.last().amount == 99);
  CHECK(world.only().amount_refunded == 99);
  CHECK(world.watcher.violations == 1);
  world.agree();
}

TEST_CASE("an automatic payment is captured where there is no sale", "[modification]") {
  const auto no_sale = [](payments::connector_profile& made) { std::erase(made.operations, operation::sale); };
  SECTION("at once") {
    modifying_world world(automatic, no_sale);
    world.clock.run_for(1s);
    REQUIRE(*world.first);
    CHECK(world.only().status == payment_status::succeeded);
    CHECK(world.only().amount_captured == 1250);
    world.agree();
  }
  SECTION("a lost answer leaves it authorized, with a capture that is proven later") {
    modifying_world world(automatic, no_sale);
    world.plan() = {behaviour::charge_then_stall, behaviour::drop};
    world.clock.run_for(8200ms);
    REQUIRE(*world.first);
    CHECK((*world.first)->answer.body == world.only().id + " authorized");
    world.settle();
    CHECK(world.only().status == payment_status::succeeded);
    world.agree();
  }
  SECTION("nobody waits past the deadline for it") {
    modifying_world world(automatic, no_sale);
    world.plan() = std::deque<behaviour>(40, behaviour::refuse);
    world.clock.run_for(8100ms);
    REQUIRE(*world.first);
    CHECK((*world.first)->answer.body == world.only().id + " authorized");
    world.settle();
    CHECK(world.only().status == payment_status::succeeded);
    world.agree();
  }
  SECTION("nor for one that is stalled across the deadline") {
    modifying_world world(automatic, no_sale);
    world.plan() = std::deque<behaviour>(5, behaviour::refuse);
    world.plan().push_back(behaviour::drop);
    world.clock.run_for(8100ms);
    REQUIRE(*world.first);
    world.settle();
    CHECK(world.only().status == payment_status::succeeded);
    world.agree();
  }
  SECTION("refused: the authorization is given back") {
    modifying_world world(automatic, no_sale);
    world.plan() = {behaviour::decline};
    world.clock.run_for(1s);
    REQUIRE(*world.first);
    CHECK(world.only().status == payment_status::failed);
    REQUIRE(world.only().error);
    CHECK(world.only().error->code == "capture_refused");
    CHECK(world.gateways.standing.empty());
  }
}

TEST_CASE("an authorization that expires is given up, whoever is in the way", "[modification]") {
  const auto a_week = [](payments::connector_profile& made) { made.authorization_valid = 168h; };
  SECTION("by a look") {
    modifying_world world(manual, a_week);
    world.clock.run_for(1s);
    CHECK(world.only().capture_before);
    CHECK(world.engine->look_at(world.only().id));
    world.clock.run_for(1s);
    CHECK(world.only().modifications.empty());
    world.clock.run_for(168h);
    CHECK(world.only().modifications.empty());  // nothing of it is in memory
    world.engine->look_at(world.only().id);
    world.clock.run_for(1s);
    CHECK(world.only().status == payment_status::canceled);
    CHECK(world.last().cause == "expired");
    CHECK_FALSE(authorization_due(world.only()));
    world.agree();
  }
  SECTION("a capture comes too late") {
    modifying_world world(manual, a_week);
    world.clock.run_for(168h + 1s);
    const modify_result late = world.now(world.modification(capture));
    CHECK(late.status == modify_status::refused);
    CHECK(world.only().status == payment_status::canceled);
  }
  SECTION("a person is told where nothing can be done, until it can") {
    modifying_world world(manual, a_week);
    world.clock.run_for(168h + 1s);
    world.config = std::make_shared<configuration>(*world.config);
    const auto gone = std::exchange(world.config->connectors, {});
    world.engine->configure(world.config);
    world.engine->look_at(world.only().id);
    world.clock.run_for(1s);
    REQUIRE(world.only().attention);
    CHECK(world.only().attention->reason == "authorization_expired");
    CHECK(authorization_due(world.only()));
    world.config = std::make_shared<configuration>(*world.config);
    world.config->connectors = gone;
    world.engine->configure(world.config);
    world.engine->look_at(world.only().id);
    world.clock.run_for(1s);
    CHECK(world.only().status == payment_status::canceled);
    CHECK_FALSE(world.only().attention);
  }
}

TEST_CASE("refunds of what has not settled", "[modification]") {
  const auto as = [](payments::unsettled_refund how) {
    return [how](payments::connector_profile& made) { made.refunds = {how, 24h}; };
  };
  SECTION("wait: sent once it has settled, also after a crash") {
    modifying_world world(automatic, as(payments::unsettled_refund::wait));
    world.clock.run_for(1s);
    CHECK(world.now(world.modification(refund, 100, "key"), 8100ms).answer.status == 202);
    world.clock.run_for(12h);
    CHECK(world.gateways.ledger.empty());
    CHECK_FALSE(world.only().attention);
    world.crash();
    world.clock.run_for(13h);
    CHECK(world.last().status == modification_status::succeeded);
    CHECK(std::count(world.records.story.begin(), world.records.story.end(), "attention_raised") == 0);
    world.agree();
  }
  SECTION("wait: a lost answer is proven by the same key, whose life begins when it is sent") {
    modifying_world world(automatic, [&](payments::connector_profile& made) {
      as(payments::unsettled_refund::wait)(made);
      made.resolve.inquire = false;
    });
    world.clock.run_for(1s);
    world.plan() = {behaviour::charge_then_stall};
    world.modify(world.modification(refund, 100, "key"));
    world.clock.run_for(25h);
    CHECK(world.last().status == modification_status::succeeded);
    world.agree();
  }
  SECTION("void_if_full: all of it is voided, a part waits") {
    modifying_world world(automatic, as(payments::unsettled_refund::void_if_full));
    world.clock.run_for(1s);
    CHECK(world.now(world.modification(refund), 1s).answer.status == 201);
    REQUIRE(world.gateways.ledger.size() == 1);
    CHECK(world.gateways.ledger[0].operation == "void");
    CHECK(world.only().amount_refunded == 1250);
    world.agree();
  }
  SECTION("void_if_full: a void that is refused is refunded, and paid back once") {
    modifying_world world(automatic, as(payments::unsettled_refund::void_if_full));
    world.clock.run_for(1s);
    world.plan() = {behaviour::decline};
    CHECK(world.now(world.modification(refund), 1s).answer.status == 201);
    REQUIRE(world.gateways.ledger.size() == 1);
    CHECK(world.gateways.ledger[0].operation == "refund");
    world.agree();
  }
  SECTION("void_if_full: where there is no refund, the refusal is the end") {
    modifying_world world(automatic, [&](payments::connector_profile& made) {
      as(payments::unsettled_refund::void_if_full)(made);
      std::erase(made.operations, operation::refund);
    });
    world.clock.run_for(1s);
    world.plan() = {behaviour::decline};
    CHECK(world.now(world.modification(refund), 1s).answer.status == 201);
    CHECK(world.last().status == modification_status::failed);
    world.agree();
  }
}

TEST_CASE("a connector that a reload removed and brought back", "[modification]") {
  modifying_world world;
  world.clock.run_for(1s);
  world.plan() = std::deque<behaviour>(3, behaviour::drop);
  world.modify(world.modification(refund, 100, "key"));
  world.clock.run_for(7s);
  const auto before = world.config;
  world.config = std::make_shared<configuration>(*before);
  world.config->connectors.clear();
  world.crash();
  world.clock.run_for(1h);
  CHECK(world.last().status == modification_status::pending);
  REQUIRE(world.only().attention);
  CHECK(world.only().attention->reason == "no_proof_available");
  CHECK(world.now(world.modification(refund, 1)).refusal == modification_refusal::not_supported);
  world.config = before;
  world.engine->configure(before);
  world.settle();
  CHECK(world.last().status == modification_status::succeeded);
  CHECK_FALSE(world.only().attention);
  world.agree();
}

TEST_CASE("while no outcome can be written, nothing more is taken on and nobody waits for ever", "[modification]") {
  modifying_world world;
  world.clock.run_for(1s);
  const slot first = world.modify(world.modification(refund, 100, "one"));
  world.clock.run_for(5ms);  // the intent is durable, the gateway is asked
  world.records.full = true;
  world.clock.run_for(1s);
  CHECK_FALSE(*first);
  CHECK(world.now(world.modification(refund, 100, "two")).status == modify_status::unavailable);
  world.clock.run_for(10s);
  REQUIRE(*first);
  CHECK((*first)->answer.status == 202);
  world.records.full = false;
  world.settle();
  CHECK(world.only().amount_refunded == 100);
  world.agree();
}

TEST_CASE("a connector of the other mode is another account, whatever its name", "[modification]") {
  modifying_world world;
  world.clock.run_for(1s);
  payments::connector_profile live = world.config->connectors.front()->profile();
  live.live = true;
  world.config = std::make_shared<configuration>(*world.config);
  world.config->connectors = {std::make_shared<fake_gateway>(live)};
  world.engine->configure(world.config);
  CHECK(world.now(world.modification(refund, 1)).refusal == modification_refusal::not_supported);
  CHECK(world.charge().refunded == 0);
}

TEST_CASE("a drain takes nothing on, and what waits is answered", "[modification]") {
  modifying_world world;
  world.clock.run_for(1s);
  world.plan() = {behaviour::drop};
  const slot waiting = world.modify(world.modification(refund, 100));
  world.clock.run_for(10ms);
  world.engine->drain();
  CHECK(world.now(world.modification(refund, 100), 10ms).status == modify_status::unavailable);
  CHECK(world.engine->unanswered() == 1);
  world.clock.run_for(8s);
  REQUIRE(*waiting);
  CHECK(world.engine->unanswered() == 0);
}
