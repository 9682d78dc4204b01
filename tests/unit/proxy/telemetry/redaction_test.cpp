// The last guard: card numbers in every spelling are masked, other text is left alone.
#include "proxy/telemetry/redaction.hpp"

#include <catch2/catch.hpp>

#include <random>

#include "payments/card.hpp"

using namespace turnout;
using telemetry::redacted;

namespace {

std::string spelled(std::string_view number, auto separator, auto digit) {
  std::string text;
  for (std::size_t index = 0; index < number.size(); ++index) {
    if (index > 0 && index % 4 == 0) text += separator;
    text += digit(number[index]);
  }
  return text;
}
std::string plain(char digit) { return {digit}; }
std::string percent(char digit) { return std::string("%3") + digit; }
std::string escaped(char digit) { return std::string("\\u003") + digit; }

}  // namespace

TEST_CASE("card numbers of every brand are masked") {
  const char* number = GENERATE("4242424242424242", "4000056655665556", "5555555555554444", "2223003122003222",
                                "378282246310005", "6011111111111117", "3056930009020004", "36227206271667",
                                "3566002020360505", "6200000000000005", "4222222222222", "6759649826438453");
  CAPTURE(number);
  REQUIRE(payments::luhn_valid(number));
  CHECK(redacted(number) == "[redacted]");
  CHECK(redacted(std::string("card ") + number + ", sir") == "card [redacted], sir");
  CHECK(redacted(std::string("{\"number\":\"") + number + "\"}") == "{\"number\":\"[redacted]\"}");
  CHECK(redacted(std::string("x") + number + "y") == "x[redacted]y");
}

TEST_CASE("however the number is spelled") {
  const std::string number = "4242424242424242";
  for (const char* separator : {"", " ", "-", "  ", " - ", "+", "%20", "%2D", "%2d", "%2B", "\t", "\n", "\\u0020",
                                "\xC2\xA0", "\xE2\x80\x91", "\xE2\x80\x93"}) {
    CAPTURE(separator);
    CHECK(redacted("a" + spelled(number, separator, plain) + "b") == "a[redacted]b");
    CHECK(redacted("a" + spelled(number, separator, percent) + "b") == "a[redacted]b");
    CHECK(redacted("a" + spelled(number, separator, escaped) + "b") == "a[redacted]b");
  }
  std::string apart;
  for (const char digit : number) apart += std::string(1, digit) + " ";
  CHECK(redacted(apart) == "[redacted] ");
  CHECK(redacted("42%342424242%3424242") == "[redacted]");
}

TEST_CASE("a number among other digits is found") {
  CHECK(redacted("4242424242424242 12/30 123") == "[redacted] 12/30 123");
  CHECK(redacted("4242424242424242123").find("4242424242") == std::string::npos);
  CHECK(redacted("1250 4242424242424242").find("4242424242") == std::string::npos);
  CHECK(redacted("4242424242424242555555555555444437828224631000512").find("5555") == std::string::npos);
  CHECK(redacted("4242424242424242,5555555555554444") == "[redacted],[redacted]");
  CHECK(redacted("99999999999999999999 4242424242424242").find("4242424242") == std::string::npos);
}

TEST_CASE("what is no card number stays") {
  for (const char* text : {"", "4242", "4242424242424241", "12345678901", "2026-11-20T10:00:00.123Z",
                           "192.168.100.100:8080", "pay_01KAF3ZJ5M8N2Q4R6S8T0V2W4X", "amount 1250 EUR", "%", "%4",
                           "%zz%3", "\\u00", "\\u003", "4242/4242/4242/4242", "100%", "\xE2\x80", "0x1234567890abcdef"})
    CHECK(redacted(text) == text);
}

TEST_CASE("every valid number of a known brand is masked, wherever it stands") {
  std::mt19937 random(20);
  const auto digit = [&random] { return static_cast<char>('0' + random() % 10); };
  for (int count = 0; count < 2'000; ++count) {
    std::string number = random() % 2 ? "4" : "55";
    while (number.size() < 15) number += digit();
    for (char check = '0'; check <= '9'; ++check)
      if (payments::luhn_valid(number + check)) {
        number += check;
        break;
      }
    std::string text;
    for (std::size_t length = random() % 6; length > 0; --length) text += digit();
    text += number;
    for (std::size_t length = random() % 6; length > 0; --length) text += digit();
    CAPTURE(text);
    REQUIRE(redacted("ref " + text + ".").find(number) == std::string::npos);
  }
}

TEST_CASE("any bytes at all are survived, and text without digits is kept") {
  std::mt19937 random(21);
  for (int count = 0; count < 2'000; ++count) {
    std::string text;
    for (std::size_t length = random() % 200; length > 0; --length) text += static_cast<char>(random());
    static_cast<void>(redacted(text));
    std::erase_if(text, [](char letter) { return letter >= '0' && letter <= '9'; });
    REQUIRE(redacted(text) == text);
  }
}
