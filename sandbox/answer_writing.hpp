#pragma once
// What all dialects need to write an answer.
#include <string>
#include <string_view>
#include <utility>

#include "net/http.hpp"
#include "sandbox/charge_id.hpp"
#include "sandbox/json_text.hpp"

namespace turnout::sandbox {

inline net::response json_answer(unsigned status, std::string body) {
  net::response answer;
  answer.status = status;
  answer.fields.emplace_back("Content-Type", "application/json");
  answer.body = std::move(body);
  return answer;
}

/// ,"name":"text"; nothing when there is no text.
inline void append_member(std::string& out, std::string_view name, std::string_view text) {
  if (text.empty()) return;
  out += ",\"";
  out += name;
  out += "\":";
  append_quoted(out, text);
}

/// The quoted id, or null for 0.
inline void append_id(std::string& out, std::string_view prefix, std::uint64_t number) {
  if (number == 0) {
    out += "null";
    return;
  }
  out += '"';
  out += charge_id(prefix, number);
  out += '"';
}

}  // namespace turnout::sandbox
