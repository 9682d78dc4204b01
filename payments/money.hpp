#pragma once
// Money: an integer number of minor units and an ISO 4217 currency. Never a
// floating-point amount.
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace turnout::payments {

/// An ISO 4217 currency. Only codes of the table exist; see money.cpp for the
/// edition of the standard the table was taken from.
class currency {
 public:
  /// Three upper-case letters; nullopt when the standard has no such code.
  static std::optional<currency> find(std::string_view code) noexcept;

  std::string_view code() const noexcept;
  /// Decimals of the minor unit: 0, 2, 3 or 4.
  int exponent() const noexcept;

  friend bool operator==(currency, currency) = default;

 private:
  explicit currency(std::uint8_t index) noexcept : index_(index) {}
  std::uint8_t index_;
};

/// `minor` units of `unit`; may be negative only as an intermediate result.
struct money {
  std::int64_t minor;
  currency unit;
  friend bool operator==(const money&, const money&) = default;
};

/// The largest amount a payment may have: 10^15 minor units. It leaves room
/// for sums over payments in 64 bits.
inline constexpr std::int64_t max_amount_minor = 1'000'000'000'000'000;

/// nullopt when the currencies differ or the result overflows.
std::optional<money> checked_add(const money& a, const money& b) noexcept;
std::optional<money> checked_subtract(const money& a, const money& b) noexcept;

/// "12.50" for 1250 EUR, "1250" for 1250 JPY. `exponent` (0..18) overrides the
/// standard's where a gateway differs from it; the value stays the same: 1250
/// JPY with 2 is "1250.00". Never drops a digit that is not zero: 1250 EUR with
/// 0 is "12.5", which the gateway will refuse, not "12".
std::string to_decimal(const money& amount);
std::string to_decimal(const money& amount, int exponent);

/// The amount as a whole number of 10^-exponent units, for gateways that count
/// in other minor units than the standard: 1250 JPY with 2 is 125000. nullopt
/// when it is not whole there or overflows.
std::optional<std::int64_t> minor_at_exponent(const money& amount, int exponent) noexcept;
/// The way back: 125000 JPY with 2 is 1250 JPY.
std::optional<money> from_minor(std::int64_t minor, currency unit, int exponent) noexcept;

/// Exact: nullopt on a sign, more decimals than the currency has, an empty or
/// malformed number, or overflow. "12.5" EUR is 1250. With an `exponent` above
/// the standard's, zeros may fill the extra decimals: "1250.00" JPY with 2.
std::optional<money> from_decimal(std::string_view text, currency unit) noexcept;
std::optional<money> from_decimal(std::string_view text, currency unit, int exponent) noexcept;

}  // namespace turnout::payments
