// Leave to send, over all engines: never more than the rate, those first whose
// merchant waits, then the oldest; a silent gateway is asked by one at a time.
#include "proxy/core/gateway_pacing.hpp"

#include <catch2/catch.hpp>

using namespace turnout::core;
using namespace turnout;
using namespace std::chrono_literals;
using payments::steady_time;
using payments::wall_time;

namespace {

struct pacing_world {
  gateway_pacing pacing;
  steady_time now{1h};

  auto ask(std::chrono::seconds since, bool urgent = false, std::size_t engine = 0, double per_second = 4) {
    return pacing.ask({"alpha", per_second, engine, urgent, wall_time(since)}, now);
  }
  bool fails() { return pacing.observe("alpha", false, now, now); }
  bool answers() { return pacing.observe("alpha", true, now, now); }
  void falls_silent() {
    for (int i = 0; i < gateway_pacing::silent_after; ++i) fails();
  }
};

}  // namespace

TEST_CASE("a burst, then the rate, then the line", "[pacing]") {
  pacing_world world;
  // A quarter of a second's worth, and at least one.
  CHECK_FALSE(world.ask(1s));
  const auto later = world.ask(3s), oldest = world.ask(2s), merchant = world.ask(9s, true);
  REQUIRE(later);
  REQUIRE(oldest);
  REQUIRE(merchant);
  CHECK(world.pacing.collect(0, world.now).empty());
  CHECK(world.pacing.next_grant(0, world.now) == world.now + 250ms);
  CHECK(world.pacing.next_grant(1, world.now) == steady_time::max());
  world.now += 250ms;
  CHECK(world.pacing.collect(0, world.now) == std::vector{*merchant});
  world.now += 250ms;
  CHECK(world.pacing.collect(0, world.now) == std::vector{*oldest});
  // Whoever comes now does not overtake.
  const auto last = world.ask(4s);
  REQUIRE(last);
  world.now += 250ms;
  CHECK(world.pacing.collect(0, world.now) == std::vector{*later});
  world.pacing.give_up("alpha", *last);
  CHECK(world.pacing.next_grant(0, world.now) == steady_time::max());
}

TEST_CASE("the rate holds over all engines, and nobody waits for a busy one", "[pacing]") {
  pacing_world world;
  std::size_t granted = 0;
  for (int i = 0; i < 1000; ++i) granted += world.ask(1s + i * 1s, false, i % 4, 100) ? 0 : 1;
  CHECK(granted == 25);
  // Engine 3 does not look for five seconds: what it is due does not stop the others.
  std::vector<std::size_t> count(4);
  for (int step = 0; step < 500; ++step) {
    world.now += 10ms;
    for (std::size_t engine = 0; engine < 3; ++engine) count[engine] += world.pacing.collect(engine, world.now).size();
  }
  count[3] = world.pacing.collect(3, world.now).size();
  for (const std::size_t each : count) CHECK(each == 125);
}

TEST_CASE("an idle hour is not saved up", "[pacing]") {
  pacing_world world;
  CHECK_FALSE(world.ask(1s, false, 0, 100));
  world.now += 1h;
  std::size_t granted = 0;
  for (int i = 0; i < 100; ++i) granted += world.ask(1s, false, 0, 100) ? 0 : 1;
  CHECK(granted == 25);
}

TEST_CASE("a silent gateway is asked by one at a time, in turn, but by merchants who wait at once", "[pacing]") {
  pacing_world world;
  world.ask(1s, true, 0, 100);
  world.falls_silent();
  CHECK(world.pacing.troubled() == std::vector<std::string>{"alpha"});
  const auto young = world.ask(5s, false, 0, 100), old = world.ask(2s, false, 0, 100);
  REQUIRE(young);
  REQUIRE(old);
  CHECK_FALSE(world.ask(9s, true, 0, 100));
  CHECK(world.pacing.next_grant(0, world.now) == world.now + gateway_pacing::probe_interval);
  CHECK_FALSE(world.pacing.probe_due("alpha", world.now + 1h));  // those in line will
  world.now += gateway_pacing::probe_interval;
  CHECK(world.pacing.collect(0, world.now) == std::vector{*young});
  CHECK(world.pacing.collect(0, world.now).empty());
  world.fails();
  world.now += gateway_pacing::probe_interval;
  CHECK(world.pacing.collect(0, world.now) == std::vector{*old});
  CHECK_FALSE(world.pacing.probe_due("alpha", world.now));
  world.now += gateway_pacing::probe_interval;
  CHECK(world.pacing.probe_due("alpha", world.now));
  CHECK_FALSE(world.ask(5s, false, 0, 100));
  CHECK_FALSE(world.pacing.probe_due("alpha", world.now));
}

TEST_CASE("a definite answer opens the gate, and is told once", "[pacing]") {
  pacing_world world;
  world.ask(1s, false, 0, 100);
  CHECK_FALSE(world.answers());  // nothing was wrong
  world.falls_silent();
  const auto waiting = world.ask(5s, false, 1, 100);
  REQUIRE(waiting);
  CHECK(world.pacing.views().front().silent);
  CHECK(world.pacing.views().front().waiting == 1);
  world.now += 1s;
  const steady_time before = world.now - 1ms;
  CHECK(world.answers());
  CHECK_FALSE(world.answers());
  CHECK(world.pacing.collect(1, world.now) == std::vector{*waiting});
  // What was sent before and fails only now says nothing about now.
  for (int i = 0; i < 5; ++i) CHECK_FALSE(world.pacing.observe("alpha", false, before, world.now));
  CHECK(world.pacing.troubled().empty());
  // One that flickers wakes everybody now and then only, and does not forget to.
  world.now += 1ms;
  world.fails();
  CHECK_FALSE(world.answers());
  CHECK_FALSE(world.answers());
  world.now += gateway_pacing::hiccup_pause;
  CHECK(world.answers());
  CHECK_FALSE(world.answers());
}

TEST_CASE("an engine that is gone does not hold up the others", "[pacing]") {
  pacing_world world;
  CHECK_FALSE(world.ask(1s));
  for (int i = 0; i < 100; ++i) REQUIRE(world.ask(2s, true, 7));
  const auto other = world.ask(3s, false, 1);
  world.pacing.forget(7);
  world.now += 250ms;
  CHECK(world.pacing.collect(1, world.now) == std::vector{*other});
}
