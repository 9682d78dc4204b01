#include "payments/send_result.hpp"

namespace turnout::payments {

std::optional<bool> is_undone(const send_result& result) noexcept {
  if (result.captured_total && *result.captured_total > 0) {
    if (result.refunded_total && *result.refunded_total >= *result.captured_total) return true;
    // Voided may mean that the rest was released.
    if (!result.refunded_total || result.voided.value_or(false)) return std::nullopt;
    return false;
  }
  if (result.voided && *result.voided) return true;
  if (result.voided && result.captured_total) return false;  // neither captured nor voided
  return std::nullopt;
}

}  // namespace turnout::payments
