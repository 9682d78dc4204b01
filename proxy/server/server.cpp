// See server.hpp.
#include "proxy/server/server.hpp"

#include <cstdio>

#include "proxy/server/process.hpp"
#include "proxy/server/proxy.hpp"

namespace turnout::server {

int serve(const std::string& conf) {
  harden_process();
  loaded_files files = load_files(conf, system_secrets());
  for (const settings::problem& each : files.problems) std::fprintf(stderr, "%s\n", each.to_string().c_str());
  if (!files.configuration) return 1;
  try {
    proxy running(conf, std::move(files), raise_file_limit());
    running.run();
  } catch (const std::runtime_error& failed) {
    std::fprintf(stderr, "turnout: %s\n", failed.what());
    return 1;
  }
  return 0;
}

}  // namespace turnout::server
