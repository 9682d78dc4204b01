// alpha's words and rules.
#include <catch2/catch.hpp>

#include "tests/unit/sandbox/counter.hpp"

using namespace sandbox_test;

TEST_CASE("alpha: a sale is charged, answered and in the ledger") {
  counter c;
  const auto sale = c.alpha("att_1", "att_1");
  REQUIRE(sale->status() == 200);
  const auto body = sale->body();
  CHECK(body.at("object") == "charge");
  CHECK(body.at("status") == "succeeded");
  CHECK(body.at("captured") == true);
  CHECK(body.at("amount") == 1250);
  CHECK(body.at("currency") == "EUR");
  CHECK(body.at("reference") == "att_1");
  CHECK(body.at("id").as_string().starts_with("ch_"));
  const auto ledger = c.ledger();
  REQUIRE(ledger.size() == 1);
  const json::value expected = json::parse(R"({"seq":1,"gateway":"alpha","operation":"sale","reference":"att_1",
    "idempotency_key":"att_1","amount":1250,"currency":"EUR","result":"approved","replayed":false})");
  for (const auto& member : expected.as_object()) CHECK(ledger[0].at(member.key()) == member.value());
  CHECK(ledger[0].at("charge") == body.at("id"));
  CHECK(ledger[0].at("at") == "2026-09-21T14:13:20.000Z");
  CHECK(ledger[0].as_object().size() == 11);
}

TEST_CASE("alpha: an authorization is captured once, at most for its amount, then refunded in parts") {
  counter c;
  const auto made = c.alpha("att_1", "k1", 1000, good_card, false);
  CHECK(made->body().at("status") == "authorized");
  CHECK(made->body().at("captured") == false);
  const std::string path = "/alpha/v1/charges/" + std::string(made->body().at("id").as_string());
  CHECK(c.send("POST", path + "/refund", "{}")->body().at("error").at("code") == "charge_not_captured");
  CHECK(c.send("POST", path + "/capture", R"({"amount":1001})")->status() == 400);
  const auto captured = c.send("POST", path + "/capture", R"({"amount":700})");
  CHECK(captured->status() == 200);
  CHECK(captured->body().at("amount") == 700);
  CHECK(c.send("POST", path + "/capture", R"({"amount":100})")->body().at("error").at("code") ==
        "charge_already_captured");
  CHECK(c.send("POST", path + "/void")->body().at("error").at("code") == "charge_already_captured");
  CHECK(c.send("POST", path + "/refund", R"({"amount":500})")->status() == 200);
  CHECK(c.send("POST", path + "/refund", R"({"amount":201})")->body().at("error").at("code") == "amount_too_large");
  CHECK(c.send("POST", path + "/refund", R"({"amount":200})")->status() == 200);
  CHECK(c.send("POST", path + "/refund", "{}")->status() == 400);
  CHECK(c.send("POST", path + "/refund", R"({"amount":0})")->status() == 400);
  CHECK(c.send("POST", path + "/refund", R"({"amount":1.5})")->status() == 400);
  CHECK(c.send("POST", "/alpha/v1/charges/ch_0000000000000/void")->status() == 404);
  CHECK(c.send("POST", "/alpha/v1/charges/nonsense/void")->status() == 404);
  std::int64_t moved = 0;
  for (const auto& each : c.ledger()) {
    if (each.at("result") != "approved") continue;
    if (each.at("operation") == "capture") moved += each.at("amount").as_int64();
    if (each.at("operation") == "refund") moved -= each.at("amount").as_int64();
  }
  CHECK(moved == 0);
}

TEST_CASE("alpha: a void frees the authorization, and the inquiry says so") {
  counter c;
  const auto made = c.alpha("att_1", "k1", 1000, good_card, false);
  const std::string path = "/alpha/v1/charges/" + std::string(made->body().at("id").as_string());
  CHECK(c.send("POST", path + "/void")->body().at("status") == "voided");
  CHECK(c.send("POST", path + "/void")->body().at("error").at("code") == "charge_already_voided");
  CHECK(c.send("POST", path + "/capture")->status() == 409);
  CHECK(c.alpha_inquiry("att_1")->body().at("status") == "reversed");
}

TEST_CASE("alpha: a decline is 402, found by reference, and moves nothing") {
  counter c;
  c.control("alpha", R"({"approval_rate": 0, "declines": {"stolen_card": 1}})");
  const auto declined = c.alpha("att_1", "k1");
  CHECK(declined->status() == 402);
  CHECK(declined->body().at("error").at("code") == "stolen_card");
  const auto found = c.alpha_inquiry("att_1");
  CHECK(found->status() == 200);
  CHECK(found->body().at("status") == "declined");
  CHECK(found->body().at("error").at("code") == "stolen_card");
  CHECK(c.ledger()[0].at("result") == "declined");
}

TEST_CASE("alpha: the same key gives every first answer again, and charges nothing") {
  counter c;
  SECTION("an approval") {}
  SECTION("a decline") { c.control("alpha", R"({"approval_rate": 0})"); }
  const auto first = c.alpha("att_1", "k1");
  c.control("alpha", R"({"approval_rate": 0.5})");
  for (int i = 0; i < 5; ++i) {
    const auto again = c.alpha("att_1", "k1");
    CHECK(again->status() == first->status());
    CHECK(again->reply->body == first->reply->body);
  }
  const auto ledger = c.ledger();
  REQUIRE(ledger.size() == 6);
  CHECK(ledger[0].at("replayed") == false);
  for (std::size_t i = 1; i < 6; ++i) {
    CHECK(ledger[i].at("replayed") == true);
    CHECK(ledger[i].at("charge") == ledger[0].at("charge"));
    CHECK(ledger[i].at("result") == ledger[0].at("result"));
  }
}

TEST_CASE("alpha: the first answer stays what it was after the charge changed") {
  counter c;
  const auto first = c.alpha("att_1", "k1", 1250, good_card, false);
  c.send("POST", "/alpha/v1/charges/" + std::string(first->body().at("id").as_string()) + "/capture");
  CHECK(c.alpha("att_1", "k1", 1250, good_card, false)->reply->body == first->reply->body);
  CHECK(c.alpha_inquiry("att_1")->body().at("status") == "succeeded");
}

TEST_CASE("alpha: a key means one request") {
  counter c;
  c.alpha("att_1", "k1");
  CHECK(c.alpha("att_1", "k1", 1251)->status() == 422);
  CHECK(c.alpha("att_1", "k1", 1251)->body().at("error").at("code") == "idempotency_mismatch");
  CHECK(c.alpha("att_1", "k1", 1250, "5555555555554444")->status() == 422);
  CHECK(c.alpha("att_1", "k1", 1250, good_card, false)->status() == 422);
  CHECK(c.alpha("att_2", "k1")->status() == 422);
  CHECK(c.ledger().size() == 1);
}

TEST_CASE("alpha: a key is forgotten after a day, the reference is not") {
  counter c;
  c.alpha("att_1", "k1");
  c.pass(24 * 3'600'000 - 1);
  CHECK(c.alpha("att_1", "k1")->status() == 200);
  c.pass(1);
  CHECK(c.alpha("att_1", "k1")->body().at("error").at("code") == "duplicate_reference");
}

TEST_CASE("alpha: a reference is charged once, whatever the key") {
  counter c;
  c.alpha("att_1", "k1");
  for (const char* key : {"k2", ""}) {
    const auto other = c.alpha("att_1", key);
    CHECK(other->status() == 409);
    CHECK(other->body().at("error").at("code") == "duplicate_reference");
  }
  const auto ledger = c.ledger();
  REQUIRE(ledger.size() == 3);
  CHECK(ledger[1].at("result") == "refused");
  CHECK(ledger[1].at("charge").is_null());
}

TEST_CASE("alpha: a capture's key does not collide with its charge's") {
  counter c;
  const auto made = c.alpha("att_1", "att_1", 1000, good_card, false);
  const std::string path = "/alpha/v1/charges/" + std::string(made->body().at("id").as_string());
  const net::headers key{{"Idempotency-Key", "att_1"}};
  const auto first = c.send("POST", path + "/capture", R"({"amount":500})", key);
  CHECK(first->status() == 200);
  CHECK(c.send("POST", path + "/capture", R"({"amount":500})", key)->reply->body == first->reply->body);
  CHECK(c.send("POST", path + "/capture", R"({"amount":400})", key)->status() == 422);
  const net::headers refund{{"Idempotency-Key", "r"}};
  CHECK(c.send("POST", path + "/refund", R"({"amount":300})", refund)->status() == 200);
  CHECK(c.send("POST", path + "/refund", R"({"amount":300})", refund)->status() == 200);
  CHECK(c.send("POST", path + "/refund", R"({"amount":300})")->status() == 400);
}

TEST_CASE("alpha: bad requests are refused by name and not listed") {
  counter c;
  const std::string good =
      R"({"amount":1250,"currency":"EUR","reference":"r","card":{"number":"4242424242424242","exp_month":12,"exp_year":2030}})";
  const auto with = [&](const std::string& from, const std::string& to) {
    std::string text = good;
    text.replace(text.find(from), from.size(), to);
    return text;
  };
  struct bad {
    std::string body, param;
  };
  const bad table[] = {{with("1250", "\"1250\""), "amount"},
                       {with("1250", "12.5"), "amount"},
                       {with("1250", "0"), "amount"},
                       {with("1250", "-1"), "amount"},
                       {with("1250", "1e3"), "amount"},
                       {with("1250", "1000000000000001"), "amount"},
                       {with("1250", "99999999999999999999"), "amount"},
                       {with("1250", "18446744073709551615"), "amount"},
                       {with("1250", "null"), "amount"},
                       {with("\"EUR\"", "\"CHF\""), "currency"},
                       {with("\"EUR\"", "\"eur\""), "currency"},
                       {with("\"EUR\"", "978"), "currency"},
                       {with("\"r\"", "\"\""), "reference"},
                       {with("\"r\"", "\"a\\nb\""), "reference"},
                       {with("\"r\"", "\"" + std::string(101, 'x') + "\""), "reference"},
                       {with("4242424242424242", "4242424242424241"), "card.number"},
                       {with("4242424242424242", "378282246310005"), "card.number"},
                       {with("4242424242424242", "42"), "card.number"},
                       {with("4242424242424242", "4242-4242-4242-4242"), "card.number"},
                       {with("\"4242424242424242\"", "4242424242424242"), "card.number"},
                       {with(":12,", ":13,"), "card.exp_month"},
                       {with(":12,", ":0,"), "card.exp_month"},
                       {with(":12,", ":\"x\","), "card.exp_month"},
                       {with("2030", "20300"), "card.exp_year"},
                       {with("2030", "-5"), "card.exp_year"},
                       {with("\"exp_year\":2030", "\"exp_year\":2030,\"cvc\":\"12\""), "card.cvc"},
                       {with("\"exp_year\":2030", "\"exp_year\":2030,\"cvc\":123"), "card.cvc"},
                       {with("\"reference\"", "\"capture\":\"yes\",\"reference\""), "capture"},
                       {with("\"card\":{", "\"card\":[],\"x\":{"), "card"},
                       {with("\"card\":{", "\"cards\":{"), "card"}};
  for (const auto& each : table) {
    const auto refused = c.send("POST", "/alpha/v1/charges", each.body, {{"Idempotency-Key", "k"}});
    INFO(each.body);
    CHECK(refused->status() == 400);
    CHECK(refused->body().at("error").at("param").as_string() == each.param);
    CHECK(refused->reply->body.find("4242424242") == std::string::npos);
  }
  for (const char* body : {"", "[]", "{", "null", "\"x\"", "{\"amount\":\"\xff\"}", "{}"}) {
    INFO(body);
    CHECK(c.send("POST", "/alpha/v1/charges", body)->status() == 400);
  }
  CHECK(c.ledger().empty());
  CHECK(c.send("POST", "/alpha/v1/charges", good, {{"Idempotency-Key", "k"}})->status() == 200);
}

TEST_CASE("alpha: no credential is 401, another path or method 404 or 405") {
  counter c;
  net::request bare;
  bare.method = "GET";
  bare.target = "/alpha/v1/charges?reference=x";
  CHECK(c.raw(bare)->body().at("error").at("code") == "invalid_api_key");
  bare.fields = {{"Authorization", "Bearer  "}};
  CHECK(c.raw(bare)->status() == 401);
  bare.fields = {{"authorization", "Bearer t"}};
  CHECK(c.raw(bare)->body().at("error").at("code") == "not_found");
  CHECK(c.send("GET", "/alpha/v1/charges")->status() == 400);
  for (const char* path :
       {"/alpha/", "/alpha/v1", "/alpha/v1/chargesx", "/alpha/v1/charges/x", "/alpha/v1/charges/x/y"}) {
    CHECK(c.send("POST", path)->body().at("error").at("code") == "unknown_path");
  }
  CHECK(c.send("DELETE", "/alpha/v1/charges")->status() == 405);
  CHECK(c.send("GET", "/alpha/v1/reversals")->status() == 405);
  for (const char* path :
       {"/", "/epsilon/v1/charges", "/alpha", "/alphabet/v1/charges", "/_nothing", "/_control/epsilon"}) {
    const auto lost = c.send("GET", path);
    CHECK(lost->status() == 404);
    CHECK(lost->body().at("code") == "not_found");
  }
}

TEST_CASE("alpha: a reference may hold anything that JSON can") {
  counter c;
  CHECK(c.alpha("a\"b\\\xc3\xa9 %")->status() == 200);
  const auto found = c.send("GET", "/alpha/v1/charges?x=1&reference=a%22b%5C%C3%A9%20%25");
  CHECK(found->status() == 200);
  CHECK(found->body().at("reference") == "a\"b\\\xc3\xa9 %");
  CHECK(c.ledger()[0].at("reference") == "a\"b\\\xc3\xa9 %");
}
