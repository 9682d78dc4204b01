#pragma once
// gzip for answers that are worth it, where the client takes it (RFC 9110, 12.5.3).
//
// Compressed lengths can betray a secret that stands beside text an attacker
// chooses (BREACH). No answer holds such a secret: keys are never shown, there
// are no cookies or form tokens, and whoever may read a payment needs no guesses
// about it. Problem documents, which repeat names of what was sent, and answers
// to POST are not compressed.
#include <cstdint>
#include <string>
#include <string_view>

#include "net/http.hpp"

namespace turnout::api {

enum class coding : std::uint8_t { identity, gzip };

/// Below this size compressing costs more than it saves.
inline constexpr std::size_t least_compressed = 1024;

/// What an answer of `bytes` bytes is best sent as. A client that accepts neither gets identity.
coding choose_coding(const net::headers& request, std::size_t bytes);

/// Throws std::bad_alloc.
std::string gzip(std::string_view text);

}  // namespace turnout::api
