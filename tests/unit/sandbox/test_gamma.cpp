// gamma's words and rules.
#include <catch2/catch.hpp>

#include "tests/unit/sandbox/counter.hpp"

using namespace sandbox_test;

namespace {
pending inquire(counter& c, const std::string& reference) {
  return c.send("GET", "/gamma/api/transactions/" + reference);
}
pending cancel(counter& c, const std::string& reference) {
  return c.send("DELETE", "/gamma/api/transactions/" + reference);
}
}  // namespace

TEST_CASE("gamma: creations are 201, and a decline is one of them") {
  counter c;
  const auto sale = c.gamma("att_1");
  CHECK(sale->status() == 201);
  const auto transaction = sale->body().at("transaction");
  CHECK(transaction.at("state") == "settled");
  CHECK(transaction.at("id").as_string().starts_with("gm_"));
  CHECK(transaction.at("orderRef") == "att_1");
  CHECK(transaction.at("money") == json::parse(R"({"minor":1250,"code":"EUR"})"));
  CHECK_FALSE(transaction.as_object().contains("refusal"));
  CHECK(c.gamma("att_2", 5, "authorise")->body().at("transaction").at("state") == "authorised");
  c.control("gamma", R"({"approval_rate": 0, "declines": {"fraud_suspected": 1}})");
  const auto refused = c.gamma("att_3");
  CHECK(refused->status() == 201);
  CHECK(refused->body().at("transaction").at("state") == "refused");
  CHECK(refused->body().at("transaction").at("refusal") == json::parse(R"({"category":"risk","reason":"GM-FRAUD"})"));
  CHECK(inquire(c, "att_3")->body().at("transaction") == refused->body().at("transaction"));
  CHECK(inquire(c, "att_4")->status() == 404);
  CHECK(inquire(c, "att_4")->body().at("fault").at("code") == "unknown_order");
}

TEST_CASE("gamma: there are no keys; an order is made once") {
  counter c;
  c.gamma("att_1");
  CHECK(c.gamma("att_1")->status() == 409);
  CHECK(c.gamma("att_1")->body().at("fault").at("code") == "duplicate_order");
  c.control("gamma", R"({"charge_delay_ms": 500})");
  const auto first = c.gamma("att_2");
  CHECK(c.gamma("att_2")->body().at("fault").at("code") == "duplicate_order");
  c.pass(500);
  CHECK(first->status() == 201);
  int standing = 0;
  for (const auto& each : c.ledger()) standing += each.at("result") == "approved";
  CHECK(standing == 2);
}

TEST_CASE("gamma: cancelling voids or refunds, and blocks") {
  counter c;
  const auto authorised = c.gamma("att_1", 100, "authorise");
  c.gamma("att_2");
  const auto cancelled = cancel(c, "att_1");
  CHECK(cancelled->status() == 200);
  CHECK(cancelled->body().at("cancelled") == true);
  CHECK(cancelled->body().at("transaction") == authorised->body().at("transaction").at("id"));
  CHECK(inquire(c, "att_1")->body().at("transaction").at("state") == "cancelled");
  cancel(c, "att_2");
  CHECK(cancel(c, "att_3")->body().at("transaction").is_null());
  CHECK(c.gamma("att_3")->body().at("fault").at("code") == "order_cancelled");
  const auto ledger = c.ledger();
  CHECK(ledger[2].at("operation") == "void");
  CHECK(ledger[3].at("operation") == "refund");
  CHECK(ledger[3].at("amount") == 1250);
  CHECK(ledger[4].at("operation") == "void");
  CHECK(ledger[4].at("charge").is_null());
  CHECK(ledger[5].at("result") == "refused");
}

TEST_CASE("gamma: bad requests, and modifications by id") {
  counter c;
  CHECK(c.gamma("att_1", 0)->status() == 400);
  CHECK(c.gamma("att_1", -5)->body().at("fault").at("code") == "bad_request");
  CHECK(c.gamma("att_1", 5, "sell")->status() == 400);
  CHECK(c.gamma("att_1", 5, "charge", "4242424242424240")->status() == 400);
  CHECK(c.send("POST", "/gamma/api/transactions", "[]")->status() == 400);
  CHECK(c.send("PUT", "/gamma/api/transactions/x")->status() == 405);
  CHECK(c.send("GET", "/gamma/api/")->status() == 404);
  net::request bare;
  bare.method = "GET";
  bare.target = "/gamma/api/transactions/x";
  CHECK(c.raw(bare)->body().at("fault").at("code") == "unauthorised");
  const auto made = c.gamma("att_1", 100, "authorise");
  const std::string path =
      "/gamma/api/transactions/" + std::string(made->body().at("transaction").at("id").as_string());
  CHECK(c.send("POST", path + "/capture", R"({"money":{"minor":60,"code":"EUR"}})")
            ->body()
            .at("transaction")
            .at("state") == "settled");
  CHECK(c.send("POST", path + "/refund", R"({"money":{"minor":61,"code":"EUR"}})")->status() == 400);
  CHECK(c.send("POST", path + "/refund", R"({"money":{"minor":60,"code":"EUR"}})")->status() == 200);
  CHECK(c.send("POST", path + "/void")->status() == 409);
}
