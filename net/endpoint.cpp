// "http://host[:port]" or "https://host[:port]" into its parts, and the names of the client's errors.
#include <algorithm>
#include <charconv>
#include <stdexcept>

#include "net/client.hpp"

namespace turnout::net {
namespace {

[[noreturn]] void fail(std::string_view url, std::string_view why) {
  throw std::invalid_argument("\"" + std::string(url) + "\" is not a usable address: " + std::string(why) +
                              " (expected https://host or https://host:port; http:// too)");
}

bool is_host_byte(char byte) noexcept {
  return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') || byte == '-' ||
         byte == '.' || byte == '_';
}

bool is_address_byte(char byte) noexcept { return is_host_byte(byte) || byte == ':'; }

}  // namespace

endpoint parse_endpoint(std::string_view url) {
  endpoint found;
  found.tls = url.starts_with("https://");
  const std::string_view scheme = found.tls ? "https://" : "http://";
  if (!url.starts_with(scheme)) fail(url, "it does not begin with https:// or http://");
  found.port = found.tls ? 443 : 80;
  const auto authority = url.substr(scheme.size());
  if (authority.find('@') != std::string_view::npos) fail(url, "credentials do not belong into an address");
  if (authority.find_first_of("/?#") != std::string_view::npos) fail(url, "it has a path");
  const bool bracketed = authority.starts_with('[');
  const auto host_end = bracketed ? authority.find(']') : std::min(authority.find(':'), authority.size());
  if (host_end == std::string_view::npos) fail(url, "a bracket is not closed");
  found.host = bracketed ? authority.substr(1, host_end - 1) : authority.substr(0, host_end);
  if (found.host.empty()) fail(url, "the host is missing");
  if (!std::all_of(found.host.begin(), found.host.end(), bracketed ? is_address_byte : is_host_byte))
    fail(url, "the host has a forbidden character");
  const auto rest = authority.substr(host_end + (bracketed ? 1 : 0));
  if (!rest.empty()) {
    const auto* end = rest.data() + rest.size();
    const auto [stop, error] = std::from_chars(rest.data() + 1, end, found.port);
    if (rest.front() != ':' || error != std::errc{} || stop != end || found.port == 0)
      fail(url, "the port is not a number from 1 to 65535");
  }
  // Servers that go by names know themselves without the usual port.
  found.host_header = authority;
  if (found.tls && !rest.empty() && found.port == 443) found.host_header.resize(authority.size() - rest.size());
  return found;
}

std::string_view to_string(client_error error) noexcept {
  switch (error) {
    case client_error::none: return "none";
    case client_error::resolve_failed: return "resolve_failed";
    case client_error::connect_refused: return "connect_refused";
    case client_error::connect_timeout: return "connect_timeout";
    case client_error::connect_failed: return "connect_failed";
    case client_error::tls_timeout: return "tls_timeout";
    case client_error::tls_version_unsupported: return "tls_version_unsupported";
    case client_error::tls_certificate_expired: return "tls_certificate_expired";
    case client_error::tls_host_mismatch: return "tls_host_mismatch";
    case client_error::tls_untrusted_certificate: return "tls_untrusted_certificate";
    case client_error::tls_pin_mismatch: return "tls_pin_mismatch";
    case client_error::tls_handshake_failed: return "tls_handshake_failed";
    case client_error::write_failed: return "write_failed";
    case client_error::write_timeout: return "write_timeout";
    case client_error::response_timeout: return "response_timeout";
    case client_error::response_truncated: return "response_truncated";
    case client_error::response_malformed: return "response_malformed";
    case client_error::response_premature: return "response_premature";
    case client_error::response_too_large: return "response_too_large";
    case client_error::connection_lost: return "connection_lost";
    case client_error::too_many_connections: return "too_many_connections";
    case client_error::deadline_passed: return "deadline_passed";
  }
  return "unknown";
}

}  // namespace turnout::net
