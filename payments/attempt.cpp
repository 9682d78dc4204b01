// The words for an attempt's reversal.
#include "payments/attempt.hpp"

#include "payments/name_table.hpp"

namespace turnout::payments {

namespace {
constexpr name_table<reversal_state, 3> reversal_states{{"none", "wanted", "confirmed"}};
}  // namespace

std::string_view to_string(reversal_state value) noexcept { return reversal_states[value]; }

}  // namespace turnout::payments
