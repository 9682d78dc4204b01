// turnout check: everything there is to say about the configuration.
#include <cstdio>
#include <string>

#include "proxy/cli/commands.hpp"
#include "proxy/server/settings_file.hpp"

namespace turnout::cli {
namespace {

void count(std::string& line, std::size_t number, const char* one, const char* many) {
  line += std::to_string(number) + " " + (number == 1 ? one : many);
}

int check(const std::string& where) {
  const server::loaded_files loaded = server::load_files(where, server::system_secrets());
  std::size_t errors = 0, warnings = 0;
  for (const settings::problem& each : loaded.problems) {
    std::fprintf(stderr, "%s\n", each.to_string().c_str());
    ++(each.warning ? warnings : errors);
  }
  std::string line;
  if (!loaded.configuration) {
    count(line, errors, "error", "errors");
    std::fprintf(stderr, "%s\n", line.c_str());
    return 1;
  }
  line = where + " is valid: ";
  count(line, loaded.configuration->connectors.size(), "connector", "connectors");
  for (const auto& connector : loaded.configuration->connectors) {
    line += &connector == &loaded.configuration->connectors.front() ? " (" : ", ";
    line += connector->profile().name;
  }
  line += "), ";
  count(line, loaded.configuration->policies.policies.size(), "policy", "policies");
  if (warnings != 0) {
    line += ", ";
    count(line, warnings, "warning", "warnings");
  }
  std::printf("%s\n", line.c_str());
  return 0;
}

}  // namespace

void add_check(CLI::App& app, command& chosen) {
  CLI::App* sub = app.add_subcommand("check", "Check the configuration: every file, every mistake with its position");
  auto where = std::make_shared<std::string>(default_conf);
  sub->add_option("dir", *where, "Directory that holds turnout.yaml")->capture_default_str();
  sub->callback([where, &chosen] { chosen = [where] { return check(*where); }; });
}

}  // namespace turnout::cli
