#include "connectors/reply_headers.hpp"

#include <algorithm>

namespace turnout::connectors {
namespace {

std::string_view trim(std::string_view text) noexcept {
  const std::size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

/// Cuts `text` at the next ';' and gives back what stood before it.
std::string_view next_part(std::string_view& text) noexcept {
  const std::size_t end = std::min(text.find(';'), text.size());
  const std::string_view part = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return part;
}

/// "Max-Age" with a number that is not positive: the cookie ends at once.
bool deletes(std::string_view attributes) noexcept {
  while (!attributes.empty()) {
    const std::string_view part = next_part(attributes);
    const std::size_t equals = part.find('=');
    if (equals == std::string_view::npos || !same_header(trim(part.substr(0, equals)), "Max-Age")) continue;
    std::string_view age = trim(part.substr(equals + 1));
    const bool negative = age.starts_with('-');
    if (negative) age.remove_prefix(1);
    const bool number = !age.empty() && age.find_first_not_of("0123456789") == std::string_view::npos;
    if (number && (negative || age.find_first_not_of('0') == std::string_view::npos)) return true;
  }
  return false;
}

/// As it is to be sent back; the quotes of a quoted value belong to it.
bool usable_value(std::string_view value) noexcept {
  if (value.size() >= 2 && value.starts_with('"') && value.ends_with('"')) value = value.substr(1, value.size() - 2);
  return std::all_of(value.begin(), value.end(), is_cookie_octet);
}

}  // namespace

bool same_header(std::string_view a, std::string_view b) noexcept {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [&](char x, char y) { return lower(x) == lower(y); });
}

bool is_cookie_octet(char c) noexcept { return c > 0x20 && c < 0x7F && c != '"' && c != ',' && c != ';' && c != '\\'; }

std::optional<std::string> find_header(const wire_reply& reply, std::string_view name) {
  for (const auto& [field, content] : reply.headers) {
    if (!same_header(field, name)) continue;
    const std::string_view text = trim(content);
    const bool visible = std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7F; });
    return visible ? std::optional<std::string>(text) : std::nullopt;
  }
  return std::nullopt;
}

std::optional<std::string> find_cookie(const wire_reply& reply, std::string_view name) {
  std::optional<std::string> out;
  for (const auto& [field, content] : reply.headers) {
    if (!same_header(field, "Set-Cookie")) continue;
    std::string_view rest = content;
    const std::string_view pair = next_part(rest);
    const std::size_t equals = pair.find('=');
    // Cookie names, unlike headers', differ in case.
    if (equals == std::string_view::npos || trim(pair.substr(0, equals)) != name) continue;
    const std::string_view value = trim(pair.substr(equals + 1));
    if (deletes(rest))
      out = std::string();
    else if (usable_value(value))
      out = std::string(value);
  }
  return out;
}

}  // namespace turnout::connectors
