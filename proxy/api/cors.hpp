#pragma once
// Which web pages of other origins may use the API from a browser (the CORS
// protocol of the Fetch standard). None, unless turnout.yaml names them.
#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "net/http.hpp"

namespace turnout::api {

struct cors_settings {
  std::vector<std::string> origins;   ///< exactly as browsers send them; empty: off
  std::chrono::seconds max_age{600};  ///< how long a browser may keep the answer to its question

  bool on() const noexcept { return !origins.empty(); }
  bool allows(std::string_view origin) const noexcept;
  friend bool operator==(const cors_settings&, const cors_settings&) = default;
};

/// A scheme, a host and a port unless it is the scheme's own, as browsers write
/// them: https://shop.example, http://localhost:3000. Neither "*" nor "null".
bool is_origin(std::string_view text) noexcept;

/// What every answer to `request` gets. Credentials are never allowed: an API key
/// is a header of the page's own, no cookie.
void add_cors_fields(const cors_settings& in, const net::headers& request, net::headers& answer);

/// Whether a browser asks, before the request of an allowed page, if it may send it.
bool is_preflight(const cors_settings& in, const net::request& request) noexcept;
/// `methods`: what is possible at the address.
net::response answer_preflight(const cors_settings& in, std::string methods);

}  // namespace turnout::api
