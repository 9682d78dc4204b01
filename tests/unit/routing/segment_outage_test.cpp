// Outages of a part of a connector's traffic, alone.
#include "routing/segment_outage.hpp"

#include "routing/exploration.hpp"
#include "world.hpp"

using namespace turnout;
using namespace turnout::routing;
using namespace turnout::routing::test;

namespace {

segment_keys keys(std::string_view bin, payments::card_brand brand = payments::card_brand::visa,
                  std::string_view merchant = "shop") {
  return keys_of({.merchant = merchant, .method = "card", .brand = brand, .bin = bin, .amount = eur(2000)});
}

}  // namespace

TEST_CASE("what nobody knows is taken to be up") {
  const segment_outage outages;
  CHECK(outages.read(keys("424242"), steady_time{1h}).kept == 1);
  CHECK(outages.read(keys("424242"), steady_time{1h}).up == 1);
}

TEST_CASE("declines in a row at one issuer are that issuer's, while others are approved") {
  segment_outage outages;
  steady_time now{1h};
  for (int i = 0; i < 300; ++i) {
    outages.learn(keys("424242"), .9, true, now);
    outages.learn(keys("555555"), .9, true, now);
    now += 1s;
  }
  double credence = 1;
  for (int i = 0; i < 12; ++i) {
    credence = outages.learn(keys("555555"), .9, false, now);
    outages.learn(keys("424242"), .9, true, now);
    now += 1s;
  }
  CHECK(outages.read(keys("555555"), now).kept < .2);
  CHECK(outages.read(keys("424242"), now).kept > .9);
  CHECK(credence < .3);  // the approval model is not to learn it
  now += 2h;             // and it is not held against it for ever
  CHECK(outages.read(keys("555555"), now).kept > .95);
}

TEST_CASE("when everything is declined the whole connector is down, and an approval says otherwise") {
  segment_outage outages;
  steady_time now{1h};
  seeded_random random(9);
  const auto anyone = [&] {
    return keys(std::to_string(400'000 + random.next() % 20), static_cast<payments::card_brand>(random.next() % 4));
  };
  for (int i = 0; i < 500; ++i) outages.learn(anyone(), .9, true, now += 1s);
  for (int i = 0; i < 15; ++i) outages.learn(anyone(), .9, false, now += 1s);
  CHECK(outages.overall(now).kept < .4);
  for (int i = 0; i < 6; ++i) outages.learn(anyone(), .9, true, now += 1s);
  CHECK(outages.overall(now).kept > .9);
}

TEST_CASE("the usual declines are no outage") {
  segment_outage outages;
  steady_time now{1h};
  seeded_random random(10);
  int alarms = 0;
  for (int i = 0; i < 20'000; ++i) {
    outages.learn(keys("424242"), .85, random.uniform() < .85, now += 200ms);
    alarms += outages.read(keys("424242"), now).kept < .7;
  }
  CHECK(alarms < 100);
}

TEST_CASE("probes are due when they pay") {
  recovery_outlook of{.healthy = .1, .recovery_per_s = .002, .gain = .05, .loss = .9, .traffic_per_s = 50};
  CHECK(probe_is_due(of));
  of.healthy = .005;
  CHECK_FALSE(probe_is_due(of));
  of.loss = .002;  // one that fails fast is asked earlier
  CHECK(probe_is_due(of));
  of.gain = 0;  // one that would not be used is not asked
  CHECK_FALSE(probe_is_due(of));
  of = {.healthy = .1, .recovery_per_s = .002, .gain = .05, .loss = .9, .traffic_per_s = .01};
  CHECK_FALSE(probe_is_due(of));  // thin traffic waits longer
  of.healthy = .6;
  CHECK(probe_is_due(of));  // but not for ever
}

TEST_CASE("exploration goes to the close and the unknown, and to nobody without a chance") {
  CHECK(explore_weight(0, .02) == 1);
  CHECK(explore_weight(.01, .02) > explore_weight(.02, .02));
  CHECK(explore_weight(.02, .03) > explore_weight(.02, .02));
  CHECK(explore_weight(.2, .02) == 0);
  CHECK(explore_weight(.2, 0) == 0);
  CHECK(probe_share(1) == Approx(.25));
  CHECK(probe_share(10) * 10 == Approx(.3));
}

TEST_CASE("exploration spends what was saved, and then its allowance") {
  exploration_budget budget;
  constexpr double asked = .05;
  CHECK(budget.spend(asked) == 1);  // at the start there is a credit
  double spent = 0;
  constexpr int attempts = 100'000;
  for (int i = 0; i < attempts; ++i) spent += asked * budget.spend(asked);
  CHECK(spent < exploration_budget::most_saved + .0005 * attempts);
  CHECK(budget.spend(asked) < .02);
  for (int i = 0; i < attempts; ++i) budget.spend(0);
  CHECK(budget.spend(asked) == 1);  // saved up again
}
