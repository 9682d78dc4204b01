#pragma once
// The commands of `turnout`. Each adds itself to the command line and, once
// that was parsed, leaves in `chosen` what is to be done: it returns the exit
// code (0 done, 1 the input is at fault).
#include <functional>

#include <CLI/CLI.hpp>

namespace turnout::cli {

using command = std::function<int()>;

void add_serve(CLI::App& app, command& chosen);
void add_check(CLI::App& app, command& chosen);
void add_sandbox(CLI::App& app, command& chosen);
void add_keys(CLI::App& app, command& chosen);
void add_payments(CLI::App& app, command& chosen);
void add_simulate(CLI::App& app, command& chosen);
void add_explain(CLI::App& app, command& chosen);
void add_verify(CLI::App& app, command& chosen);
void add_backup(CLI::App& app, command& chosen);  ///< and restore

/// Where turnout.yaml is, for every command that asks.
inline constexpr const char* default_conf = "conf";

}  // namespace turnout::cli
