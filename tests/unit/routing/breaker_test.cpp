// A gateway that fails technically loses its traffic quickly and gets it back.
#include "routing/breaker.hpp"
#include "world.hpp"

using namespace turnout;
using namespace turnout::routing;
using namespace turnout::routing::test;
using payments::outcome;

namespace {

void kill(world& w, std::string_view name) {
  for (int i = 0; i < 8; ++i) w.teach(name, refused());
  REQUIRE(w.seen(name).state == "open");
}

}  // namespace

TEST_CASE("a dead gateway is avoided after a few failures and found again after it recovered") {
  for (std::uint64_t seed : {1u, 2u, 3u, 4u}) {
    INFO("seed " << seed);
    world w(seed);
    bool alpha_dead = false;
    const auto gateway = [&](const std::string& name) {
      if (name == "alpha" && alpha_dead) return refused();
      const double rate = name == "alpha" ? .95 : .80;
      return w.random.uniform() < rate ? approved() : do_not_honor();
    };
    auto warm = w.pay_many(1500, gateway);
    REQUIRE(warm["alpha"] > 600);
    alpha_dead = true;
    auto dead = w.pay_many(600, gateway);  // a minute
    CHECK(dead["alpha"] <= 12);            // three to notice, then single probes
    alpha_dead = false;
    w.pay_many(900, gateway);
    CHECK(w.seen("alpha").state == "closed");
    auto back = w.pay_many(300, gateway);
    CHECK(back["alpha"] > 250);
  }
}

TEST_CASE("an open breaker excludes the connector, says so, and is never explored") {
  world w(4);
  kill(w, "alpha");
  for (int i = 0; i < 500; ++i) {
    const decision made = w.choose();
    CHECK(find(made, "alpha") == nullptr);
    REQUIRE(made.excluded.size() == 1);
    CHECK(made.excluded[0].connector == "alpha");
    CHECK(made.excluded[0].reason == "breaker_open");
  }
}

TEST_CASE("half open lets one probe through at a time") {
  world w(4);
  for (const char* name : {"beta", "gamma"})
    for (int i = 0; i < 50; ++i) w.teach(name, approved());
  kill(w, "alpha");
  w.pass(3s);
  REQUIRE(w.seen("alpha").state == "half_open");
  decision probe = w.choose();
  for (int i = 0; i < 1000 && probe.order.front().connector != "alpha"; ++i) probe = w.choose();
  REQUIRE(probe.order.front().connector == "alpha");
  CHECK(probe.why == choice_reason::explored);
  CHECK(probe.probability == Approx(.10));
  for (int i = 0; i < 300; ++i) {
    const decision other = w.choose();
    CHECK(find(other, "alpha") == nullptr);
    CHECK(other.excluded.at(0).reason == "breaker_half_open");
  }
  SECTION("a failed probe opens it for twice as long") {
    w.answer(probe, refused());
    w.pass(3s);
    CHECK(w.seen("alpha").state == "open");
    w.pass(2s);
    CHECK(w.seen("alpha").state == "half_open");
  }
  SECTION("a probe that succeeds frees the place; three in a row close it") {
    w.answer(probe, approved());
    CHECK(w.seen("alpha").state == "half_open");
    CHECK(find(w.choose(), "alpha") != nullptr);
  }
  SECTION("a probe that a limit of ours stopped frees the place and changes nothing") {
    auto own_limit = refused();
    own_limit.code = "too_many_connections";
    w.answer(probe, own_limit);
    CHECK(w.seen("alpha").state == "half_open");
    CHECK(find(w.choose(), "alpha") != nullptr);
  }
  SECTION("a probe that is never heard of again gives its place up") {
    w.pass(31s);
    CHECK(find(w.choose(), "alpha") != nullptr);
  }
}

TEST_CASE("when every candidate is open the least sick is used") {
  for (policies::strategy strategy : {policies::strategy::adaptive, policies::strategy::priority}) {
    world w(4, {"alpha", "beta"});
    w.route.strategy = strategy;
    for (int i = 0; i < 200; ++i) w.teach("beta", approved());
    kill(w, "alpha");
    for (int i = 0; w.seen("beta").state != "open"; ++i) {
      w.teach("beta", refused());
      REQUIRE(i < 20);
    }
    const bool beta_healthier = w.seen("beta").health > w.seen("alpha").health;
    const decision made = w.choose();
    CHECK(made.why == choice_reason::least_sick);
    REQUIRE(made.order.size() == 2);
    CHECK(made.order.front().connector == (beta_healthier ? "beta" : "alpha"));
    CHECK(made.probability == 1);
    CHECK(made.excluded.empty());
    // Successes there close the breaker without waiting for a probe.
    for (int i = 0; i < 3; ++i) w.answer(w.choose(), approved());
    CHECK(w.seen(made.order.front().connector).state == "closed");
  }
}

TEST_CASE("the pile in flight when a gateway died neither opens it again nor closes it") {
  world w(4, {"alpha"});
  for (int i = 0; i < 50; ++i) w.teach("alpha", approved());
  std::vector<decision> pile;
  for (int i = 0; i < 40; ++i) {
    pile.push_back(w.choose());
    w.gateway_router->on_sent(w.payment, pile.back(), w.now);
  }
  w.pass(100ms);
  for (int i = 0; i < 20; ++i) w.gateway_router->observe(w.payment, pile[i], refused(), w.now);
  REQUIRE(w.seen("alpha").state == "open");
  w.pass(2100ms);
  for (int i = 20; i < 30; ++i) w.gateway_router->observe(w.payment, pile[i], refused(), w.now);
  CHECK(w.seen("alpha").state == "half_open");
  for (int i = 30; i < 40; ++i) w.gateway_router->observe(w.payment, pile[i], approved(), w.now);
  CHECK(w.seen("alpha").state == "half_open");
}

TEST_CASE("open times grow up to a minute and start over after a calm minute") {
  breaker b;
  payments::steady_time now{1h};
  const auto fail = [&](int times) {
    for (int i = 0; i < times; ++i) b.observe(99, true, .9, now, now);
  };
  fail(3);
  REQUIRE(b.state(now) == breaker_state::open);
  for (auto expected : {2s, 4s, 8s, 16s, 32s, 60s, 60s}) {
    CHECK(b.opens_until() - now == expected);
    now = b.opens_until();
    REQUIRE(b.state(now) == breaker_state::half_open);
    fail(1);
    REQUIRE(b.state(now) == breaker_state::open);
  }
  now = b.opens_until();
  for (int i = 0; i < 3; ++i) b.observe(99, false, .1, now, now);
  REQUIRE(b.state(now) == breaker_state::closed);
  now += 61s;
  fail(3);
  CHECK(b.opens_until() - now == 2s);
}

TEST_CASE("single failures among many successes do not open it") {
  world w(6, {"alpha"});
  for (int i = 0; i < 2000; ++i) {
    w.teach("alpha", i % 100 == 0 ? refused() : approved());
    w.pass(100ms);
    REQUIRE(w.seen("alpha").state == "closed");
  }
  CHECK(w.seen("alpha").health > .95);
}
