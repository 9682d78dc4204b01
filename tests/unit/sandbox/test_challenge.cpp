// An issuer's challenge: asked for, passed, failed, given up, blocked, lost.
#include <catch2/catch.hpp>

#include "tests/unit/sandbox/counter.hpp"

using namespace sandbox_test;

namespace {

constexpr const char* asks = "4000002500003155";

struct bank : counter {
  using counter::counter;
  pending pay(const std::string& reference, json::object more, const std::string& key = "k",
              const std::string& number = asks) {
    json::object body{{"amount", 1250},
                      {"currency", "EUR"},
                      {"reference", reference},
                      {"card", {{"number", number}, {"exp_month", 12}, {"exp_year", 2030}}}};
    for (const auto& member : more) body.insert(member);
    return send("POST", "/alpha/v1/charges", json::serialize(body), {{"Idempotency-Key", key}});
  }
  pending challenged(const std::string& reference = "att_1") {
    const auto asked = pay(reference, {{"return_url", "https://pay.example/back?a=b"}});
    REQUIRE(asked->status() == 200);
    REQUIRE(asked->body().at("status") == "requires_action");
    return asked;
  }
  /// As a browser: without a credential, on the address that the answer named.
  pending browse(const std::string& method, const json::value& url, const std::string& body = {}) {
    const std::string address(url.as_string());
    const std::string host = "http://localhost";
    REQUIRE(address.starts_with(host + "/"));
    net::request message;
    message.method = method;
    message.target = address.substr(host.size());
    message.body = body;
    message.fields.emplace_back("Host", "localhost");
    return raw(std::move(message));
  }
};

std::string location(const pending& got) {
  for (const auto& [name, value] : got->reply->fields)
    if (name == "Location") return value;
  return {};
}

}  // namespace

TEST_CASE("alpha: without a return_url the card is declined, as ever; others pass without a challenge") {
  bank c;
  const auto plain = c.pay("att_1", {}, "k1");
  CHECK(plain->status() == 402);
  CHECK(plain->body().at("error").at("code") == "authentication_required");
  const auto other = c.pay("att_2", {{"return_url", "https://pay.example/"}}, "k2", good_card);
  CHECK(other->body().at("status") == "succeeded");
  CHECK(c.pay("att_3", {{"return_url", "javascript:alert(1)"}}, "k3")->status() == 400);
}

TEST_CASE("alpha: a charge with the caller's own authentication needs no challenge") {
  bank c;
  const auto made = c.pay(
      "att_1", {{"authentication", {{"cryptogram", "AJkB"}, {"eci", "05"}}}, {"return_url", "https://pay.example/"}});
  CHECK(made->body().at("status") == "succeeded");
  CHECK(c.pay("att_2", {{"authentication", json::object{{"eci", "05"}}}}, "k2")->status() == 400);
  CHECK(c.pay("att_3", {{"authentication", json::object{}}}, "k3")->status() == 400);
}

TEST_CASE("alpha: a challenge is in no ledger until its shopper is through") {
  bank c;
  const auto asked = c.challenged();
  const json::value url = asked->body().at("action").at("url");
  CHECK(asked->body().at("captured") == false);
  CHECK(c.ledger().empty());
  CHECK(c.alpha_inquiry("att_1")->body().at("status") == "requires_action");
  CHECK(c.alpha_inquiry("att_1")->body().at("action").at("url") == url);
  // The same request again is the same challenge; another is refused.
  CHECK(c.challenged()->body() == asked->body());
  CHECK(c.pay("att_1", {{"return_url", "https://pay.example/back?a=b"}, {"amount", 1}}, "k2")->status() == 409);
  const auto page = c.browse("GET", url);
  CHECK(page->status() == 200);
  CHECK(page->reply->body.find("12.50 EUR") != std::string::npos);
  CHECK(c.browse("DELETE", url)->status() == 405);
  CHECK(c.browse("POST", url, "result=maybe")->status() == 400);
  CHECK(c.alpha_inquiry("att_1")->body().at("status") == "requires_action");

  SECTION("passed") {
    const auto away = c.browse("POST", url, "code=123456&result=approve");
    CHECK(away->status() == 303);
    CHECK(location(away) == "https://pay.example/back?a=b");
    CHECK(c.alpha_inquiry("att_1")->body().at("status") == "succeeded");
    CHECK(c.alpha_inquiry("att_1")->body().at("id") == asked->body().at("id"));
    REQUIRE(c.ledger().back().at("operation") == "sale");
    CHECK(c.ledger().back().at("result") == "approved");
    CHECK(c.ledger().back().at("charge") == asked->body().at("id"));
  }
  SECTION("passed without a code") {
    c.browse("POST", url, "code=&result=approve");
    CHECK(c.alpha_inquiry("att_1")->body().at("status") == "succeeded");
  }
  SECTION("failed, given up, or the wrong code") {
    const std::string form = GENERATE("result=fail", "result=cancel", "code=1&result=approve");
    const auto away = c.browse("POST", url, form);
    CHECK(away->status() == 303);
    const auto known = c.alpha_inquiry("att_1")->body();
    CHECK(known.at("status") == "declined");
    CHECK(known.at("error").at("code") == "authentication_failed");
    CHECK(c.ledger().back().at("result") == "declined");
  }
  SECTION("reversed meanwhile: blocked for ever") {
    CHECK(c.alpha_reverse("att_1")->status() == 200);
    CHECK(c.browse("GET", url)->status() == 404);
    CHECK(c.browse("POST", url, "result=approve")->status() == 404);
    CHECK(c.pay("att_1", {{"return_url", "https://pay.example/back?a=b"}})->body().at("error").at("code") ==
          "reference_reversed");
    for (const auto& each : c.ledger())
      CHECK_FALSE((each.at("operation") == "sale" && each.at("result") == "approved"));
  }
  SECTION("the bank declines what the shopper confirmed") {
    c.control("alpha", R"({"approval_rate": 0, "declines": {"insufficient_funds": 1}})");
    c.browse("POST", url, "result=approve");
    CHECK(c.alpha_inquiry("att_1")->body().at("error").at("code") == "insufficient_funds");
  }
  SECTION("done is done") {
    c.browse("POST", url, "result=approve");
    CHECK(c.browse("POST", url, "result=fail")->status() == 404);
    CHECK(c.alpha_inquiry("att_1")->body().at("status") == "succeeded");
    CHECK(c.pay("att_1", {{"return_url", "https://pay.example/back?a=b"}})->body().at("status") == "succeeded");
  }
}

TEST_CASE("a challenge meets the faults of a charge") {
  bank c;
  c.control("alpha", R"({"faults": {"charge_then_drop": 1}})");
  CHECK(c.pay("att_1", {{"return_url", "https://pay.example/"}})->closed());
  c.control("alpha", R"({"faults": {"charge_then_drop": 0}, "inquiry_lag_ms": 1000})");
  CHECK(c.alpha_inquiry("att_1")->status() == 404);
  c.pass(1000);
  CHECK(c.alpha_inquiry("att_1")->body().at("status") == "requires_action");
}

TEST_CASE("gamma: the challenge is a form that the browser posts") {
  bank c;
  const json::object body{{"orderRef", "att_1"},
                          {"action", "charge"},
                          {"money", {{"minor", 1250}, {"code", "EUR"}}},
                          {"returnUrl", "https://pay.example/back"},
                          {"instrument", {{"pan", asks}, {"month", 12}, {"year", 2030}}}};
  const auto asked = c.send("POST", "/gamma/api/transactions", json::serialize(body));
  REQUIRE(asked->status() == 201);
  const json::value transaction = asked->body().at("transaction");
  CHECK(transaction.at("state") == "challenge");
  const json::value url = transaction.at("challenge").at("url");
  const std::string creq(transaction.at("challenge").at("form").at("creq").as_string());
  CHECK(c.browse("GET", url)->status() == 400);
  CHECK(c.browse("POST", url, "creq=wrong")->status() == 400);
  CHECK(c.browse("POST", url, "creq=" + creq)->reply->body.find("Sandbox bank") != std::string::npos);
  CHECK(c.send("GET", "/gamma/api/transactions/att_1")->body().at("transaction").at("state") == "challenge");
  CHECK(c.send("POST", "/gamma/api/transactions", json::serialize(body))->status() == 409);
  CHECK(location(c.browse("POST", url, "result=fail")) == "https://pay.example/back");
  const auto known = c.send("GET", "/gamma/api/transactions/att_1")->body().at("transaction");
  CHECK(known.at("state") == "refused");
  CHECK(known.at("refusal").at("reason") == "GM-AUTH");
}
