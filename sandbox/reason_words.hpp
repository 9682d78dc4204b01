#pragma once
// One dialect's words for decline reasons.
#include <span>
#include <string_view>

#include "payments/decline_reason.hpp"

namespace turnout::sandbox {

struct reason_word {
  payments::decline_reason reason;
  std::string_view word;
};

/// `otherwise` for a reason that the dialect has no word for.
constexpr std::string_view word_for(payments::decline_reason reason, std::span<const reason_word> words,
                                    std::string_view otherwise) noexcept {
  for (const auto& each : words) {
    if (each.reason == reason) return each.word;
  }
  return otherwise;
}

}  // namespace turnout::sandbox
