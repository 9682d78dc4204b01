#include "sandbox/card_check.hpp"

#include <algorithm>
#include <array>
#include <chrono>

#include "payments/card.hpp"

namespace turnout::sandbox {
namespace {

using payments::decline_reason;

constexpr std::array<test_card, 8> declining_cards{{
    {"4000000000000002", decline_reason::declined},
    {"4000000000000069", decline_reason::expired_card},
    {"4000000000000119", decline_reason::processing_error},
    {"4000000000000127", decline_reason::incorrect_cvc},
    {"4000000000009979", decline_reason::stolen_card},
    {"4000000000009987", decline_reason::lost_card},
    {"4000000000009995", decline_reason::insufficient_funds},
    {"4000002500003155", decline_reason::authentication_required},
}};

bool all_digits(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

card_verdict wrong(card_field field, std::string_view message) { return {field, message, decline_reason::none, 0}; }

bool expired(std::int64_t month, std::int64_t year, payments::wall_time now) {
  // Good until the month has ended in the last time zone, twelve hours behind UTC.
  const std::chrono::year_month_day today{std::chrono::floor<std::chrono::days>(now - std::chrono::hours(12))};
  const auto this_month = static_cast<int>(today.year()) * 12LL + static_cast<unsigned>(today.month());
  return year * 12 + month < this_month;
}

decline_reason forced_reason(const presented_card& card, std::int64_t year, payments::wall_time now) {
  if (card.number.starts_with("4000")) {
    for (const auto& each : declining_cards) {
      if (each.number == card.number) return each.reason;
    }
  }
  return expired(card.month, year, now) ? decline_reason::expired_card : decline_reason::none;
}

}  // namespace

std::span<const test_card> test_cards() noexcept { return declining_cards; }

std::uint64_t mix(std::uint64_t seed, std::string_view text) noexcept {
  for (const char c : text) seed = (seed ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  return (seed ^ 0xff) * 0x100000001b3ULL;  // an end, so that "ab","c" is not "a","bc"
}

std::uint64_t mix(std::uint64_t seed, std::uint64_t number) noexcept {
  for (int shift = 0; shift < 64; shift += 8) seed = (seed ^ (number >> shift & 0xff)) * 0x100000001b3ULL;
  return seed;
}

card_verdict check_card(const presented_card& card, payments::wall_time now) {
  const auto digits = card.number.size();
  if (digits < 12 || digits > 19 || !all_digits(card.number)) {
    return wrong(card_field::number, "must be 12 to 19 digits");
  }
  if (!payments::luhn_valid(card.number)) return wrong(card_field::number, "has a wrong check digit");
  const auto brand = payments::brand_of(card.number);
  if (brand != payments::card_brand::visa && brand != payments::card_brand::mastercard) {
    return wrong(card_field::number, "is of a brand that is not supported");
  }
  if (card.month < 1 || card.month > 12) return wrong(card_field::month, "must be 1 to 12");
  const std::int64_t year = card.year >= 0 && card.year < 100 ? card.year + 2000 : card.year;
  if (year < 2000 || year > 2099) return wrong(card_field::year, "must be a year of this century");
  if (!card.cvc.empty() && (card.cvc.size() < 3 || card.cvc.size() > 4 || !all_digits(card.cvc))) {
    return wrong(card_field::cvc, "must be 3 or 4 digits");
  }
  card_verdict good;
  good.forced = forced_reason(card, year, now);
  good.digest = mix(0xcbf29ce484222325ULL, card.number.substr(0, 6));
  good.digest = mix(good.digest, card.number.substr(digits - 4));
  good.digest = mix(good.digest, static_cast<std::uint64_t>(year * 12 + card.month));
  good.digest = mix(good.digest, card.holder);
  return good;
}

}  // namespace turnout::sandbox
