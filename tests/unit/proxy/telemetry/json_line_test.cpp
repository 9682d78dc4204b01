// Lines of the log are valid JSON on one line, whatever the values are.
#include "proxy/telemetry/json_line.hpp"

#include <catch2/catch.hpp>

#include <boost/json.hpp>
#include <chrono>
#include <limits>
#include <random>

using namespace turnout;
using telemetry::json_line;

namespace {

std::string line_with(std::string_view value) {
  std::string buffer;
  json_line line(buffer);
  line.text("v", value);
  return std::string(line.finish());
}

std::string value_of(const std::string& line) {
  return std::string(boost::json::parse(line).as_object().at("v").as_string());
}

}  // namespace

TEST_CASE("fields have types") {
  std::string buffer;
  json_line line(buffer);
  line.text("a", "x").number("b", -5).flag("c", true).begin_list("d").element("p").element("q").end_list();
  line.begin_list("e").end_list().text_if_any("f", "").text_if_any("g", "y");
  line.time("t", std::chrono::sys_days{std::chrono::year{2026} / 11 / 20} + std::chrono::milliseconds{36'000'007});
  CHECK(line.finish() == R"({"a":"x","b":-5,"c":true,"d":["p","q"],"e":[],"g":"y","t":"2026-11-20T10:00:00.007Z"})");
}

TEST_CASE("an empty line is an object") {
  std::string buffer = "left over";
  json_line line(buffer);
  CHECK(line.finish() == "{}");
}

TEST_CASE("times before 1970 are written too") {
  std::string buffer;
  json_line line(buffer);
  line.time("t", payments::wall_time{} - std::chrono::milliseconds{1});
  CHECK(line.finish() == R"({"t":"1969-12-31T23:59:59.999Z"})");
}

TEST_CASE("valid UTF-8 comes back exactly") {
  for (const std::string_view text : {std::string_view("\"\\/\b\f\n\r\t"), std::string_view("\0\x01\x1f\x7f", 4),
                                      std::string_view("J\xC3\xBCrgen \xE2\x82\xAC \xF0\x9F\x92\xB3 \xE2\x80\xA8"),
                                      std::string_view("{\"a\":\"b\"}\n{\"forged\":true}")}) {
    const std::string line = line_with(text);
    CHECK(line.find('\n') == std::string::npos);
    CHECK(value_of(line) == text);
  }
  for (unsigned letter = 0; letter < 0x80; ++letter) {
    const std::string text(1, static_cast<char>(letter));
    CHECK(value_of(line_with(text)) == text);
  }
}

TEST_CASE("bytes that are no UTF-8 become U+FFFD, each one") {
  const std::string replaced = "\xEF\xBF\xBD";
  CHECK(value_of(line_with("a\xFF"
                           "b")) == "a" + replaced + "b");
  CHECK(value_of(line_with("\xC0\xAF")) == replaced + replaced);                 // overlong
  CHECK(value_of(line_with("\xED\xA0\x80")) == replaced + replaced + replaced);  // surrogate
  CHECK(value_of(line_with("\xF4\x90\x80\x80")) == replaced + replaced + replaced + replaced);
  CHECK(value_of(line_with("\xE2\x82")) == replaced + replaced);  // cut short
}

TEST_CASE("random bytes always make one line of valid JSON") {
  std::mt19937 random(8);
  for (int count = 0; count < 5'000; ++count) {
    std::string text;
    for (std::size_t length = random() % 60; length > 0; --length) text += static_cast<char>(random());
    const std::string line = line_with(text);
    for (const char letter : line) REQUIRE(static_cast<unsigned char>(letter) >= 0x20);
    REQUIRE_NOTHROW(value_of(line));  // Boost.JSON refuses invalid UTF-8
  }
}

TEST_CASE("no field carries a card number") {
  CHECK(line_with("card 4242 4242 4242 4242!") == R"({"v":"card [redacted]!"})");
  std::string buffer;
  json_line line(buffer);
  line.number("amount", 4242424242424242).number("fine", 4242424242424243).begin_list("l").element("5555555555554444");
  line.end_list();
  CHECK(line.finish() == R"({"amount":"[redacted]","fine":4242424242424243,"l":["[redacted]"]})");
}

TEST_CASE("numbers at the ends of their range") {
  std::string buffer;
  json_line line(buffer);
  line.number("a", std::numeric_limits<std::int64_t>::max() - 7);
  CHECK_NOTHROW(boost::json::parse(std::string(line.finish())));
}
