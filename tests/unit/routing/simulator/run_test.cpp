#include <cmath>

#include "worlds.hpp"

namespace turnout::routing::simulator::test {

namespace {

/// Records what it is told; sends everything to the gateway that `pick` names.
class scripted_router final : public router {
 public:
  using picker = std::function<std::string(double at_s, std::size_t attempts)>;
  explicit scripted_router(picker pick) : pick_(std::move(pick)) {}
  decision choose(const request&, const policies::route&, const std::vector<candidate>& candidates,
                  const std::vector<tried>& tried, instant now, random_source&) override {
    decision made;
    const std::string wanted = pick_(since_start(now), tried.size());
    for (const candidate& each : candidates)
      if (each.connector == wanted) made.order.emplace_back().connector = each.connector;
    made.id = ++last_id;
    return made;
  }
  void on_sent(const request&, const decision& made, instant now) override { sent_at[made.id] = since_start(now); }
  void observe(const request&, const decision& made, const payments::send_result& result, instant now) override {
    const double waited = since_start(now) - sent_at.at(made.id);
    CHECK(waited >= std::chrono::duration<double>(result.latency).count() - .002);
    CHECK(waited <= std::chrono::duration<double>(result.latency).count() + .002);
    most_in_flight = std::max(most_in_flight, last_id - ++answered);
  }
  void tick(instant now) override {
    if (ticks > 0) CHECK(since_start(now) - last_tick_s == Approx(.1));
    last_tick_s = since_start(now);
    ++ticks;
  }
  void declare(std::string_view connector) override { declared.emplace_back(connector); }
  std::vector<connector_view> view(instant now) const override {
    std::vector<connector_view> seen;
    for (const std::string& name : declared) {
      seen.emplace_back().connector = name;
      seen.back().health = health(name, since_start(now));
      seen.back().state = "closed";
    }
    return seen;
  }
  static double since_start(instant now) {
    return std::chrono::duration<double>(now.steady.time_since_epoch()).count() - 3600;
  }

  std::function<double(const std::string&, double)> health = [](const std::string&, double) { return 1.0; };
  std::uint64_t last_id = 0, answered = 0, most_in_flight = 0, ticks = 0;
  double last_tick_s = 0;
  std::map<std::uint64_t, double> sent_at;
  std::vector<std::string> declared;

 private:
  picker pick_;
};

measures measure_script(const world& of, scripted_router& script) {
  const scenario drawn(of, 1);
  const traffic arrives(drawn);
  stage on{drawn, arrives, truth(drawn)};
  const run_log log = run(on, script);
  return measure(on, log);
}

}  // namespace

TEST_CASE("answers come when their latency has passed, and ticks every 100 ms") {
  const world made = plain_world("[{name: a, gap: 10%}, {name: b, gap: 10%}]");
  scripted_router script([](double, std::size_t attempts) { return attempts == 0 ? "a" : "b"; });
  const measures found = measure_script(made, script);
  CHECK(found.attempts == script.answered);
  CHECK(found.attempts > found.payments);
  CHECK(script.most_in_flight > 5);
  CHECK(script.ticks == Approx(10'000).epsilon(.001));
  CHECK(script.declared == std::vector<std::string>{"a", "b"});
}

TEST_CASE("a router that names nobody loses the payment and nothing else") {
  const world made = plain_world("[{name: a, gap: 0%}]", "traffic: {tps: 10, duration: 100s}\n");
  scripted_router script([](double at_s, std::size_t) { return at_s < 50 ? "nobody" : "a"; });
  const measures found = measure_script(made, script);
  CHECK(found.attempts < found.payments);
  CHECK(found.approved > 0);
  CHECK(found.approved <= found.attempts);
}

TEST_CASE("the same run again has the same result, and a run says nothing about another") {
  const world mixed = shipped_world("S6");
  const course_run one(mixed, 3, "ours"), two(mixed, 3, "ours");
  CHECK(one.found.approved == two.found.approved);
  CHECK(one.found.attempts == two.found.attempts);
  for (std::size_t i = 0; i < one.log.payments.size(); i += 101)
    CHECK(one.log.payments[i].first == two.log.payments[i].first);
}

TEST_CASE("runs are paired: the same payment at the same gateway has the same answer") {
  const world mixed = shipped_world("S2");
  const course_run one(mixed, 2, "random"), two(mixed, 2, "oracle");
  std::size_t same = 0;
  for (std::size_t i = 0; i < one.log.payments.size(); ++i) {
    if (one.log.payments[i].first != two.log.payments[i].first) continue;
    ++same;
    REQUIRE(one.log.payments[i].approved_first == two.log.payments[i].approved_first);
    REQUIRE(one.log.payments[i].technical == two.log.payments[i].technical);
  }
  CHECK(same > 10'000);
}

TEST_CASE("random's regret is what the formula says") {
  // Declines of 10, 20 and 40 %, all soft, two attempts: the oracle fails with
  // .1·.2, random with the mean over the three pairs, (.02 + .04 + .08) / 3.
  const world made = plain_world("[{name: a, gap: 10%}, {name: b, gap: 20%}, {name: c, gap: 40%}]",
                                 "retry: {max_attempts: 2, deadline: 60s, on: [soft_decline]}\n");
  const double passes = 1 - 1 / (1 + std::exp(2.0));
  std::vector<double> after, first;
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    const course_run random(made, seed, "random"), best(made, seed, "oracle");
    after.push_back(100 * (best.approved_share() - random.approved_share()));
    first.push_back(random.found.first_regret);
    CHECK(best.found.first_regret == 0);
    CHECK(best.approved_share() == Approx(passes * .98).epsilon(.005));
  }
  CHECK(estimate_of(after).mean == Approx(100 * passes * (.14 / 3 - .02)).epsilon(.03));
  CHECK(estimate_of(first).mean == Approx(100 * passes * (.7 / 3 - .1)).epsilon(.01));
}

TEST_CASE("a hard decline and a final timeout end the payment") {
  const std::string gateways = "[{name: a, gap: 50%}, {name: b, gap: 50%}]";
  const course_run soft(plain_world(gateways, "retry: {on: [soft_decline]}\n"), 1, "round_robin");
  const course_run hard(
      plain_world(gateways, "intrinsic_declines: {bias: -20}\ngateway_declines: {reasons: {do_not_retry: 100%}}\n"), 1,
      "round_robin");
  CHECK(hard.found.attempts == hard.found.payments);
  CHECK(hard.found.approved == hard.found.approved_first);
  CHECK(soft.found.attempts > soft.found.payments * 4 / 3);
  CHECK(soft.found.approved > soft.found.approved_first);
}

TEST_CASE("no attempt begins when the time is over, and none where there is no other gateway") {
  // Every answer takes about as long as half the deadline: only one fits.
  const course_run late(plain_world("[{name: a, gap: 50%}, {name: b, gap: 50%}]",
                                    "latency: {median: 6s, spread: 1, sigma: 0.01, timeout: 60s}\n"
                                    "retry: {max_attempts: 2, deadline: 10s, on: [soft_decline]}\nretry_share: 50%\n"),
                        1, "random");
  CHECK(late.found.attempts == late.found.payments);
  const course_run alone(plain_world("[{name: a, gap: 50%}]", "retry: {max_attempts: 3, on: [soft_decline]}\n"), 1,
                         "random");
  CHECK(alone.found.attempts == alone.found.payments);
}

TEST_CASE("gateways appear and disappear") {
  const world made = plain_world(
      "[{name: a, gap: 10%}, {name: late, gap: 0%, appears: 400s}, "
      "{name: gone, gap: 5%, disappears: 600s}]");
  const course_run best(made, 1, "oracle");
  for (std::size_t i = 0; i < best.log.payments.size(); i += 7) {
    const double at_s = best.arrives.payments[i].at_s;
    const std::size_t first = best.log.payments[i].first;
    if (at_s < 400) CHECK(first == 2);
    if (at_s > 400.2) CHECK(first == 1);
    CHECK(best.log.payments[i].first_regret == Approx(0).margin(.1));
  }
}

TEST_CASE("what an outage costs until the traffic has left, and until it is back") {
  // Everything goes to a; from 5 s after its outage begins to b, back 20 s after its end.
  const world made = plain_world("[{name: a, gap: 0%}, {name: b, gap: 10%}]",
                                 "events: [{type: outage, gateways: a, starts: 300s, duration: 100s, strength: 100%, "
                                 "slow: 0%}]\n");
  const auto leaves = [](double at_s, std::size_t attempts) {
    const bool away = at_s >= 305 && at_s < 420;
    return (attempts == 0) != away ? "a" : "b";
  };
  scripted_router script(leaves);
  const measures found = measure_script(made, script);
  REQUIRE(found.outages.size() == 1);
  const outage_course& seen = found.outages.front();
  CHECK(seen.share_before == 1);
  CHECK(seen.left_s == Approx(5).margin(.1));
  CHECK(static_cast<double>(seen.lost) == Approx(500).epsilon(.1));
  CHECK(seen.lost_later <= 1);
  CHECK(seen.back);
  CHECK(seen.back_s == Approx(20).margin(.2));
  const auto share = [](const timeline& of, int second) {
    const auto place = static_cast<std::size_t>(second - timeline::from_s);
    return of.here.at(place) / double(of.all.at(place));
  };
  CHECK(share(seen.around_begin, 4) == 1);
  CHECK(share(seen.around_begin, 5) == 0);
  CHECK(share(seen.around_end, 19) == 0);
  CHECK(share(seen.around_end, 20) == 1);

  // Of what is sent to a weak gateway some is approved, which is not lost.
  const world weak = plain_world("[{name: a, gap: 0%}, {name: b, gap: 10%}]",
                                 "events: [{type: outage, gateways: a, starts: 300s, duration: 100s, strength: 80%, "
                                 "slow: 0%}]\n");
  scripted_router same(leaves);
  CHECK(static_cast<double>(measure_script(weak, same).outages.at(0).lost) == Approx(400).epsilon(.1));

  scripted_router stubborn([](double, std::size_t attempts) { return attempts == 0 ? "a" : "b"; });
  const measures never_left = measure_script(made, stubborn);
  CHECK(never_left.outages.at(0).left_s == Approx(100));
  CHECK(static_cast<double>(never_left.outages.at(0).lost) == Approx(10'000).epsilon(.05));

  scripted_router shy([](double at_s, std::size_t attempts) { return (attempts == 0) != (at_s >= 305) ? "a" : "b"; });
  const measures never_back = measure_script(made, shy);
  CHECK_FALSE(never_back.outages.at(0).back);
  CHECK(never_back.outages.at(0).back_s == Approx(600));
}

TEST_CASE("an outage counts for who had traffic there, and when nothing else happens to the gateway") {
  const std::string outage = "{type: outage, gateways: a, starts: 300s, duration: 100s, strength: 100%}";
  const world alone = plain_world("[{name: a, gap: 0%}, {name: b, gap: 10%}]", "events: [" + outage + "]\n");
  int number = 0;
  scripted_router rare(
      [&](double, std::size_t attempts) { return (attempts == 0) == (++number % 20 == 0) ? "a" : "b"; });
  CHECK(measure_script(alone, rare).outages.empty());

  scripted_router always([](double, std::size_t attempts) { return attempts == 0 ? "a" : "b"; });
  CHECK(measure_script(alone, always).outages.size() == 1);
  const world twice = plain_world(
      "[{name: a, gap: 0%}, {name: b, gap: 10%}]",
      "events:\n  - " + outage + "\n  - {type: brown_out, gateways: a, starts: 350s, duration: 200s, strength: 20%}\n");
  scripted_router again([](double, std::size_t attempts) { return attempts == 0 ? "a" : "b"; });
  CHECK(measure_script(twice, again).outages.empty());
}

TEST_CASE("an alarm is false when nothing is wrong at the gateway, and counts once") {
  const world made =
      plain_world("[{name: a, gap: 0%}, {name: b, gap: 0%}]",
                  "events: [{type: outage, gateways: a, starts: 300s, duration: 100s, strength: 100%}]\n");
  scripted_router script([](double, std::size_t attempts) { return attempts == 0 ? "a" : "b"; });
  script.health = [](const std::string& name, double at_s) {
    if (name == "a") return at_s > 310 && at_s < 450 ? .1 : .9;  // the outage, and what it left: not false
    return (at_s > 100 && at_s < 150) || (at_s > 500 && at_s < 501.5) ? .5 : .9;  // twice false
  };
  const measures found = measure_script(made, script);
  CHECK(found.false_alarms == 2);
  CHECK(found.watched_gateway_hours * 3600 == Approx(2 * 1000 - 160).margin(5));
}

TEST_CASE("calm is where no event is, and what exploring costs there is told apart") {
  const world made =
      plain_world("[{name: a, gap: 0%}, {name: b, gap: 10%}]",
                  "events: [{type: outage, gateways: a, starts: 300s, duration: 100s, strength: 100%}]\n");
  scripted_router script([](double at_s, std::size_t attempts) {
    const bool other = at_s >= 300 && at_s < 500;  // 40 s of these are calm again
    return (attempts == 0) != other ? "a" : "b";
  });
  const measures found = measure_script(made, script);
  CHECK(static_cast<double>(found.calm_payments) == Approx(100 * (1000 - 100 - 160)).epsilon(.02));
  const double passes = 1 - 1 / (1 + std::exp(2.0));
  CHECK(found.calm_first_regret == Approx(100 * passes * .1 * 40 / 740).epsilon(.1));
  CHECK(found.calm_explored == 0);
}

}  // namespace turnout::routing::simulator::test
