#pragma once
// Which settings of turnout.yaml a running proxy cannot take over.
#include <string>

#include "proxy/server/settings_file.hpp"

namespace turnout::server {

/// The keys whose values differ between what this process started with and
/// `wanted`, as in "listen.port, limits.body"; empty when a reload takes over
/// everything. Names only: a token is among them.
std::string restart_needed(const server_settings& started_with, const server_settings& wanted);

}  // namespace turnout::server
