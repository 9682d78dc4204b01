#pragma once
// Well-formed UTF-8, as the Unicode standard's table 3-7 has it.
#include <cstddef>
#include <string>
#include <string_view>

namespace turnout::telemetry {

/// Bytes of the well-formed sequence that begins at `at`; 0 when none does.
inline std::size_t utf8_sequence_length(std::string_view text, std::size_t at) noexcept {
  const auto byte = [&](std::size_t offset) {
    return at + offset < text.size() ? static_cast<unsigned char>(text[at + offset]) : 0u;
  };
  const auto in = [&](std::size_t offset, unsigned low, unsigned high) {
    return byte(offset) >= low && byte(offset) <= high;
  };
  const unsigned first = byte(0);
  if (first < 0x80) return at < text.size() ? 1 : 0;
  if (first >= 0xC2 && first <= 0xDF) return in(1, 0x80, 0xBF) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {
    const unsigned low = first == 0xE0 ? 0xA0 : 0x80, high = first == 0xED ? 0x9F : 0xBF;
    return in(1, low, high) && in(2, 0x80, 0xBF) ? 3 : 0;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    const unsigned low = first == 0xF0 ? 0x90 : 0x80, high = first == 0xF4 ? 0x8F : 0xBF;
    return in(1, low, high) && in(2, 0x80, 0xBF) && in(3, 0x80, 0xBF) ? 4 : 0;
  }
  return 0;
}

inline constexpr std::string_view replacement_character = "\xEF\xBF\xBD";

}  // namespace turnout::telemetry
