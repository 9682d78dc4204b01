#pragma once
// conf/turnout.yaml and the files that it names, as values. Used by `turnout
// check`, at start and on every reload.
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "net/server.hpp"
#include "proxy/api/api_settings.hpp"
#include "proxy/core/configuration.hpp"
#include "settings/document.hpp"
#include "settings/problem.hpp"

namespace turnout::server {

struct listener_settings {
  std::string address = "127.0.0.1";                     ///< an IP address
  std::uint16_t port = 0;                                ///< 0 takes a free one
  std::shared_ptr<const net::server_tls_context> tls{};  ///< null: plain HTTP, or load_settings()
  bool secure = false;                                   ///< `tls` is configured
};

struct server_settings {
  listener_settings listen{"127.0.0.1", 8080};
  listener_settings admin{"127.0.0.1", 8081};
  std::string public_url;   ///< under which shoppers reach `listen`, without a final '/'; empty: the listener's own
  std::string admin_token;  ///< empty only on loopback
  unsigned workers = 0;     ///< threads; 0 is one per core, see worker_count()
  std::string journal_path;
  std::string keys_directory;
  std::string log_level = "info";  ///< debug | info | warn | error
  std::string log_file;            ///< empty: standard error
  net::server_limits limits;
  std::chrono::milliseconds drain_timeout{15000};
  api::api_settings api;
  double retry_budget = 0.20;  ///< failovers as a share of payments, 0..1
  std::string connectors_pattern, policies_pattern, rates_path;
};

/// One per core when `workers` is 0.
unsigned worker_count(const server_settings& configured) noexcept;

struct loaded_files {
  server_settings settings;
  /// Null when `problems` has errors.
  std::shared_ptr<const core::configuration> configuration;
  turnout::settings::problems problems;
  std::vector<std::string> connector_files, policy_files;
};

struct loaded_settings {
  server_settings settings;
  turnout::settings::problems problems;
};

/// Environment variables and files of this machine.
turnout::settings::secret_source system_secrets();

/// turnout.yaml alone, without what it names: all that the commands need which
/// only look for a path.
loaded_settings load_settings(const std::string& where, const turnout::settings::secret_source& secrets);

/// `where` is the directory that holds turnout.yaml, or the file itself. Reads
/// everything there is to read, so that one run shows every mistake.
loaded_files load_files(const std::string& where, const turnout::settings::secret_source& secrets);

}  // namespace turnout::server
