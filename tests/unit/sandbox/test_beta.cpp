// beta's words and rules.
#include <catch2/catch.hpp>

#include "tests/unit/sandbox/counter.hpp"

using namespace sandbox_test;

namespace {
pending inquire(counter& c, const std::string& reference) {
  return c.send("GET", "/beta/payments/by-reference/" + reference);
}
pending reverse(counter& c, const std::string& reference) {
  return c.send("POST", "/beta/payments/by-reference/" + reference + "/reverse", "{}");
}
}  // namespace

TEST_CASE("beta: decimal amounts, and the body decides") {
  counter c;
  const auto sale = c.beta("att_1", "att_1");
  CHECK(sale->status() == 200);
  CHECK(sale->body().at("result") == "APPROVED");
  CHECK(sale->body().at("state") == "CAPTURED");
  CHECK(sale->body().at("transactionId").as_string().starts_with("bt_"));
  CHECK(sale->body().at("amount") == json::parse(R"({"value":"12.50","currency":"EUR"})"));
  CHECK(c.beta("att_2", "att_2", "7", good_card, "AUTH")->body().at("state") == "AUTHORIZED");
  CHECK(c.beta("att_3", "att_3", "1250", good_card, "SALE", "JPY")->body().at("amount").at("value") == "1250");
  CHECK(c.beta("att_4", "att_4", "1.250", good_card, "SALE", "KWD")->body().at("amount").at("value") == "1.250");
  const auto ledger = c.ledger("?gateway=beta");
  REQUIRE(ledger.size() == 4);
  CHECK(ledger[0].at("amount") == 1250);
  CHECK(ledger[1].at("amount") == 700);
  CHECK(ledger[1].at("operation") == "authorize");
  CHECK(ledger[2].at("amount") == 1250);
  CHECK(ledger[3].at("amount") == 1250);
  CHECK(inquire(c, "att_1")->body().at("result") == "APPROVED");
  CHECK(inquire(c, "att_1")->body().at("transactionId") == sale->body().at("transactionId"));
  CHECK(inquire(c, "att_9")->status() == 200);
  CHECK(inquire(c, "att_9")->body().at("result") == "NOT_FOUND");
}

TEST_CASE("beta: only an approval is remembered by its key") {
  counter c;
  c.control("beta", R"({"approval_rate": 0, "declines": {"insufficient_funds": 1}})");
  const auto declined = c.beta("att_1", "att_1");
  CHECK(declined->status() == 200);
  CHECK(declined->body().at("result") == "DECLINED");
  CHECK(declined->body().at("responseCode") == "51");
  CHECK(inquire(c, "att_1")->body().at("result") == "DECLINED");
  c.control("beta", R"({"approval_rate": 1})");
  CHECK(c.beta("att_1", "other")->body().at("errorCode") == "DUPLICATE_REFERENCE");
  const auto approved = c.beta("att_1", "att_1");
  CHECK(approved->body().at("result") == "APPROVED");
  CHECK(inquire(c, "att_1")->body().at("result") == "APPROVED");
  CHECK(c.beta("att_1", "att_1")->reply->body == approved->reply->body);
  CHECK(c.beta("att_1", "att_1", "12.51")->body().at("errorCode") == "VALIDATION");
  const auto ledger = c.ledger();
  REQUIRE(ledger.size() == 4);
  CHECK(ledger[2].at("replayed") == false);
  CHECK(ledger[3].at("replayed") == true);
}

TEST_CASE("beta: a second request with the key waits for the running one") {
  counter c;
  c.control("beta", R"({"charge_delay_ms": 1000})");
  const auto first = c.beta("att_1", "att_1");
  const auto second = c.beta("att_1", "att_1");
  const auto third = c.beta("att_1", "att_1");
  CHECK(c.beta("att_1", "att_1", "1.00")->body().at("errorCode") == "VALIDATION");
  SECTION("and gets its approval") {
    c.pass(1000);
    CHECK(first->body().at("result") == "APPROVED");
    CHECK(second->reply->body == first->reply->body);
    CHECK(third->reply->body == first->reply->body);
    CHECK(c.ledger().size() == 3);
    CHECK(c.ledger()[1].at("replayed") == true);
  }
  SECTION("and is processed anew after a decline") {
    c.control("beta", R"({"approval_rate": 0})");
    c.pass(1000);
    CHECK(first->body().at("result") == "DECLINED");
    CHECK_FALSE(second->answered);
    c.control("beta", R"({"approval_rate": 1})");
    c.pass(1000);
    CHECK(second->body().at("result") == "APPROVED");
    CHECK(third->reply->body == second->reply->body);
    CHECK(c.ledger().size() == 3);
  }
}

TEST_CASE("beta: reversing blocks the reference for ever") {
  counter c;
  const auto sale = c.beta("att_1", "att_1");
  const auto reversed = reverse(c, "att_1");
  CHECK(reversed->body().at("result") == "REVERSED");
  CHECK(reversed->body().at("transactionId") == sale->body().at("transactionId"));
  CHECK(inquire(c, "att_1")->body().at("result") == "REVERSED");
  CHECK(reverse(c, "att_2")->body().at("transactionId").is_null());
  CHECK(c.beta("att_2", "att_2")->body().at("errorCode") == "REFERENCE_REVERSED");
  CHECK(c.ledger()[1].at("operation") == "refund");
  CHECK(c.ledger()[2].at("operation") == "void");
  CHECK(c.ledger()[2].at("charge").is_null());
}

TEST_CASE("beta: captures, refunds and voids by id") {
  counter c;
  const auto made = c.beta("att_1", "att_1", "12.50", good_card, "AUTH");
  const std::string path = "/beta/payments/" + std::string(made->body().at("transactionId").as_string());
  CHECK(c.send("POST", path + "/capture", R"({"amount":{"value":"10.00","currency":"USD"}})")->body().at("result") ==
        "ERROR");
  CHECK(c.send("POST", path + "/capture", R"({"amount":{"value":"10.00","currency":"EUR"}})")->body().at("state") ==
        "CAPTURED");
  CHECK(c.send("POST", path + "/refund", R"({"amount":{"value":"10.01","currency":"EUR"}})")->body().at("errorCode") ==
        "VALIDATION");
  CHECK(c.send("POST", path + "/refund", "{}")->body().at("amount").at("value") == "10.00");
  CHECK(c.send("POST", path + "/void", "{}")->body().at("errorCode") == "INVALID_STATE");
  CHECK(c.send("POST", "/beta/payments/bt_0000000000000/void")->body().at("errorCode") == "UNKNOWN_TRANSACTION");
}

TEST_CASE("beta: bad requests") {
  counter c;
  for (const char* value : {"", "0", "0.00", "-1", "12.505", "1,50", "abc", "1e3", "1000000000000000000000"}) {
    INFO(value);
    CHECK(c.beta("att_1", "att_1", value)->body().at("errorCode") == "VALIDATION");
  }
  CHECK(c.beta("att_1", "att_1", "1.00", good_card, "BUY")->body().at("errorCode") == "VALIDATION");
  CHECK(c.beta("att_1", "att_1", "1.00", "4242424242424241")->body().at("errorCode") == "VALIDATION");
  CHECK(c.beta("att_1", "att_1", "1.5", good_card, "SALE", "JPY")->body().at("errorCode") == "VALIDATION");
  CHECK(c.send("POST", "/beta/payments", "{")->body().at("errorCode") == "VALIDATION");
  for (const char* expiry : {"1230", "12-30", "13/30", "00/30", "1/30", "12/030"}) {
    const std::string body =
        std::string(
            R"({"transactionReference":"r","type":"SALE","amount":{"value":"1","currency":"EUR"},"card":{"pan":"4242424242424242","expiry":")") +
        expiry + "\"}}";
    INFO(expiry);
    CHECK(c.send("POST", "/beta/payments", body)->body().at("errorCode") == "VALIDATION");
  }
  CHECK(c.ledger().empty());
  net::request bare;
  bare.method = "GET";
  bare.target = "/beta/payments/by-reference/x";
  CHECK(c.raw(bare)->status() == 200);
  CHECK(c.raw(bare)->body().at("errorCode") == "UNAUTHORIZED");
  CHECK(c.send("GET", "/beta/other")->body().at("errorCode") == "UNKNOWN_PATH");
}
