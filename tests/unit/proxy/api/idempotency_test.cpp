#include <catch2/catch.hpp>

#include "fixtures.hpp"
#include "proxy/api/idempotency.hpp"

namespace turnout::api {
namespace {

using namespace test;

idempotency_key read(std::string value) { return read_idempotency_key({{"idempotency-key", std::move(value)}}); }

TEST_CASE("an idempotency key is bare or quoted, and both are one key") {
  CHECK_FALSE(read_idempotency_key({}).key.has_value());
  CHECK(read_idempotency_key({}).error.empty());
  CHECK(read("abc").key == "abc");
  CHECK(read("\"abc\"").key == "abc");
  CHECK(read("  abc\t").key == "abc");
  CHECK(read("\"a\\\"b\\\\c\"").key == "a\"b\\c");
  CHECK(read("\"a b\"").key == "a b");
  CHECK(read("8e03978e-40d5-43dd-bc93-6894a57f9324").key == "8e03978e-40d5-43dd-bc93-6894a57f9324");
  CHECK(read(std::string(255, 'x')).key == std::string(255, 'x'));
  CHECK(read('"' + std::string(255, 'x') + '"').key == std::string(255, 'x'));
}

TEST_CASE("an unusable idempotency key is an error, never ignored") {
  for (const std::string& value :
       {std::string(), std::string("\"\""), std::string("\""), std::string("\"abc"), std::string("abc\""),
        std::string("a b"), std::string("\"a\"b\""), std::string("\"a\\\""), std::string("\"a\\n\""),
        std::string("\"abc\";p=1"), std::string("caf\xc3\xa9"), std::string("\"caf\xc3\xa9\""), std::string("a\x7f"),
        std::string(256, 'x'), '"' + std::string(256, 'x') + '"'}) {
    INFO(value);
    CHECK_FALSE(read(value).key.has_value());
    CHECK_FALSE(read(value).error.empty());
  }
  const idempotency_key twice = read_idempotency_key({{"Idempotency-Key", "a"}, {"IDEMPOTENCY-KEY", "a"}});
  CHECK_FALSE(twice.key.has_value());
  CHECK_FALSE(twice.error.empty());
}

std::string mac_of(const std::string& text, const keyed_mac& mac, std::string_view path = "/v1/payments") {
  json_failure failure;
  const auto document = json_document::parse(text, {}, failure);
  REQUIRE(document.has_value());
  return request_mac(mac, "POST", path, *document);
}

TEST_CASE("the request's MAC ignores the CVC, whitespace and order, and nothing else") {
  const keyed_mac mac(std::string(32, 'k'));
  const std::string first = mac_of(good_body, mac);
  CHECK(first.size() == 64);
  CHECK(mac_of(good_body, mac) == first);
  CHECK(mac_of(with(good_body, "987", "123"), mac) == first);
  CHECK(mac_of(with(good_body, R"("cvc": "987", )", ""), mac) == first);
  CHECK(mac_of(with(good_body, R"("amount": 1250, "currency": "EUR")", "\"currency\":\"EUR\",\n\"amount\":1250"),
               mac) == first);
  CHECK(mac_of(with(good_body, "1250", "1251"), mac) != first);
  CHECK(mac_of(with(good_body, "4242424242424242", "4000056655665556"), mac) != first);
  CHECK(mac_of(with(good_body, "\"77\"", "\"78\""), mac) != first);
  CHECK(mac_of(good_body, mac, "/v1/payments/x/captures") != first);
  CHECK(mac_of(good_body, keyed_mac(std::string(32, 'l'))) != first);
}

TEST_CASE("HMAC-SHA256 as its standard says") {
  // RFC 4231 has no 32-byte key; this vector is from an independent implementation.
  const keyed_mac mac("0123456789abcdef0123456789abcdef");
  CHECK(mac.hex(std::string_view("what do ya want for nothing?")) ==
        "137e6557c3c13a1ca5dc7e52a389a0f86be8cb4db4ae61c62396058b00acacd0");
  CHECK_THROWS_AS(keyed_mac("short"), std::invalid_argument);
}

}  // namespace
}  // namespace turnout::api
