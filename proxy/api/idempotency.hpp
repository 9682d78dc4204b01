#pragma once
// The Idempotency-Key header, and how a repeated request is recognised.
#include <optional>
#include <string>
#include <string_view>

#include "net/http.hpp"
#include "proxy/api/json_document.hpp"
#include "proxy/api/keyed_mac.hpp"

namespace turnout::api {

inline constexpr std::string_view idempotency_header = "Idempotency-Key";

struct idempotency_key {
  std::optional<std::string> key;  ///< without quotes; nullopt: the header is absent
  std::string error;               ///< not empty: the header is there and unusable
};

/// Accepts a bare key of 1..255 visible ASCII characters, or a structured
/// header string ("…" with \" and \\ escapes, spaces allowed) of that length.
/// Both forms of one text are one key.
idempotency_key read_idempotency_key(const net::headers& fields);

/// Over method, path and body without the card's CVC. Whitespace, escapes and
/// the order of fields make no difference.
std::string request_mac(const keyed_mac& mac, std::string_view method, std::string_view path,
                        const json_document& body);

}  // namespace turnout::api
