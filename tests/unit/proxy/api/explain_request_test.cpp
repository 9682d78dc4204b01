// What may be explained: a create body whose card may be a BIN only.
#include "proxy/api/explain_request.hpp"

#include <catch2/catch.hpp>

#include "fixtures.hpp"

namespace turnout::api {
namespace {

using namespace test;

const std::vector<std::string> one_merchant{"demo"};

explain_request good(std::string_view query, const std::string& body,
                     const std::vector<std::string>& merchants = one_merchant) {
  auto read = read_explain_request(query, body, merchants, noon());
  if (const auto* refused = std::get_if<problem>(&read)) FAIL(refused->detail);
  return std::get<explain_request>(std::move(read));
}

problem bad(std::string_view query, const std::string& body, const std::vector<std::string>& merchants = one_merchant) {
  auto read = read_explain_request(query, body, merchants, noon());
  REQUIRE(std::holds_alternative<problem>(read));
  return std::get<problem>(std::move(read));
}

std::string with_card(const std::string& card) {
  return R"({"amount":1250,"currency":"EUR","payment_method":{"type":"card","card":)" + card + "}}";
}

TEST_CASE("a create body is taken as it is") {
  const explain_request got = good("mode=live", good_body);
  CHECK(got.wish.merchant == "demo");
  CHECK(got.wish.livemode);
  CHECK(got.wish.amount.minor == 1250);
  CHECK(got.card.brand() == payments::card_brand::visa);
  CHECK_FALSE(good("", good_body).wish.livemode);
}

TEST_CASE("a BIN stands for a card") {
  for (const auto& [bin, brand] : {std::pair{"424242", payments::card_brand::visa},
                                   {"555555", payments::card_brand::mastercard},
                                   {"371449", payments::card_brand::amex}}) {
    INFO(bin);
    const explain_request got = good("", with_card(R"({"bin":")" + std::string(bin) + "\"}"));
    CHECK(got.card.brand() == brand);
    CHECK(got.card.summary().bin == bin);
  }
  CHECK(good("", with_card(R"({"number":"4242424242424242"})")).card.summary().last4 == "4242");
}

TEST_CASE("a card needs a number or a BIN, and only one of them") {
  CHECK(bad("", with_card("{}")).errors.at(0).field == "payment_method.card");
  CHECK(bad("", with_card(R"({"bin":"424242","number":"4242424242424242"})")).errors.at(0).field ==
        "payment_method.card");
  for (const char* wrong : {R"("42424")", R"("4242424")", R"("4242x2")", "424242"})
    CHECK(bad("", with_card(R"({"bin":)" + std::string(wrong) + "}")).errors.at(0).field == "payment_method.card.bin");
  CHECK(bad("", with_card(R"({"number":"4242424242424241"})")).errors.at(0).field == "payment_method.card.number");
}

TEST_CASE("a payment is not created by its BIN") {
  json_failure failure;
  const auto document = json_document::parse(with_card(R"({"bin":"424242"})"), {}, failure);
  REQUIRE(document);
  const payment_body body = read_payment_body(*document, demo, noon());
  CHECK(body.errors.size() >= 4);  // bin is not known; number, exp_month and exp_year are required
}

TEST_CASE("whose payment it is must be told where several merchants are served") {
  const std::vector<std::string> two{"demo", "shop"};
  CHECK(bad("", good_body, two).errors.at(0).field == "merchant");
  CHECK(good("merchant=shop", good_body, two).wish.merchant == "shop");
  CHECK(bad("merchant=sohp", good_body, two).errors.at(0).field == "merchant");
  CHECK(bad("mode=real", good_body).errors.at(0).field == "mode");
  CHECK(bad("who=me", good_body).errors.at(0).field == "who");
}

TEST_CASE("what is wrong with the body is told by field, and never quotes it") {
  const problem got = bad("", R"({"amount":-1,"currency":"EUR","payment_method":{"type":"card","card":)"
                              R"({"number":"4242424242424242","exp_month":13}}})");
  REQUIRE(got.errors.size() == 2);
  CHECK(got.errors[0].field == "amount");
  CHECK(got.errors[1].field == "payment_method.card.exp_month");
  CHECK(render(got, "req_1").body.find("4242") == std::string::npos);
  CHECK(bad("", "{").kind.code == "malformed_request");
}

}  // namespace
}  // namespace turnout::api
