// Cards: what is checked, which brand a number belongs to, and how secrets are
// wiped from memory.
#include "payments/card.hpp"

#include <algorithm>
#include <cstring>
#include <vector>

#include "payments/name_table.hpp"

namespace turnout::payments {

namespace {

constexpr name_table<card_brand, card_brand_count> brands{
    {"visa", "mastercard", "amex", "discover", "diners", "jcb", "unionpay", "maestro", "unknown"}};

// Issuer identification numbers by their first six digits, as the schemes
// publish them. Ranges do not overlap; 622126-622925 (Discover and UnionPay
// together) counts as UnionPay.
struct iin_range {
  int first, last;
  card_brand brand;
};
constexpr iin_range iin_ranges[] = {
    {222100, 272099, card_brand::mastercard}, {300000, 305999, card_brand::diners},
    {309500, 309599, card_brand::diners},     {340000, 349999, card_brand::amex},
    {352800, 358999, card_brand::jcb},        {360000, 369999, card_brand::diners},
    {370000, 379999, card_brand::amex},       {380000, 399999, card_brand::diners},
    {400000, 499999, card_brand::visa},       {500000, 509999, card_brand::maestro},
    {510000, 559999, card_brand::mastercard}, {560000, 589999, card_brand::maestro},
    {601100, 601199, card_brand::discover},   {620000, 629999, card_brand::unionpay},
    {630000, 639999, card_brand::maestro},    {644000, 659999, card_brand::discover},
    {670000, 679999, card_brand::maestro},    {810000, 817199, card_brand::unionpay},
};
constexpr bool ascending_and_disjoint() {
  int last = 0;
  for (const iin_range& each : iin_ranges) {
    if (each.first <= last || each.last < each.first) return false;
    last = each.last;
  }
  return true;
}
static_assert(ascending_and_disjoint());

constexpr std::size_t shortest_number = 12, longest_number = 19, iin_digits = 6;

bool all_digits(std::string_view text) noexcept {
  return std::all_of(text.begin(), text.end(), [](char each) { return each >= '0' && each <= '9'; });
}

}  // namespace

std::string_view to_string(card_brand value) noexcept { return brands[value]; }
std::optional<card_brand> parse_card_brand(std::string_view name) noexcept { return brands.find(name); }

void secure_wipe(void* data, std::size_t size) noexcept {
  if (size == 0) return;
  std::memset(data, 0, size);
  // Tells the compiler that somebody may look at the bytes, so the memset stays.
  asm volatile("" : : "r"(data) : "memory");
}

// A short string lives inside the object and a move *copies* it: so every
// source of a move is wiped too, in its whole capacity.
namespace {
void wipe_text(std::string& text) noexcept {
  // NOLINTNEXTLINE(clang-analyzer-cplusplus.Move): what a move left behind is what is wiped
  secure_wipe(text.data(), text.capacity());
  text.clear();
}
}  // namespace

secret_string::secret_string(std::string&& text) noexcept : text_(std::move(text)) { wipe_text(text); }
secret_string::secret_string(std::string_view text) : text_(text) {}

secret_string::secret_string(secret_string&& other) noexcept : text_(std::move(other.text_)) { other.wipe(); }

secret_string& secret_string::operator=(secret_string&& other) noexcept {
  if (this == &other) return *this;
  wipe();
  text_ = std::move(other.text_);
  other.wipe();
  return *this;
}

secret_string::~secret_string() { wipe(); }

void secret_string::wipe() noexcept { wipe_text(text_); }

bool luhn_valid(std::string_view digits) noexcept {
  if (digits.empty() || !all_digits(digits)) return false;
  int sum = 0;
  bool doubled = false;
  for (auto each = digits.rbegin(); each != digits.rend(); ++each, doubled = !doubled) {
    const int digit = *each - '0';
    sum += doubled ? digit / 5 + digit * 2 % 10 : digit;
  }
  return sum % 10 == 0;
}

card_brand brand_of(std::string_view digits) noexcept {
  if (digits.size() < iin_digits || !all_digits(digits.substr(0, iin_digits))) return card_brand::unknown;
  int iin = 0;
  for (char each : digits.substr(0, iin_digits)) iin = iin * 10 + (each - '0');
  for (const iin_range& each : iin_ranges)
    if (iin >= each.first && iin <= each.last) return each.brand;
  return card_brand::unknown;
}

card_errc card::parse(std::string_view number, int exp_month, int exp_year, std::string_view cvc,
                      std::string_view holder, card& out) {
  if (!all_digits(number)) return card_errc::number_not_digits;
  if (number.size() < shortest_number || number.size() > longest_number) return card_errc::number_length;
  if (!luhn_valid(number)) return card_errc::number_check_digit;
  if (!cvc.empty() && (cvc.size() < 3 || cvc.size() > 4 || !all_digits(cvc))) return card_errc::cvc_malformed;
  if (exp_month < 1 || exp_month > 12 || exp_year < 1000 || exp_year > 9999) return card_errc::expiry_malformed;

  out.number_ = secret_string(number);
  out.cvc_ = secret_string(cvc);
  out.holder_ = secret_string(holder);
  out.exp_month_ = exp_month;
  out.exp_year_ = exp_year;
  out.brand_ = brand_of(number);
  return card_errc::ok;
}

bool card::expired(wall_time now) const noexcept {
  namespace chrono = std::chrono;
  TURNOUT_ASSERT(exp_month_ >= 1 && exp_month_ <= 12);
  const chrono::year_month month = chrono::year{exp_year_} / chrono::month{static_cast<unsigned>(exp_month_)};
  const chrono::sys_days next_month{(month + chrono::months{1}) / chrono::day{1}};
  // Whole seconds: the far end of four-digit years does not fit into nanoseconds.
  const chrono::sys_seconds ended_everywhere = next_month + chrono::hours{12};
  return chrono::floor<chrono::seconds>(now) >= ended_everywhere;
}

card_summary card::summary() const {
  TURNOUT_ASSERT(present());
  const std::string_view number = number_.reveal();
  card_summary shown;
  shown.brand = brand_;
  shown.bin = number.substr(0, iin_digits);
  shown.last4 = number.substr(number.size() - 4);
  shown.exp_month = exp_month_;
  shown.exp_year = exp_year_;
  return shown;
}

void card::wipe() noexcept {
  number_.wipe();
  cvc_.wipe();
  holder_.wipe();
  cryptogram_.wipe();
}

namespace {

/// What stands at one place of a text: a digit, however it is written, or something else.
struct written {
  char digit;        ///< 0: none
  std::size_t size;  ///< bytes
};

int hex_value(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/// Decoded, %34 is '4' and %20 one character.
written read_at(std::string_view text, std::size_t at, bool decoded) noexcept {
  const auto as_digit = [](int byte) { return byte >= '0' && byte <= '9' ? static_cast<char>(byte) : '\0'; };
  if (decoded && text[at] == '%' && at + 2 < text.size()) {
    const int high = hex_value(text[at + 1]), low = hex_value(text[at + 2]);
    if (high >= 0 && low >= 0) return {as_digit(high * 16 + low), 3};
  }
  return {as_digit(text[at]), 1};
}

/// Digits that may be one number: between two of them stand at most three other
/// characters (an en dash or a no-break space are up to three bytes of UTF-8).
struct digit_chain {
  std::string digits;
  std::vector<std::pair<std::size_t, std::size_t>> places;  ///< where each is written, and in how many bytes

  ~digit_chain() { secure_wipe(digits.data(), digits.capacity()); }

  /// From `at` on; says where it ends.
  std::size_t read(std::string_view text, std::size_t at, bool decoded) {
    constexpr int longest_gap = 3;
    digits.clear();
    places.clear();
    for (int gap = 0; at < text.size() && gap <= longest_gap;) {
      const written next = read_at(text, at, decoded);
      if (next.digit != 0) {
        digits.push_back(next.digit);
        places.emplace_back(at, next.size);
        gap = 0;
      } else {
        ++gap;
      }
      at += next.size;
    }
    return at;
  }
};

void mask(std::string& text, const card_summary& card, bool decoded) {
  digit_chain chain;
  for (std::size_t at = 0; at < text.size();) {
    // Every number lies within one chain, so each byte is read once.
    at = chain.read(text, at, decoded);
    const std::string_view digits = chain.digits;
    std::size_t masked = 0;  // so many digits are done
    for (std::size_t from = 0; from + shortest_number <= digits.size(); ++from) {
      if (!digits.substr(from).starts_with(card.bin)) continue;
      for (std::size_t length = std::min(longest_number, digits.size() - from); length >= shortest_number; --length) {
        if (!digits.substr(from, length).ends_with(card.last4)) continue;
        for (masked = std::max(masked, from); masked < from + length; ++masked)
          text.replace(chain.places[masked].first, chain.places[masked].second, chain.places[masked].second, '*');
        break;  // a shorter one lies within
      }
    }
  }
}

}  // namespace

void mask_number(std::string& text, const card_summary& card) {
  if (card.bin.empty() || text.size() < shortest_number) return;
  mask(text, card, false);
  if (text.find('%') != std::string::npos) mask(text, card, true);
}

}  // namespace turnout::payments
