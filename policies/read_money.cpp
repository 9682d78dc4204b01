#include "policies/reading.hpp"

namespace turnout::policies {

std::optional<payments::money> read_money(const settings::value& from) {
  const auto text = from.text();
  if (!text) return std::nullopt;
  const auto wrong = [&](std::string why) {
    from.error("'" + from.name() + "' must be an amount and a currency such as 500.00 EUR, not '" + from.raw() + "'" +
               why);
    return std::nullopt;
  };
  const std::size_t space = text->rfind(' ');
  if (space == std::string::npos) return wrong("");
  const std::string_view number = std::string_view(*text).substr(0, space);
  const std::string_view code = std::string_view(*text).substr(space + 1);
  const auto unit = payments::currency::find(code);
  if (!unit) return wrong(": '" + std::string(code) + "' is not an ISO 4217 currency");
  const auto amount = payments::from_decimal(number, *unit);
  if (!amount) return wrong(": " + std::string(code) + " has " + std::to_string(unit->exponent()) + " decimals");
  return amount;
}

}  // namespace turnout::policies
