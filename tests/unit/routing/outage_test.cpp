// A gateway that fails technically loses its traffic quickly and gets it back.
#include "world.hpp"

using namespace turnout;
using namespace turnout::routing;
using namespace turnout::routing::test;
using payments::outcome;

namespace {

constexpr auto fine = [](const std::string&) { return approved(); };

payments::send_result timed_out() {
  auto result = result_of(outcome::unknown, payments::decline_reason::none, 5000);
  result.code = "response_timeout";
  return result;
}

/// alpha approves 95 %, the others 85 %; alpha answers `sick` while `dead`.
struct story {
  explicit story(std::uint64_t seed) : w(seed) {}
  std::map<std::string, int> pay(int count) {
    return w.pay_many(count, [this](const std::string& name) {
      if (name == "alpha" && dead) return sick;
      return w.random.uniform() < (name == "alpha" ? .95 : .85) ? approved() : do_not_honor();
    });
  }
  world w;
  bool dead = false;
  payments::send_result sick = refused();
};

void kill(world& w, std::string_view name) {
  for (int i = 0; i < 8; ++i) w.teach(name, refused());
  REQUIRE(w.seen(name).state == "open");
}

}  // namespace

TEST_CASE("a dead gateway is avoided after a few failures and found again after it recovered") {
  for (const payments::send_result& sick : {refused(), timed_out()})
    for (std::uint64_t seed : {1u, 2u, 3u, 4u}) {
      INFO("seed " << seed << " " << to_string(sick.result));
      story s(seed);
      s.sick = sick;
      REQUIRE(s.pay(3000)["alpha"] > 2000);
      s.dead = true;
      CHECK(s.pay(600)["alpha"] <= 12);  // a minute: three to notice, then single probes
      s.dead = false;
      s.pay(1200);
      CHECK(s.w.seen("alpha").state == "closed");
      CHECK(s.pay(300)["alpha"] > 200);
    }
}

TEST_CASE("a gateway that loses the payments it fails is asked less often than one that refuses them") {
  std::map<outcome, int> asked;
  for (const payments::send_result& sick : {refused(), timed_out()})
    for (std::uint64_t seed = 1; seed <= 6; ++seed) {
      story s(seed);
      s.sick = sick;
      s.pay(3000);
      s.dead = true;
      s.pay(200);
      asked[sick.result] += s.pay(12'000)["alpha"];
    }
  CHECK(asked[outcome::unknown] > 0);
  CHECK(asked[outcome::unknown] * 1.2 < asked[outcome::not_sent]);
}

TEST_CASE("one payment at a time finds out whether a sick gateway is back") {
  story s(4);
  s.pay(3000);
  kill(s.w, "alpha");
  decision probe = s.w.choose();
  for (int i = 0; i < 5000 && probe.why != choice_reason::probed; ++i) {
    s.w.pass(50ms);
    probe = s.w.choose();
  }
  REQUIRE(probe.why == choice_reason::probed);
  CHECK(probe.order.front().connector == "alpha");
  CHECK(probe.probability == Approx(.25));
  CHECK(s.w.seen("alpha").state == "half_open");
  for (int i = 0; i < 200; ++i) REQUIRE(s.w.choose().why != choice_reason::probed);

  const auto probed_soon = [&] {
    for (int i = 0; i < 200; ++i)
      if (s.w.choose().why == choice_reason::probed) return true;
    return false;
  };
  SECTION("one that fails makes the next one wait") {
    s.w.answer(probe, refused());
    CHECK(s.w.seen("alpha").state == "open");
    CHECK_FALSE(probed_soon());
  }
  SECTION("one that succeeds lets the next one through") {
    s.w.answer(probe, approved());
    CHECK(probed_soon());
  }
  SECTION("one that a limit of ours stopped changes nothing and frees the place") {
    auto own_limit = refused();
    own_limit.code = "too_many_connections";
    s.w.answer(probe, own_limit);
    CHECK(probed_soon());
  }
  SECTION("one that is never heard of gives its place up") {
    s.w.pass(61s);
    CHECK(probed_soon());
  }
}

TEST_CASE("when no candidate works the least sick is used, and it is said") {
  for (policies::strategy strategy : {policies::strategy::adaptive, policies::strategy::priority,
                                      policies::strategy::weighted, policies::strategy::least_cost}) {
    INFO(to_string(strategy));
    world w(4, {"alpha", "beta"});
    w.route.strategy = strategy;
    w.route.connectors = {"alpha", "beta"};
    w.route.weights = {1, 1};
    w.pay_many(200, fine);
    kill(w, "alpha");
    kill(w, "beta");
    w.teach("beta", approved());
    w.teach("beta", refused());
    REQUIRE(w.seen("beta").health > w.seen("alpha").health);
    const decision made = w.choose();
    CHECK(made.why == choice_reason::least_sick);
    REQUIRE(made.order.size() == 2);
    CHECK(made.order.front().connector == "beta");
    CHECK(made.excluded.empty());
    for (int i = 0; i < 5; ++i) {
      w.answer(w.choose(), approved());
      w.pass(1s);
    }
    CHECK(w.seen("beta").state == "closed");
    CHECK(w.choose().order.front().connector == "beta");
  }
}

TEST_CASE("silence is noticed before the first time-out, and an answer after all takes it back") {
  world w(4, {"alpha", "beta"});
  for (int i = 0; i < 500; ++i) {
    w.teach("alpha", approved());
    w.teach("beta", approved());
    w.pass(20ms);
  }
  std::vector<decision> silent;
  const auto send = [&](int count) {
    for (int i = 0; i < count; ++i) {
      silent.push_back(
          w.gateway_router->choose(w.payment, w.route, {{"alpha", w.payment.amount}}, {}, w.now, w.random));
      w.gateway_router->on_sent(w.payment, silent.back(), w.now);
      w.pass(20ms);
    }
  };
  send(5);
  CHECK(w.seen("alpha").health > .9);
  send(25);  // half a second without an answer, where a tenth is usual
  CHECK(w.seen("alpha").health < .5);
  CHECK(w.seen("beta").health > .95);
  CHECK(w.choose().order.front().connector == "beta");
  for (const decision& each : silent)
    w.gateway_router->observe(w.payment, each, result_of(outcome::approved, {}, 600), w.now);
  w.pass(100ms);
  CHECK(w.seen("alpha").health > .95);
}

TEST_CASE("single failures among many successes stop nothing") {
  world w(6, {"alpha"});
  for (int i = 0; i < 2000; ++i) {
    w.teach("alpha", i % 100 == 99 ? refused() : approved());
    w.pass(100ms);
    REQUIRE(w.seen("alpha").state == "closed");
  }
  CHECK(w.seen("alpha").health > .95);
}

TEST_CASE("an issuer that one gateway cannot reach is routed around, and nobody else is") {
  for (const auto& failure :
       {do_not_honor(), result_of(outcome::soft_decline, payments::decline_reason::issuer_unavailable)}) {
    world w(7, {"alpha", "beta"});
    bool broken = false;
    const auto pay = [&](int count, const char* bin) {
      w.payment.bin = bin;
      return w.pay_many(count, [&](const std::string& name) {
        if (broken && name == "alpha" && w.payment.bin == "555555") return failure;
        return w.random.uniform() < (name == "alpha" ? .97 : .87) ? approved() : do_not_honor();
      });
    };
    for (int i = 0; i < 1500; ++i) {
      pay(1, "424242");
      pay(1, "555555");
    }
    broken = true;
    int there = 0, elsewhere = 0;
    for (int i = 0; i < 240; ++i) {
      const bool noticed = i >= 40;
      there += pay(1, "555555")["alpha"] * noticed;
      elsewhere += pay(1, "424242")["alpha"] * noticed;
    }
    CHECK(there < 20);
    CHECK(elsewhere > 150);
    CHECK(w.seen("alpha").state == "closed");
    broken = false;
    w.pass(20min);
    for (int i = 0; i < 200; ++i) {
      pay(1, "424242");
      pay(1, "555555");
    }
    CHECK(pay(100, "555555")["alpha"] > 60);
  }
}
