// See restart_needed.hpp. Other certificates are taken over, but a port does not
// change between plain HTTP and TLS while it is open. What is not in this list is taken over by
// proxy::apply(), or does nothing in this version.
#include "proxy/server/restart_needed.hpp"

#include <string_view>

namespace turnout::server {

std::string restart_needed(const server_settings& started_with, const server_settings& wanted) {
  const server_settings& now = started_with;
  std::string names;
  const auto compare = [&names](std::string_view key, const auto& before, const auto& after) {
    if (before == after) return;
    if (!names.empty()) names += ", ";
    names += key;
  };
  compare("listen.address", now.listen.address, wanted.listen.address);
  compare("listen.port", now.listen.port, wanted.listen.port);
  compare("public_url", now.public_url, wanted.public_url);
  compare("listen.tls", now.listen.tls != nullptr, wanted.listen.tls != nullptr);
  compare("admin.tls", now.admin.tls != nullptr, wanted.admin.tls != nullptr);
  compare("admin.address", now.admin.address, wanted.admin.address);
  compare("admin.port", now.admin.port, wanted.admin.port);
  compare("admin.token", now.admin_token, wanted.admin_token);
  compare("workers", now.workers, wanted.workers);
  compare("journal.path", now.journal_path, wanted.journal_path);
  compare("keys", now.keys_directory, wanted.keys_directory);
  compare("log.file", now.log_file, wanted.log_file);
  compare("limits.header_timeout", now.limits.header_timeout, wanted.limits.header_timeout);
  compare("limits.body_timeout", now.limits.body_timeout, wanted.limits.body_timeout);
  compare("limits.idle_timeout", now.limits.idle_timeout, wanted.limits.idle_timeout);
  compare("limits.write_timeout", now.limits.write_timeout, wanted.limits.write_timeout);
  compare("limits.connections", now.limits.connections, wanted.limits.connections);
  compare("limits.body", now.limits.body_bytes, wanted.limits.body_bytes);
  return names;
}

}  // namespace turnout::server
