// Browsers on other origins: refused without a word unless turnout.yaml names them.
#include <catch2/catch.hpp>

#include "house.hpp"

namespace turnout::api {
namespace {

using namespace test;

constexpr const char* shop = "https://shop.example";

void allow(house& at, std::vector<std::string> origins) {
  api_settings settings;
  settings.cors.origins = std::move(origins);
  at.served->configure(std::make_shared<const api_settings>(settings));
}

net::response asked_before(house& at, const char* origin, const char* target = "/v1/payments") {
  return at.ask_raw("OPTIONS", target, {{"Origin", origin}, {"Access-Control-Request-Method", "POST"}});
}

bool says_nothing(const net::response& answer) {
  for (const auto& [name, value] : answer.fields)
    if (name.starts_with("Access-Control")) return false;
  return true;
}

std::string_view field(const net::response& answer, std::string_view name) {
  return only_header(answer.fields, name).value;
}

TEST_CASE("without configured origins there is no CORS") {
  house at;
  const net::response before = asked_before(at, shop);
  CHECK(before.status == 405);
  CHECK(says_nothing(before));
  const net::response answer = at.ask_raw("GET", "/v1/payments", at.as("demo", {{"Origin", shop}}));
  CHECK(answer.status == 200);
  CHECK(says_nothing(answer));
  CHECK(field(answer, "Vary") == "Accept-Encoding");
}

TEST_CASE("a named origin is told what it may send and read") {
  house at;
  allow(at, {"https://other.example", shop});
  const net::response before = asked_before(at, shop);
  CHECK(before.status == 204);
  CHECK(before.body.empty());
  CHECK(field(before, "Access-Control-Allow-Origin") == shop);
  CHECK(field(before, "Access-Control-Allow-Methods") == "POST, GET, HEAD");
  CHECK(field(before, "Access-Control-Allow-Headers") == "Authorization, Content-Type, Idempotency-Key, If-None-Match");
  CHECK(field(before, "Access-Control-Max-Age") == "600");
  CHECK(field(before, "Vary") == "Origin");
  CHECK(only_header(before.fields, "Access-Control-Allow-Credentials").count == 0);
  CHECK(field(asked_before(at, shop, "/openapi.json"), "Access-Control-Allow-Methods") == "GET, HEAD");

  const net::response answer = at.ask_raw("GET", "/v1/payments/pay_none", at.as("demo", {{"Origin", shop}}));
  CHECK(answer.status == 404);  // errors too can be read
  CHECK(field(answer, "Access-Control-Allow-Origin") == shop);
  CHECK_THAT(std::string(field(answer, "Access-Control-Expose-Headers")), Catch::Contains("Idempotency-Replayed"));
  const net::response refused = at.ask_raw("GET", "/v1/payments", {{"Origin", shop}});
  CHECK(refused.status == 401);
  CHECK(field(refused, "Access-Control-Allow-Origin") == shop);
}

TEST_CASE("any other origin learns nothing, and caches are told that origins differ") {
  house at;
  allow(at, {shop});
  for (const char* origin : {"https://evil.example", "https://shop.example.evil.example", "https://shop.example:8443",
                             "http://shop.example", "HTTPS://SHOP.EXAMPLE", "null", "*", ""}) {
    INFO(origin);
    const net::response before = asked_before(at, origin);
    CHECK(before.status == 405);
    CHECK(says_nothing(before));
    CHECK(field(before, "Vary") == "Origin");
    CHECK(says_nothing(at.ask_raw("GET", "/v1/payments", at.as("demo", {{"Origin", origin}}))));
  }
  const net::response none = at.ask_raw("GET", "/v1/payments", at.as("demo"));
  CHECK(says_nothing(none));
  CHECK(field(none, "Vary") == "Origin");  // beside Accept-Encoding
  CHECK(only_header(none.fields, "Vary").count == 2);
  const net::response two =
      at.ask_raw("GET", "/v1/payments", at.as("demo", {{"Origin", shop}, {"Origin", "https://evil.example"}}));
  CHECK(says_nothing(two));
}

TEST_CASE("only a browser's question is answered like one") {
  house at;
  allow(at, {shop});
  CHECK(at.ask_raw("OPTIONS", "/v1/payments", {{"Origin", shop}}).status == 405);
  CHECK(asked_before(at, shop, "/nowhere").status == 404);
  allow(at, {});
  CHECK(asked_before(at, shop).status == 405);
}

}  // namespace
}  // namespace turnout::api
