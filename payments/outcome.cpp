// The words for outcomes and operations.
#include "payments/outcome.hpp"

#include "payments/name_table.hpp"

namespace turnout::payments {

namespace {

constexpr name_table<outcome, outcome_count> outcomes{
    {"approved", "pending", "requires_action", "hard_decline", "soft_decline", "not_sent", "rejected", "unknown"}};

constexpr name_table<operation, operation_count> operations{
    {"sale", "authorize", "capture", "void", "refund", "reverse", "inquire"}};

constexpr name_table<capture_mode, 2> capture_modes{{"automatic", "manual"}};

}  // namespace

std::string_view to_string(outcome value) noexcept { return outcomes[value]; }
std::optional<outcome> parse_outcome(std::string_view name) noexcept { return outcomes.find(name); }

std::string_view to_string(operation value) noexcept { return operations[value]; }
std::optional<operation> parse_operation(std::string_view name) noexcept { return operations.find(name); }

std::string_view to_string(capture_mode value) noexcept { return capture_modes[value]; }

}  // namespace turnout::payments
