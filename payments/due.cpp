#include "payments/due.hpp"

#include <algorithm>

#include "payments/modification_rules.hpp"

namespace turnout::payments {

std::optional<wall_time> due_at(const payment& record) noexcept {
  std::optional<wall_time> due = authorization_due(record);
  for (const attempt& each : record.attempts) {
    // While it is worked on its ladder asks anyway.
    const bool worked_on = each.unresolved() || each.reversal == reversal_state::wanted;
    if (each.look_again_at && !worked_on) due = std::min(due.value_or(*each.look_again_at), *each.look_again_at);
  }
  return due;
}

}  // namespace turnout::payments
