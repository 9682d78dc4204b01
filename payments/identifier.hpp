#pragma once
// Prefixed, unguessable ids that sort by time: "pay_" + 26 characters of
// Crockford base 32: 48 bits of wall-clock milliseconds, 80 random bits.
// The order keeps B-trees dense; the 80 bits keep ids from being guessed.
#include <string>
#include <string_view>

#include "payments/instant.hpp"
#include "payments/random_source.hpp"

namespace turnout::payments {

/// `prefix` without the underscore: "pay", "att", …
std::string make_identifier(std::string_view prefix, wall_time now, random_source& random);
/// Prefix, underscore, 26 characters of the alphabet.
bool is_identifier(std::string_view prefix, std::string_view text) noexcept;

}  // namespace turnout::payments
