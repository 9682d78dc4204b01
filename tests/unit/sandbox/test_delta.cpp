// The dialect of delta: forms, the key in the query, a session.
#include <catch2/catch.hpp>

#include "sandbox/form_body.hpp"
#include "tests/unit/sandbox/counter.hpp"

using namespace sandbox_test;
using turnout::sandbox::form_body;

namespace {

const net::headers form_type{{"Content-Type", "application/x-www-form-urlencoded"}};

std::string charge_form(const std::string& reference, const std::string& capture = "true") {
  return "merchant_reference=" + reference + "&amount=1250&currency=EUR&capture=" + capture +
         "&card[number]=4242424242424242&card[exp_month]=12&card[exp_year]=2030&card%5Bcvc%5D=123&card[holder]=A.+Buyer";
}

pending post(counter& c, const std::string& path, const std::string& body, net::headers more = form_type) {
  return c.send("POST", "/delta" + path + "?api_key=k", body, more);
}

std::string text(const json::value& from) { return std::string(from.as_string()); }

/// The Cookie header that brings back what an answer set.
std::string cookies(const pending& answer) {
  std::string out;
  for (const auto& [name, value] : answer->reply->fields)
    if (name == "Set-Cookie") out += (out.empty() ? "" : "; ") + value.substr(0, value.find(';'));
  return out;
}

std::string form(std::string_view body) {
  const form_body parsed(body);
  return parsed.object() ? json::serialize(*parsed.object()) : "refused";
}

}  // namespace

TEST_CASE("form bodies") {
  CHECK(form("") == "{}");
  CHECK(form("a=1&b=&c") == R"({"a":"1","b":"","c":""})");
  CHECK(form("a[b]=1&a[c][d]=x+y%20z&a%5Be%5D=%C3%A9") == R"({"a":{"b":"1","c":{"d":"x y z"},"e":"é"}})");
  CHECK(form("a=b=c%26d") == R"({"a":"b=c&d"})");
  for (const char* bad : {"=1", "a=%", "a=%4", "a=%zz", "%=1", "a[=1", "a[]=1", "a]=1", "[a]=1", "a[b=1", "a[b]c=1",
                          "a[b[c]]=1", "a=1&a=2", "a=1&a[b]=2", "a[b]=2&a=1", "&", "a=1&&b=2"})
    CHECK(form(bad) == "refused");
  std::string many = "a0=1", deep = "a";
  for (int i = 1; i < 200; ++i) many += "&a" + std::to_string(i) + "=1";
  CHECK(form(many) != "refused");
  CHECK(form(many + "&b=1") == "refused");
  for (int i = 0; i < 7; ++i) deep += "[x]";
  CHECK(form(deep + "=1") != "refused");
  CHECK(form(deep + "[x]=1") == "refused");
}

TEST_CASE("delta: a charge, its session, and what it opens") {
  counter c;
  const auto made = post(c, "/v2/charges", charge_form("att_1", "false"));
  REQUIRE(made->status() == 200);
  const auto charge = made->body().at("charge");
  CHECK(charge.at("state") == "authorized");
  CHECK(charge.at("amount") == 1250);
  CHECK(c.ledger()[0].at("gateway") == "delta");
  CHECK(c.ledger()[0].at("operation") == "authorize");
  const std::string path = "/v2/charges/" + text(charge.at("id")), ticket = "ticket=" + text(charge.at("ticket"));
  CHECK(cookies(made).find("DELTASESSION=") != std::string::npos);
  const auto ask = [&](const std::string& verb, const std::string& body, const std::string& cookie) {
    net::headers more = form_type;
    if (!cookie.empty()) more.emplace_back("Cookie", cookie);
    return post(c, path + "/" + verb, body, more);
  };
  CHECK(ask("capture", ticket + "&amount=1000", "")->status() == 401);
  CHECK(ask("capture", ticket + "&amount=1000", "DELTASESSION=ds_0")->status() == 401);
  CHECK(ask("capture", "amount=1000", cookies(made))->body().at("failure").at("field") == "ticket");
  CHECK(ask("capture", "amount=1000&ticket=tk_0", cookies(made))->status() == 400);
  CHECK(c.ledger().size() == 1);
  CHECK(ask("capture", ticket + "&amount=1000", cookies(made))->status() == 200);
  CHECK(ask("refund", ticket + "&amount=300", "a=b;  " + cookies(made))->body().at("charge").at("state") == "refunded");
  CHECK(ask("void", ticket, cookies(made))->body().at("failure").at("code") == "wrong_state");
  // An inquiry gives the session again.
  const auto found = c.send("GET", "/delta/v2/charges?merchant_reference=att_1&api_key=k");
  CHECK(found->body().at("charge").at("captured_amount") == 1000);
  CHECK(found->body().at("charge").at("refunded_amount") == 300);
  CHECK(cookies(found) == cookies(made));
  CHECK(found->body().at("charge").at("ticket") == charge.at("ticket"));
  // Another charge's session does not open this one.
  const auto other = post(c, "/v2/charges", charge_form("att_2"));
  CHECK(ask("refund", ticket + "&amount=1", cookies(other))->status() == 401);
}

TEST_CASE("delta: keys, reversals and what is wrong") {
  counter c;
  net::headers keyed = form_type;
  keyed.emplace_back("Idempotency-Token", "k1");
  const auto first = post(c, "/v2/charges", charge_form("att_1"), keyed);
  CHECK(post(c, "/v2/charges", charge_form("att_1"), keyed)->reply->body == first->reply->body);
  CHECK(post(c, "/v2/charges", charge_form("att_9"), keyed)->body().at("failure").at("code") == "token_reused");
  CHECK(post(c, "/v2/charges", charge_form("att_1"))->body().at("failure").at("code") == "duplicate_reference");
  CHECK(post(c, "/v2/reversals", "merchant_reference=att_1")->body().at("reversal").at("state") == "done");
  CHECK(c.ledger().back().at("operation") == "refund");
  CHECK(c.send("GET", "/delta/v2/charges?api_key=k&merchant_reference=att_1")->body().at("charge").at("state") ==
        "undone");
  CHECK(post(c, "/v2/reversals", "merchant_reference=att_3")->body().at("reversal").at("charge").is_null());
  CHECK(post(c, "/v2/charges", charge_form("att_3"))->body().at("failure").at("code") == "reference_closed");

  const auto field = [&](const std::string& from, const std::string& to) {
    std::string body = charge_form("att_5");
    body.replace(body.find(from), from.size(), to);
    const auto answer = post(c, "/v2/charges", body);
    CHECK(answer->status() == 400);
    const auto failure = answer->body().at("failure");
    const auto* at_fault = failure.as_object().if_contains("field");
    return at_fault ? text(*at_fault) : std::string();
  };
  CHECK(field("amount=1250", "amount=12.50") == "amount");
  CHECK(field("amount=1250", "amount=-1") == "amount");
  CHECK(field("capture=true", "capture=yes") == "capture");
  CHECK(field("4242424242424242", "4242424242424241") == "card.number");
  CHECK(field("card[exp_month]=12", "card[exp_month]=13") == "card.exp_month");
  CHECK(field("card[number]", "card[number") == "");
  CHECK(post(c, "/v2/charges", charge_form("att_5"), {{"Content-Type", "application/json"}})->status() == 400);
  CHECK(c.send("POST", "/delta/v2/charges", charge_form("att_5"), form_type)->status() == 401);
  CHECK(c.send("POST", "/delta/v2/charges?api_key=", charge_form("att_5"), form_type)->status() == 401);
  CHECK(c.send("GET", "/delta/v2/charges?api_key=k&merchant_reference=none")->status() == 404);
  CHECK(c.send("GET", "/delta/v2/charges?api_key=k")->status() == 400);
  CHECK(c.send("GET", "/delta/v2/reversals?api_key=k")->status() == 405);
  CHECK(post(c, "/v2/charge", "")->status() == 404);
  CHECK(post(c, "/v2/charges/x/undo", "")->status() == 404);
  CHECK(post(c, "/v2/charges/dl_x/void", "")->body().at("failure").at("code") == "no_such_charge");
}
