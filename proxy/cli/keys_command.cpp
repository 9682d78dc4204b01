// turnout keys: API keys of merchants. Works before the proxy's first start and
// while it runs; the proxy takes a new key at once and drops a revoked one
// within a second.
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <map>
#include <string>
#include <vector>

#include "proxy/api/api_key_store.hpp"
#include "proxy/api/json_text.hpp"
#include "proxy/api/key_usage.hpp"
#include "proxy/cli/commands.hpp"
#include "proxy/server/settings_file.hpp"

namespace turnout::cli {
namespace {

struct options {
  std::string conf = default_conf;
  std::string merchant, mode = "test", id;
  std::vector<std::string> scopes;
  std::int64_t expires_s = 0;  ///< 0: never
  std::int64_t overlap_s = 24 * 60 * 60;
};

std::string shown(payments::wall_time at) {
  std::string quoted;
  api::append_time(quoted, at);
  return quoted.substr(1, quoted.size() - 2);
}

std::optional<payments::wall_time> expiry(const options& given) {
  if (given.expires_s == 0) return std::nullopt;
  return std::chrono::system_clock::now() + std::chrono::seconds(given.expires_s);
}

/// Nullopt after the problems were printed.
std::optional<std::string> keys_directory(const options& given) {
  const server::loaded_settings loaded = server::load_settings(given.conf, server::system_secrets());
  for (const settings::problem& each : loaded.problems) std::fprintf(stderr, "%s\n", each.to_string().c_str());
  if (settings::has_errors(loaded.problems)) return std::nullopt;
  return loaded.settings.keys_directory;
}

std::optional<api::api_key_store> open_store(const options& given) {
  const auto directory = keys_directory(given);
  return directory ? std::optional<api::api_key_store>(*directory) : std::nullopt;
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
  std::printf("%s\n", store->create(given.merchant, given.mode == "live", scopes, expiry(given)).c_str());
  std::fputs("Shown once, kept nowhere: store it now.\n", stderr);
  return 0;
}

int list(const options& given) {
  const auto directory = keys_directory(given);
  if (!directory) return 1;
  const api::key_uses uses = api::key_usage::read(*directory);
  const payments::wall_time now = std::chrono::system_clock::now();
  for (const api::api_key& key : api::api_key_store(*directory).list()) {
    const auto used = uses.find(key.id);
    std::printf("%s  %-4s  %s  %s  %s  %s", key.id.c_str(), key.livemode ? "live" : "test", key.created_at.c_str(),
                key.merchant.c_str(), listed(key.scopes).c_str(),
                used == uses.end() ? "never used" : ("last used " + shown(used->second)).c_str());
    if (key.expires_at)
      std::printf("  %s %s", key.expired(now) ? "expired" : "expires", shown(*key.expires_at).c_str());
    if (key.revoked()) std::printf("  revoked %s", key.revoked_at.c_str());
    std::printf("\n");
  }
  return 0;
}

/// Whoever pastes the whole key means its id; the secret goes nowhere.
std::string only_id(const options& given) { return given.id.substr(0, given.id.find(':')); }

int no_such_key(const std::string& id) {
  std::fprintf(stderr, "there is no key %s\n", id.c_str());
  return 1;
}

int rotate(const options& given) {
  auto store = open_store(given);
  if (!store) return 1;
  const std::string id = only_id(given);
  const auto made = store->rotate(id, std::chrono::seconds(given.overlap_s), expiry(given));
  if (!made) return no_such_key(id);
  std::printf("%s\n", made->key.c_str());
  std::fprintf(stderr, "Shown once, kept nowhere: store it now. %s works until %s.\n", id.c_str(),
               shown(made->old_expires_at).c_str());
  return 0;
}

int revoke(const options& given) {
  auto store = open_store(given);
  if (!store) return 1;
  const std::string id = only_id(given);
  return store->revoke(id) ? 0 : no_such_key(id);
}

/// "90d": a whole number of s, m, h or d, as seconds.
CLI::Validator duration(std::int64_t least, std::int64_t most, const std::string& range) {
  return CLI::Validator(
      [least, most, range](std::string& text) -> std::string {
        const std::string wrong = "must be a whole number and s, m, h or d, " + range + ": 24h, 90d";
        static const std::map<char, std::int64_t> units{{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}};
        const auto unit = text.empty() ? units.end() : units.find(text.back());
        std::int64_t count = 0;
        if (unit == units.end()) return wrong;
        const char* const last = text.data() + text.size() - 1;
        const auto [end, failed] = std::from_chars(text.data(), last, count);
        if (failed != std::errc() || end != last || count > most / unit->second || count * unit->second < least)
          return wrong;
        text = std::to_string(count * unit->second);
        return {};
      },
      "DURATION");
}
constexpr std::int64_t day_s = 86400;

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
  creating->add_option("--expires", given->expires_s, "How long it works; for good if not given")
      ->transform(duration(1, 3660 * day_s, "at most 3660d"));
  creating->callback([given, &chosen] { chosen = [given] { return create(*given); }; });

  CLI::App* listing = keys->add_subcommand("list", "Ids, modes, merchants, scopes, last use, expiry; never secrets");
  conf(listing);
  listing->callback([given, &chosen] { chosen = [given] { return list(*given); }; });

  CLI::App* rotating =
      keys->add_subcommand("rotate", "Make a key like this one and print it, once; this one expires after the overlap");
  conf(rotating);
  rotating->add_option("id", given->id, "ak_…")->required();
  rotating->add_option("--overlap", given->overlap_s, "How long both work; 24h if not given")
      ->transform(duration(0, 366 * day_s, "at most 366d"));
  rotating->add_option("--expires", given->expires_s, "How long the new one works; for good if not given")
      ->transform(duration(1, 3660 * day_s, "at most 3660d"));
  rotating->callback([given, &chosen] { chosen = [given] { return rotate(*given); }; });

  CLI::App* revoking = keys->add_subcommand("revoke", "Make a key useless, within a second and for good");
  conf(revoking);
  revoking->add_option("id", given->id, "ak_…")->required();
  revoking->callback([given, &chosen] { chosen = [given] { return revoke(*given); }; });
}

}  // namespace turnout::cli
