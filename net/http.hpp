#pragma once
// HTTP messages as plain values: who uses this room sees no Beast type.
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace turnout::net {

using headers = std::vector<std::pair<std::string, std::string>>;

/// Case-insensitive; empty view when absent.
std::string_view find_header(const headers& in, std::string_view name) noexcept;

/// Overwrites memory in a way that the compiler may not remove: buffers that
/// carried card data are wiped before they are freed.
void wipe(std::string& text) noexcept;

struct request {
  std::string method;  ///< "GET", as received
  std::string target;  ///< origin form: path and query
  headers fields;
  std::string body;  ///< the server wipes it after the handler is done with the request
  std::string peer;  ///< address of the client, without port
};

struct response {
  unsigned status = 200;
  headers fields;  ///< Content-Length, Date and Connection are added by the server
  std::string body;
};

}  // namespace turnout::net
