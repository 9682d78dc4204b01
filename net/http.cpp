#include "net/http.hpp"

#include <string.h>  // explicit_bzero is not in std

#include "net/framing.hpp"

namespace turnout::net {

std::string_view find_header(const headers& in, std::string_view name) noexcept {
  for (const auto& [key, value] : in)
    if (framing::same_token(key, name)) return value;
  return {};
}

void wipe(std::string& text) noexcept {
  // Up to the capacity: what a shorter value or a move left behind counts too.
  text.resize(text.capacity());
  explicit_bzero(text.data(), text.size());
  text.clear();
}

}  // namespace turnout::net
