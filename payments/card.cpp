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

// An en dash or a no-break space are up to three bytes of UTF-8.
constexpr std::size_t longest_gap = 3;

void mask_number(std::string& text, const card_summary& card) {
  const auto is_digit = [&](std::size_t at) { return at < text.size() && text[at] >= '0' && text[at] <= '9'; };
  for (std::size_t begin = 0; begin < text.size(); ++begin) {
    if (!is_digit(begin) || (begin > 0 && is_digit(begin - 1))) continue;
    std::string digits;
    std::vector<std::size_t> places;
    for (std::size_t at = begin; is_digit(at); ++at) {
      digits.push_back(text[at]);
      places.push_back(at);
      // A few other characters may stand between two digits: spaces, dashes, dots.
      std::size_t gap = 0;
      while (gap < longest_gap && at + gap + 1 < text.size() && !is_digit(at + gap + 1)) ++gap;
      if (gap > 0 && is_digit(at + gap + 1)) at += gap;
    }
    // The number may stand within a longer run of digits.
    for (std::size_t from = 0; from + shortest_number <= digits.size(); ++from) {
      if (digits.compare(from, card.bin.size(), card.bin) != 0 || card.bin.empty()) continue;
      for (std::size_t length = shortest_number; length <= longest_number && from + length <= digits.size(); ++length) {
        if (digits.compare(from + length - card.last4.size(), card.last4.size(), card.last4) != 0) continue;
        for (std::size_t i = from; i < from + length; ++i) text[places[i]] = '*';
      }
    }
  }
}

}  // namespace turnout::payments
