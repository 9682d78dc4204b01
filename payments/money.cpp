// The currency table and exact arithmetic on minor units.
//
// Source: ISO 4217, list one (current currencies and funds) as published by
// the maintenance agency (SIX) in its edition of February 2026, amendments
// included up to Bulgaria's change to the euro (BGN left on 2026-01-01), XAD
// (amendment 179, 2025), XCG for ANG (2025), ZWG for ZWL (2024) and SLE for
// SLL. Codes without a minor unit (metals, XDR, XSU, XUA, bond market units,
// XTS, XXX) are not payable and left out.
#include "payments/money.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

#include "payments/assertion.hpp"

namespace turnout::payments {

namespace {

struct currency_row {
  char code[4];
  std::uint8_t exponent;
};

constexpr std::array currencies = std::to_array<currency_row>({
    {"AED", 2}, {"AFN", 2}, {"ALL", 2}, {"AMD", 2}, {"AOA", 2}, {"ARS", 2}, {"AUD", 2}, {"AWG", 2}, {"AZN", 2},
    {"BAM", 2}, {"BBD", 2}, {"BDT", 2}, {"BHD", 3}, {"BIF", 0}, {"BMD", 2}, {"BND", 2}, {"BOB", 2}, {"BOV", 2},
    {"BRL", 2}, {"BSD", 2}, {"BTN", 2}, {"BWP", 2}, {"BYN", 2}, {"BZD", 2}, {"CAD", 2}, {"CDF", 2}, {"CHE", 2},
    {"CHF", 2}, {"CHW", 2}, {"CLF", 4}, {"CLP", 0}, {"CNY", 2}, {"COP", 2}, {"COU", 2}, {"CRC", 2}, {"CUP", 2},
    {"CVE", 2}, {"CZK", 2}, {"DJF", 0}, {"DKK", 2}, {"DOP", 2}, {"DZD", 2}, {"EGP", 2}, {"ERN", 2}, {"ETB", 2},
    {"EUR", 2}, {"FJD", 2}, {"FKP", 2}, {"GBP", 2}, {"GEL", 2}, {"GHS", 2}, {"GIP", 2}, {"GMD", 2}, {"GNF", 0},
    {"GTQ", 2}, {"GYD", 2}, {"HKD", 2}, {"HNL", 2}, {"HTG", 2}, {"HUF", 2}, {"IDR", 2}, {"ILS", 2}, {"INR", 2},
    {"IQD", 3}, {"IRR", 2}, {"ISK", 0}, {"JMD", 2}, {"JOD", 3}, {"JPY", 0}, {"KES", 2}, {"KGS", 2}, {"KHR", 2},
    {"KMF", 0}, {"KPW", 2}, {"KRW", 0}, {"KWD", 3}, {"KYD", 2}, {"KZT", 2}, {"LAK", 2}, {"LBP", 2}, {"LKR", 2},
    {"LRD", 2}, {"LSL", 2}, {"LYD", 3}, {"MAD", 2}, {"MDL", 2}, {"MGA", 2}, {"MKD", 2}, {"MMK", 2}, {"MNT", 2},
    {"MOP", 2}, {"MRU", 2}, {"MUR", 2}, {"MVR", 2}, {"MWK", 2}, {"MXN", 2}, {"MXV", 2}, {"MYR", 2}, {"MZN", 2},
    {"NAD", 2}, {"NGN", 2}, {"NIO", 2}, {"NOK", 2}, {"NPR", 2}, {"NZD", 2}, {"OMR", 3}, {"PAB", 2}, {"PEN", 2},
    {"PGK", 2}, {"PHP", 2}, {"PKR", 2}, {"PLN", 2}, {"PYG", 0}, {"QAR", 2}, {"RON", 2}, {"RSD", 2}, {"RUB", 2},
    {"RWF", 0}, {"SAR", 2}, {"SBD", 2}, {"SCR", 2}, {"SDG", 2}, {"SEK", 2}, {"SGD", 2}, {"SHP", 2}, {"SLE", 2},
    {"SOS", 2}, {"SRD", 2}, {"SSP", 2}, {"STN", 2}, {"SVC", 2}, {"SYP", 2}, {"SZL", 2}, {"THB", 2}, {"TJS", 2},
    {"TMT", 2}, {"TND", 3}, {"TOP", 2}, {"TRY", 2}, {"TTD", 2}, {"TWD", 2}, {"TZS", 2}, {"UAH", 2}, {"UGX", 0},
    {"USD", 2}, {"USN", 2}, {"UYI", 0}, {"UYU", 2}, {"UYW", 4}, {"UZS", 2}, {"VED", 2}, {"VES", 2}, {"VND", 0},
    {"VUV", 0}, {"WST", 2}, {"XAD", 2}, {"XAF", 0}, {"XCD", 2}, {"XCG", 2}, {"XOF", 0}, {"XPF", 0}, {"YER", 2},
    {"ZAR", 2}, {"ZMW", 2}, {"ZWG", 2},
});

constexpr std::string_view code_of(const currency_row& row) noexcept { return {row.code, 3}; }

constexpr bool ascending() {
  for (std::size_t index = 1; index < currencies.size(); ++index)
    if (code_of(currencies[index - 1]) >= code_of(currencies[index])) return false;
  return true;
}
static_assert(ascending(), "find searches by halves");
static_assert(currencies.size() <= std::numeric_limits<std::uint8_t>::max());

constexpr int largest_exponent = 18;  // 10^18 is the largest power of ten in 64 bits

constexpr std::int64_t power_of_ten(int exponent) noexcept {
  TURNOUT_ASSERT(exponent >= 0 && exponent <= largest_exponent);
  std::int64_t power = 1;
  for (; exponent > 0; --exponent) power *= 10;
  return power;
}

// Minor units counted in 10^-from, counted in 10^-to instead.
std::optional<std::int64_t> rescale(std::int64_t minor, int from, int to) noexcept {
  if (to >= from) {
    std::int64_t scaled = 0;
    if (__builtin_mul_overflow(minor, power_of_ten(to - from), &scaled)) return std::nullopt;
    return scaled;
  }
  const std::int64_t power = power_of_ten(from - to);
  if (minor % power != 0) return std::nullopt;
  return minor / power;
}

bool all_digits(std::string_view text) noexcept {
  return std::all_of(text.begin(), text.end(), [](char each) { return each >= '0' && each <= '9'; });
}

}  // namespace

std::optional<currency> currency::find(std::string_view code) noexcept {
  const auto row =
      std::lower_bound(currencies.begin(), currencies.end(), code,
                       [](const currency_row& each, std::string_view wanted) { return code_of(each) < wanted; });
  if (row == currencies.end() || code_of(*row) != code) return std::nullopt;
  return currency(static_cast<std::uint8_t>(row - currencies.begin()));
}

std::string_view currency::code() const noexcept { return code_of(currencies[index_]); }
int currency::exponent() const noexcept { return currencies[index_].exponent; }

std::optional<money> checked_add(const money& a, const money& b) noexcept {
  std::int64_t sum = 0;
  if (a.unit != b.unit || __builtin_add_overflow(a.minor, b.minor, &sum)) return std::nullopt;
  return money{sum, a.unit};
}

std::optional<money> checked_subtract(const money& a, const money& b) noexcept {
  std::int64_t difference = 0;
  if (a.unit != b.unit || __builtin_sub_overflow(a.minor, b.minor, &difference)) return std::nullopt;
  return money{difference, a.unit};
}

std::optional<std::int64_t> minor_at_exponent(const money& amount, int exponent) noexcept {
  TURNOUT_ASSERT(exponent >= 0 && exponent <= largest_exponent);
  return rescale(amount.minor, amount.unit.exponent(), exponent);
}

std::optional<money> from_minor(std::int64_t minor, currency unit, int exponent) noexcept {
  TURNOUT_ASSERT(exponent >= 0 && exponent <= largest_exponent);
  const auto scaled = rescale(minor, exponent, unit.exponent());
  if (!scaled) return std::nullopt;
  return money{*scaled, unit};
}

std::string to_decimal(const money& amount) { return to_decimal(amount, amount.unit.exponent()); }

std::string to_decimal(const money& amount, int exponent) {
  TURNOUT_ASSERT(exponent >= 0 && exponent <= largest_exponent);
  const bool negative = amount.minor < 0;
  // The magnitude of the smallest 64-bit number has no signed positive twin.
  const std::uint64_t magnitude =
      negative ? 0 - static_cast<std::uint64_t>(amount.minor) : static_cast<std::uint64_t>(amount.minor);
  char buffer[24];
  const auto written = std::to_chars(buffer, buffer + sizeof buffer, magnitude);
  std::string digits(buffer, written.ptr);

  const auto own = static_cast<std::size_t>(amount.unit.exponent());
  if (digits.size() <= own) digits.insert(0, own + 1 - digits.size(), '0');
  std::size_t decimals = own;
  for (; decimals < static_cast<std::size_t>(exponent); ++decimals) digits.push_back('0');
  for (; decimals > static_cast<std::size_t>(exponent) && digits.back() == '0'; --decimals) digits.pop_back();
  if (decimals > 0) digits.insert(digits.size() - decimals, 1, '.');
  if (negative) digits.insert(0, 1, '-');
  return digits;
}

std::optional<money> from_decimal(std::string_view text, currency unit) noexcept {
  return from_decimal(text, unit, unit.exponent());
}

std::optional<money> from_decimal(std::string_view text, currency unit, int exponent) noexcept {
  TURNOUT_ASSERT(exponent >= 0 && exponent <= largest_exponent);
  const std::size_t point = text.find('.');
  const std::string_view whole = text.substr(0, point);
  std::string_view fraction = point == std::string_view::npos ? std::string_view{} : text.substr(point + 1);
  if (whole.empty() || (point != std::string_view::npos && fraction.empty())) return std::nullopt;
  if (!all_digits(whole) || !all_digits(fraction)) return std::nullopt;

  const auto own = static_cast<std::size_t>(unit.exponent());
  if (fraction.size() > std::max(own, static_cast<std::size_t>(exponent))) return std::nullopt;
  if (fraction.size() > own) {  // only zeros may stand where the currency has no minor unit
    if (fraction.substr(own).find_first_not_of('0') != std::string_view::npos) return std::nullopt;
    fraction = fraction.substr(0, own);
  }

  std::int64_t minor = 0;
  const auto append = [&minor](char digit) {
    return !__builtin_mul_overflow(minor, 10, &minor) && !__builtin_add_overflow(minor, digit - '0', &minor);
  };
  for (char digit : whole)
    if (!append(digit)) return std::nullopt;
  for (std::size_t index = 0; index < own; ++index)
    if (!append(index < fraction.size() ? fraction[index] : '0')) return std::nullopt;
  return money{minor, unit};
}

}  // namespace turnout::payments
