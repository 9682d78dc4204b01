// See server.hpp.
#include "proxy/server/server.hpp"

#include <cstdio>

#include "proxy/server/process.hpp"
#include "proxy/server/proxy.hpp"

namespace turnout::server {
namespace {

/// Descriptors that are not merchants' connections: gateways', the journal's, the log's.
constexpr std::size_t own_descriptors = 512;

/// More connections than descriptors would make accept fail instead of answering 503.
void fit_connections(server_settings& configured, std::size_t descriptors) {
  const std::size_t most = descriptors > 2 * own_descriptors ? descriptors - own_descriptors : descriptors / 2;
  if (configured.limits.connections <= most) return;
  std::fprintf(stderr,
               "turnout: limits.connections is %zu, but this process may open %zu files only: %zu connections it is "
               "(raise the limit with ulimit -n or LimitNOFILE)\n",
               configured.limits.connections, descriptors, most);
  configured.limits.connections = most;
}

}  // namespace

int serve(const std::string& conf) {
  harden_process();
  loaded_files files = load_files(conf, system_secrets());
  for (const settings::problem& each : files.problems) std::fprintf(stderr, "%s\n", each.to_string().c_str());
  if (!files.configuration) return 1;
  fit_connections(files.settings, raise_file_limit());
  try {
    proxy running(conf, std::move(files));
    running.run();
  } catch (const std::runtime_error& failed) {
    std::fprintf(stderr, "turnout: %s\n", failed.what());
    return 1;
  }
  return 0;
}

}  // namespace turnout::server
