// What the router learns from results, and what it refuses to learn.
#include "world.hpp"

#include <algorithm>

using namespace turnout;
using namespace turnout::routing;
using namespace turnout::routing::test;
using payments::decline_reason;
using payments::outcome;

TEST_CASE("traffic goes to the gateway that approves more") {
  for (std::uint64_t seed : {1u, 2u, 3u}) {
    INFO("seed " << seed);
    world w(seed);
    const auto gateway = [&](const std::string& name) {
      const double rate = name == "beta" ? .95 : .80;
      return w.random.uniform() < rate ? approved() : do_not_honor();
    };
    w.pay_many(3000, gateway);  // the credit of exploration is spent
    auto chosen = w.pay_many(1000, gateway);
    CHECK(chosen["beta"] > 900);
    CHECK(chosen["alpha"] + chosen["gamma"] > 5);  // still explored
    CHECK(w.seen("beta").approval > w.seen("alpha").approval);
    CHECK(w.seen("beta").share > .8);
  }
}

TEST_CASE("a better gateway for one issuer is found within the segment") {
  world w(11, {"alpha", "beta"});
  // beta is better overall, alpha for issuer 555555.
  const auto pay = [&] {
    const bool special = w.random.uniform() < .3;
    w.payment.bin = special ? "555555" : "424242";
    return w.pay([&](const std::string& name) {
      const double rate = special == (name == "alpha") ? .95 : .70;
      return w.random.uniform() < rate ? approved() : do_not_honor();
    });
  };
  for (int i = 0; i < 12000; ++i) pay();
  w.payment.bin = "555555";
  CHECK(find(w.choose(), "alpha")->score > find(w.choose(), "beta")->score);
  w.payment.bin = "424242";
  CHECK(find(w.choose(), "beta")->score > find(w.choose(), "alpha")->score);
}

TEST_CASE("declines that are the card's or the shopper's do not count against the gateway") {
  for (decline_reason reason :
       {decline_reason::insufficient_funds, decline_reason::limit_exceeded, decline_reason::incorrect_cvc,
        decline_reason::stolen_card, decline_reason::expired_card, decline_reason::authentication_required,
        decline_reason::fraud_suspected}) {
    INFO(to_string(reason));
    world w(5);
    for (int i = 0; i < 100; ++i) w.teach("alpha", approved());
    const connector_view before = w.seen("alpha");
    for (int i = 0; i < 200; ++i) w.teach("alpha", result_of(payments::describe(reason).outcome, reason));
    CHECK(w.seen("alpha").approval == Approx(before.approval));
    CHECK(w.seen("alpha").health >= before.health - 1e-9);
    CHECK(w.seen("alpha").state == "closed");
  }
}

TEST_CASE("a vague decline counts for the approval model and not for health") {
  world w(5);
  for (int i = 0; i < 50; ++i) w.teach("alpha", approved());
  const connector_view before = w.seen("alpha");
  for (int i = 0; i < 100; ++i) w.teach("alpha", do_not_honor());
  CHECK(w.seen("alpha").approval < before.approval - .3);
  CHECK(w.seen("alpha").health >= before.health - 1e-9);
  CHECK(w.seen("alpha").state == "closed");
}

TEST_CASE("technical results count for health and not for the approval model") {
  const auto failing = {refused(), result_of(outcome::unknown),
                        result_of(outcome::soft_decline, decline_reason::processing_error)};
  for (const auto& failure : failing) {
    INFO(to_string(failure.result));
    world w(5);
    for (int i = 0; i < 50; ++i) w.teach("alpha", approved());
    const connector_view before = w.seen("alpha");
    for (int i = 0; i < 5; ++i) w.teach("alpha", failure);
    CHECK(w.seen("alpha").approval == Approx(before.approval));
    CHECK(w.seen("alpha").health < .3);
    CHECK(w.seen("alpha").state == "open");
  }
}

TEST_CASE("a declared connector is seen before its first payment, and declared again changes nothing") {
  world w(5);
  CHECK(w.gateway_router->view(w.now).empty());
  w.gateway_router->declare("alpha");
  w.gateway_router->declare("alpha");
  REQUIRE(w.gateway_router->view(w.now).size() == 1);
  const connector_view fresh = w.seen("alpha");
  CHECK(fresh.state == "closed");
  CHECK(fresh.score > .5);
  CHECK(fresh.score <= 1);
  CHECK(fresh.share == 0);
  for (int i = 0; i < 20; ++i) w.teach("alpha", do_not_honor());
  const double learned = w.seen("alpha").approval;
  w.gateway_router->declare("alpha");
  CHECK(w.seen("alpha").approval == learned);
}

TEST_CASE("what one merchant sends and gateways reject is no outage") {
  world w(5);
  for (int i = 0; i < 50; ++i) w.teach("alpha", approved());
  const connector_view before = w.seen("alpha");
  for (int i = 0; i < 200; ++i) w.teach("alpha", result_of(outcome::rejected, decline_reason::none, 1));
  CHECK(w.seen("alpha").state == "closed");
  CHECK(w.seen("alpha").health >= before.health - 1e-9);
  CHECK(w.seen("alpha").latency_ms == Approx(before.latency_ms));
  CHECK(w.seen("alpha").in_flight == 0);
  CHECK(w.seen("alpha").approval < before.approval - .3);
}

TEST_CASE("a connector whose credentials became wrong loses its traffic") {
  world w(5);
  const auto good = [](const std::string&) { return approved(); };
  auto before = w.pay_many(300, good);
  const auto favourite = std::max_element(before.begin(), before.end(), [](const auto& a, const auto& b) {
                           return a.second < b.second;
                         })->first;
  REQUIRE(before[favourite] > 100);
  const auto wrong = [&](const std::string& name) {
    return name == favourite ? result_of(outcome::rejected) : approved();
  };
  const int first = w.pay_many(100, wrong)[favourite], second = w.pay_many(100, wrong)[favourite];
  CAPTURE(before[favourite], first, second);
  CHECK(first < 25);
  CHECK(second < 10);
}

TEST_CASE("limits of our own say nothing about the gateway") {
  for (const char* code : {"too_many_connections", "deadline_passed"}) {
    world w(5);
    for (int i = 0; i < 50; ++i) w.teach("alpha", approved());
    const connector_view before = w.seen("alpha");
    auto own_limit = refused();
    own_limit.code = code;
    for (int i = 0; i < 50; ++i) w.teach("alpha", own_limit);
    CHECK(w.seen("alpha").health == Approx(before.health));
    CHECK(w.seen("alpha").state == "closed");
    CHECK(w.seen("alpha").in_flight == 0);
  }
}

TEST_CASE("pending and requires_action say neither yes nor no") {
  for (outcome ended : {outcome::pending, outcome::requires_action}) {
    world w(5);
    for (int i = 0; i < 50; ++i) w.teach("alpha", approved());
    const connector_view before = w.seen("alpha");
    for (int i = 0; i < 50; ++i) w.teach("alpha", result_of(ended));
    CHECK(w.seen("alpha").approval == Approx(before.approval));
    CHECK(w.seen("alpha").state == "closed");
    CHECK(w.seen("alpha").in_flight == 0);
  }
}

TEST_CASE("payments that were declined elsewhere before do not make a gateway look bad") {
  const auto approvals_after = [](const std::vector<tried>& before) {
    world w(5, {"alpha", "beta"});
    for (int i = 0; i < 600; ++i)
      for (std::string_view name : {"alpha", "beta"}) w.teach(name, i % 10 ? approved() : do_not_honor());
    for (int i = 0; i < 60; ++i) w.answer(w.choose(before), do_not_honor());
    return w.seen("beta").approval;
  };
  const double declined = approvals_after({{"alpha", outcome::soft_decline, decline_reason::do_not_honor}});
  const double refused = approvals_after({{"alpha", outcome::not_sent, decline_reason::none}});
  CHECK(declined > .8);
  CHECK(refused < declined - .1);  // nobody had judged those: they count in full
}

TEST_CASE("after a decline approvals are expected to be rarer, after a technical failure they are not") {
  world w(5, {"alpha", "beta"});
  for (int i = 0; i < 300; ++i)
    for (std::string_view name : {"alpha", "beta"}) w.teach(name, i % 10 ? approved() : do_not_honor());
  const auto expected = [&](outcome ended, decline_reason reason) {
    return find(w.choose({{"alpha", ended, reason}}), "beta")->approval;
  };
  const double first = find(w.choose(), "beta")->approval;
  CHECK(expected(outcome::not_sent, decline_reason::none) == Approx(first));
  CHECK(expected(outcome::soft_decline, decline_reason::processing_error) == Approx(first));
  const double own_opinion = expected(outcome::soft_decline, decline_reason::gateway_risk);
  const double issuers_word = expected(outcome::soft_decline, decline_reason::do_not_honor);
  CHECK(own_opinion < first - .02);
  CHECK(issuers_word < own_opinion - .1);
  for (int i = 0; i < 200; ++i)
    w.answer(w.choose({{"alpha", outcome::soft_decline, decline_reason::do_not_honor}}), do_not_honor());
  CHECK(expected(outcome::soft_decline, decline_reason::do_not_honor) < issuers_word - .2);  // and learned
}

TEST_CASE("a newcomer starts at the pool's mean, is tried and is not flooded") {
  world w(21, {"alpha", "beta"});
  const auto gateway = [&](const std::string& name) {
    const double rate = name == "alpha" ? .92 : name == "beta" ? .85 : .50;
    return w.random.uniform() < rate ? approved() : do_not_honor();
  };
  w.pay_many(1500, gateway);
  w.candidates.push_back({"newcomer", eur(2000), 0});
  w.choose();
  const double start = w.seen("newcomer").approval;
  CHECK(start < w.seen("alpha").approval);
  CHECK(start > .7);
  auto chosen = w.pay_many(1500, gateway);
  CHECK(chosen["newcomer"] >= 2);
  CHECK(chosen["newcomer"] < 150);
}

TEST_CASE("a newcomer that is better gets the traffic") {
  world w(22, {"alpha", "beta"});
  const auto gateway = [&](const std::string& name) {
    const double rate = name == "alpha" ? .88 : name == "beta" ? .85 : .97;
    return w.random.uniform() < rate ? approved() : do_not_honor();
  };
  w.pay_many(1500, gateway);
  w.candidates.push_back({"newcomer", eur(2000), 0});
  w.pay_many(3000, gateway);
  CHECK(w.pay_many(500, gateway)["newcomer"] > 400);
}

TEST_CASE("old evidence fades in time, not in payments") {
  world w(3);
  for (int i = 0; i < 200; ++i) w.teach("alpha", do_not_honor());
  const double right_after = w.seen("alpha").approval;
  CHECK(right_after < .3);
  w.pass(6h);
  const double next_morning = w.seen("alpha").approval;
  CHECK(next_morning > right_after + .1);
  w.pass(24h * 60);
  CHECK(w.seen("alpha").approval > next_morning + .1);
}

TEST_CASE("latency is learned, and a fast refusal to connect does not look like speed") {
  world w(3);
  for (int i = 0; i < 100; ++i) {
    w.teach("alpha", result_of(outcome::approved, decline_reason::none, 80));
    w.teach("beta", result_of(outcome::approved, decline_reason::none, 900));
    w.pass(1s);
  }
  CHECK(w.seen("alpha").latency_ms == Approx(80).epsilon(.2));
  CHECK(w.seen("beta").latency_ms == Approx(900).epsilon(.2));
  for (int i = 0; i < 100; ++i) w.teach("beta", result_of(outcome::not_sent, decline_reason::none, 1));
  w.pass(1s);
  CHECK(w.seen("beta").latency_ms > 500);
}

TEST_CASE("results that come late, twice or to a stranger are harmless") {
  world w(9);
  for (int i = 0; i < 20; ++i) w.teach("alpha", approved());
  const decision made = w.choose();
  const std::string name(made.order.front().connector);
  w.gateway_router->on_sent(w.payment, made, w.now);
  w.gateway_router->on_sent(w.payment, made, w.now);
  CHECK(w.seen(name).in_flight == 1);
  w.gateway_router->observe(w.payment, made, approved(), w.now);
  const connector_view once = w.seen(name);
  CHECK(once.in_flight == 0);
  for (int i = 0; i < 10; ++i) w.gateway_router->observe(w.payment, made, refused(), w.now);
  w.gateway_router->on_sent(w.payment, made, w.now);
  CHECK(w.seen(name).health == Approx(once.health));
  CHECK(w.seen(name).in_flight == 0);

  decision foreign;
  foreign.id = 987654321;
  w.gateway_router->on_sent(w.payment, foreign, w.now);
  w.gateway_router->observe(w.payment, foreign, refused(), w.now);
  w.gateway_router->observe(w.payment, decision{}, refused(), w.now);
  CHECK(w.seen(name).health == Approx(once.health));
}

TEST_CASE("a result that never comes leaves nothing in flight, and later is forgotten") {
  world w(9, {"alpha"});
  const decision made = w.choose();
  w.gateway_router->on_sent(w.payment, made, w.now);
  w.pass(299s);
  CHECK(w.seen("alpha").in_flight == 1);
  w.pass(2s);
  CHECK(w.seen("alpha").in_flight == 0);
  const double health = w.seen("alpha").health;
  w.gateway_router->observe(w.payment, made, refused(), w.now);
  CHECK(w.seen("alpha").health == Approx(health));
}

TEST_CASE("more decisions than are remembered: the oldest are forgotten, nothing stays in flight") {
  world w(9, {"alpha"});
  std::vector<decision> made;
  for (int i = 0; i < 70'000; ++i) {
    made.push_back(w.choose());
    w.gateway_router->on_sent(w.payment, made.back(), w.now);
  }
  CHECK(w.seen("alpha").in_flight == 65'536);
  for (const decision& each : made) w.gateway_router->observe(w.payment, each, approved(), w.now);
  CHECK(w.seen("alpha").in_flight == 0);
}
