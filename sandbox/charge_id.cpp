#include "sandbox/charge_id.hpp"

namespace turnout::sandbox {
namespace {
constexpr std::string_view alphabet = "0123456789abcdefghjkmnpqrstvwxyz";
constexpr std::size_t digit_count = 13;  // 65 bits
}  // namespace

std::string charge_id(std::string_view prefix, std::uint64_t number) {
  std::string id(prefix.size() + digit_count, '0');
  prefix.copy(id.data(), prefix.size());
  for (std::size_t i = id.size(); i-- > prefix.size(); number >>= 5) id[i] = alphabet[number & 31];
  return id;
}

std::optional<std::uint64_t> charge_number(std::string_view prefix, std::string_view id) noexcept {
  if (id.size() != prefix.size() + digit_count || !id.starts_with(prefix)) return std::nullopt;
  std::uint64_t number = 0;
  for (const char c : id.substr(prefix.size())) {
    const auto digit = alphabet.find(c);
    if (digit == std::string_view::npos || (number >> 59) != 0) return std::nullopt;
    number = number << 5 | digit;
  }
  return number;
}

}  // namespace turnout::sandbox
