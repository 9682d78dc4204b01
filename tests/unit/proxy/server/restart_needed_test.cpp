// Every setting is either taken over by a reload or named as one that is not.
#include "proxy/server/restart_needed.hpp"

#include <functional>

#include <catch2/catch.hpp>

#include "tests/unit/net/authority.hpp"

using namespace std::chrono_literals;
using turnout::server::restart_needed;
using turnout::server::server_settings;

namespace {

std::shared_ptr<const turnout::net::server_tls_context> some_tls() {
  return turnout::net::make_server_tls(good_server());
}

}  // namespace

TEST_CASE("what a reload cannot take over is named") {
  const server_settings before;
  CHECK(restart_needed(before, before).empty());
  const std::vector<std::pair<std::string, std::function<void(server_settings&)>>> changes{
      {"listen.address", [](server_settings& to) { to.listen.address = "0.0.0.0"; }},
      {"listen.port", [](server_settings& to) { to.listen.port = 1; }},
      {"public_url", [](server_settings& to) { to.public_url = "https://pay.example"; }},
      {"listen.tls", [](server_settings& to) { to.listen.tls = some_tls(); }},
      {"admin.tls", [](server_settings& to) { to.admin.tls = some_tls(); }},
      {"admin.address", [](server_settings& to) { to.admin.address = "::"; }},
      {"admin.port", [](server_settings& to) { to.admin.port = 1; }},
      {"admin.token", [](server_settings& to) { to.admin_token = "0123456789abcdef"; }},
      {"workers", [](server_settings& to) { to.workers = 3; }},
      {"journal.path", [](server_settings& to) { to.journal_path = "x"; }},
      {"keys", [](server_settings& to) { to.keys_directory = "x"; }},
      {"log.file", [](server_settings& to) { to.log_file = "x"; }},
      {"limits.header_timeout", [](server_settings& to) { to.limits.header_timeout = 1ms; }},
      {"limits.body_timeout", [](server_settings& to) { to.limits.body_timeout = 1ms; }},
      {"limits.idle_timeout", [](server_settings& to) { to.limits.idle_timeout = 1ms; }},
      {"limits.write_timeout", [](server_settings& to) { to.limits.write_timeout = 1ms; }},
      {"limits.connections", [](server_settings& to) { to.limits.connections = 1; }},
      {"limits.body", [](server_settings& to) { to.limits.body_bytes = 1; }},
  };
  server_settings everything = before;
  std::string all;
  for (const auto& [name, change] : changes) {
    server_settings wanted = before;
    change(wanted);
    CHECK(restart_needed(before, wanted) == name);
    change(everything);
    all += (all.empty() ? "" : ", ") + name;
  }
  CHECK(restart_needed(before, everything) == all);
}

TEST_CASE("what a reload takes over is not named") {
  const server_settings before;
  server_settings wanted = before;
  wanted.log_level = "debug";
  wanted.drain_timeout = 1s;
  wanted.retry_budget = 0.5;
  wanted.connectors_pattern = wanted.policies_pattern = "x";
  CHECK(restart_needed(before, wanted).empty());
}
