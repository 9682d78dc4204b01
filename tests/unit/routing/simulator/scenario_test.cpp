#include <cmath>

#include "worlds.hpp"

namespace turnout::routing::simulator::test {

namespace {

constexpr double at_once = 1e-9;

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

}  // namespace

TEST_CASE("a scenario is its seed's, and no other's") {
  const world mixed = shipped_world("S9");
  const scenario one(mixed, 7), same(mixed, 7), other(mixed, 8);
  REQUIRE(one.events().size() == 26);
  for (std::size_t i = 0; i < one.events().size(); ++i) CHECK(one.events()[i].begins_s == same.events()[i].begins_s);
  CHECK(one.events()[0].begins_s != other.events()[0].begins_s);
  const traffic a(one), b(same), c(other);
  REQUIRE(a.payments.size() == b.payments.size());
  CHECK(a.payments.size() != c.payments.size());
  for (std::size_t i = 0; i < a.payments.size(); i += 997) {
    CHECK(a.payments[i].at_s == b.payments[i].at_s);
    CHECK(a.payments[i].context == b.payments[i].context);
    CHECK(a.payments[i].best == b.payments[i].best);
  }
}

TEST_CASE("what a scenario draws stays within what the world allows") {
  const world study = shipped_world("S5");
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const scenario drawn(study, seed);
    double best = 1;
    for (const simulated_gateway& each : drawn.gateways()) {
      best = std::min(best, each.decline_rate);
      CHECK(each.technical >= .003);
      CHECK(each.technical <= .01);
      CHECK(each.median_s >= .6);
      CHECK(each.median_s <= 1.5);
    }
    CHECK(best >= .025);
    CHECK(best <= .045);
    int others = 0;
    for (const simulated_gateway& each : drawn.gateways())
      others += each.decline_rate - best >= .005 - 1e-12 && each.decline_rate - best <= .08;
    CHECK(others == 4);
    CHECK(drawn.events().size() == 18);
    for (const event& each : drawn.events()) {
      CHECK(each.ends_s - each.begins_s >= 300);
      CHECK(each.ends_s - each.begins_s <= 1200);
      CHECK(each.ends_s <= 3000);
      CHECK(each.value < (each.over == feature::issuer ? 6 : 3));
    }
  }
}

TEST_CASE("contexts and payers are the same thing twice") {
  const world study = shipped_world("S1");
  const scenario drawn(study, 1);
  REQUIRE(drawn.contexts() == 24 * 4 * 4 * 3);
  for (std::uint32_t context = 0; context < drawn.contexts(); ++context) {
    const payer who = drawn.payer_of(context);
    REQUIRE(drawn.context_of(who) == context);
    REQUIRE(who.country == who.issuer % 6);
  }
  const request seen = drawn.request_of(drawn.context_of({7, 1, 1, 2, 1}), 12'345);
  CHECK(seen.bin == "400007");
  CHECK(seen.brand == payments::card_brand::mastercard);
  CHECK(seen.method == "wallet");
  CHECK(seen.amount.minor == 12'345);
}

TEST_CASE("payments arrive at the world's rate, with its features, and follow the hour") {
  const world study = shipped_world("S1");
  const scenario drawn(study, 3);
  const traffic all(drawn);
  CHECK(static_cast<double>(all.payments.size()) == Approx(150'000).epsilon(.01));
  double first_issuer = 0, intrinsic = 0, expected = 0;
  for (const payment_case& each : all.payments) {
    first_issuer += drawn.payer_of(each.context).issuer == 0;
    intrinsic += each.intrinsic != payments::decline_reason::none;
    expected += drawn.intrinsic(each.context);
  }
  double harmonic = 0;
  for (int i = 1; i <= 24; ++i) harmonic += 1.0 / i;
  CHECK(first_issuer / static_cast<double>(all.payments.size()) == Approx(1 / harmonic).epsilon(.03));
  CHECK(intrinsic == Approx(expected).epsilon(.03));

  const world day = good_world(
      "gateways: 1\ntraffic: {tps: 1, duration: 1d, daily: "
      "[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]}\n");
  const scenario halved(day, 1);
  const traffic daily(halved);
  CHECK(static_cast<double>(daily.payments.size()) == Approx(86'400).epsilon(.02));
  double morning = 0;
  for (const payment_case& each : daily.payments) morning += each.at_s < 11 * 3600;
  CHECK(morning / static_cast<double>(daily.payments.size()) < .05);  // the turn of midnight is a slope
}

TEST_CASE("the truth is the product of what can go wrong") {
  const world made = plain_world("[{name: a, gap: 10%, technical: 20%}]",
                                 "events:\n"
                                 "  - {type: outage, starts: 100s, duration: 100s, strength: 90%, slow: 0%}\n"
                                 "  - {type: brown_out, starts: 300s, duration: 100s, strength: 30%, slow: 100%}\n"
                                 "  - {type: segment_outage, starts: 500s, duration: 100s, strength: 75%}\n"
                                 "  - {type: latency_spike, starts: 700s, duration: 100s, strength: 600}\n");
  const scenario drawn(made, 1);
  truth now(drawn);
  CHECK(now.success(0, 0) == Approx(.8 * .9));
  CHECK(now.expect(0, 0).retryable == Approx(.2 + .8 * .1));
  now.advance(150);
  CHECK(now.success(0, 0) == Approx(.1 * .9));
  now.advance(250);
  CHECK(now.success(0, 0) == Approx(.8 * .9));
  now.advance(350);
  CHECK(now.success(0, 0) == Approx(.5 * .9));
  CHECK(now.expect(0, 0).retryable == Approx(.5 + .5 * .1));
  now.advance(550);
  CHECK(now.success(0, 0) == Approx(.8 * .25 * .9));
  CHECK(now.expect(0, 0).retryable == Approx(.2 + .8 * (.75 + .25 * .1)));
  now.advance(750);  // the median is the timeout now
  CHECK(now.success(0, 0) == Approx(.8 * .5 * .9));
  now.advance(900);
  CHECK(now.success(0, 0) == Approx(.8 * .9));
}

TEST_CASE("with final timeouts a timeout is unknown, and nothing to go on from") {
  const std::string outage = "events: [{type: outage, starts: 0s, duration: 900s, strength: 100%, slow: 100%}]\n";
  for (const bool final : {false, true}) {
    world made = plain_world("[{name: a, gap: 10%}]", outage);
    made.timeouts_are_final = final;
    const scenario drawn(made, 1);
    truth now(drawn);
    now.advance(1);
    const answer given = now.ask(1, {}, 0);
    CHECK(given.technical);
    CHECK(given.latency_s == 60);
    CHECK(given.result.result == (final ? payments::outcome::unknown : payments::outcome::soft_decline));
    CHECK(now.expect(0, 0).retryable == Approx(final ? 0 : 1).margin(at_once));
  }
}

TEST_CASE("answers come as often as the truth says") {
  const world made = plain_world("[{name: a, gap: 10%, technical: 20%}]");
  const scenario drawn(made, 5);
  truth now(drawn);
  int approved = 0, technical = 0;
  constexpr int count = 100'000;
  for (int i = 0; i < count; ++i) {
    const answer given = now.ask(static_cast<std::uint64_t>(i), {}, 0);
    approved += given.result.result == payments::outcome::approved;
    technical += given.technical;
  }
  CHECK(approved / double(count) == Approx(now.success(0, 0)).epsilon(.01));
  CHECK(technical / double(count) == Approx(.2).epsilon(.03));
}

TEST_CASE("disguised failures look like declines") {
  const world made =
      plain_world("[{name: a, gap: 0%, technical: 50%}]", "technical: {disguised: 40%, disguise: try_again_later}\n");
  const scenario drawn(made, 5);
  const truth now(drawn);
  int technical = 0, disguised = 0;
  for (std::uint64_t i = 0; i < 20'000; ++i) {
    const answer given = now.ask(i, {}, 0);
    technical += given.technical;
    disguised += given.technical && given.result.reason == payments::decline_reason::try_again_later;
  }
  CHECK(disguised / double(technical) == Approx(.4).epsilon(.05));
}

TEST_CASE("the logits are centred on the rates and spread by the effects") {
  const world made = plain_world("[{name: a, gap: 20%}]",
                                 "context: {issuers: 4000, brands: [1], amounts: [1], methods: [1]}\n"
                                 "gateway_declines: {base: 0%, effects: {issuer: 0.5}}\n");
  const scenario drawn(made, 1);
  double sum = 0, squares = 0;
  for (std::uint32_t i = 0; i < drawn.contexts(); ++i) {
    const double logit = std::log(drawn.decline_odds(i)[0]);
    sum += logit;
    squares += logit * logit;
  }
  const double mean = sum / 4000;
  CHECK(sigmoid(mean) == Approx(.2).epsilon(.03));
  CHECK(std::sqrt(squares / 4000 - mean * mean) == Approx(.5).epsilon(.05));
}

TEST_CASE("drift moves the declines and comes back to where it was") {
  const world made = plain_world("[{name: a, gap: 10%}]", "drift: {amplitude: 1, period: 500s}\n");
  const scenario drawn(made, 1);
  double least = 1e9, most = 0;
  for (double at = 0; at < 1000; at += 10) {
    least = std::min(least, drawn.drift(0, at));
    most = std::max(most, drawn.drift(0, at));
    if (at < 500) CHECK(drawn.drift(0, at) == Approx(drawn.drift(0, at + 500)).epsilon(.001));
  }
  CHECK(std::log(most) >= .49);
  CHECK(std::log(most) <= 1);
  CHECK(std::log(least) == Approx(-std::log(most)).epsilon(.01));
}

TEST_CASE("events hit several gateways at once, or those that are named") {
  const world made = plain_world("[{count: 6, gap: [1%, 5%]}]",
                                 "events:\n"
                                 "  - {type: outage, count: 5, together: 3, duration: 50s, strength: 100%}\n"
                                 "  - {type: outage, count: 5, gateways: [g2, g4], duration: 50s, strength: 100%}\n");
  const scenario drawn(made, 4);
  REQUIRE(drawn.events().size() == 20);
  std::map<double, std::vector<std::size_t>> by_start;
  for (const event& each : drawn.events()) by_start[each.begins_s].push_back(each.gateway);
  std::size_t threes = 0;
  for (auto& [at, hit] : by_start) {
    std::sort(hit.begin(), hit.end());
    CHECK(std::adjacent_find(hit.begin(), hit.end()) == hit.end());
    threes += hit.size() == 3;
    if (hit.size() == 1) CHECK((hit[0] == 1 || hit[0] == 3));
  }
  CHECK(threes == 5);
}

TEST_CASE("card testing adds hopeless payments that count for nobody") {
  const world made = plain_world("2",
                                 "gateway_declines: {base: 5%, effects: {}}\n"
                                 "events: [{type: card_testing, starts: 200s, duration: 100s, strength: 3}]\n");
  const course_run random(made, 1, "random");
  std::size_t hopeless = 0;
  for (const payment_case& each : random.arrives.payments) {
    hopeless += !each.genuine;
    if (!each.genuine) CHECK((each.at_s >= 200 && each.at_s < 301));
    if (!each.genuine) CHECK(each.intrinsic != payments::decline_reason::none);
  }
  CHECK(static_cast<double>(hopeless) == Approx(30'000).epsilon(.05));
  CHECK(random.found.payments == random.arrives.payments.size() - hopeless);
}

}  // namespace turnout::routing::simulator::test
