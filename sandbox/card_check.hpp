#pragma once
// The card in a charge request: is it one, and does the card itself decide
// what becomes of the charge?
#include <cstdint>
#include <span>
#include <string_view>

#include "payments/decline_reason.hpp"
#include "payments/instant.hpp"

namespace turnout::sandbox {

/// Views into the request; nothing of it is kept.
struct presented_card {
  std::string_view number, cvc, holder;  ///< cvc and holder may be empty
  std::int64_t month = 0, year = 0;      ///< a year below 100 is of this century
};

enum class card_field : std::uint8_t { none, number, month, year, cvc };

struct card_verdict {
  card_field wrong = card_field::none;
  std::string_view message;  ///< what is wrong with it
  payments::decline_reason forced = payments::decline_reason::none;
  /// Over BIN, last four, expiry and holder: enough to tell two requests
  /// apart, and nothing a card number could be found from.
  std::uint64_t digest = 0;
};

card_verdict check_card(const presented_card& card, payments::wall_time now);

/// Numbers that every gateway declines for the same reason, whatever its control says.
struct test_card {
  std::string_view number;
  payments::decline_reason reason;
};
std::span<const test_card> test_cards() noexcept;

/// FNV-1a, continued from `seed`.
std::uint64_t mix(std::uint64_t seed, std::string_view text) noexcept;
std::uint64_t mix(std::uint64_t seed, std::uint64_t number) noexcept;

}  // namespace turnout::sandbox
