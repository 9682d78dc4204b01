#pragma once
// Strong validators (RFC 9110, 8.8.3) and If-None-Match (13.1.2).
#include <string>
#include <string_view>

#include "net/http.hpp"

namespace turnout::api {

/// With its quotes. A digest of the bytes as they are sent: other fields or
/// another coding have another tag.
std::string entity_tag(std::string_view body);

/// Whether the client has a representation with this tag; weak comparison, as the header asks for.
bool matches_none_match(const net::headers& request, std::string_view tag);

}  // namespace turnout::api
