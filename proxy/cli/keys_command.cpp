// turnout keys: API keys of merchants. Works before the proxy's first start and
// while it runs; the proxy takes a new key at once and drops a revoked one
// within a second.
#include <cstdio>
#include <string>
#include <vector>

#include "proxy/api/api_key_store.hpp"
#include "proxy/cli/commands.hpp"
#include "proxy/server/settings_file.hpp"

namespace turnout::cli {
namespace {

struct options {
  std::string conf = default_conf;
  std::string merchant, mode = "test", id;
  std::vector<std::string> scopes;
};

/// Nullopt after the problems were printed.
std::optional<api::api_key_store> open_store(const options& given) {
  const server::loaded_settings loaded = server::load_settings(given.conf, server::system_secrets());
  for (const settings::problem& each : loaded.problems) std::fprintf(stderr, "%s\n", each.to_string().c_str());
  if (settings::has_errors(loaded.problems)) return std::nullopt;
  return api::api_key_store(loaded.settings.keys_directory);
}

std::string listed(api::scope_set scopes) {
  if (scopes == api::scope_set::all()) return "all";
  std::string text;
  for (const api::scope each : api::every_scope) {
    if (!scopes.has(each)) continue;
    if (!text.empty()) text += ',';
    text += api::name_of(each);
  }
  return text;
}

std::vector<std::string> scope_names() {
  std::vector<std::string> names;
  for (const api::scope each : api::every_scope) names.emplace_back(api::name_of(each));
  return names;
}

int create(const options& given) {
  auto store = open_store(given);
  if (!store) return 1;
  api::scope_set scopes;
  for (const std::string& each : given.scopes) scopes.add(*api::find_scope(each));
  if (scopes.empty()) scopes = api::scope_set::all();
  std::printf("%s\n", store->create(given.merchant, given.mode == "live", scopes).c_str());
  std::fputs("Shown once, kept nowhere: store it now.\n", stderr);
  return 0;
}

int list(const options& given) {
  const auto store = open_store(given);
  if (!store) return 1;
  for (const api::api_key& key : store->list())
    std::printf("%s  %-4s  %s  %s  %s%s\n", key.id.c_str(), key.livemode ? "live" : "test", key.created_at.c_str(),
                key.merchant.c_str(), listed(key.scopes).c_str(),
                key.revoked() ? ("  revoked " + key.revoked_at).c_str() : "");
  return 0;
}

int revoke(const options& given) {
  auto store = open_store(given);
  if (!store) return 1;
  // Whoever pastes the whole key means its id; the secret goes nowhere.
  const std::string id = given.id.substr(0, given.id.find(':'));
  if (store->revoke(id)) return 0;
  std::fprintf(stderr, "there is no key %s\n", id.c_str());
  return 1;
}

}  // namespace

void add_keys(CLI::App& app, command& chosen) {
  CLI::App* keys = app.add_subcommand("keys", "API keys of merchants");
  keys->require_subcommand(1);
  auto given = std::make_shared<options>();
  const auto conf = [given](CLI::App* sub) {
    sub->add_option("--conf", given->conf, "Directory that holds turnout.yaml")->capture_default_str();
  };

  CLI::App* creating =
      keys->add_subcommand("create", "Make a key and print it, once; a running proxy takes it at once");
  conf(creating);
  creating->add_option("--merchant", given->merchant, "Name of the merchant: a-z, 0-9, _ and -")->required();
  creating->add_option("--mode", given->mode, "test keys reach test connectors, live keys live ones")
      ->check(CLI::IsMember({"test", "live"}))
      ->capture_default_str();
  creating->add_option("--scope", given->scopes, "What it may do; may be repeated; all of it if not given")
      ->check(CLI::IsMember(scope_names()));
  creating->callback([given, &chosen] { chosen = [given] { return create(*given); }; });

  CLI::App* listing = keys->add_subcommand("list", "Ids, modes and merchants; never secrets");
  conf(listing);
  listing->callback([given, &chosen] { chosen = [given] { return list(*given); }; });

  CLI::App* revoking = keys->add_subcommand("revoke", "Make a key useless, within a second and for good");
  conf(revoking);
  revoking->add_option("id", given->id, "ak_…")->required();
  revoking->callback([given, &chosen] { chosen = [given] { return revoke(*given); }; });
}

}  // namespace turnout::cli
