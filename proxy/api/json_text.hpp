#pragma once
// JSON written straight into one string: the shapes are fixed, so no tree is
// built first.
#include <cstdint>
#include <string>
#include <string_view>

#include "payments/instant.hpp"

namespace turnout::api {

/// A JSON string with its quotes; `text` is valid UTF-8.
void append_string(std::string& out, std::string_view text);
/// The same, or null when `text` is empty.
void append_string_or_null(std::string& out, std::string_view text);
void append_integer(std::string& out, std::int64_t value);
/// A finite number with at most six significant digits; null when it is not finite.
void append_number(std::string& out, double value);
/// "2026-11-20T10:00:00Z" with its quotes.
void append_time(std::string& out, payments::wall_time at);

}  // namespace turnout::api
