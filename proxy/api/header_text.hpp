#pragma once
// Reading single header values.
#include <cstddef>
#include <string_view>

#include "net/http.hpp"

namespace turnout::api {

struct header_lookup {
  std::size_t count = 0;
  std::string_view value;  ///< of the last one, without spaces around it
};
/// Counts, because a header that must be single is refused when it is repeated.
header_lookup only_header(const net::headers& fields, std::string_view name) noexcept;

bool equal_ignoring_case(std::string_view a, std::string_view b) noexcept;
/// Without spaces and tabs around it.
std::string_view trimmed(std::string_view text) noexcept;

/// application/json, with charset=utf-8 or without a parameter.
bool is_json_content_type(std::string_view value) noexcept;

}  // namespace turnout::api
