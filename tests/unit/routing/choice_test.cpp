// Who is placed first, with which probability, and why.
#include <cmath>

#include "world.hpp"

using namespace turnout;
using namespace turnout::routing;
using namespace turnout::routing::test;
using payments::decline_reason;
using payments::outcome;

namespace {

double sum_of_probabilities(const decision& made) {
  double sum = 0;
  for (const ranked& each : made.order) sum += each.probability;
  return sum;
}

void differ(world& w) {
  for (int i = 0; i < 300; ++i) {
    w.teach("alpha", i % 20 ? approved() : do_not_honor());
    w.teach("beta", i % 10 ? approved() : do_not_honor());
    w.teach("gamma", i % 4 ? approved() : do_not_honor());
  }
}

}  // namespace

TEST_CASE("probabilities sum to one and are those of the draw") {
  const std::uint64_t seed = 77;
  world w(seed);
  differ(w);
  std::map<std::string, int> drawn;
  std::map<std::string, double> stated;
  constexpr int draws = 40'000;
  for (int i = 0; i < draws; ++i) {
    const decision made = w.choose();
    REQUIRE(sum_of_probabilities(made) == Approx(1));
    REQUIRE(made.probability == made.order.front().probability);
    ++drawn[made.order.front().connector];
    if (i == 0)
      for (const ranked& each : made.order) stated[each.connector] = each.probability;
  }
  for (const auto& [name, probability] : stated) {
    INFO(name << " " << probability);
    const double deviation = std::sqrt(probability * (1 - probability) / draws);
    CHECK(std::abs(drawn[name] / double{draws} - probability) < 4.5 * deviation);
  }
  CHECK(stated["alpha"] == Approx(.96));
  CHECK(stated["beta"] > stated["gamma"]);
}

TEST_CASE("why tells an explored choice from the best") {
  world w(78);
  differ(w);
  for (int i = 0; i < 1000; ++i) {
    const decision made = w.choose();
    const bool best = made.order.front().connector == "alpha";
    REQUIRE(made.why == (best ? choice_reason::best_score : choice_reason::explored));
    if (!best) {
      REQUIRE(made.probability < .04);
      REQUIRE(made.order.at(1).connector == "alpha");  // then the best
    }
  }
}

TEST_CASE("equal gateways share the traffic evenly") {
  world w(79);
  const decision made = w.choose();
  for (const ranked& each : made.order) CHECK(each.probability == Approx(1.0 / 3));
}

TEST_CASE("the same seed and the same calls give the same choices") {
  const auto run = [](std::uint64_t seed) {
    world w(seed);
    std::string story;
    for (int i = 0; i < 500; ++i)
      story += w.pay([&](const std::string&) { return w.random.uniform() < .8 ? approved() : refused(); }) + ' ';
    return story;
  };
  CHECK(run(42) == run(42));
  CHECK(run(42) != run(43));
}

TEST_CASE("retries are greedy and never choose a tried connector") {
  world w(80);
  differ(w);
  for (int i = 0; i < 300; ++i) {
    const decision made = w.choose({{"alpha", outcome::not_sent, decline_reason::none}});
    REQUIRE(made.order.size() == 2);
    REQUIRE(made.order[0].connector == "beta");
    REQUIRE(made.why == choice_reason::retry);
    REQUIRE(made.probability == 1);
    REQUIRE(made.order[1].probability == 0);
    REQUIRE(made.excluded.size() == 1);
    REQUIRE(made.excluded[0].reason == "already_tried");
  }
  const outcome ended = outcome::not_sent;
  const decision none = w.choose({{"alpha", ended, {}}, {"beta", ended, {}}, {"gamma", ended, {}}});
  CHECK(none.order.empty());
  CHECK(none.excluded.size() == 3);
}

TEST_CASE("no candidates, one candidate, one candidate twice") {
  world w(81);
  w.candidates.clear();
  CHECK(w.choose().order.empty());
  w.candidates.push_back({"alpha", eur(2000), 0});
  CHECK(w.choose().why == choice_reason::only_candidate);
  w.candidates.push_back({"alpha", eur(2000), 0});
  CHECK(w.choose().order.size() == 1);
}

TEST_CASE("priority keeps the policy's order without exploring, and vetoes the sick") {
  world w(82);
  w.route.strategy = policies::strategy::priority;
  w.route.connectors = {"gamma", "alpha", "beta"};
  differ(w);
  for (int i = 0; i < 200; ++i) {
    const decision made = w.choose();
    REQUIRE(made.why == choice_reason::priority);
    REQUIRE(made.probability == 1);
    REQUIRE(made.order[0].connector == "gamma");
    REQUIRE(made.order[1].connector == "alpha");
    REQUIRE(made.order[2].connector == "beta");
  }
  for (int i = 0; i < 8; ++i) w.teach("gamma", refused());
  CHECK(w.choose().order.at(0).connector == "alpha");
  CHECK(find(w.choose(), "gamma") == nullptr);
  w.pass(3s);  // a probe is due, at its place in the order
  const decision probe = w.choose();
  CHECK(probe.order.at(0).connector == "gamma");
  CHECK(w.choose().order.at(0).connector == "alpha");
  for (int i = 0; i < 3; ++i) w.answer(i == 0 ? probe : w.choose(), approved());
  CHECK(w.seen("gamma").state == "closed");
  CHECK(w.choose().order.at(0).connector == "gamma");
  const decision retry = w.choose({{"gamma", outcome::soft_decline, decline_reason::do_not_honor}});
  CHECK(retry.order.at(0).connector == "alpha");
  CHECK(retry.why == choice_reason::retry);
}

TEST_CASE("fees, slowness and unknowns cost what the policy says") {
  world w(83, {"alpha", "beta"});
  SECTION("the cheaper of two alike is best") {
    w.candidates[0].cost = .03;
    w.candidates[1].cost = .01;
    const decision made = w.choose();
    CHECK(find(made, "beta")->probability == Approx(.96));
    CHECK(find(made, "beta")->score - find(made, "alpha")->score == Approx(.02 / .20));
    CHECK(find(made, "alpha")->cost == Approx(.03));
  }
  SECTION("the faster of two alike is best when time has a price") {
    for (int i = 0; i < 50; ++i) {
      w.teach("alpha", result_of(outcome::approved, decline_reason::none, 100));
      w.teach("beta", result_of(outcome::approved, decline_reason::none, 2000));
    }
    CHECK(find(w.choose(), "alpha")->probability == Approx(.5));
    w.route.objective.latency_price_per_s = eur(50);
    CHECK(find(w.choose(), "alpha")->probability == Approx(.96));
    w.route.objective.latency_price_per_s = payments::money{50, *payments::currency::find("USD")};
    CHECK(find(w.choose(), "alpha")->probability == Approx(.5));  // no rate, no price
  }
  SECTION("a gateway that leaves payments unknown is dearer than one that refuses") {
    const auto fail_sometimes = [&](const char* name, outcome ended) {
      for (int i = 0; i < 200; ++i) w.teach(name, i % 20 ? approved() : result_of(ended));
    };
    fail_sometimes("alpha", outcome::unknown);
    fail_sometimes("beta", outcome::not_sent);
    const decision before = w.choose();
    w.route.objective.unknown_cost = eur(5000);
    const decision priced = w.choose();
    const auto loss = [&](const char* name) { return find(before, name)->score - find(priced, name)->score; };
    CHECK(loss("alpha") > loss("beta") + .01);
  }
}

TEST_CASE("the segment is readable") {
  world w(84);
  CHECK(w.choose().segment == "card/visa/424242/EUR/10-100");
  w.payment.country = "DE";
  w.payment.bin = "";
  w.payment.amount = {1'000'000, *payments::currency::find("JPY")};
  CHECK(w.choose().segment == "card/visa/-/JPY/10000+/DE");
  w.payment.amount = {9'999, *payments::currency::find("KWD")};
  CHECK(w.choose().segment == "card/visa/-/KWD/0-10/DE");
}

TEST_CASE("random histories never break a score") {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    INFO("seed " << seed);
    world w(seed, {"a", "b", "c", "d"});
    std::vector<decision> open;
    const auto draw = [&](std::uint64_t below) { return w.random.next() % below; };
    const char* bins[] = {"", "424242", "555555", "400000"};
    for (int step = 0; step < 400; ++step) {
      w.payment.bin = bins[draw(4)];
      w.payment.amount = eur(static_cast<std::int64_t>(draw(4) == 0 ? 1 : draw(payments::max_amount_minor)));
      w.route.strategy = draw(4) ? policies::strategy::adaptive : policies::strategy::priority;
      w.route.objective.margin = w.random.uniform();
      w.route.objective.latency_price_per_s = eur(static_cast<std::int64_t>(draw(100)));
      w.route.objective.unknown_cost = eur(static_cast<std::int64_t>(draw(10'000)));
      for (candidate& each : w.candidates) each.cost = draw(50) ? w.random.uniform() * .1 : std::nan("");
      std::vector<tried> attempts;
      if (draw(3) == 0) attempts.push_back({"a", outcome::soft_decline, decline_reason::do_not_honor});

      const decision made = w.choose(attempts);
      REQUIRE_FALSE(made.order.empty());
      REQUIRE(sum_of_probabilities(made) == Approx(1));
      for (const ranked& each : made.order) {
        for (double value : {each.score, each.approval, each.health, each.probability, each.cost}) {
          REQUIRE(value >= 0);
          REQUIRE(value <= 1 + 1e-12);
        }
        REQUIRE(std::isfinite(each.latency_ms));
        REQUIRE(each.latency_ms > 0);
        if (!attempts.empty()) REQUIRE(each.connector != "a");
      }
      open.push_back(made);
      if (draw(2)) w.gateway_router->on_sent(w.payment, made, w.now);
      while (!open.empty() && draw(3)) {
        const decision& old = open[draw(open.size())];
        const auto ended = static_cast<outcome>(draw(payments::outcome_count));
        const auto reason = static_cast<decline_reason>(draw(payments::decline_table().size() + 1));
        w.gateway_router->observe(w.payment, old, result_of(ended, reason, static_cast<int>(draw(20'000))), w.now);
      }
      // Mostly forwards; sometimes results carry a clock that lags.
      w.pass(std::chrono::milliseconds(draw(20) ? draw(5'000) : draw(100'000'000)));
      if (draw(50) == 0) w.now.steady -= 10s;
    }
    for (const connector_view& view : w.gateway_router->view(w.now)) {
      REQUIRE(view.score >= 0);
      REQUIRE(view.score <= 1);
      REQUIRE(std::isfinite(view.latency_ms));
    }
  }
}
