#pragma once
// JSON written straight into a string: the gateways' answers are small and
// are made tens of thousands of times a second.
#include <charconv>
#include <concepts>
#include <string>
#include <string_view>

#include <boost/json/serialize.hpp>

namespace turnout::sandbox {

/// Appends `text` as a JSON string with its quotes.
inline void append_quoted(std::string& out, std::string_view text) {
  for (const char c : text) {
    if (c >= 0x20 && c != 0x7f && c != '"' && c != '\\') continue;
    out += boost::json::serialize(boost::json::string_view(text.data(), text.size()));
    return;
  }
  out += '"';
  out += text;
  out += '"';
}

template <std::integral Number>
void append_number(std::string& out, Number number) {
  char digits[24];
  const auto end = std::to_chars(digits, digits + sizeof digits, number);
  out.append(digits, end.ptr);
}

}  // namespace turnout::sandbox
