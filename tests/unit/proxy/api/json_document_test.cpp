#include <catch2/catch.hpp>

#include "proxy/api/json_document.hpp"

namespace turnout::api {
namespace {

json_failure failure_of(std::string_view text, json_limits limits = {}) {
  json_failure failure;
  const auto document = json_document::parse(text, limits, failure);
  REQUIRE_FALSE(document.has_value());
  REQUIRE_FALSE(failure.detail.empty());
  return failure;
}

std::string canonical(std::string_view text, std::string_view without = {}) {
  json_failure failure;
  const auto document = json_document::parse(text, {}, failure);
  INFO(text << " " << failure.detail);
  REQUIRE(document.has_value());
  secret_buffer out;
  append_canonical(out, document->root(), without);
  return {out.begin(), out.end()};
}

TEST_CASE("json_document reads every kind of value") {
  json_failure failure;
  const auto document = json_document::parse(
      R"( {"a": [1, -7, 18446744073709551615, 1.5, 1e3], "b": "\u00e9\n\"x\"", "c": true, "d": null, "e": {}} )", {},
      failure);
  REQUIRE(document.has_value());
  const json_value root = document->root();
  REQUIRE(root.is(json_kind::object));
  CHECK(root.size() == 5);
  const auto a = root.first_child();
  REQUIRE(a.has_value());
  CHECK(a->key() == "a");
  CHECK(a->size() == 5);
  auto number = a->first_child();
  CHECK(number->integer() == 1);
  number = number->next();
  CHECK(number->integer() == -7);
  number = number->next();
  CHECK(number->is(json_kind::huge));
  number = number->next();
  CHECK(number->is(json_kind::real));
  number = number->next();
  CHECK(number->is(json_kind::real));
  CHECK_FALSE(number->next().has_value());
  const auto b = a->next();
  CHECK(b->text() == "\xc3\xa9\n\"x\"");
  const auto c = b->next();
  CHECK(c->is(json_kind::boolean));
  CHECK(c->boolean());
  CHECK(c->next()->is(json_kind::null));
  CHECK(c->next()->next()->is(json_kind::object));
}

TEST_CASE("json_document refuses what is not one JSON text in UTF-8") {
  for (const char* text : {"",
                           " ",
                           "{",
                           "{\"a\":1",
                           "{\"a\":1,}",
                           "{a:1}",
                           "{'a':1}",
                           "[1,]",
                           "{} {}",
                           "{}x",
                           "nul",
                           "{\"a\":01}",
                           "{\"a\":+1}",
                           "{\"a\":.5}",
                           "{\"a\":NaN}",
                           "{\"a\":1}//",
                           "\xef\xbb\xbf{}",
                           "{\"a\":\"\x01\"}",
                           "{\"a\":\"\xff\"}",
                           "{\"a\":\"\xc0\xaf\"}",
                           "{\"a\":\"\xed\xa0\x80\"}",
                           "{\"a\":\"\xe2\x82\"}",
                           "{\"a\":\"\\ud800\"}",
                           "{\"a\":\"\\udc00\"}",
                           "{\"a\":\"\\x\"}",
                           "{\"\xff\":1}"}) {
    INFO(text);
    failure_of(text);
  }
  json_failure nul;
  CHECK_FALSE(json_document::parse(std::string_view("{\0}", 3), {}, nul).has_value());
}

TEST_CASE("json_document refuses a key that appears twice, at any level, and names it") {
  CHECK(failure_of(R"({"a":1,"b":2,"a":3})").field == "a");
  CHECK(failure_of(R"({"p":{"card":{"number":"1","exp":2,"number":"1"}}})").field == "p.card.number");
  CHECK(failure_of(R"({"a":1,"\u0061":1})").field == "a");
  CHECK(failure_of(R"({"":1,"":2})").detail == "the same field appears twice");
  CHECK(canonical(R"({"a":{"x":1},"b":{"x":1}})") == canonical(R"({"b":{"x":1},"a":{"x":1}})"));
}

TEST_CASE("json_document is bounded in depth, width and size") {
  const auto nested = [](std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  json_failure failure;
  CHECK(json_document::parse(nested(32), {}, failure).has_value());
  CHECK(failure_of(nested(33)).detail.find("nested too deeply") != std::string::npos);
  failure_of(std::string(500'000, '['));
  std::string deep;
  for (int i = 0; i < 40; ++i) deep += "{\"a\":";
  CHECK(failure_of(deep).detail.find("nested too deeply") != std::string::npos);

  const auto wide = [](int fields) {
    std::string text = "{\"m\":{";
    for (int i = 0; i < fields; ++i) text += (i ? ",\"k" : "\"k") + std::to_string(i) + "\":1";
    return text + "}}";
  };
  CHECK(json_document::parse(wide(128), {}, failure).has_value());
  CHECK(failure_of(wide(129)).field == "m.k128");
  std::string many = "[0";
  for (int i = 0; i < 4095; ++i) many += ",0";
  CHECK(failure_of(many + "]").detail.find("4096") != std::string::npos);
}

TEST_CASE("the canonical form ignores spaces, escapes and order, and nothing else") {
  CHECK(canonical(R"({"a":1,"b":"x"})") == canonical(" { \"b\" : \"\\u0078\" ,\n\"a\": 1 } "));
  const char* different[] = {"{}",
                             "[]",
                             "null",
                             "0",
                             "1",
                             "-1",
                             "1.0",
                             "\"1\"",
                             "true",
                             "false",
                             "\"\"",
                             R"({"a":1})",
                             R"({"a":"1"})",
                             R"({"b":1})",
                             R"([1,2])",
                             R"([2,1])",
                             R"([[1],2])",
                             R"([[1,2]])",
                             R"({"a":{"b":1}})",
                             R"({"a":{},"b":1})",
                             R"(["ab","c"])",
                             R"(["a","bc"])",
                             "18446744073709551615"};
  for (const char* a : different)
    for (const char* b : different) {
      INFO(a << " and " << b);
      CHECK((canonical(a) == canonical(b)) == (a == b));
    }
}

TEST_CASE("the canonical form leaves out one field, exactly where it was told") {
  const std::string path = "p.card.cvc";
  CHECK(canonical(R"({"p":{"card":{"n":1,"cvc":"123"}}})", path) ==
        canonical(R"({"p":{"card":{"n":1,"cvc":"9"}}})", path));
  CHECK(canonical(R"({"p":{"card":{"n":1,"cvc":"123"}}})", path) == canonical(R"({"p":{"card":{"n":1}}})", path));
  CHECK(canonical(R"({"cvc":"1"})", path) != canonical(R"({"cvc":"2"})", path));
  CHECK(canonical(R"({"p":{"cvc":"1"}})", path) != canonical(R"({"p":{"cvc":"2"}})", path));
  CHECK(canonical(R"({"q":{"card":{"cvc":"1"}}})", path) != canonical(R"({"q":{"card":{"cvc":"2"}}})", path));
  CHECK(canonical(R"({"p":{"card":{"x":{"cvc":"1"}}}})", path) !=
        canonical(R"({"p":{"card":{"x":{"cvc":"2"}}}})", path));
}

TEST_CASE("a shown path is bounded and cannot show a card number") {
  CHECK(shown_path("metadata.cart 77") == "metadata.cart 77");
  CHECK(shown_path("x.4242424242424242") == "x.****************");
  CHECK(shown_path("4242.4242.4242.4242").find('4') == std::string::npos);
  const std::string long_path(1000, 'a');
  CHECK(shown_path(long_path).size() < 210);
  std::string accents;
  for (int i = 0; i < 300; ++i) accents += "é";
  CHECK(shown_path("a" + accents).size() < 210);
  json_failure failure;  // still UTF-8
  CHECK(json_document::parse("\"" + shown_path("a" + accents) + "\"", {}, failure).has_value());
  CHECK(json_document::parse("\"" + shown_path(accents) + "\"", {}, failure).has_value());
}

}  // namespace
}  // namespace turnout::api
