// Conditions and effects that the shipped gateways do not use.
#include "fixture.hpp"

using namespace turnout::connectors;
using namespace turnout::connectors::testing;
using turnout::payments::decline_reason;
using turnout::payments::operation;
using turnout::payments::outcome;

namespace {
std::shared_ptr<const definition> with_rules(const std::string& rules, const std::string& more = "") {
  return load_good(with(small, "      - {when: {status: 200}, outcome: approved, captured: true}\n",
                        rules + "      - {when: {status: 299}, outcome: approved}\n") +
                   more);
}
outcome ended(const definition& d, unsigned status, std::string body) {
  return answer(d, operation::sale, status, std::move(body)).result;
}
}  // namespace

TEST_CASE("statuses") {
  const auto d = with_rules("      - {when: {status: [201, 3xx, \"500-502\"]}, outcome: rejected}\n");
  for (unsigned status : {201U, 300U, 399U, 500U, 502U}) CHECK(ended(*d, status, "not json") == outcome::rejected);
  for (unsigned status : {200U, 202U, 299U, 400U, 499U, 503U}) CHECK(ended(*d, status, "") != outcome::rejected);
}

TEST_CASE("conditions on the body") {
  const auto d = with_rules(R"(      - {when: {"$.a": exists, "$.b": absent}, outcome: rejected}
      - {when: {"$.n": [1, null, false, "1", exists_not]}, outcome: pending}
      - {when: {"$.l[1].x": "exists"}, outcome: not_sent}
)");
  CHECK(ended(*d, 200, R"({"a":1})") == outcome::rejected);
  CHECK(ended(*d, 200, R"({"a":0,"b":null})") == outcome::rejected);
  CHECK(ended(*d, 200, R"({"a":null})") == outcome::unknown);
  CHECK(ended(*d, 200, R"({"a":1,"b":2})") == outcome::unknown);
  for (const char* n : {"1", "null", "false", "\"1\""})
    CHECK(ended(*d, 200, "{\"n\":" + std::string(n) + "}") == outcome::pending);
  for (const char* n : {"1.0", "true", "\"false\"", "[1]", "2"})
    CHECK(ended(*d, 200, "{\"n\":" + std::string(n) + "}") == outcome::unknown);
  CHECK(ended(*d, 200, R"({"l":[0,{"x":"exists"}]})") == outcome::not_sent);
  CHECK(ended(*d, 200, R"({"l":[{"x":"exists"}]})") == outcome::unknown);
  CHECK(ended(*d, 200, R"({"l":{"1":{"x":"exists"}}})") == outcome::unknown);
}

TEST_CASE("a rule without a body condition matches any body, one that reads the body does not") {
  const auto d = with_rules(
      "      - {when: {status: 200}, outcome: rejected, gateway_code: $.code}\n"
      "      - {when: {status: 200}, outcome: not_sent}\n");
  CHECK(ended(*d, 200, "{}") == outcome::rejected);
  CHECK(ended(*d, 200, "<html>") == outcome::not_sent);
}

TEST_CASE("named reasons, number codes and several maps") {
  const auto d =
      with_rules(R"(      - {when: {status: 402}, reason: {from: "$.code", map: numbers}, gateway_code: "$.text"}
      - {when: {status: 403}, reason: expired_card}
      - {when: {status: 404}, outcome: soft_decline}
)",
                 "maps: {numbers: {2001: insufficient_funds, default: declined}}\n");
  const auto listed = answer(*d, operation::sale, 402, R"({"code":2001,"text":"two"})");
  CHECK(listed.reason == decline_reason::insufficient_funds);
  CHECK(listed.gateway_code == "two");
  CHECK(answer(*d, operation::sale, 402, R"({"code":2.5})").reason == decline_reason::declined);
  CHECK(answer(*d, operation::sale, 402, R"({})").reason == decline_reason::declined);
  CHECK(ended(*d, 402, "oops") == outcome::unknown);
  const auto named = answer(*d, operation::sale, 403, "oops");
  CHECK(named.result == outcome::hard_decline);
  CHECK(named.reason == decline_reason::expired_card);
  const auto bare = answer(*d, operation::sale, 404, "");
  CHECK(bare.result == outcome::soft_decline);
  CHECK(bare.code == "declined");
  CHECK(bare.reason == decline_reason::none);
}

TEST_CASE("a shopper is only sent to a usable URL") {
  const auto d = with_rules(R"(      - {when: {status: 202}, outcome: requires_action, action_url: "$.url"}
)");
  const auto good = answer(*d, operation::sale, 202, R"({"url":"https://acs.example/x?y=1"})");
  CHECK(good.result == outcome::requires_action);
  CHECK(good.action.url == "https://acs.example/x?y=1");
  const std::string longest = "\"https://" + std::string(5000, 'a') + "\"";
  for (const std::string& url :
       {std::string("null"), std::string("\"\""), std::string("\"javascript:alert(1)\""),
        std::string("\"https://a b\""), std::string("\"https://a\\nb\""), std::string("\"https://a\\\"b\""), longest}) {
    const auto got = answer(*d, operation::sale, 202, "{\"url\":" + url + "}");
    CHECK(got.result == outcome::unknown);
    CHECK(got.code == "action_url_unusable");
  }
}

TEST_CASE("amounts in the gateway's own exponent") {
  const auto d = with_rules(R"(      - {when: {status: 200}, outcome: approved, amount: "$.minor"}
      - {when: {status: 201}, outcome: approved, amount: "$.decimal", amount_format: decimal}
)",
                            "exponents: {JPY: 2}\n");
  const turnout::payments::money yen{1250, *turnout::payments::currency::find("JPY")};
  CHECK(answer(*d, operation::sale, 200, R"({"minor":125000})", yen).amount_minor == 1250);
  CHECK(answer(*d, operation::sale, 200, R"({"minor":"125000"})", yen).amount_minor == 1250);
  CHECK(answer(*d, operation::sale, 200, R"({"minor":125001})", yen).amount_unreadable);
  CHECK(answer(*d, operation::sale, 201, R"({"decimal":"1250.00"})", yen).amount_minor == 1250);
  CHECK(answer(*d, operation::sale, 201, R"({"decimal":"1250.01"})", yen).amount_unreadable);
}
