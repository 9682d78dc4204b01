#pragma once
// The words of an enum, in its order: as they are written in YAML, in the API,
// in the journal and in metrics.
#include <array>
#include <cstddef>
#include <optional>
#include <string_view>

#include "payments/assertion.hpp"

namespace turnout::payments {

template <class Enum, std::size_t Count>
struct name_table {
  std::array<std::string_view, Count> names;

  constexpr std::string_view operator[](Enum value) const noexcept {
    const auto index = static_cast<std::size_t>(value);
    TURNOUT_ASSERT(index < Count);
    return names[index];
  }
  constexpr std::optional<Enum> find(std::string_view name) const noexcept {
    for (std::size_t index = 0; index < Count; ++index)
      if (names[index] == name) return static_cast<Enum>(index);
    return std::nullopt;
  }
};

}  // namespace turnout::payments
