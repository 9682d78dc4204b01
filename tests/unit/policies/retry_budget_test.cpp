// Failovers as a share of payments.
#include "policies/retry_budget.hpp"

#include <catch2/catch.hpp>

using turnout::payments::steady_time;
using turnout::policies::retry_budget;
using namespace std::chrono_literals;

namespace {

constexpr steady_time start{1h};

int withdraw_all(retry_budget& budget, steady_time now) {
  int taken = 0;
  while (budget.withdraw(now)) REQUIRE(++taken < 100'000);
  return taken;
}

}  // namespace

TEST_CASE("payments earn failovers by their share") {
  retry_budget budget(.2, 0);
  withdraw_all(budget, start);
  CHECK_FALSE(budget.withdraw(start));
  for (int i = 0; i < 5; ++i) budget.on_payment(start);
  CHECK(budget.withdraw(start));
  CHECK_FALSE(budget.withdraw(start));
  for (int i = 0; i < 50; ++i) budget.on_payment(start);
  CHECK(withdraw_all(budget, start) == 10);
}

TEST_CASE("shares that binary numbers cannot hold add up all the same") {
  retry_budget budget(.1, 0);
  withdraw_all(budget, start);
  for (int i = 0; i < 10; ++i) budget.on_payment(start);
  CHECK(withdraw_all(budget, start) == 1);
}

TEST_CASE("a full outage spends no more than the share over time") {
  retry_budget budget(.2, 0);
  int failovers = withdraw_all(budget, start);
  const int saved = failovers;
  for (int i = 0; i < 10'000; ++i) {
    budget.on_payment(start + i * 1ms);
    failovers += budget.withdraw(start + i * 1ms) ? 1 : 0;
  }
  CHECK(saved == 1);
  CHECK(failovers - saved == 2000);
}

TEST_CASE("the floor lets a quiet shop fail over") {
  retry_budget budget(.2, 2);
  withdraw_all(budget, start);
  CHECK_FALSE(budget.withdraw(start + 499ms));
  CHECK(budget.withdraw(start + 500ms));
  CHECK(withdraw_all(budget, start + 3s) == 5);
}

TEST_CASE("what is saved up is capped, and time that runs backwards earns nothing") {
  retry_budget budget(.2, 1);
  for (int i = 0; i < 100'000; ++i) budget.on_payment(start);
  CHECK(budget.remaining(start) == Approx(200));
  CHECK(budget.remaining(start + 24h) == Approx(200));
  withdraw_all(budget, start + 1h);
  CHECK(budget.remaining(start) < 1);
  CHECK_FALSE(budget.withdraw(start));
  CHECK(budget.remaining(start + 1h + 1s) == Approx(1));
}

TEST_CASE("a budget begins with the floor's allowance, and time alone brings no more than that") {
  CHECK(retry_budget(.2, 2).remaining(start) == 20);
  CHECK(retry_budget(.2, 2).remaining(start + 24h) == 20);
  CHECK(retry_budget(.2, 0).remaining(start) == 1);
  CHECK(retry_budget(0, 2).remaining(start) == 20);
  retry_budget spent(.2, 2);
  CHECK(withdraw_all(spent, start) == 20);
  CHECK(withdraw_all(spent, start + 24h) == 20);
  for (int i = 0; i < 200; ++i) spent.on_payment(start + 24h);
  CHECK(withdraw_all(spent, start + 24h) == 40);
}

TEST_CASE("a budget of nothing allows nothing") {
  retry_budget budget(0, 0);
  CHECK(budget.remaining(start) == 0);
  for (int i = 0; i < 1000; ++i) budget.on_payment(start);
  CHECK_FALSE(budget.withdraw(start + 1h));
}
