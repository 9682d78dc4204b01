// The approval model alone: what it learns, from how much, and for whom.
#include "routing/approval_model.hpp"

#include "world.hpp"

using namespace turnout;
using namespace turnout::routing;
using namespace turnout::routing::test;

namespace {

struct study {
  explicit study(std::size_t connectors) { model.resize(connectors); }
  static segment_keys keys(std::string_view bin, payments::card_brand brand = payments::card_brand::visa) {
    return keys_of({.method = "card", .brand = brand, .bin = bin, .amount = eur(2000)});
  }
  double approval(std::uint16_t connector, std::string_view bin) const {
    return logistic(model.predict(connector, model.prepare(keys(bin), aftermath::none, now)).logit);
  }
  double deviation(std::uint16_t connector, std::string_view bin) const {
    return model.predict(connector, model.prepare(keys(bin), aftermath::none, now)).deviation;
  }
  void learn(std::uint16_t connector, std::string_view bin, double rate, int count, double per_s = 10) {
    for (int i = 0; i < count; ++i) {
      model.learn(connector, keys(bin), aftermath::none, random.uniform() < rate, 1, now);
      now += std::chrono::milliseconds(static_cast<int>(1000 / per_s));
    }
  }
  approval_model model;
  seeded_random random{12};
  steady_time now{1h};
};

}  // namespace

TEST_CASE("an approval rate is learned to within its sampling error") {
  for (double rate : {.5, .8, .95, .99}) {
    study s(1);
    s.learn(0, "424242", rate, 5000);
    CHECK(s.approval(0, "424242") == Approx(rate).margin(3 * std::sqrt(rate * (1 - rate) / 800)));
  }
}

TEST_CASE("the deviation falls with what is known, and is as large as the error that is made") {
  study s(1);
  const double before = s.deviation(0, "424242");
  s.learn(0, "424242", .9, 200);
  const double after = s.deviation(0, "424242");
  CHECK(after < .8 * before);
  s.now += 24h * 30;
  CHECK(s.deviation(0, "424242") == Approx(before).epsilon(.02));
}

TEST_CASE("what is true of an issuer everywhere is nobody's fault") {
  study s(2);
  for (int i = 0; i < 3000; ++i) {
    s.learn(0, "424242", .92, 1);
    s.learn(0, "555555", .60, 1);  // connector 0 is given the hard issuer, too
    s.learn(1, "424242", .92, 1);
  }
  CHECK(s.approval(1, "555555") < .75);                                           // expected of a stranger to it
  CHECK(s.approval(0, "424242") == Approx(s.approval(1, "424242")).margin(.02));  // nobody is blamed for it
}

TEST_CASE("a connector's own weakness with an issuer stays its own") {
  study s(2);
  for (int i = 0; i < 3000; ++i) {
    s.learn(0, "424242", .92, 1);
    s.learn(0, "555555", .70, 1);
    s.learn(1, "424242", .92, 1);
    s.learn(1, "555555", .92, 1);
  }
  CHECK(s.approval(0, "555555") < .78);
  CHECK(s.approval(1, "555555") > .87);
  CHECK(s.approval(0, "424242") > .87);
}

TEST_CASE("what stays is learned at 0.1 payments/s as at 1,000, and what drifts is followed") {
  for (double per_s : {.01, .1, 1000.0}) {
    study s(1);
    s.learn(0, "424242", .80, 400, per_s);
    INFO(per_s << "/s");
    CHECK(s.approval(0, "424242") == Approx(.80).margin(.1));
  }
  study s(1);
  s.learn(0, "424242", .95, 20'000);
  s.learn(0, "424242", .80, 600);
  CHECK(s.approval(0, "424242") < .90);
}

TEST_CASE("thousands of issuers are bounded in memory and keep what matters") {
  study s(1);
  for (int i = 0; i < 2000; ++i) {
    s.learn(0, "424242", .70, 1);
    s.learn(0, "555555", .95, 1);
  }
  for (int i = 0; i < 60'000; ++i) s.learn(0, std::to_string(100'000 + i), .9, 1, 1000);
  CHECK(s.approval(0, "999999") > .8);
  CHECK(s.approval(0, "424242") < s.approval(0, "999999") - .05);  // the issuer with much traffic is still known
}

TEST_CASE("without credence nothing is learned") {
  study s(1);
  const double before = s.approval(0, "424242");
  for (int i = 0; i < 100; ++i) s.model.learn(0, study::keys("424242"), aftermath::none, false, 0, s.now);
  CHECK(s.approval(0, "424242") == before);
}
