// Cards: checks, brands, expiry, and that secrets leave no bytes behind.
#include "payments/card.hpp"

#include <catch2/catch.hpp>

#include <cctype>
#include <cstring>
#include <new>
#include <random>
#include <tuple>
#include <type_traits>
#include <vector>

using namespace turnout::payments;
namespace chrono = std::chrono;

namespace {

std::string with_check_digit(std::string body) {
  for (char digit = '0'; digit <= '9'; ++digit)
    if (luhn_valid(body + digit)) return body + digit;
  FAIL("no check digit");
  return body;
}

std::string number_with(std::string_view prefix, std::size_t length) {
  std::string body(prefix);
  body.resize(length - 1, '0');
  return with_check_digit(body);
}

wall_time at(int year, unsigned month, unsigned day, int hour, int minute = 0, int second = 0) {
  return chrono::sys_days{chrono::year{year} / chrono::month{month} / chrono::day{day}} + chrono::hours{hour} +
         chrono::minutes{minute} + chrono::seconds{second};
}

card parsed(std::string_view number, int month = 12, int year = 2030, std::string_view cvc = "123") {
  card made;
  REQUIRE(card::parse(number, month, year, cvc, "A. Buyer", made) == card_errc::ok);
  return made;
}

bool contains(const void* bytes, std::size_t size, std::string_view text) {
  return std::string_view(static_cast<const char*>(bytes), size).find(text) != std::string_view::npos;
}

}  // namespace

static_assert(!std::is_copy_constructible_v<card> && !std::is_copy_assignable_v<card>);
static_assert(!std::is_copy_constructible_v<secret_string> && !std::is_copy_assignable_v<secret_string>);
static_assert(std::is_nothrow_move_constructible_v<card> && std::is_nothrow_move_assignable_v<card>);
static_assert(!std::is_convertible_v<secret_string, std::string> &&
              !std::is_convertible_v<secret_string, std::string_view>);

TEST_CASE("Luhn") {
  for (const char* good : {"4242424242424242", "5555555555554444", "378282246310005", "6011111111111117",
                           "30569309025904", "3530111333300000", "0", "18"})
    CHECK(luhn_valid(good));
  for (const char* bad :
       {"", "4242424242424241", "1", "4242 4242 4242 4242", "424242424242424a", "-18", "\xEF\xBC\x90"})
    CHECK_FALSE(luhn_valid(bad));
}

TEST_CASE("one wrong digit never passes Luhn, and each body has one check digit") {
  std::mt19937 random(7);
  for (int count = 0; count < 200; ++count) {
    std::string body;
    for (std::size_t index = 0; index < 11 + random() % 8; ++index) body += static_cast<char>('0' + random() % 10);
    int valid = 0;
    for (char digit = '0'; digit <= '9'; ++digit) valid += luhn_valid(body + digit);
    REQUIRE(valid == 1);
    const std::string number = with_check_digit(body);
    std::string wrong = number;
    char& digit = wrong[random() % wrong.size()];
    digit = static_cast<char>('0' + (digit - '0' + 1 + random() % 9) % 10);
    REQUIRE_FALSE(luhn_valid(wrong));
  }
}

TEST_CASE("brands by issuer identification number, both ends of every range") {
  struct expectation {
    const char* iin;
    card_brand brand;
  };
  const expectation each = GENERATE(values<expectation>({
      {"400000", card_brand::visa},       {"424242", card_brand::visa},       {"499999", card_brand::visa},
      {"510000", card_brand::mastercard}, {"555555", card_brand::mastercard}, {"559999", card_brand::mastercard},
      {"222100", card_brand::mastercard}, {"272099", card_brand::mastercard}, {"222099", card_brand::unknown},
      {"272100", card_brand::unknown},    {"340000", card_brand::amex},       {"379999", card_brand::amex},
      {"350000", card_brand::unknown},    {"601100", card_brand::discover},   {"644000", card_brand::discover},
      {"659999", card_brand::discover},   {"601200", card_brand::unknown},    {"643999", card_brand::unknown},
      {"300000", card_brand::diners},     {"305999", card_brand::diners},     {"306000", card_brand::unknown},
      {"309500", card_brand::diners},     {"360000", card_brand::diners},     {"380000", card_brand::diners},
      {"399999", card_brand::diners},     {"352800", card_brand::jcb},        {"358999", card_brand::jcb},
      {"352799", card_brand::unknown},    {"359000", card_brand::unknown},    {"620000", card_brand::unionpay},
      {"622126", card_brand::unionpay},   {"629999", card_brand::unionpay},   {"810000", card_brand::unionpay},
      {"817200", card_brand::unknown},    {"501800", card_brand::maestro},    {"560000", card_brand::maestro},
      {"589399", card_brand::maestro},    {"630400", card_brand::maestro},    {"675900", card_brand::maestro},
      {"000000", card_brand::unknown},    {"999999", card_brand::unknown},
  }));
  CAPTURE(each.iin);
  CHECK(brand_of(number_with(each.iin, 16)) == each.brand);
}

TEST_CASE("a brand needs six digits") {
  CHECK(brand_of("") == card_brand::unknown);
  CHECK(brand_of("42424") == card_brand::unknown);
  CHECK(brand_of("4242 4242") == card_brand::unknown);
}

TEST_CASE("a good card is kept whole and shown in part") {
  card made = parsed("5555555555554444", 3, 2031, "987");
  CHECK(made.present());
  CHECK(made.reveal_number() == "5555555555554444");
  CHECK(made.reveal_cvc() == "987");
  CHECK(made.holder() == "A. Buyer");
  const card_summary shown = made.summary();
  CHECK(shown.brand == card_brand::mastercard);
  CHECK(shown.bin == "555555");
  CHECK(shown.last4 == "4444");
  CHECK(shown.exp_month == 3);
  CHECK(shown.exp_year == 2031);
  CHECK(shown.fingerprint.empty());
  made.wipe();
  CHECK_FALSE(made.present());
  CHECK(made.reveal_cvc().empty());
  CHECK(made.holder().empty());
}

TEST_CASE("bad cards are refused with the reason, and the target is left alone") {
  card target = parsed("4242424242424242");
  const auto refuse = [&target](std::string_view number, int month, int year, std::string_view cvc) {
    const card_errc error = card::parse(number, month, year, cvc, "", target);
    CHECK(target.reveal_number() == "4242424242424242");
    return error;
  };
  CHECK(refuse("4242-4242-4242-4242", 1, 2030, "") == card_errc::number_not_digits);
  CHECK(refuse("4242 4242 4242 4242", 1, 2030, "") == card_errc::number_not_digits);
  CHECK(refuse("", 1, 2030, "") == card_errc::number_length);
  CHECK(refuse(number_with("4", 11), 1, 2030, "") == card_errc::number_length);
  CHECK(refuse(number_with("4", 20), 1, 2030, "") == card_errc::number_length);
  CHECK(refuse("4242424242424241", 1, 2030, "") == card_errc::number_check_digit);
  CHECK(refuse("4242424242424242", 1, 2030, "12") == card_errc::cvc_malformed);
  CHECK(refuse("4242424242424242", 1, 2030, "12345") == card_errc::cvc_malformed);
  CHECK(refuse("4242424242424242", 1, 2030, "12a") == card_errc::cvc_malformed);
  CHECK(refuse("4242424242424242", 0, 2030, "") == card_errc::expiry_malformed);
  CHECK(refuse("4242424242424242", 13, 2030, "") == card_errc::expiry_malformed);
  CHECK(refuse("4242424242424242", -1, 2030, "") == card_errc::expiry_malformed);
  CHECK(refuse("4242424242424242", 1, 30, "") == card_errc::expiry_malformed);
  CHECK(refuse("4242424242424242", 1, 10000, "") == card_errc::expiry_malformed);

  card other;
  CHECK(card::parse(number_with("4", 12), 1, 2030, "", "", other) == card_errc::ok);
  CHECK(card::parse(number_with("4", 19), 1, 2030, "1234", "", other) == card_errc::ok);
}

TEST_CASE("a card is good until its month has ended in the last time zone") {
  const card may = parsed("4242424242424242", 5, 2027);
  CHECK_FALSE(may.expired(at(2026, 11, 20, 0)));
  CHECK_FALSE(may.expired(at(2027, 5, 31, 23, 59, 59)));
  CHECK_FALSE(may.expired(at(2027, 6, 1, 11, 59, 59)));
  CHECK(may.expired(at(2027, 6, 1, 12)));
  CHECK(may.expired(at(2030, 1, 1, 0)));

  const card december = parsed("4242424242424242", 12, 2026);
  CHECK_FALSE(december.expired(at(2027, 1, 1, 11, 59, 59)));
  CHECK(december.expired(at(2027, 1, 1, 12)));

  CHECK_FALSE(parsed("4242424242424242", 12, 9999).expired(at(2026, 1, 1, 0)));
  CHECK(parsed("4242424242424242", 1, 1000).expired(at(2026, 1, 1, 0)));
  CHECK_FALSE(parsed("4242424242424242", 12, 2030).expired(wall_time::min()));
  CHECK(parsed("4242424242424242", 12, 2030).expired(wall_time::max()));
}

TEST_CASE("a secret leaves no bytes behind when it dies, moves or is assigned") {
  // Short enough to live inside the object, where a move copies.
  constexpr std::string_view short_secret = "cvc-987-inside";
  alignas(secret_string) unsigned char memory[sizeof(secret_string)];

  SECTION("dies") {
    auto* secret = new (memory) secret_string(short_secret);
    REQUIRE(contains(memory, sizeof memory, short_secret));
    secret->~secret_string();
    CHECK_FALSE(contains(memory, sizeof memory, "987"));
  }
  SECTION("is moved from") {
    auto* secret = new (memory) secret_string(short_secret);
    const secret_string taken(std::move(*secret));
    CHECK(taken.reveal() == short_secret);
    CHECK(secret->empty());
    CHECK_FALSE(contains(memory, sizeof memory, "987"));
    secret->~secret_string();
  }
  SECTION("is assigned from") {
    auto* secret = new (memory) secret_string(short_secret);
    secret_string taken("another");
    taken = std::move(*secret);
    CHECK(taken.reveal() == short_secret);
    CHECK_FALSE(contains(memory, sizeof memory, "987"));
    secret->~secret_string();
  }
  SECTION("is assigned to") {
    auto* secret = new (memory) secret_string(short_secret);
    *secret = secret_string("x");
    CHECK_FALSE(contains(memory, sizeof memory, "987"));
    secret->~secret_string();
  }
  SECTION("is taken over from a string") {
    auto* text = new (memory) std::string(short_secret);
    const secret_string taken(std::move(*text));
    CHECK(taken.reveal() == short_secret);
    CHECK_FALSE(contains(memory, sizeof memory, "987"));
    text->~basic_string();
  }
  SECTION("is assigned to itself") {
    secret_string secret(short_secret);
    secret_string& same = secret;
    secret = std::move(same);
    CHECK(secret.reveal() == short_secret);
  }
}

TEST_CASE("a long secret is wiped where it lay on the heap") {
  const std::string text(64, '7');
  secret_string secret(text);
  const char* bytes = secret.reveal().data();
  secret.wipe();
  // wipe keeps the capacity, so the memory is still ours to look at.
  CHECK(std::string_view(bytes, 64) == std::string(64, '\0'));
  CHECK(secret.empty());
}

TEST_CASE("wiping nothing is allowed") { secure_wipe(nullptr, 0); }

TEST_CASE("a card's number is masked wherever a text holds it", "[card]") {
  turnout::payments::card_summary known;
  known.bin = "424242";
  known.last4 = "4242";
  const auto masked = [&](std::string text) {
    turnout::payments::mask_number(text, known);
    return text;
  };
  CHECK(masked("4242424242424242") == "****************");
  CHECK(masked("x4242 4242 4242 4242y") == "x**** **** **** ****y");
  CHECK(masked("4242.4242.4242.4242") == "****.****.****.****");
  CHECK(masked("4242\xe2\x80\x93"
               "42424242, 4242") == "****\xe2\x80\x93********, ****");
  CHECK(masked("42 4242") == "42 4242");
  CHECK(masked("00424242424242424200").find("4242424242424242") == std::string::npos);
  CHECK(masked("ch_5555555555554444") == "ch_5555555555554444");
  CHECK(masked("424242") == "424242");
  CHECK(masked("") == "");
  CHECK(masked("n=4242%204242%204242%204242&") == "n=****%20****%20****%20****&");
  CHECK(masked("n=4242%E2%80%934242%E2%80%9342424242") == "n=****%E2%80%93****%E2%80%93********");
  CHECK(masked("n=%34242%34242%34242%34242") == "n=************************");
  CHECK(masked("42424242%42424242") == "********%********");
  CHECK(masked("%4242424242424242%") == "%****************%");
  CHECK(masked("4242    4242 4242") == "4242    4242 4242");
}

namespace {

/// What the text says, place by place, slowly: from every digit on, every number that begins there.
std::string masked_slowly(const std::string& text, const card_summary& card, bool decoded) {
  std::vector<std::tuple<char, std::size_t, std::size_t>> units;  // digit or 0, begin, size
  for (std::size_t at = 0; at < text.size();) {
    std::size_t size = 1;
    char shown = text[at];
    unsigned byte = 0;
    if (decoded && shown == '%' && at + 2 < text.size() && std::isxdigit(static_cast<unsigned char>(text[at + 1])) &&
        std::isxdigit(static_cast<unsigned char>(text[at + 2]))) {
      byte = static_cast<unsigned>(std::stoul(text.substr(at + 1, 2), nullptr, 16));
      shown = static_cast<char>(byte);
      size = 3;
    }
    units.emplace_back(shown >= '0' && shown <= '9' ? shown : '\0', at, size);
    at += size;
  }
  std::string out = text;
  for (std::size_t begin = 0; begin < units.size(); ++begin) {
    if (std::get<0>(units[begin]) == 0) continue;
    std::string digits;
    std::vector<std::size_t> used;
    int gap = 0;
    for (std::size_t at = begin; at < units.size() && gap <= 3 && digits.size() < 19; ++at) {
      gap = std::get<0>(units[at]) == 0 ? gap + 1 : 0;
      if (gap > 0) continue;
      digits += std::get<0>(units[at]);
      used.push_back(at);
      if (digits.size() >= 12 && digits.starts_with(card.bin) && digits.ends_with(card.last4))
        for (const std::size_t each : used)
          out.replace(std::get<1>(units[each]), std::get<2>(units[each]), std::get<2>(units[each]), '*');
    }
  }
  return out;
}

}  // namespace

TEST_CASE("masking is what looking at every place slowly gives", "[card]") {
  turnout::payments::card_summary known;
  known.bin = "424242";
  known.last4 = "4242";
  std::mt19937 random(7);
  int changed = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string text;
    for (std::size_t left = random() % 60; left > 0; --left) {
      static const char* const parts[] = {"42",  "4", "2", "424242", "4242424242424242", " ", "-", ".", "%", "%20",
                                          "%34", "x", "7", "    "};
      text += parts[random() % std::size(parts)];
    }
    std::string fast = text;
    turnout::payments::mask_number(fast, known);
    CAPTURE(text);
    REQUIRE(fast == masked_slowly(masked_slowly(text, known, false), known, true));
    changed += fast != text ? 1 : 0;
  }
  CHECK(changed > 1'000);
}

TEST_CASE("masking takes time in proportion to the text", "[card]") {
  turnout::payments::card_summary known;
  known.bin = "424242";
  known.last4 = "4242";
  // Looking ahead from every digit, a megabyte of these would take hours.
  for (const char* part : {"4 ", "42-", "424242 ", "%34%20", "4.2.."}) {
    std::string text;
    while (text.size() < 1'000'000) text += part;
    const std::size_t size = text.size();
    turnout::payments::mask_number(text, known);
    CHECK(text.size() == size);
  }
}
