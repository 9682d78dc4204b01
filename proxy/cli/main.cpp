// The command line: parse, run one command, turn whatever happens into an exit
// code: 0 done, 1 the input is at fault (said on stderr), 2 usage.
#include <cstdio>
#include <exception>
#include <string>

#include <boost/system/system_error.hpp>

#include "proxy/cli/commands.hpp"

namespace {

constexpr int usage_error = 2;

int run(int argc, char** argv) {
  using namespace turnout::cli;
  CLI::App app("Turnout, a payment-routing proxy", "turnout");
  app.set_version_flag("--version", "turnout " TURNOUT_VERSION);
  app.require_subcommand(1);
  command chosen;
  add_serve(app, chosen);
  add_check(app, chosen);
  add_sandbox(app, chosen);
  add_keys(app, chosen);
  add_payments(app, chosen);
  add_simulate(app, chosen);
  add_explain(app, chosen);
  add_verify(app, chosen);
  add_backup(app, chosen);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& asked) {
    return app.exit(asked) == 0 ? 0 : usage_error;
  }
  return chosen();
}

/// Without the place in Boost's sources that newer versions add: " [system:98 at …".
std::string plain_text(const boost::system::system_error& failed) {
  const std::string text = failed.what();
  return text.substr(0, text.find(std::string(" [") + failed.code().category().name() + ":"));
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const boost::system::system_error& failed) {
    std::fprintf(stderr, "turnout: %s\n", plain_text(failed).c_str());
  } catch (const std::exception& failed) {
    std::fprintf(stderr, "turnout: %s\n", failed.what());
  } catch (...) {
    std::fputs("turnout: failed for a reason that cannot be told\n", stderr);
  }
  return 1;
}
