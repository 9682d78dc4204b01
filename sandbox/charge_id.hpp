#pragma once
// A charge's number and the id that a gateway shows for it.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace turnout::sandbox {

/// `prefix` and 13 digits of base 32.
std::string charge_id(std::string_view prefix, std::uint64_t number);
/// nullopt when `id` is not of that form.
std::optional<std::uint64_t> charge_number(std::string_view prefix, std::string_view id) noexcept;

}  // namespace turnout::sandbox
