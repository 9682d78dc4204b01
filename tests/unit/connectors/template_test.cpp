// Templates: JSON types, escaping, what is left out, exponents.
#include "fixture.hpp"

#include <boost/json/parse.hpp>

using namespace turnout::connectors;
using namespace turnout::connectors::testing;
using turnout::payments::operation;

namespace {
std::string built(std::string_view body, const world& w, std::string_view more = "") {
  return body_of(*with_body(body, more), operation::sale, w);
}
}  // namespace

TEST_CASE("scalars keep their JSON type") {
  CHECK(
      built(
          R"({r: "{{attempt.id}}", a: true, b: false, c: null, d: ~, e: 12, f: -1.5e3, g: "12", h: 'true', i: 012, j: .5, k: 1_0, l: text, m: ""})",
          {}) ==
      R"({"r":"att_01ABC","a":true,"b":false,"c":null,"d":null,"e":12,"f":-1.5e3,"g":"12","h":"true","i":"012","j":".5","k":"1_0","l":"text","m":""})");
}

TEST_CASE("numbers alone are numbers, inside text they are text") {
  CHECK(
      built(
          R"({r: "{{attempt.id}}", n: "{{amount.minor}}", t: "{{amount.minor}} {{ amount.currency }}", s: "{{amount.minor_text}}", d: "{{amount.decimal_number}}", e: "{{amount.exponent}}", m: "{{card.exp_month_2}}", y: "{{card.exp_year_4}}", b: "{{card.brand}}"})",
          {}) ==
      R"({"r":"att_01ABC","n":1250,"t":"1250 EUR","s":"1250","d":12.50,"e":2,"m":"07","y":"2030","b":"visa"})");
}

TEST_CASE("keys keep their order, lists and nesting work") {
  CHECK(built(R"({z: {y: ["{{attempt.id}}", 1, [], {}]}, a: 1})", {}) == R"({"z":{"y":["att_01ABC",1,[],{}]},"a":1})");
}

TEST_CASE("empty variables are left out wherever they stand, and commas stay right") {
  world w;
  const std::string body =
      R"({a: "{{customer.id}}", b: "{{customer.email}}", r: "{{attempt.id}}", c: "{{metadata.x y}}", l: ["{{customer.id}}", "{{customer.email}}", 3, "{{customer.country}}"], o: {k: "{{customer.country}}"}, t: "<{{customer.id}}>"})";
  const auto connector = with_body(body);
  CHECK(body_of(*connector, operation::sale, w) == R"({"r":"att_01ABC","l":[3],"o":{},"t":"<>"})");
  w.payment.buyer.email = "a@b";
  CHECK(body_of(*connector, operation::sale, w) == R"({"b":"a@b","r":"att_01ABC","l":["a@b",3],"o":{},"t":"<>"})");
  w.payment.buyer = {"1", "2", "DE"};
  w.payment.metadata = {{"q", "0"}, {"x y", "m"}};
  CHECK(body_of(*connector, operation::sale, w) ==
        R"({"a":"1","b":"2","r":"att_01ABC","c":"m","l":["1","2",3,"DE"],"o":{"k":"DE"},"t":"<1>"})");
  // Every combination of what may be missing is JSON.
  for (unsigned bits = 0; bits < 16; ++bits) {
    w.payment.buyer = {bits & 1 ? "1" : "", bits & 2 ? "2" : "", bits & 4 ? "3" : ""};
    w.payment.metadata.clear();
    if (bits & 8) w.payment.metadata = {{"x y", "4"}};
    CHECK_NOTHROW(boost::json::parse(body_of(*connector, operation::sale, w)));
  }
}

TEST_CASE("any text survives JSON escaping exactly") {
  world w;
  std::string all;
  for (int c = 1; c < 128; ++c) all += static_cast<char>(c);
  all += std::string("\0", 1) + "\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80 \\u0041 </script>\xE2\x80\xA8";
  w.payment.metadata = {{"note", all}};
  const auto parsed =
      boost::json::parse(built(R"({r: "{{attempt.id}}", n: "{{metadata.note}}", m: "x\"{{metadata.note}}"})", w));
  CHECK(parsed.at("n").as_string() == all);
  CHECK(parsed.at("m").as_string() == "x\"" + all);
}

TEST_CASE("long values grow the buffer and are all there") {
  world w;
  w.payment.metadata = {{"note", std::string(100'000, '"')}};
  const auto parsed = boost::json::parse(built(R"({r: "{{attempt.id}}", n: "{{metadata.note}}"})", w));
  CHECK(parsed.at("n").as_string().size() == 100'000);
}

TEST_CASE("a secret cannot speak the template language or leave its quotes") {
  CHECK(built(R"({r: "{{attempt.id}}", s: "${TRICKY}"})", {}) == R"({"r":"att_01ABC","s":"{{card.number}}\"x"})");
}

TEST_CASE("exponents of the gateway") {
  world w;
  w.charge(1250, "JPY");
  const std::string body =
      R"({r: "{{attempt.id}}", m: "{{amount.minor}}", d: "{{amount.decimal}}", e: "{{amount.exponent}}"})";
  CHECK(built(body, w) == R"({"r":"att_01ABC","m":1250,"d":"1250","e":0})");
  CHECK(built(body, w, "exponents: {JPY: 2}\n") == R"({"r":"att_01ABC","m":125000,"d":"1250.00","e":2})");
  w.charge(turnout::payments::max_amount_minor, "JPY");
  CHECK(built(body, w, "exponents: {JPY: 3}\n") ==
        R"({"r":"att_01ABC","m":1000000000000000000,"d":"1000000000000000.000","e":3})");
}

TEST_CASE("paths, queries and headers cannot be broken out of") {
  world w;
  w.payment.reference = "a b&c=d#\xC3\xA9/..\r\nX: y";
  w.payment.buyer.id = "1\r\nInjected: yes\x7F";
  const auto connector = load_good(with(
      small, "path: /c,",
      "path: \"/c/{{attempt.id}}\", query: {r: \"{{payment.reference}}\", \"k&\": \"fix ed\"}, headers: {X-Customer: \"<{{customer.id}}>\"},"));
  const auto request = connector->build_request(operation::sale, w.context());
  CHECK(request.target == "/c/att_01ABC?r=a%20b%26c%3Dd%23%C3%A9%2F..%0D%0AX%3A%20y&k%26=fix%20ed");
  REQUIRE(request.headers.size() == 4);
  CHECK(request.headers[1].first == "X-Customer");
  CHECK(request.headers[1].second.reveal() == "<1Injected: yes>");
}

TEST_CASE("a path behind the host is put before every path") {
  const auto connector = load_good(with(small, "http://127.0.0.1:9", "http://[::1]/base/"));
  CHECK(connector->base_url() == "http://[::1]:80");
  CHECK(connector->build_request(operation::sale, world().context()).target == "/base/c");
}

TEST_CASE("an idempotency key deep in the body") {
  const std::string idempotency =
      R"(idempotency: {value: "k-{{attempt.id}}", in: body, name: meta.key.id, ttl: 1h, caches: all, in_flight: wait})";
  CHECK(built(R"({meta: {a: 1}, ref: "{{attempt.id}}"})", {}, idempotency) ==
        R"({"meta":{"a":1,"key":{"id":"k-att_01ABC"}},"ref":"att_01ABC"})");
  CHECK(built(R"({ref: "{{attempt.id}}"})", {}, idempotency) ==
        R"({"ref":"att_01ABC","meta":{"key":{"id":"k-att_01ABC"}}})");
}

TEST_CASE("a custom Content-Type replaces the usual one") {
  const auto connector =
      load_good(with(small, "path: /c,", "path: /c, headers: {content-type: application/vnd.x+json},"));
  CHECK_THAT(shown(connector->build_request(operation::sale, world().context())),
             Catch::Contains("content-type: application/vnd.x+json") && !Catch::Contains("Content-Type"));
}
