#pragma once
// IP addresses as texts, and who can be told apart by them.
#include <optional>
#include <string>
#include <string_view>

namespace turnout::api {

/// One name for an IPv4 address, or for the /64 that an IPv6 address is in: a
/// household or a server has a whole one to choose from. ::ffff:192.0.2.1 is
/// 192.0.2.1. nullopt when `text` is not an address (with a zone it is none).
std::optional<std::string> network_of(std::string_view text);

}  // namespace turnout::api
