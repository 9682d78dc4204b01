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
  // Each draw has probabilities of its own: what exploration may cost is saved up and spent.
  std::map<std::string, double> stated, expected, variance;
  constexpr int draws = 40'000;
  for (int i = 0; i < draws; ++i) {
    const decision made = w.choose();
    REQUIRE(sum_of_probabilities(made) == Approx(1));
    REQUIRE(made.probability == made.order.front().probability);
    ++drawn[std::string(made.order.front().connector)];
    for (const ranked& each : made.order) {
      const std::string name(each.connector);
      if (i == 0) stated[name] = each.probability;
      expected[name] += each.probability;
      variance[name] += each.probability * (1 - each.probability);
    }
  }
  for (const auto& [name, count] : expected) {
    INFO(name << " " << count);
    CHECK(std::abs(drawn[name] - count) <= 4.5 * std::sqrt(variance[name]));
  }
  CHECK(stated["alpha"] > .8);
  CHECK(stated["beta"] > 0);
  CHECK(stated["beta"] > stated["gamma"]);
}

TEST_CASE("why tells an explored choice from the best") {
  world w(78);
  differ(w);
  int explored = 0;
  for (int i = 0; i < 4000; ++i) {
    const decision made = w.choose();
    const bool best = made.order.front().connector == "alpha";
    REQUIRE(made.why == (best ? choice_reason::best_score : choice_reason::explored));
    if (best) continue;
    ++explored;
    REQUIRE(made.probability < .2);
    REQUIRE(made.order.at(1).connector == "alpha");  // then the best
  }
  CHECK(explored > 0);
}

TEST_CASE("equal gateways share the traffic evenly") {
  world w(79);
  const decision made = w.choose();
  for (const ranked& each : made.order) CHECK(each.probability == Approx(1.0 / 3));
}

TEST_CASE("what exploration may cost is bounded however many gateways there are") {
  for (std::size_t count : {2u, 10u, 50u}) {
    INFO(count << " gateways");
    std::vector<std::string> names;
    for (std::size_t i = 0; i < count; ++i) names.push_back("gateway" + std::to_string(i));
    world w(80 + count, {names.begin(), names.end()});
    constexpr int payments = 4000;
    double loss = 0;
    for (int i = 0; i < payments; ++i) {
      const decision made = w.choose();
      double best = 0;
      for (const ranked& each : made.order) best = std::max(best, each.score);
      for (const ranked& each : made.order) loss += each.probability * (best - each.score);
      const bool good = made.order.front().connector == names.front();
      w.answer(made, w.random.uniform() < (good ? .97 : .85) ? approved() : do_not_honor());
      w.pass(100ms);
    }
    CHECK(loss < 20 + .0005 * payments);  // the credit to start with, and the allowance
  }
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
  const decision without = w.choose();
  CHECK(without.order.at(0).connector == "alpha");
  CHECK(without.order.at(2).connector == "gamma");
  const decision retry = w.choose({{"gamma", outcome::soft_decline, decline_reason::do_not_honor}});
  CHECK(retry.order.at(0).connector == "alpha");
  CHECK(retry.why == choice_reason::retry);
  w.pay_many(3000, [](const std::string&) { return approved(); });  // it is back, and found by a probe
  CHECK(w.seen("gamma").state == "closed");
  CHECK(w.choose().order.at(0).connector == "gamma");
}

TEST_CASE("weighted draws by the policy's weights among those that work") {
  world w(85);
  w.route.strategy = policies::strategy::weighted;
  w.route.connectors = {"alpha", "beta", "gamma"};
  w.route.weights = {60, 30, 10};
  const decision made = w.choose();
  CHECK(made.why == choice_reason::weighted);
  CHECK(find(made, "alpha")->probability == Approx(.6));
  CHECK(find(made, "beta")->probability == Approx(.3));
  CHECK(find(made, "gamma")->probability == Approx(.1));
  for (int i = 0; i < 8; ++i) w.teach("alpha", refused());
  const decision without = w.choose();
  CHECK(find(without, "alpha")->probability == 0);
  CHECK(find(without, "beta")->probability == Approx(.75));
  CHECK(w.choose({{"beta", outcome::not_sent, {}}}).order.front().connector == "gamma");
}

TEST_CASE("least_cost takes the cheapest that works, and of equals the best") {
  world w(86);
  w.route.strategy = policies::strategy::least_cost;
  w.candidates[0].cost = .02;
  w.candidates[1].cost = .01;
  w.candidates[2].attempt_cost = .01;
  differ(w);
  const decision made = w.choose();
  CHECK(made.why == choice_reason::least_cost);
  CHECK(made.probability == 1);
  CHECK(made.order.at(0).connector == "beta");
  CHECK(made.order.at(1).connector == "gamma");
  for (int i = 0; i < 8; ++i) w.teach("beta", refused());
  CHECK(w.choose().order.at(0).connector == "gamma");
  CHECK(w.choose({{"gamma", outcome::not_sent, {}}}).order.at(0).connector == "alpha");
}

TEST_CASE("fees, slowness and unknowns cost what the policy says") {
  world w(83, {"alpha", "beta"});
  w.payment.attempts_left = 1;
  SECTION("the cheaper of two alike is best") {
    w.candidates[0].cost = .03;
    w.candidates[1].cost = .01;
    const decision made = w.choose();
    CHECK(find(made, "beta")->probability > .5);
    const ranked& alpha = *find(made, "alpha");
    CHECK(find(made, "beta")->score - alpha.score == Approx(.02 / .20 * alpha.approval * alpha.health));
    CHECK(alpha.cost == Approx(.03));
    w.candidates[1].attempt_cost = .02;
    CHECK(find(w.choose(), "alpha")->score > find(w.choose(), "beta")->score);  // paid for declines, too
  }
  SECTION("the faster of two alike is best when time has a price") {
    for (int i = 0; i < 200; ++i) {
      w.teach("alpha", result_of(outcome::approved, decline_reason::none, 100));
      w.teach("beta", result_of(outcome::approved, decline_reason::none, 2000));
      w.pass(100ms);
    }
    const auto lead = [&] {
      const decision made = w.choose();
      return find(made, "alpha")->score - find(made, "beta")->score;
    };
    CHECK(lead() == Approx(0).margin(.001));
    w.route.objective.latency_price_per_s = eur(10);
    CHECK(lead() == Approx(.005 * 1.9 / .20).epsilon(.05));
    w.route.objective.latency_price_per_s = payments::money{50, *payments::currency::find("USD")};
    CHECK(lead() == Approx(0).margin(.001));  // no rate, no price
  }
  SECTION("a gateway that leaves payments unknown is dearer than one that refuses") {
    const auto fail_sometimes = [&](const char* name, outcome ended) {
      for (int i = 0; i < 600; ++i) w.teach(name, i % 20 ? approved() : result_of(ended));
    };
    fail_sometimes("alpha", outcome::unknown);
    fail_sometimes("beta", outcome::not_sent);
    const auto lead = [&] {
      const decision made = w.choose();
      return find(made, "beta")->score - find(made, "alpha")->score;
    };
    const double alike = lead();
    w.payment.attempts_left = 2;  // what is refused goes on elsewhere, what is unknown does not
    CHECK(lead() > alike + .02);
    w.route.objective.unknown_cost = eur(1000);
    CHECK(lead() > alike + .06);
  }
}

TEST_CASE("the segment is readable") {
  world w(84);
  CHECK(describe_segment(w.payment) == "card/visa/424242/EUR/10-100");
  w.payment.country = "DE";
  w.payment.bin = "";
  w.payment.amount = {1'000'000, *payments::currency::find("JPY")};
  CHECK(describe_segment(w.payment) == "card/visa/-/JPY/10000+/DE");
  w.payment.amount = {9'999, *payments::currency::find("KWD")};
  CHECK(describe_segment(w.payment) == "card/visa/-/KWD/0-10/DE");
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
      w.route.strategy = static_cast<policies::strategy>(draw(4));
      w.route.connectors = {"a", "b"};
      w.route.weights = {draw(2) ? 1.0 : 0.0, w.random.uniform()};
      w.payment.attempts_left = static_cast<int>(draw(4));
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
        for (double value : {each.score, each.approval, each.approval_deviation, each.health, each.unknown,
                             each.probability, each.cost}) {
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
