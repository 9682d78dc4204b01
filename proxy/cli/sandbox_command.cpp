// turnout sandbox: simulated gateways, until somebody ends them.
#include <csignal>
#include <cstdint>
#include <cstdio>

#include <pthread.h>

#include "proxy/cli/commands.hpp"
#include "sandbox/sandbox.hpp"

namespace turnout::cli {
namespace {

/// Blocked before any thread starts, so that all of them leave these to us.
void wait_for_end(const sigset_t& ends) {
  int number = 0;
  sigwait(&ends, &number);
}

int run(const sandbox::sandbox_options& options) {
  std::signal(SIGPIPE, SIG_IGN);
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGINT);
  sigaddset(&ends, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &ends, nullptr);

  sandbox::sandbox gateways(options);
  gateways.start();
  std::printf("sandbox  %s  (control, ledger and all gateways)\n", gateways.url().c_str());
  for (const char* name : {"alpha", "beta", "gamma", "delta"})
    std::printf("%-7s  %s\n", name, gateways.gateway_url(name).c_str());
  std::fflush(stdout);
  wait_for_end(ends);
  gateways.stop();
  return 0;
}

}  // namespace

void add_sandbox(CLI::App& app, command& chosen) {
  CLI::App* sub = app.add_subcommand("sandbox", "Simulated gateways with ledgers and faults, for trying and testing");
  auto options = std::make_shared<sandbox::sandbox_options>();
  sub->add_option("--port", options->port,
                  "Control and all gateways; each gateway has one of the next four. 0: free ports")
      ->capture_default_str();
  sub->add_option("--address", options->address, "IP address to listen on")->capture_default_str();
  sub->add_option("--ledger", options->ledger_file, "Keep the ledger in this file, synced before every answer");
  sub->add_option("--seed", options->seed, "Of approvals, faults and latencies; 0 takes a random one")
      ->capture_default_str();
  sub->callback([options, &chosen] { chosen = [options] { return run(*options); }; });
}

}  // namespace turnout::cli
