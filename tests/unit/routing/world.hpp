#pragma once
// A small world for the router's tests: a clock that only moves when told, a
// seeded generator, and gateways with known behaviour.
#include <catch2/catch.hpp>

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "routing/router.hpp"

namespace turnout::routing::test {

using namespace std::chrono_literals;

class seeded_random final : public payments::random_source {
 public:
  explicit seeded_random(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() override {  // splitmix64
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }

 private:
  std::uint64_t state_;
};

inline payments::money eur(std::int64_t minor) { return {minor, *payments::currency::find("EUR")}; }

inline payments::send_result result_of(payments::outcome outcome,
                                       payments::decline_reason reason = payments::decline_reason::none,
                                       int latency_ms = 100) {
  payments::send_result result;
  result.result = outcome;
  result.reason = reason;
  result.latency = payments::milliseconds(latency_ms);
  return result;
}

inline payments::send_result approved() { return result_of(payments::outcome::approved); }
inline payments::send_result refused() { return result_of(payments::outcome::not_sent); }
inline payments::send_result do_not_honor() {
  return result_of(payments::outcome::soft_decline, payments::decline_reason::do_not_honor);
}

struct world {
  explicit world(std::uint64_t seed, std::vector<std::string_view> names = {"alpha", "beta", "gamma"}) : random(seed) {
    CAPTURE(seed);
    for (std::string_view name : names) candidates.push_back({name, eur(2000), 0});
    payment.method = "card";
    payment.brand = payments::card_brand::visa;
    payment.bin = "424242";
    payment.amount = eur(2000);
  }

  decision choose(const std::vector<tried>& attempts = {}) {
    return gateway_router->choose(payment, route, candidates, attempts, now, random);
  }
  void answer(const decision& made, const payments::send_result& result) {
    gateway_router->on_sent(payment, made, now);
    gateway_router->observe(payment, made, result, now);
  }
  void pass(std::chrono::milliseconds time) {
    now.steady += time;
    now.wall += time;
    gateway_router->tick(now);
  }
  /// One payment's first attempt, answered by `gateway`; returns where it went.
  std::string pay(const std::function<payments::send_result(const std::string&)>& gateway,
                  std::chrono::milliseconds spacing = 100ms) {
    const decision made = choose();
    REQUIRE_FALSE(made.order.empty());
    const std::string name(made.order.front().connector);
    answer(made, gateway(name));
    pass(spacing);
    return name;
  }
  std::map<std::string, int> pay_many(int count,
                                      const std::function<payments::send_result(const std::string&)>& gateway,
                                      std::chrono::milliseconds spacing = 100ms) {
    std::map<std::string, int> chosen;
    for (int i = 0; i < count; ++i) ++chosen[pay(gateway, spacing)];
    return chosen;
  }
  /// Sends one payment to `name` alone.
  decision teach(std::string_view name, const payments::send_result& result) {
    const decision made = gateway_router->choose(payment, route, {{name, payment.amount, 0}}, {}, now, random);
    answer(made, result);
    return made;
  }
  connector_view seen(std::string_view name) const {
    for (const connector_view& view : gateway_router->view(now))
      if (view.connector == name) return view;
    FAIL("no view of " << name);
    return {};
  }

  seeded_random random;
  std::unique_ptr<router> gateway_router = create_router();
  request payment{{}, {}, payments::card_brand::unknown, {}, {}, eur(2000)};
  policies::route route;
  std::vector<candidate> candidates;
  instant now{payments::steady_time(std::chrono::hours(1)), payments::wall_time(std::chrono::hours(500'000))};
};

inline const ranked* find(const decision& made, std::string_view name) {
  for (const ranked& each : made.order)
    if (each.connector == name) return &each;
  return nullptr;
}

}  // namespace turnout::routing::test
