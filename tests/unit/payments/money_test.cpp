// Money: the table as the standard has it, and arithmetic that is exact or refuses.
#include "payments/money.hpp"

#include <catch2/catch.hpp>

#include <limits>
#include <map>
#include <random>
#include <set>
#include <vector>

using namespace turnout::payments;

namespace {

currency unit(std::string_view code) {
  const auto found = currency::find(code);
  REQUIRE(found);
  return *found;
}

std::vector<currency> all_currencies() {
  std::vector<currency> found;
  for (char a = 'A'; a <= 'Z'; ++a)
    for (char b = 'A'; b <= 'Z'; ++b)
      for (char c = 'A'; c <= 'Z'; ++c) {
        const char code[] = {a, b, c};
        if (const auto each = currency::find({code, 3})) found.push_back(*each);
      }
  return found;
}

constexpr std::int64_t smallest = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t largest = std::numeric_limits<std::int64_t>::max();

}  // namespace

TEST_CASE("the table has the standard's exponents") {
  std::map<int, std::set<std::string>> by_exponent;
  for (const currency each : all_currencies()) by_exponent[each.exponent()].insert(std::string(each.code()));

  CHECK(by_exponent.size() == 4);
  CHECK(by_exponent[0] == std::set<std::string>{"BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF",
                                                "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"});
  CHECK(by_exponent[3] == std::set<std::string>{"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"});
  CHECK(by_exponent[4] == std::set<std::string>{"CLF", "UYW"});
  CHECK(by_exponent[0].size() == 17);
  CHECK(by_exponent[2].size() == 139);
  for (const char* often_wrong : {"HUF", "MGA", "MRU", "TWD", "IDR", "COP", "IRR", "AFN", "MMK"})
    CHECK(unit(often_wrong).exponent() == 2);
}

TEST_CASE("every code finds itself") {
  const auto all = all_currencies();
  CHECK(all.size() == 165);
  for (const currency each : all) {
    const auto again = currency::find(each.code());
    REQUIRE(again);
    CHECK(*again == each);
  }
  CHECK(unit("EUR") != unit("USD"));
}

TEST_CASE("codes that left the standard, never were in it or have no minor unit do not exist") {
  const char* gone = GENERATE("BGN", "HRK", "SLL", "ANG", "ZWL", "CUC", "LTL", "VEF", "MRO", "STD", "BYR", "DEM");
  CHECK_FALSE(currency::find(gone));
  const char* not_payable =
      GENERATE("XAU", "XAG", "XPD", "XPT", "XDR", "XSU", "XUA", "XTS", "XXX", "XBA", "XBB", "XBC", "XBD");
  CHECK_FALSE(currency::find(not_payable));
  const std::string_view malformed =
      GENERATE("", "E", "EU", "EURO", "eur", "Eur", "EU ", " EUR", "E\0R", "ZZZ", "AAA", "978", "\xC3\x89UR");
  CHECK_FALSE(currency::find(malformed));
  CHECK_FALSE(currency::find(std::string_view("EU\0", 3)));
  for (const char* recent : {"XCG", "SLE", "VED", "VES", "ZWG", "XAD", "MRU", "STN"}) CHECK(currency::find(recent));
}

TEST_CASE("sums are exact or refused") {
  const currency eur = unit("EUR"), usd = unit("USD");
  CHECK(checked_add({1, eur}, {2, eur}) == money{3, eur});
  CHECK(checked_subtract({1, eur}, {2, eur}) == money{-1, eur});
  CHECK_FALSE(checked_add({1, eur}, {2, usd}));
  CHECK_FALSE(checked_subtract({1, eur}, {1, usd}));
  CHECK_FALSE(checked_add({largest, eur}, {1, eur}));
  CHECK_FALSE(checked_add({smallest, eur}, {-1, eur}));
  CHECK_FALSE(checked_subtract({smallest, eur}, {1, eur}));
  CHECK_FALSE(checked_subtract({0, eur}, {smallest, eur}));
  CHECK(checked_subtract({-1, eur}, {smallest, eur}) == money{largest, eur});
}

TEST_CASE("decimals are written as the currency has them") {
  CHECK(to_decimal({1250, unit("EUR")}) == "12.50");
  CHECK(to_decimal({1250, unit("JPY")}) == "1250");
  CHECK(to_decimal({1250, unit("KWD")}) == "1.250");
  CHECK(to_decimal({1250, unit("CLF")}) == "0.1250");
  CHECK(to_decimal({0, unit("EUR")}) == "0.00");
  CHECK(to_decimal({0, unit("JPY")}) == "0");
  CHECK(to_decimal({5, unit("EUR")}) == "0.05");
  CHECK(to_decimal({-5, unit("EUR")}) == "-0.05");
  CHECK(to_decimal({largest, unit("EUR")}) == "92233720368547758.07");
  CHECK(to_decimal({smallest, unit("EUR")}) == "-92233720368547758.08");
  CHECK(to_decimal({smallest, unit("JPY")}) == "-9223372036854775808");
}

TEST_CASE("another exponent never changes the value") {
  CHECK(to_decimal({1250, unit("JPY")}, 2) == "1250.00");
  CHECK(to_decimal({1200, unit("EUR")}, 0) == "12");
  CHECK(to_decimal({1250, unit("EUR")}, 0) == "12.5");
  CHECK(to_decimal({1251, unit("EUR")}, 1) == "12.51");
  CHECK(to_decimal({100, unit("EUR")}, 3) == "1.000");
  CHECK(to_decimal({0, unit("EUR")}, 0) == "0");
  CHECK(to_decimal({1000, unit("EUR")}, 0) == "10");
  CHECK(to_decimal({-100, unit("EUR")}, 0) == "-1");

  CHECK(minor_at_exponent({1250, unit("JPY")}, 2) == 125000);
  CHECK(minor_at_exponent({1200, unit("CVE")}, 0) == 12);
  CHECK_FALSE(minor_at_exponent({1250, unit("CVE")}, 0));
  CHECK_FALSE(minor_at_exponent({largest / 10, unit("JPY")}, 2));
  CHECK(from_minor(125000, unit("JPY"), 2) == money{1250, unit("JPY")});
  CHECK_FALSE(from_minor(125001, unit("JPY"), 2));
  CHECK(from_minor(12, unit("CVE"), 0) == money{1200, unit("CVE")});
  CHECK_FALSE(from_minor(largest, unit("CVE"), 0));
}

TEST_CASE("decimals are read exactly") {
  const currency eur = unit("EUR"), jpy = unit("JPY"), kwd = unit("KWD");
  CHECK(from_decimal("12.50", eur) == money{1250, eur});
  CHECK(from_decimal("12.5", eur) == money{1250, eur});
  CHECK(from_decimal("12", eur) == money{1200, eur});
  CHECK(from_decimal("0.01", eur) == money{1, eur});
  CHECK(from_decimal("0", eur) == money{0, eur});
  CHECK(from_decimal("1250", jpy) == money{1250, jpy});
  CHECK(from_decimal("1.001", kwd) == money{1001, kwd});
  CHECK(from_decimal("92233720368547758.07", eur) == money{largest, eur});
  CHECK(from_decimal("1250.00", jpy, 2) == money{1250, jpy});
  CHECK_FALSE(from_decimal("1250.01", jpy, 2));
  CHECK_FALSE(from_decimal("1250.000", jpy, 2));
  CHECK(from_decimal("12.50", eur, 0) == money{1250, eur});
}

TEST_CASE("anything else than a plain number in range is refused") {
  const std::string_view text =
      GENERATE("", ".", ".5", "5.", "-1", "+1", " 1", "1 ", "1,00", "1.2.3", "1e3", "0x10", "1.001", "1.000", "NaN",
               "inf", "1_000", "92233720368547758.08", "99999999999999999999999999", "\xD9\xA1", "1.-5", "--1");
  CAPTURE(text);
  CHECK_FALSE(from_decimal(text, unit("EUR")));
  CHECK_FALSE(from_decimal(std::string_view("1\0", 2), unit("EUR")));
  CHECK_FALSE(from_decimal("1.0", unit("JPY")));
}

TEST_CASE("what is written can be read back, in every currency and at every exponent") {
  std::mt19937_64 random(4217);
  std::vector<std::int64_t> amounts{0, 1, 9, 10, 99, 100, 101, 999, 1000, 9999, 10000, max_amount_minor, largest};
  for (int count = 0; count < 200; ++count)
    amounts.push_back(static_cast<std::int64_t>(random() >> (1 + random() % 62)));
  for (const currency each : all_currencies())
    for (const std::int64_t minor : amounts) {
      const money amount{minor, each};
      REQUIRE(from_decimal(to_decimal(amount), each) == amount);
      for (int exponent = 0; exponent <= 4; ++exponent) {
        REQUIRE(from_decimal(to_decimal(amount, exponent), each, exponent) == amount);
        if (const auto scaled = minor_at_exponent(amount, exponent))
          REQUIRE(from_minor(*scaled, each, exponent) == amount);
      }
    }
}

TEST_CASE("sums agree with wider arithmetic") {
  std::mt19937_64 random(64);
  const currency eur = unit("EUR");
  for (int count = 0; count < 20'000; ++count) {
    const auto a = static_cast<std::int64_t>(random()) >> (random() % 64);
    const auto b = static_cast<std::int64_t>(random()) >> (random() % 64);
    const __int128 sum = static_cast<__int128>(a) + b, difference = static_cast<__int128>(a) - b;
    const auto fits = [](__int128 wide) { return wide >= smallest && wide <= largest; };
    const auto added = checked_add({a, eur}, {b, eur}), subtracted = checked_subtract({a, eur}, {b, eur});
    REQUIRE(added.has_value() == fits(sum));
    REQUIRE(subtracted.has_value() == fits(difference));
    if (added) REQUIRE(added->minor == static_cast<std::int64_t>(sum));
    if (subtracted) REQUIRE(subtracted->minor == static_cast<std::int64_t>(difference));
  }
}
