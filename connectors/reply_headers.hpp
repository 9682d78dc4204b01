#pragma once
// What a rule keeps of an answer's headers. Answers are untrusted: what is not
// plain visible text is not read at all.
#include <optional>
#include <string>
#include <string_view>

#include "connectors/wire.hpp"

namespace turnout::connectors {

/// Header names differ in case only.
bool same_header(std::string_view a, std::string_view b) noexcept;

/// The first header of that name, when all of it is visible ASCII; nullopt otherwise.
std::optional<std::string> find_header(const wire_reply& reply, std::string_view name);

/// The value of a cookie as the answer's Set-Cookie headers leave it: the last
/// one of that name (RFC 6265). Empty when that one deletes it by its Max-Age;
/// nullopt when there is none that can be sent back as it is.
std::optional<std::string> find_cookie(const wire_reply& reply, std::string_view name);

/// May stand in a cookie's value (RFC 6265, cookie-octet).
bool is_cookie_octet(char c) noexcept;

}  // namespace turnout::connectors
