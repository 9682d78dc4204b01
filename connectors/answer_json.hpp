#pragma once
// A gateway's answer as JSON, read strictly: Boost.JSON alone would keep the
// last of two members of one name, and another reader the first. What means two
// things means nothing.
#include <cstddef>
#include <optional>
#include <string_view>

#include <boost/json/storage_ptr.hpp>
#include <boost/json/value.hpp>

namespace turnout::connectors {

/// Values may be nested this deep.
inline constexpr std::size_t deepest_answer = 32;

/// One JSON text in UTF-8, with or without a byte order mark; its memory is
/// `memory`'s. nullopt: malformed, nested too deeply, something behind it, or an
/// object, wherever it is, with two members of one name. Throws std::bad_alloc only.
std::optional<boost::json::value> parse_answer(std::string_view text, const boost::json::storage_ptr& memory);

}  // namespace turnout::connectors
