#pragma once
// A question to the running proxy's admin listener.
#include <stdexcept>
#include <string>

#include "net/http.hpp"
#include "proxy/server/settings_file.hpp"

namespace turnout::cli {

struct admin_address {
  std::string url;    ///< http:// or https://, host and port
  std::string token;  ///< empty: none is sent
  std::string ca;     ///< PEM, trusted instead of the system's certificates; empty: those
};

/// Where a listener with these settings is reached from this machine; its port is not 0.
std::string admin_url(const server::listener_settings& admin);

/// Nobody listens there; the text says so.
class nobody_there : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// POSTs JSON. Throws nobody_there, or std::runtime_error when it fails otherwise.
net::response ask_admin(const admin_address& where, std::string target, std::string body);

}  // namespace turnout::cli
