#include <catch2/catch.hpp>

#include <random>
#include <set>

#include "proxy/api/card_testing.hpp"

namespace turnout::api {
namespace {

using namespace std::chrono_literals;

payments::steady_time at(std::chrono::milliseconds since) { return payments::steady_time(1h) + since; }
constexpr auto customer = testing_subject::customer, ip = testing_subject::ip, key = testing_subject::key;

testing_subjects of(std::optional<std::uint64_t> customer_id, std::optional<std::uint64_t> address = {},
                    std::optional<std::uint64_t> api_key = {}) {
  return {customer_id, address, api_key};
}

card_testing_limits limits(testing_subject per, std::uint32_t cards, std::uint32_t declines) {
  card_testing_limits made;
  made.window = 10min;
  made.of(per) = {cards, declines};
  return made;
}

TEST_CASE("nothing is suspected while nothing is limited") {
  card_testing_guard guard;
  const card_testing_limits off;
  CHECK_FALSE(off.on());
  for (std::uint64_t card = 0; card < 1000; ++card) {
    CHECK_FALSE(guard.admit(off, of(1, 2, 3), card, at(0s)).has_value());
    guard.declined(off, of(1, 2, 3), at(0s));
  }
  CHECK_FALSE(guard.admit(limits(customer, 1, 1), of(1), 1, at(0s)).has_value());
}

TEST_CASE("many different cards are suspect, the same one again is not") {
  const testing_subject per = GENERATE(customer, ip, key);
  const testing_subjects who = of(1, 2, 3);
  card_testing_guard guard;
  const card_testing_limits some = limits(per, 3, 0);
  CHECK(some.on());
  for (int again = 0; again < 5; ++again)
    for (std::uint64_t card : {100u, 101u, 102u}) CHECK_FALSE(guard.admit(some, who, card, at(0s)).has_value());
  for (int again = 0; again < 5; ++again) {
    const auto suspected = guard.admit(some, who, 103, at(1s));
    REQUIRE(suspected.has_value());
    CHECK(suspected->per == per);
    CHECK_FALSE(suspected->declines);
  }
  CHECK_FALSE(guard.admit(some, who, 101, at(1s)).has_value());
  CHECK_FALSE(guard.admit(some, of(7, 8, 9), 103, at(1s)).has_value());
  CHECK_FALSE(guard.admit(some, of({}, {}, {}), 103, at(1s)).has_value());
}

TEST_CASE("the window slides; what was refused does not lengthen it") {
  card_testing_guard guard;
  const card_testing_limits some = limits(customer, 2, 0);
  CHECK_FALSE(guard.admit(some, of(1), 100, at(0s)).has_value());
  CHECK_FALSE(guard.admit(some, of(1), 101, at(5min)).has_value());
  for (std::uint64_t card = 200; card < 300; ++card) CHECK(guard.admit(some, of(1), card, at(6min)).has_value());
  CHECK(guard.admit(some, of(1), 102, at(10min - 1ms)).has_value());
  CHECK_FALSE(guard.admit(some, of(1), 102, at(10min)).has_value());  // the first is forgotten
  CHECK(guard.admit(some, of(1), 103, at(10min)).has_value());
  CHECK_FALSE(guard.admit(some, of(1), 103, at(15min)).has_value());
}

TEST_CASE("many declines are suspect, whatever the cards") {
  card_testing_guard guard;
  const card_testing_limits some = limits(ip, 0, 3);
  for (int i = 0; i < 3; ++i) {
    CHECK_FALSE(guard.admit(some, of(1, 2), 100, at(i * 1min)).has_value());
    guard.declined(some, of(1, 2), at(i * 1min));
  }
  const auto suspected = guard.admit(some, of(5, 2), 100, at(3min));
  REQUIRE(suspected.has_value());
  CHECK(suspected->per == ip);
  CHECK(suspected->declines);
  CHECK_FALSE(guard.admit(some, of(1, 3), 100, at(3min)).has_value());
  CHECK(guard.admit(some, of(1, 2), 100, at(10min - 1ms)).has_value());
  CHECK_FALSE(guard.admit(some, of(1, 2), 100, at(10min)).has_value());
}

TEST_CASE("a card that one subject may not try is counted for none") {
  card_testing_guard guard;
  card_testing_limits both = limits(customer, 2, 0);
  both.of(key) = {1, 0};
  CHECK_FALSE(guard.admit(both, of(1, {}, 9), 100, at(0s)).has_value());
  for (std::uint64_t card = 200; card < 210; ++card) CHECK(guard.admit(both, of(1, {}, 9), card, at(0s))->per == key);
  CHECK_FALSE(guard.admit(both, of(1, {}, 8), 101, at(0s)).has_value());
}

TEST_CASE("a subject's numbers are not another kind's") {
  card_testing_guard guard;
  card_testing_limits both = limits(customer, 1, 0);
  both.of(ip) = {1, 0};
  CHECK_FALSE(guard.admit(both, of(1, 2), 100, at(0s)).has_value());
  CHECK_FALSE(guard.admit(both, of(2, 1), 101, at(0s)).has_value());
}

TEST_CASE("memory is bounded; a full table forgets the oldest and suspects nobody wrongly") {
  sightings seen;
  for (std::uint64_t i = 0; i < 3 * sightings::capacity; ++i) {
    seen.add_card(i, 100, at(0s));
    if (i % 3 == 0) seen.add_decline(i, at(0s));
  }
  CHECK(seen.size() == sightings::capacity);
  const std::uint64_t last = 3 * sightings::capacity - 1;
  CHECK(seen.of(last).cards == 1);
  CHECK(seen.has(last, 100));
  CHECK(seen.of(0).cards == 0);
  CHECK_FALSE(seen.has(0, 100));
  seen.expire(at(10min), 10min);
  CHECK(seen.size() == 0);
  CHECK(seen.of(last).cards == 0);
}

TEST_CASE("what is counted is what an exact memory would count, or less") {
  std::mt19937_64 random(20261120);
  sightings seen;
  struct event {
    payments::steady_time at;
    std::uint64_t subject, card;
  };
  std::vector<event> all;
  payments::steady_time now = at(0s);
  for (int i = 0; i < 20'000; ++i) {
    now += std::chrono::milliseconds(random() % 200);
    const std::uint64_t subject = random() % 50, card = random() % 40;
    seen.expire(now, 60s);
    seen.add_card(subject, card, now);
    all.push_back({now, subject, card});
    std::set<std::uint64_t> cards;
    for (auto each = all.rbegin(); each != all.rend() && each->at + 60s > now; ++each)
      if (each->subject == subject) cards.insert(each->card);
    REQUIRE(seen.of(subject).cards <= cards.size());
    REQUIRE(seen.of(subject).cards >= 1);
  }
}

TEST_CASE("a normal shop is never suspected") {
  // A day of a shop that takes one payment a second: a shopper tries up to three
  // cards and is declined now and then; hundreds of shoppers share an address.
  std::mt19937_64 random(1);
  card_testing_guard guard;
  card_testing_limits shipped;  // as in conf/turnout.yaml
  shipped.of(customer) = {5, 10};
  shipped.of(ip) = {50, 50};
  shipped.of(key) = {0, 2000};
  int payments = 0, suspected = 0;
  for (std::uint64_t shopper = 0; shopper < 86'400; ++shopper) {
    const testing_subjects who = of(shopper, random() % 200, 1);
    for (std::uint64_t card = 0, tries = 1 + random() % 3; card < tries; ++card) {
      const payments::steady_time now = at(std::chrono::seconds(shopper));
      ++payments;
      if (guard.admit(shipped, who, shopper * 10 + card, now)) ++suspected;
      if (random() % 5 == 0) guard.declined(shipped, who, now);
    }
  }
  CHECK(payments > 150'000);
  CHECK(suspected == 0);
}

}  // namespace
}  // namespace turnout::api
