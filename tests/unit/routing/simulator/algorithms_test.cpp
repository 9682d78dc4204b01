#include <cmath>

#include "worlds.hpp"

namespace turnout::routing::simulator::test {

namespace {

/// Share of the first choices of [from, to) seconds that went to the gateway.
double share(const course_run& of, std::size_t gateway, double from_s, double to_s) {
  double all = 0, here = 0;
  for (std::size_t i = 0; i < of.log.payments.size(); ++i) {
    const double at_s = of.arrives.payments[i].at_s;
    if (at_s < from_s || at_s >= to_s) continue;
    ++all;
    here += of.log.payments[i].first == gateway;
  }
  return here / all;
}

}  // namespace

TEST_CASE("nobody does better than the oracle, and everybody that learns beats random") {
  const world made = shipped_world("S6");
  std::vector<const algorithm*> all;
  for (const algorithm& each : algorithms()) all.push_back(&each);
  const comparison found = compare(made, {1, 2}, all, {});
  REQUIRE(found.algorithms.size() == algorithms().size());
  const double random = estimate_of(regrets(found, found.algorithms.front())).mean;
  for (const course_of_algorithm& each : found.algorithms) {
    INFO(each.of->name);
    const double regret = estimate_of(regrets(found, each)).mean;
    CHECK(regret >= -.02);  // the draws may be kind for a hundredth
    const bool learns = each.of->name != "random" && each.of->name != "round_robin" && each.of->name != "best_static";
    if (learns) CHECK(regret < random / 2);
  }
  CHECK(find_algorithm("oracel") == nullptr);
}

TEST_CASE("every algorithm chooses among the candidates that were not tried") {
  const world made = shipped_world("S9");
  const scenario drawn(made, 1);
  const traffic arrives(drawn);
  for (const algorithm& each : algorithms()) {
    INFO(each.name);
    stage on{drawn, arrives, truth(drawn)};
    const auto uses = each.make(on);
    router_random random(1);
    std::vector<candidate> candidates;
    for (const simulated_gateway& gateway : drawn.gateways()) {
      uses->declare(gateway.name);
      candidates.push_back({gateway.name, {1000, *payments::currency::find("EUR")}, 0});
    }
    const request about = drawn.request_of(0, 1000);
    const instant now{payments::steady_time(std::chrono::hours(1)), payments::wall_time(std::chrono::hours(500'000))};
    for (int round = 0; round < 200; ++round) {
      std::vector<tried> attempts;
      while (attempts.size() < candidates.size()) {
        const decision made_now = uses->choose(about, {}, candidates, attempts, now, random);
        REQUIRE_FALSE(made_now.order.empty());
        const std::string_view chosen = made_now.order.front().connector;
        for (const tried& before : attempts) REQUIRE(before.connector != chosen);
        const auto known = std::find_if(candidates.begin(), candidates.end(),
                                        [&](const candidate& one) { return one.connector == chosen; });
        REQUIRE(known != candidates.end());
        uses->on_sent(about, made_now, now);
        const answer given = on.now.ask(static_cast<std::uint64_t>(round), arrives.payments[0],
                                        static_cast<std::size_t>(known - candidates.begin()));
        uses->observe(about, made_now, given.result, now);
        attempts.push_back({known->connector, given.result.result, given.result.reason});
      }
      CHECK(uses->choose(about, {}, candidates, attempts, now, random).order.empty());
    }
  }
}

TEST_CASE("those that learn leave the gateway that gets worse") {
  const world made = plain_world("[{name: a, gap: 2%}, {name: b, gap: 8%}, {name: c, gap: 12%}]",
                                 "retry: {max_attempts: 1}\n"  // what is learned from retries is biased
                                 "events: [{type: outage, gateways: a, starts: 400s, duration: 300s, strength: 95%, "
                                 "slow: 0%}]\n");
  for (const char* name : {"windowed_rate", "d_ucb", "sw_ucb", "cusum_ucb", "d_thompson", "ours"}) {
    INFO(name);
    const course_run run(made, 1, name);
    CHECK(share(run, 0, 200, 400) > .5);
    CHECK(share(run, 0, 500, 700) < .15);
  }
}

TEST_CASE("the windowed rate sends one in twenty elsewhere") {
  const world made = plain_world("[{name: a, gap: 0%}, {name: b, gap: 60%}, {name: c, gap: 60%}]");
  const course_run run(made, 1, "windowed_rate");
  CHECK(share(run, 0, 500, 1000) == Approx(.95).margin(.01));
  CHECK(run.found.calm_explored == Approx(.05).margin(.01));
}

TEST_CASE("outlier ejection puts out a gateway that fails, for a while, and shows it") {
  const world made = plain_world("[{name: a, gap: 5%}, {name: b, gap: 5%}, {name: c, gap: 5%}]",
                                 "events: [{type: outage, gateways: b, starts: 400s, duration: 300s, strength: 100%, "
                                 "slow: 0%}]\n");
  const course_run run(made, 1, "outlier_ejection");
  CHECK(share(run, 1, 0, 400) == Approx(1.0 / 3).margin(.01));
  CHECK(share(run, 1, 401, 429) == 0);
  CHECK(share(run, 1, 430, 445) > 0);   // the first ejection lasts 30 s, and is looked at every 10 s
  CHECK(share(run, 1, 450, 480) == 0);  // the second 60 s
  CHECK(share(run, 1, 900, 1000) > .3);
  CHECK(run.found.false_alarms == 0);
}

TEST_CASE("the best static order is the one that is best over the whole run") {
  const world made = plain_world("[{name: a, gap: 9%}, {name: b, gap: 3%}, {name: c, gap: 12%}]");
  const course_run run(made, 1, "best_static");
  CHECK(share(run, 1, 0, 1000) == 1);
  CHECK(run.found.first_regret == Approx(0).margin(1e-4));
}

TEST_CASE("the oracle keeps a gateway with final timeouts for last") {
  // a: 10 % of its sends end as unknown, nothing else; b: 12 % soft declines.
  // Alone a is better; with a second attempt b first is: 1 − .12·.1 > .9.
  world made = plain_world("[{name: a, gap: 0%}, {name: b, gap: 12%}]",
                           "events: [{type: brown_out, gateways: a, starts: 0s, duration: 1000s, strength: 10%, slow: "
                           "100%}]\nretry: {max_attempts: 2, on: [soft_decline, technical]}\n");
  made.timeouts_are_final = true;
  const scenario drawn(made, 1);
  const traffic arrives(drawn);
  stage on{drawn, arrives, truth(drawn)};
  on.now.advance(1);
  CHECK(on.now.success(0, 0) == Approx(.9).epsilon(.001));
  CHECK(on.now.expect(0, 0).retryable == Approx(0).margin(.001));
  CHECK(on.now.success(0, 1) == Approx(.88));
  const course_run best(made, 1, "oracle");
  CHECK(share(best, 1, 0, 1000) == 1);
  made.timeouts_are_final = false;
  CHECK(share(course_run(made, 1, "oracle"), 0, 0, 1000) == 1);  // now a's failures cost nothing but time
}

TEST_CASE("an estimate's interval is Student's") {
  const estimate four = estimate_of({1, 2, 3, 4});
  CHECK(four.mean == 2.5);
  CHECK(four.half_width == Approx(3.182 * 1.2909944 / 2));
  CHECK(std::isinf(estimate_of({1}).half_width));
}

TEST_CASE("the table names every algorithm once") {
  const world made = plain_world("2", "gateway_declines: {base: 5%, effects: {}}\ntraffic: {tps: 5, duration: 60s}\n");
  const comparison found = compare(made, {1, 2}, {find_algorithm("ours"), find_algorithm("random")}, {});
  REQUIRE(found.algorithms.size() == 3);
  const std::string text = to_text(made, found);
  for (const char* title : {"random", "Turnout", "oracle"}) CHECK(text.find(title) != std::string::npos);
  CHECK(text.find("CUSUM") == std::string::npos);
}

}  // namespace turnout::routing::simulator::test
