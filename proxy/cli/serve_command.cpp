// turnout serve: the proxy itself.
#include "proxy/cli/commands.hpp"
#include "proxy/server/server.hpp"

namespace turnout::cli {

void add_serve(CLI::App& app, command& chosen) {
  CLI::App* sub =
      app.add_subcommand("serve", "Take payments; SIGHUP reloads the configuration, SIGTERM drains and stops");
  auto where = std::make_shared<std::string>(default_conf);
  sub->add_option("--conf", *where, "Directory that holds turnout.yaml")->capture_default_str();
  sub->callback([where, &chosen] { chosen = [where] { return server::serve(*where); }; });
}

}  // namespace turnout::cli
