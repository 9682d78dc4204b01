// Why a policy does not match, in words that its file uses.
#include "loading.hpp"

using namespace turnout;
using namespace turnout::policies;
using namespace turnout::policies::test;

namespace {

match_input input() {
  return {"demo",
          "card",
          payments::card_brand::visa,
          "424242",
          "DE",
          amount("20.00", "EUR"),
          payments::capture_mode::automatic};
}

std::vector<unmet_condition> unmet(const std::string& block) {
  const policy_set set = load_good("version: 1\npolicies:\n  - name: p\n    match: " + block + "\n");
  std::vector<unmet_condition> found;
  const amount_lookup no_rates = [](const payments::money& from, payments::currency to) {
    return from.unit == to ? std::optional(from) : std::nullopt;
  };
  set.policies.at(0).match->find_unmet(input(), no_rates, found);
  return found;
}

std::string only(const std::string& block) {
  const auto found = unmet(block);
  INFO(block);
  REQUIRE(found.size() == 1);
  CHECK_FALSE(found.front().undecided);
  return found.front().condition;
}

}  // namespace

TEST_CASE("every condition says itself in words") {
  CHECK(only("{currency: [USD, GBP]}") == "currency USD or GBP");
  CHECK(only("{merchant: other}") == "merchant other");
  CHECK(only("{brand: [mastercard, amex]}") == "brand mastercard or amex");
  CHECK(only("{bin: ['51', '4111']}") == "bin 51 or 4111");
  CHECK(only("{country: FR}") == "country FR");
  CHECK(only("{capture: manual}") == "capture manual");
  CHECK(only("{amount: {below: 20.00 EUR}}") == "amount below 20.00 EUR");
  CHECK(only("{amount: {at_most: 19.99 EUR}}") == "amount at_most 19.99 EUR");
  CHECK(only("{amount: {at_least: 20.01 EUR}}") == "amount at_least 20.01 EUR");
  CHECK(only("{amount: {above: 20 EUR}}") == "amount above 20.00 EUR");
  CHECK(only("{not: {currency: EUR, brand: visa}}") == "not (currency EUR and brand visa)");
  CHECK(only("{any: [{brand: amex}, {currency: USD, country: FR}]}") ==
        "any of (brand amex; currency USD and country FR)");
}

TEST_CASE("only what does not hold is named, each condition by itself") {
  CHECK(unmet("{currency: EUR, brand: visa}").empty());
  const auto found = unmet("{currency: USD, brand: visa, all: [{country: FR}, {capture: automatic}]}");
  REQUIRE(found.size() == 2);
  CHECK(found[0].condition == "currency USD");
  CHECK(found[1].condition == "country FR");
}

TEST_CASE("a comparison without a rate is undecided, not unmet") {
  const auto found = unmet("{amount: {below: 10.00 USD}}");
  REQUIRE(found.size() == 1);
  CHECK(found.front().undecided);
  CHECK(found.front().condition == "amount below 10.00 USD");
}
