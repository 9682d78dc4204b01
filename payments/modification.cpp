// The words for modifications.
#include "payments/modification.hpp"

#include "payments/name_table.hpp"

namespace turnout::payments {

namespace {

constexpr name_table<modification_kind, 3> kinds{{"capture", "refund", "cancellation"}};
constexpr name_table<modification_status, 3> statuses{{"pending", "succeeded", "failed"}};

}  // namespace

std::string_view to_string(modification_kind value) noexcept { return kinds[value]; }
std::optional<modification_kind> parse_modification_kind(std::string_view name) noexcept { return kinds.find(name); }

std::string_view to_string(modification_status value) noexcept { return statuses[value]; }
std::optional<modification_status> parse_modification_status(std::string_view name) noexcept {
  return statuses.find(name);
}

}  // namespace turnout::payments
