// The health filter and the evidence of what is in flight, alone.
#include "routing/health_filter.hpp"

#include "routing/flight_evidence.hpp"
#include "world.hpp"

using namespace turnout;
using namespace turnout::routing;
using namespace turnout::routing::test;

namespace {

struct gateway {
  void answer(bool failed, int count, std::chrono::milliseconds spacing = 100ms) {
    for (int i = 0; i < count; ++i) {
      now += spacing;
      health.observe(failed, now);
    }
  }
  health_filter::reading read() const { return health.read(now); }
  health_filter health;
  steady_time now{1h};
};

}  // namespace

TEST_CASE("three failures in a row of a busy gateway are an outage, one is not") {
  gateway g;
  g.answer(false, 2000, 20ms);
  CHECK(g.read().failure < .02);
  g.answer(true, 1, 20ms);
  CHECK(g.read().failure < .1);
  g.answer(true, 2, 20ms);
  CHECK(g.read().failure > .4);
  g.answer(true, 1, 20ms);
  CHECK(g.read().failure > .8);
  CHECK(g.read().failure_sick > .85);
  g.answer(false, 20, 20ms);
  CHECK(g.read().failure < .1);
}

TEST_CASE("one failure after an hour of silence is news") {
  gateway busy, quiet;
  for (gateway* each : {&busy, &quiet}) each->answer(false, 1000);
  quiet.now += 1h;
  busy.answer(true, 1);
  quiet.answer(true, 1);
  CHECK(quiet.read().failure > 4 * busy.read().failure);
}

TEST_CASE("a partial failure is found with its level") {
  for (double rate : {.15, .3, .55}) {
    gateway g;
    seeded_random random(4);
    g.answer(false, 500);
    for (int i = 0; i < 300; ++i) g.answer(random.uniform() < rate, 1);
    CHECK(g.read().failure == Approx(rate).epsilon(.35));
  }
}

TEST_CASE("the normal failure rate is learned while healthy only") {
  gateway g;
  for (int i = 0; i < 4000; ++i) g.answer(i % 50 == 0, 1);
  const double usual = g.read().failure_healthy;
  CHECK(usual == Approx(.02).epsilon(.4));
  g.answer(true, 200);
  CHECK(g.read().failure_healthy == Approx(usual).epsilon(.4));
}

TEST_CASE("the longer an outage lasts the less soon its end is expected") {
  gateway g;
  g.answer(false, 100);
  g.answer(true, 10);
  const double early = g.read().recovery_per_s;
  g.answer(true, 40, 60s);
  CHECK(g.read().recovery_per_s < early / 2);
  g.now += 24h;
  CHECK(g.read().healthy > .85);  // nobody knows any more
}

TEST_CASE("taking back a failure is as if it had been an answer") {
  gateway once, never;
  for (gateway* each : {&once, &never}) each->answer(false, 300);
  once.answer(true, 1);
  never.answer(false, 1);
  once.health.take_back_failure(once.now);
  CHECK(once.read().failure == Approx(never.read().failure).margin(.005));
}

namespace {

struct line {
  line() {
    for (int i = 0; i < 500; ++i) {
      health.observe(false, now);
      latency.observe(i % 2 ? 150 : 70);  // about 100 ms
      now += 20ms;
    }
  }
  void settle_and_weigh() {
    written_off += flights.settle(latency, 5000, true, now);
    evidence = flights.weigh(health, latency, now);
  }
  health_filter health;
  latency_estimate latency;
  flight_evidence flights;
  health_filter::by_level evidence{};
  std::uint32_t written_off = 0;
  steady_time now{1h};
};

}  // namespace

TEST_CASE("sends that nobody answers are evidence, answered ones against it") {
  line l;
  std::vector<std::uint64_t> numbers;
  for (int i = 0; i < 20; ++i) {
    numbers.push_back(l.flights.sent(l.now));
    l.now += 20ms;
  }
  l.settle_and_weigh();
  CHECK(l.evidence[0] == 1);
  CHECK(l.evidence[5] > 1e4);
  for (std::size_t i = 1; i < health_filter::levels; ++i) CHECK(l.evidence[i] >= l.evidence[i - 1]);
  for (std::uint64_t each : numbers) l.flights.ended(each, false, 100);
  l.settle_and_weigh();
  CHECK(l.evidence[5] == 1);
}

TEST_CASE("young sends say nothing, and old answers do not hide a new silence") {
  line l;
  for (int i = 0; i < 20; ++i) l.flights.ended(l.flights.sent(l.now), false, 80);
  for (int i = 0; i < 10; ++i) l.flights.sent(l.now);
  l.now += 30ms;
  l.settle_and_weigh();
  CHECK(l.evidence[5] == 1);
  l.now += 250ms;
  l.settle_and_weigh();
  CHECK(l.evidence[5] > 1e4);
}

TEST_CASE("a send that lasts is written off once, and it is known when it answers after all") {
  line l;
  const std::uint64_t slow = l.flights.sent(l.now), quick = l.flights.sent(l.now);
  CHECK_FALSE(l.flights.ended(quick, false, 90));
  l.now += 4100ms;
  l.settle_and_weigh();
  l.settle_and_weigh();
  CHECK(l.written_off == 1);
  CHECK(l.flights.ended(slow, false, 4200));
  CHECK_FALSE(l.flights.ended(12345, false, 1));
}

TEST_CASE("a flood is sampled, and still noticed") {
  line l;
  std::size_t followed = 0;
  for (int i = 0; i < 5000; ++i) {
    followed += l.flights.sent(l.now) != 0;
    l.now += 100us;
  }
  CHECK(followed < 1500);
  l.settle_and_weigh();
  CHECK(l.evidence[5] > 1e4);
}

TEST_CASE("latencies are learned in the order of sending: slow ones are not overtaken") {
  latency_estimate latency;
  flight_evidence flights;
  steady_time now{1h};
  const std::uint64_t slow = flights.sent(now);
  for (int i = 0; i < 50; ++i) flights.ended(flights.sent(now), false, 10);
  const double before = latency.mean_ms();
  flights.settle(latency, 60'000, true, now + 10ms);
  CHECK(latency.mean_ms() == before);  // the first one is still out
  flights.ended(slow, false, 3000);
  flights.settle(latency, 60'000, true, now + 3s);
  CHECK(latency.mean_ms() < before);
  CHECK(latency.quantile_ms(0) == Approx(10).epsilon(.5));
}

TEST_CASE("survival follows the lognormal, a little wider") {
  latency_estimate latency;
  seeded_random random(3);
  for (int i = 0; i < 3000; ++i) {
    double z = -6;
    for (int j = 0; j < 12; ++j) z += random.uniform();
    latency.observe(200 * std::exp(.5 * z));
  }
  CHECK(latency.quantile_ms(0) == Approx(200).epsilon(.1));
  CHECK(latency.survival(200) == Approx(.5).margin(.06));
  CHECK(latency.survival(200 * std::exp(1.0)) == Approx(.035).margin(.02));
  CHECK(latency.survival(0) == 1);
}
