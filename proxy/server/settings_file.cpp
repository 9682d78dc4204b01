// See settings_file.hpp. Paths inside the file are relative to it.
#include "proxy/server/settings_file.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <thread>

#include <glob.h>
#include <openssl/sha.h>
#include <boost/asio/ip/address.hpp>

#include "net/client.hpp"
#include "proxy/server/read_api_settings.hpp"
#include "proxy/server/read_tls.hpp"
#include "settings/reader.hpp"

namespace turnout::server {
namespace {

using namespace std::chrono_literals;
using turnout::settings::document;
using turnout::settings::fields;
using turnout::settings::problem;
using turnout::settings::problems;
using turnout::settings::value;
namespace fs = std::filesystem;

/// Configuration and secrets are small; a device or a log by mistake is not.
constexpr std::size_t max_file_bytes = 4 * 1024 * 1024;
/// A token that can be guessed is no token.
constexpr std::size_t least_token_bytes = 16;

struct file_text {
  std::optional<std::string> text;
  std::string failure;
};

file_text read_file(const std::string& path) {
  std::error_code failed;
  if (fs::is_directory(path, failed)) return {std::nullopt, "is a directory"};
  errno = 0;
  std::ifstream in(path, std::ios::binary);
  if (!in) return {std::nullopt, errno != 0 ? std::strerror(errno) : "cannot be opened"};
  std::string text(max_file_bytes + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(in.gcount()));
  if (in.bad()) return {std::nullopt, "cannot be read"};
  if (text.size() > max_file_bytes) return {std::nullopt, "is larger than 4 MiB"};
  return {std::move(text), {}};
}

/// `path` as seen from the directory of `file`.
std::string beside(const std::string& file, const std::string& path) {
  const fs::path joined = (fs::path(file).parent_path() / path).lexically_normal();
  return joined.string();
}

std::optional<document> parse_file(const std::string& path, const turnout::settings::secret_source& secrets,
                                   problems& found, std::string* texts = nullptr) {
  file_text read = read_file(path);
  if (!read.text) {
    found.push_back({path, 0, 0, false, read.failure});
    return std::nullopt;
  }
  if (texts != nullptr) texts->append(*read.text).push_back('\0');
  return turnout::settings::parse(path, *read.text, secrets, found);
}

std::string main_file(const std::string& where) {
  std::error_code failed;
  return fs::is_directory(where, failed) ? (fs::path(where) / "turnout.yaml").lexically_normal().string() : where;
}

// ---- turnout.yaml -----------------------------------------------------------

/// What else is read than the file itself.
enum class reach : std::uint8_t { file_only, certificates_too };

void read_listener(const fields& keys, const document& file, reach how_far, listener_settings& into) {
  if (const value address = keys.optional("address")) {
    if (const auto text = address.text()) {
      boost::system::error_code wrong;
      boost::asio::ip::make_address(*text, wrong);
      if (wrong)
        address.error("'address' must be an IP address such as 127.0.0.1, 0.0.0.0 or ::1, not '" + *text + "'");
      else
        into.address = *text;
    }
  }
  if (const auto port = keys.optional("port").integer(0, 65535)) into.port = static_cast<std::uint16_t>(*port);
  into.secure = keys.optional("tls").present();
  into.tls = read_listener_tls(keys.optional("tls"), file.file, how_far == reach::certificates_too);
}

bool is_loopback(const std::string& address) {
  boost::system::error_code wrong;
  const auto parsed = boost::asio::ip::make_address(address, wrong);
  return !wrong && parsed.is_loopback();
}

void read_admin(const value& admin, const document& file, reach how_far, server_settings& into) {
  const fields keys(admin, {"address", "port", "tls", "token"});
  read_listener(keys, file, how_far, into.admin);
  const value token = keys.optional("token");
  if (auto text = token.text()) {
    if (text->size() < least_token_bytes)
      token.error("'token' must have at least " + std::to_string(least_token_bytes) + " characters");
    else
      into.admin_token = std::move(*text);
  }
  if (!token && !is_loopback(into.admin.address))
    keys.optional("address").error("the admin listener on " + into.admin.address +
                                   " can be reached from other machines: it needs 'token: ${ADMIN_TOKEN}', or a "
                                   "loopback address such as 127.0.0.1");
}

/// What shoppers' browsers are sent to: it may lie behind a proxy, under a path.
void read_public_url(const value& given, server_settings& into) {
  auto text = given.text();
  if (!text) return;
  while (text->ends_with('/')) text->pop_back();
  const std::string_view rest = text->starts_with("https://")  ? std::string_view(*text).substr(8)
                                : text->starts_with("http://") ? std::string_view(*text).substr(7)
                                                               : std::string_view();
  const bool plain = std::all_of(rest.begin(), rest.end(), [](char c) {
    return c > 0x20 && c < 0x7f && std::string_view("?#@\"<>\\^`{|}").find(c) == std::string_view::npos;
  });
  if (rest.empty() || rest.front() == '/' || rest.front() == ':' || !plain)
    return given.error(
        "'public_url' must be https://host, with :port and /path where there are any, without user, query and fragment");
  into.public_url = std::move(*text);
}

void read_limits(const value& limits, server_settings& into) {
  const fields keys(limits, {"header_timeout", "body_timeout", "idle_timeout", "write_timeout", "drain_timeout",
                             "connections", "body"});
  const auto duration = [&keys](const char* name, std::chrono::milliseconds most, std::chrono::milliseconds& target) {
    if (const auto given = keys.optional(name).duration(100ms, most)) target = *given;
  };
  duration("header_timeout", 10min, into.limits.header_timeout);
  duration("body_timeout", 10min, into.limits.body_timeout);
  duration("idle_timeout", 1h, into.limits.idle_timeout);
  duration("write_timeout", 10min, into.limits.write_timeout);
  duration("drain_timeout", 10min, into.drain_timeout);
  if (const auto most = keys.optional("connections").integer(1, 1'000'000))
    into.limits.connections = static_cast<std::size_t>(*most);
  if (const auto most = keys.optional("body").size(1024, 64U << 20U)) into.limits.body_bytes = *most;
}

void read_settings(const document& file, reach how_far, server_settings& into, problems& found) {
  const fields top(
      turnout::settings::root(file, found),
      {"version", "listen", "public_url", "admin", "workers", "journal", "keys", "log", "limits", "retry_budget",
       "rate_limits", "merchants", "card_testing", "cors", "connectors", "policies", "rates"});
  top.required("version").integer(1, 1);
  read_listener(fields(top.optional("listen"), {"address", "port", "tls"}), file, how_far, into.listen);
  read_public_url(top.optional("public_url"), into);
  read_admin(top.optional("admin"), file, how_far, into);
  if (into.listen.port != 0 && into.listen.port == into.admin.port && into.listen.address == into.admin.address)
    top.optional("admin").error("'admin' and 'listen' have the same address and port " +
                                std::to_string(into.listen.port));
  if (const auto count = top.optional("workers").integer(0, 256)) into.workers = static_cast<unsigned>(*count);

  if (const auto path = fields(top.required("journal"), {"path"}).required("path").text())
    into.journal_path = beside(file.file, *path);
  if (const auto path = top.required("keys").text()) into.keys_directory = beside(file.file, *path);

  const fields log(top.optional("log"), {"level", "file"});
  if (const auto level = log.optional("level").one_of({"debug", "info", "warn", "error"})) into.log_level = *level;
  if (const auto path = log.optional("file").text(true); path && !path->empty())
    into.log_file = beside(file.file, *path);

  read_limits(top.optional("limits"), into);
  read_api_settings(top, into.api);
  if (const auto share = top.optional("retry_budget").percent()) into.retry_budget = *share;
  if (const auto pattern = top.required("connectors").text()) into.connectors_pattern = beside(file.file, *pattern);
  if (const auto pattern = top.required("policies").text()) into.policies_pattern = beside(file.file, *pattern);
  if (const auto path = top.optional("rates").text()) into.rates_path = beside(file.file, *path);
}

// ---- the files that it names ------------------------------------------------

/// Sorted; empty and a problem at `key` when nothing matches.
std::vector<std::string> expand(const std::string& pattern, const document& file, std::string_view key,
                                problems& found) {
  std::vector<std::string> paths;
  if (pattern.empty()) return paths;  // reported already
  glob_t matches{};
  if (glob(pattern.c_str(), 0, nullptr, &matches) == 0)
    for (std::size_t i = 0; i < matches.gl_pathc; ++i) paths.emplace_back(matches.gl_pathv[i]);
  globfree(&matches);
  if (paths.empty()) {
    problems ignored;
    for (const auto& entry : turnout::settings::root(file, ignored).entries())
      if (entry.key == key)
        found.push_back({file.file, entry.item.line(), entry.item.column(), false,
                         "'" + std::string(key) + "': no file matches " + pattern});
  }
  return paths;
}

/// The value of a key at the top of a file.
value top_value(const document& file, std::string_view key, problems& found) {
  for (const auto& entry : turnout::settings::root(file, found).entries())
    if (entry.key == key) return entry.item;
  return {};
}

struct connector_names {
  std::vector<std::string> all;  ///< also of files that have errors, so that policies do not stumble over them
  std::vector<std::string> files;
};

void load_connector(const document& file, core::configuration& into, connector_names& names, problems& found) {
  const auto definition = connectors::definition::load(file, found);
  problems ignored;
  const auto name =
      definition ? std::optional(definition->profile().name) : top_value(file, "connector", ignored).text();
  if (!name) return;
  const auto twin = std::find(names.all.begin(), names.all.end(), *name);
  if (twin != names.all.end()) {
    top_value(file, "connector", found)
        .error("the connector '" + *name + "' is defined in " +
               names.files[static_cast<std::size_t>(twin - names.all.begin())] + " already");
    return;
  }
  names.all.push_back(*name);
  names.files.push_back(file.file);
  if (!definition) return;
  try {
    net::parse_endpoint(definition->base_url());
  } catch (const std::invalid_argument& wrong) {
    top_value(file, "base_url", found).error(std::string("'base_url' ") + wrong.what());
  }
  if (definition->tls()) check_gateway_tls(top_value(file, "tls", found), file.file, *definition->tls());
  into.connectors.push_back(definition);
}

/// The name in a file that is not YAML: what its line `connector:` says, else
/// the file's own name. Only for policies that name it: one mistake, one message.
std::string presumed_name(const std::string& path) {
  constexpr std::string_view key = "connector:", blank = " \t\r\"'";
  std::istringstream lines(read_file(path).text.value_or(""));
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with(key)) continue;
    line = line.substr(key.size(), line.find('#', key.size()) - key.size());
    const std::size_t first = line.find_first_not_of(blank);
    if (first != std::string::npos) return line.substr(first, line.find_last_not_of(blank) - first + 1);
  }
  return fs::path(path).stem().string();
}

std::string digest(std::string_view texts) {
  unsigned char hash[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(texts.data()), texts.size(), hash);
  constexpr char digits[] = "0123456789abcdef";
  std::string hex;
  for (std::size_t i = 0; i < 6; ++i) hex.append({digits[hash[i] >> 4U], digits[hash[i] & 15U]});
  return hex;
}

}  // namespace

unsigned worker_count(const server_settings& configured) noexcept {
  return configured.workers != 0 ? configured.workers : std::max(1U, std::thread::hardware_concurrency());
}

turnout::settings::secret_source system_secrets() {
  return {[](std::string_view name) -> std::optional<std::string> {
            const char* found = std::getenv(std::string(name).c_str());
            return found != nullptr ? std::optional<std::string>(found) : std::nullopt;
          },
          [](std::string_view path) { return read_file(std::string(path)).text; }};
}

loaded_settings load_settings(const std::string& where, const turnout::settings::secret_source& secrets) {
  loaded_settings result;
  if (const auto file = parse_file(main_file(where), secrets, result.problems))
    read_settings(*file, reach::file_only, result.settings, result.problems);
  return result;
}

loaded_files load_files(const std::string& where, const turnout::settings::secret_source& secrets) {
  loaded_files result;
  problems& found = result.problems;
  std::string all_texts;
  const auto file = parse_file(main_file(where), secrets, found, &all_texts);
  if (!file) return result;
  read_settings(*file, reach::certificates_too, result.settings, found);

  auto made = std::make_shared<core::configuration>();
  connector_names names;
  std::vector<std::string> unreadable;
  result.connector_files = expand(result.settings.connectors_pattern, *file, "connectors", found);
  for (const std::string& each : result.connector_files)
    if (const auto parsed = parse_file(each, secrets, found, &all_texts))
      load_connector(*parsed, *made, names, found);
    else
      unreadable.push_back(presumed_name(each));

  std::string texts;
  std::vector<std::string_view> known(names.all.begin(), names.all.end());
  known.insert(known.end(), unreadable.begin(), unreadable.end());
  result.policy_files = expand(result.settings.policies_pattern, *file, "policies", found);
  for (const std::string& each : result.policy_files)
    if (const auto parsed = parse_file(each, secrets, found, &texts))
      policies::load(*parsed, known, made->policies, found);
  made->policies.version = digest(texts);
  made->version = digest(all_texts + texts);

  if (turnout::settings::has_errors(found)) return result;
  // Only now: a policy that could not be read may have been the one for the rest.
  policies::check_default(made->policies, found);
  std::vector<std::string_view> merchants;
  for (const auto& each : made->connectors)
    merchants.insert(merchants.end(), each->profile().merchants.begin(), each->profile().merchants.end());
  warn_of_strangers(top_value(*file, "merchants", found), merchants);
  result.configuration = std::move(made);
  return result;
}

}  // namespace turnout::server
