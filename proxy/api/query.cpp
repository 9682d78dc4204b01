#include "proxy/api/query.hpp"

#include <algorithm>

#include "proxy/api/json_document.hpp"
#include "proxy/api/payment_body.hpp"
#include "proxy/telemetry/utf8.hpp"

namespace turnout::api {

namespace {

int hex_digit(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/// What is not ASCII would break the problem document.
std::string shown_name(std::string_view name) {
  std::string shown = shown_path(name);
  for (char& c : shown)
    if (c < 0x20 || c > 0x7e) c = '?';
  return shown;
}

}  // namespace

bool decode_percent(std::string_view text, std::string& out) {
  out.clear();
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '+') {
      out.push_back(' ');
    } else if (text[at] != '%') {
      out.push_back(text[at]);
    } else {
      const int high = at + 2 < text.size() ? hex_digit(text[at + 1]) : -1;
      const int low = at + 2 < text.size() ? hex_digit(text[at + 2]) : -1;
      if (high < 0 || low < 0) return false;
      out.push_back(static_cast<char>(high * 16 + low));
      at += 2;
    }
  }
  return true;
}

bool is_utf8(std::string_view text) noexcept {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = telemetry::utf8_sequence_length(text, at);
    if (length == 0) return false;
    at += length;
  }
  return true;
}

query query::read(std::string_view text, parameter_names known, std::vector<field_error>& errors) {
  query made;
  const auto fault = [&](std::string_view name, const char* message) {
    if (errors.size() < most_errors) errors.push_back({std::string(name), message});
  };
  std::string name, value;
  while (!text.empty() && errors.size() < most_errors) {
    const std::string_view pair = text.substr(0, text.find('&'));
    text.remove_prefix(std::min(text.size(), pair.size() + 1));
    if (pair.empty()) continue;
    const std::size_t equals = std::min(pair.find('='), pair.size());
    if (!decode_percent(pair.substr(0, equals), name)) name = pair.substr(0, equals);
    const auto found = std::find(known.begin(), known.end(), name);
    if (found == known.end()) {
      fault(shown_name(name), "is not a known query parameter");
    } else if (made.find(*found) != nullptr) {
      fault(*found, "is given more than once");
    } else {
      const bool decoded = decode_percent(pair.substr(std::min(equals + 1, pair.size())), value);
      if (!decoded)
        fault(*found, "has a percent sign that is not followed by two hexadecimal digits");
      else if (!is_utf8(value))
        fault(*found, "must be UTF-8");
      else
        made.values_.emplace_back(*found, value);
    }
  }
  return made;
}

const std::string* query::find(std::string_view name) const noexcept {
  for (const auto& [each, value] : values_)
    if (each == name) return &value;
  return nullptr;
}

}  // namespace turnout::api
