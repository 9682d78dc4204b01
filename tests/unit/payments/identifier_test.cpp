// Identifiers: their shape, their order, and that every random bit counts.
#include "payments/identifier.hpp"

#include <catch2/catch.hpp>

#include <set>
#include <utility>

using namespace turnout::payments;

namespace {

struct fixed_random : random_source {
  std::uint64_t high = 0, low = 0;
  bool second = false;
  std::uint64_t next() override { return std::exchange(second, !second) ? low : high; }
};

struct counting_random : random_source {
  std::uint64_t state = 0;
  std::uint64_t next() override {  // splitmix64
    std::uint64_t z = (state += 0x9E3779B97F4A7C15);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    return z ^ (z >> 31);
  }
};

wall_time milliseconds_after_epoch(std::int64_t count) { return wall_time{milliseconds{count}}; }

}  // namespace

TEST_CASE("an identifier is its prefix, its time and its random bits") {
  fixed_random random;
  CHECK(make_identifier("pay", milliseconds_after_epoch(0), random) == "pay_00000000000000000000000000");
  random.high = random.low = ~std::uint64_t{0};
  CHECK(make_identifier("att", milliseconds_after_epoch(9'000'000'000'000), random) ==
        "att_085XWWV400ZZZZZZZZZZZZZZZZ");
  random.high = random.low = 0;
  // 32 ms: the second digit from the right of the ten that hold the time.
  CHECK(make_identifier("pay", milliseconds_after_epoch(32 + 10), random) == "pay_000000001A0000000000000000");
}

TEST_CASE("identifiers sort by time") {
  counting_random random;
  std::string before;
  for (std::int64_t now = 1'700'000'000'000; now < 1'900'000'000'000; now += 1'234'567'891) {
    const std::string made = make_identifier("pay", milliseconds_after_epoch(now), random);
    CHECK(before < made);
    CHECK(is_identifier("pay", made));
    before = made;
  }
}

TEST_CASE("80 random bits reach the text, each of them") {
  std::set<std::string> seen;
  fixed_random random;
  for (int bit = 0; bit < 40; ++bit) {
    random.high = std::uint64_t{1} << (63 - bit);
    random.low = 0;
    seen.insert(make_identifier("pay", {}, random));
    random.high = 0;
    random.low = std::uint64_t{1} << (63 - bit);
    seen.insert(make_identifier("pay", {}, random));
  }
  CHECK(seen.size() == 80);
}

TEST_CASE("identifiers of one moment differ") {
  counting_random random;
  std::set<std::string> seen;
  for (int count = 0; count < 10'000; ++count) seen.insert(make_identifier("pay", milliseconds_after_epoch(5), random));
  CHECK(seen.size() == 10'000);
}

TEST_CASE("times before 1970 and far ahead still make well-formed identifiers") {
  counting_random random;
  CHECK(is_identifier("pay", make_identifier("pay", wall_time::min(), random)));
  CHECK(is_identifier("pay", make_identifier("pay", wall_time::max(), random)));
}

TEST_CASE("what is no identifier") {
  const std::string good = "pay_01J0000000ABCDEFGHJKMNPQRS";
  REQUIRE(good.size() == 30);
  CHECK(is_identifier("pay", good));
  CHECK_FALSE(is_identifier("att", good));
  CHECK_FALSE(is_identifier("pay", ""));
  CHECK_FALSE(is_identifier("pay", "pay_"));
  CHECK_FALSE(is_identifier("pay", good + "0"));
  CHECK_FALSE(is_identifier("pay", good.substr(0, 29)));
  CHECK_FALSE(is_identifier("pay", "pay-01J0000000ABCDEFGHJKMNPQRS"));
  CHECK_FALSE(is_identifier("pay", "pay_81J0000000ABCDEFGHJKMNPQRS"));
  for (const char foreign : std::string_view("ILOUa-_/.%'\0\x80", 13)) {
    std::string bad = good;
    bad.back() = foreign;
    CHECK_FALSE(is_identifier("pay", bad));
  }
}
