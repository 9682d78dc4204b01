// Which payments a policy is for: truth tables over match blocks.
#include "loading.hpp"

using namespace turnout;
using namespace turnout::policies;
using namespace turnout::policies::test;
using R = match_result;

namespace {

struct payment_of : match_input {
  payment_of()
      : match_input{"demo",
                    "card",
                    payments::card_brand::visa,
                    "424242",
                    "DE",
                    test::amount("20.00", "EUR"),
                    payments::capture_mode::automatic} {}
  payment_of& paying(const char* number, const char* code) {
    amount = test::amount(number, code);
    return *this;
  }
  payment_of& with_bin(std::string_view digits) {
    bin = digits;
    return *this;
  }
  payment_of& from(std::string_view code) {
    customer_country = code;
    return *this;
  }
};

// One USD is half a EUR; nothing else has a rate.
std::optional<payments::money> half(const payments::money& from, payments::currency to) {
  if (from.unit.code() != "USD" || to.code() != "EUR") return std::nullopt;
  return payments::money{from.minor / 2, to};
}

R match(const std::string& block, const match_input& input, const amount_lookup& convert = half) {
  const policy_set set = load_good("version: 1\npolicies:\n  - name: p\n    match: " + block + "\n");
  REQUIRE(set.policies.at(0).match);
  return set.policies[0].match->matches(input, convert);
}

}  // namespace

TEST_CASE("each key looks at its feature") {
  const payment_of input;
  CHECK(match("{method: card}", input) == R::yes);
  CHECK(match("{currency: EUR}", input) == R::yes);
  CHECK(match("{currency: [USD, EUR]}", input) == R::yes);
  CHECK(match("{currency: [USD, GBP]}", input) == R::no);
  CHECK(match("{merchant: demo}", input) == R::yes);
  CHECK(match("{merchant: [other, demon]}", input) == R::no);
  CHECK(match("{brand: [mastercard, visa]}", input) == R::yes);
  CHECK(match("{brand: mastercard}", input) == R::no);
  CHECK(match("{country: [FR, DE]}", input) == R::yes);
  CHECK(match("{country: FR}", input) == R::no);
  CHECK(match("{country: DE}", payment_of().from("")) == R::no);
  CHECK(match("{capture: automatic}", input) == R::yes);
  CHECK(match("{capture: manual}", input) == R::no);
}

TEST_CASE("a BIN is a prefix of one to six digits") {
  const payment_of input;
  CHECK(match("{bin: 424242}", input) == R::yes);
  CHECK(match("{bin: \"4\"}", input) == R::yes);
  CHECK(match("{bin: [51, 4242]}", input) == R::yes);
  CHECK(match("{bin: 42424}", payment_of().with_bin("4242")) == R::no);
  CHECK(match("{bin: 243}", input) == R::no);
  CHECK(match("{bin: \"0604\"}", payment_of().with_bin("060412")) == R::yes);
}

TEST_CASE("amount bounds at their edges") {
  const struct {
    const char* block;
    R below, equal, over;
  } rows[] = {{"{amount: {below: 20.00 EUR}}", R::yes, R::no, R::no},
              {"{amount: {at_most: 20.00 EUR}}", R::yes, R::yes, R::no},
              {"{amount: {at_least: 20.00 EUR}}", R::no, R::yes, R::yes},
              {"{amount: {above: 20 EUR}}", R::no, R::no, R::yes},
              {"{amount: {at_least: 20 EUR, below: 20.01 EUR}}", R::no, R::yes, R::no}};
  for (const auto& row : rows) {
    INFO(row.block);
    CHECK(match(row.block, payment_of().paying("19.99", "EUR")) == row.below);
    CHECK(match(row.block, payment_of().paying("20.00", "EUR")) == row.equal);
    CHECK(match(row.block, payment_of().paying("20.01", "EUR")) == row.over);
    // Through the rate: 40 USD are 20 EUR.
    CHECK(match(row.block, payment_of().paying("39.98", "USD")) == row.below);
    CHECK(match(row.block, payment_of().paying("40.00", "USD")) == row.equal);
    CHECK(match(row.block, payment_of().paying("40.02", "USD")) == row.over);
    CHECK(match(row.block, payment_of().paying("40.00", "GBP")) == R::rate_unavailable);
    CHECK(match(row.block, payment_of().paying("40.00", "USD"), amount_lookup{}) == R::rate_unavailable);
  }
}

TEST_CASE("combinations follow Kleene's logic, whatever their order") {
  // yes, no and "no rate" as blocks, for a payment in GBP.
  const payment_of input = payment_of().paying("40.00", "GBP");
  const std::map<R, std::string> blocks{
      {R::yes, "{method: card}"}, {R::no, "{capture: manual}"}, {R::rate_unavailable, "{amount: {below: 1 EUR}}"}};
  const auto both = [](R a, R b) {
    if (a == R::no || b == R::no) return R::no;
    return a == R::yes && b == R::yes ? R::yes : R::rate_unavailable;
  };
  const auto either = [](R a, R b) {
    if (a == R::yes || b == R::yes) return R::yes;
    return a == R::no && b == R::no ? R::no : R::rate_unavailable;
  };
  for (const auto& [a, first] : blocks) {
    CHECK(match("{not: " + first + "}", input) == (a == R::yes ? R::no : a == R::no ? R::yes : R::rate_unavailable));
    for (const auto& [b, second] : blocks) {
      INFO(first << " " << second);
      CHECK(match("{all: [" + first + ", " + second + "]}", input) == both(a, b));
      CHECK(match("{any: [" + first + ", " + second + "]}", input) == either(a, b));
      CHECK(match("{any: [" + first + "], all: [" + second + "]}", input) == both(a, b));
      CHECK(match("{not: {any: [" + first + ", " + second + "]}}", input) ==
            match("{all: [{not: " + first + "}, {not: " + second + "}]}", input));
    }
  }
}

TEST_CASE("the first policy that matches is chosen; one that needs a missing rate ends the search") {
  const policy_set set = load_good(R"(version: 1
policies:
  - {name: small, match: {currency: [EUR, GBP], amount: {below: 30.00 EUR}}}
  - {name: visa, match: {brand: visa, currency: [EUR, USD]}}
  - {name: amex, match: {brand: amex}}
)");
  const auto chosen = [&](const match_input& input) {
    const policy_choice choice = select(set, input, half);
    return choice.rate_unavailable ? "no rate" : choice.chosen ? choice.chosen->name : "none";
  };
  CHECK(chosen(payment_of()) == "small");
  CHECK(chosen(payment_of().paying("30.00", "EUR")) == "visa");
  CHECK(chosen(payment_of().paying("1.00", "USD")) ==
        "visa");  // its amount does not matter: the currency is not listed
  CHECK(chosen(payment_of().paying("1.00", "GBP")) == "no rate");
  CHECK(chosen(payment_of().paying("100", "JPY")) == "none");
  CHECK(select(policy_set{}, payment_of(), half).chosen == nullptr);
}
