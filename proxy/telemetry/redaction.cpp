// Finds card numbers in text: a tokeniser that sees through encodings, then
// windows of digits against Luhn and the brands' lengths.
#include "proxy/telemetry/redaction.hpp"

#include <array>
#include <cstddef>
#include <span>
#include <vector>

#include "payments/card.hpp"

namespace turnout::telemetry {

namespace {

constexpr std::size_t shortest = 12, longest = 19;
constexpr int separators_allowed = 3;

enum class kind { digit, separator, other };
struct token {
  telemetry::kind kind;
  char digit;
  std::size_t length;
};

int hex_value(char letter) noexcept {
  if (letter >= '0' && letter <= '9') return letter - '0';
  if (letter >= 'a' && letter <= 'f') return letter - 'a' + 10;
  if (letter >= 'A' && letter <= 'F') return letter - 'A' + 10;
  return -1;
}

token classify(char letter, std::size_t length) noexcept {
  if (letter >= '0' && letter <= '9') return {kind::digit, letter, length};
  switch (letter) {
    case ' ':
    case '-':
    case '+':
    case '\t':
    case '\r':
    case '\n': return {kind::separator, 0, length};
    default: return {kind::other, 0, length};
  }
}

// %XX and \u00XX stand for the byte that they encode.
token read_encoded(std::string_view text, std::size_t at, std::size_t prefix) noexcept {
  if (at + prefix + 2 > text.size()) return {kind::other, 0, 1};
  const int high = hex_value(text[at + prefix]), low = hex_value(text[at + prefix + 1]);
  if (high < 0 || low < 0) return {kind::other, 0, 1};
  return classify(static_cast<char>(high * 16 + low), prefix + 2);
}

token read_token(std::string_view text, std::size_t at) noexcept {
  const char letter = text[at];
  if (letter == '%') return read_encoded(text, at, 1);
  if (letter == '\\' && text.substr(at, 4) == "\\u00") return read_encoded(text, at, 4);
  if (text.substr(at, 2) == "\xC2\xA0") return {kind::separator, 0, 2};  // no-break space
  if (text.substr(at, 2) == "\xE2\x80" && at + 2 < text.size()) {        // U+2010..U+2015, dashes
    const auto third = static_cast<unsigned char>(text[at + 2]);
    if (third >= 0x90 && third <= 0x95) return {kind::separator, 0, 3};
  }
  return classify(letter, 1);
}

// Digits with at most three separators between two of them.
struct digit_run {
  std::string digits;
  std::vector<std::size_t> begins, ends;  // of each digit, in the text
  std::size_t end = 0;                    // of the last digit

  ~digit_run() { payments::secure_wipe(digits.data(), digits.capacity()); }

  void read(std::string_view text, std::size_t at) {
    digits.clear();
    begins.clear();
    ends.clear();
    int separators = 0;
    while (at < text.size()) {
      const token next = read_token(text, at);
      if (next.kind == kind::other || (next.kind == kind::separator && ++separators > separators_allowed)) break;
      if (next.kind == kind::digit) {
        separators = 0;
        digits.push_back(next.digit);
        begins.push_back(at);
        ends.push_back(at + next.length);
        end = at + next.length;
      }
      at += next.length;
    }
  }
};

std::span<const std::size_t> lengths_of(payments::card_brand brand) noexcept {
  using payments::card_brand;
  static constexpr std::size_t visa[] = {19, 16, 13}, sixteen[] = {16}, fifteen[] = {15}, diners[] = {19, 16, 14},
                               long_ones[] = {19, 18, 17, 16};
  switch (brand) {
    case card_brand::visa: return visa;
    case card_brand::mastercard: return sixteen;
    case card_brand::amex: return fifteen;
    case card_brand::diners: return diners;
    case card_brand::discover:
    case card_brand::jcb:
    case card_brand::unionpay:
    case card_brand::maestro: return long_ones;
    case card_brand::unknown: return {};
  }
  return {};
}

// How many digits from `from` on are a card number; 0 when none are.
std::size_t card_length(std::string_view digits, std::size_t from) noexcept {
  const std::string_view rest = digits.substr(from);
  if (from == 0 && rest.size() >= shortest && rest.size() <= longest && payments::luhn_valid(rest)) return rest.size();
  if (rest.size() < shortest) return 0;
  for (const std::size_t length : lengths_of(payments::brand_of(rest)))
    if (length <= rest.size() && payments::luhn_valid(rest.substr(0, length))) return length;
  return 0;
}

// A cheap look before anything is copied: twelve digits, in whatever spelling,
// need at least twelve characters that are digits.
bool has_enough_digits(std::string_view text) noexcept {
  std::size_t digits = 0;
  for (const char letter : text) digits += letter >= '0' && letter <= '9';
  return digits >= shortest;
}

}  // namespace

void append_redacted(std::string_view text, std::string& out) {
  if (!has_enough_digits(text)) {
    out.append(text);
    return;
  }
  digit_run run;
  std::size_t written = 0;
  for (std::size_t at = 0; at < text.size();) {
    const token next = read_token(text, at);
    if (next.kind != kind::digit) {
      at += next.length;
      continue;
    }
    run.read(text, at);
    for (std::size_t index = 0; index + shortest <= run.digits.size();) {
      const std::size_t length = card_length(run.digits, index);
      if (length == 0) {
        ++index;
        continue;
      }
      out.append(text.substr(written, run.begins[index] - written)).append(redacted_mark);
      written = run.ends[index + length - 1];
      index += length;
    }
    at = run.end;
  }
  out.append(text.substr(written));
}

std::string redacted(std::string_view text) {
  std::string out;
  append_redacted(text, out);
  return out;
}

}  // namespace turnout::telemetry
