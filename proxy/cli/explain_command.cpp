// turnout explain: what would become of a payment now, and why. Asks the running
// proxy; where none runs, the files and what the last one had learned.
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>

#include <boost/json.hpp>

#include "proxy/cli/admin_client.hpp"
#include "proxy/cli/commands.hpp"
#include "proxy/cli/explanation_table.hpp"
#include "proxy/server/explaining.hpp"
#include "proxy/server/settings_file.hpp"

namespace turnout::cli {
namespace {

namespace json = boost::json;

constexpr std::uintmax_t most_bytes = 1U << 20U;

struct explain_options {
  std::string file, conf = default_conf, merchant, mode = "test", format = "text", admin, ca;
  bool offline = false;
};

/// What is to be printed, or what is at fault (then `answer` is empty).
struct explained {
  std::string answer;  ///< JSON
  std::string remark;  ///< on what it rests
  std::vector<std::string> faults;
};

/// Throws std::runtime_error.
std::string read_text(const std::string& path) {
  std::error_code failed;
  const auto size = std::filesystem::is_directory(path, failed) ? 0 : std::filesystem::file_size(path, failed);
  if (failed) throw std::runtime_error(path + ": " + failed.message());
  if (size > most_bytes) throw std::runtime_error(path + ": is larger than 1 MiB");
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  if (!in || !(text << in.rdbuf())) throw std::runtime_error(path + ": cannot be read, or is empty");
  return std::move(text).str();
}

std::string percent_encoded(std::string_view text) {
  constexpr std::string_view digits = "0123456789ABCDEF", plain = "-._~";
  std::string out;
  for (const char each : text) {
    const auto byte = static_cast<unsigned char>(each);
    const bool letter = (byte | 0x20u) >= 'a' && (byte | 0x20u) <= 'z';
    if (letter || (byte >= '0' && byte <= '9') || plain.find(each) != plain.npos)
      out += each;
    else
      out.append({'%', digits[byte >> 4u], digits[byte & 15u]});
  }
  return out;
}

std::string query_of(const explain_options& given) {
  return "mode=" + given.mode + (given.merchant.empty() ? "" : "&merchant=" + percent_encoded(given.merchant));
}

/// "payment.json: amount: is required", for each.
std::vector<std::string> faults_of(const std::string& file, const api::problem& refused) {
  std::vector<std::string> lines;
  for (const api::field_error& each : refused.errors) lines.push_back(file + ": " + each.field + ": " + each.message);
  if (lines.empty()) lines.push_back(file + ": " + refused.detail);
  return lines;
}

std::vector<std::string> faults_of(const std::string& file, const std::string& url, const net::response& answer) {
  boost::system::error_code failed;
  const json::value parsed = json::parse(answer.body, failed);
  const json::object* const problem = failed ? nullptr : parsed.if_object();
  const auto text = [](const json::object& from, std::string_view key) {
    const json::value* const found = from.if_contains(key);
    return found != nullptr && found->is_string() ? std::string(found->as_string()) : std::string();
  };
  std::vector<std::string> lines;
  const json::value* const errors = problem != nullptr ? problem->if_contains("errors") : nullptr;
  if (errors != nullptr && errors->is_array())
    for (const json::value& each : errors->as_array())
      if (each.is_object())
        lines.push_back(file + ": " + text(each.as_object(), "field") + ": " + text(each.as_object(), "message"));
  if (!lines.empty()) return lines;
  const std::string detail = problem != nullptr ? text(*problem, "detail") : "this is no admin listener of Turnout";
  if (answer.status == 400 && problem != nullptr) return {file + ": " + detail};
  return {url + " answers " + std::to_string(answer.status) + ": " + detail};
}

/// Nullopt when nobody listens there and nobody said that somebody does.
std::optional<explained> ask_proxy(const explain_options& given, const std::string& body,
                                   const server::server_settings& settings) {
  admin_address where{given.admin, settings.admin_token, given.ca.empty() ? "" : read_text(given.ca)};
  if (where.url.empty()) {
    if (settings.admin.port == 0) return std::nullopt;
    where.url = admin_url(settings.admin);
  }
  try {
    net::response answer = ask_admin(where, "/admin/explain?" + query_of(given), body);
    if (answer.status != 200) return explained{{}, {}, faults_of(given.file, where.url, answer)};
    return explained{std::move(answer.body), "of the proxy that runs, " + where.url, {}};
  } catch (const nobody_there&) {
    if (!given.admin.empty()) throw;
    return std::nullopt;
  }
}

explained ask_files(const explain_options& given, const std::string& body) {
  explained made;
  const server::loaded_files files = server::load_files(given.conf, server::system_secrets());
  for (const settings::problem& each : files.problems)
    if (!each.warning) made.faults.push_back(each.to_string());
  if (!files.configuration) return made;
  const payments::instant now{std::chrono::steady_clock::now(), std::chrono::system_clock::now()};
  auto answer = server::explain_from_files(files, query_of(given), body, made.remark, now);
  if (const auto* refused = std::get_if<api::problem>(&answer))
    made.faults = faults_of(given.file, *refused);
  else
    made.answer = std::get<std::string>(std::move(answer));
  made.remark = "no proxy was asked; " + made.remark;
  return made;
}

int explain(const explain_options& given) {
  std::string body = read_text(given.file);
  const server::loaded_settings loaded = server::load_settings(given.conf, server::system_secrets());
  for (const settings::problem& each : loaded.problems) std::fprintf(stderr, "%s\n", each.to_string().c_str());
  if (settings::has_errors(loaded.problems)) return 1;
  std::optional<explained> made;
  if (!given.offline) made = ask_proxy(given, body, loaded.settings);
  if (!made) made = ask_files(given, body);
  net::wipe(body);
  for (const std::string& each : made->faults) std::fprintf(stderr, "%s\n", each.c_str());
  if (made->answer.empty()) return 1;
  if (given.format == "json")
    std::printf("%s\n", made->answer.c_str());
  else
    std::fputs(explanation_table(json::parse(made->answer).as_object(), made->remark).c_str(), stdout);
  return 0;
}

}  // namespace

void add_explain(CLI::App& app, command& chosen) {
  CLI::App* sub = app.add_subcommand("explain", "What would become of a payment now, and why; changes nothing");
  auto given = std::make_shared<explain_options>();
  sub->add_option("--payment", given->file, "The body of POST /v1/payments; card.bin may stand for card.number")
      ->required();
  sub->add_option("--conf", given->conf, "Directory that holds turnout.yaml")->capture_default_str();
  sub->add_option("--merchant", given->merchant, "Whose payment; may be left out where connectors list one only");
  sub->add_option("--mode", given->mode, "test or live")->check(CLI::IsMember({"test", "live"}))->capture_default_str();
  sub->add_option("--format", given->format, "text or json")
      ->check(CLI::IsMember({"text", "json"}))
      ->capture_default_str();
  CLI::Option* const admin = sub->add_option("--admin", given->admin,
                                             "Where the proxy's admin listener is; as turnout.yaml says if not given");
  sub->add_option("--ca", given->ca, "PEM file: who signed the admin listener's certificate");
  sub->add_flag("--offline", given->offline, "Ask no running proxy: the files, and what the last one had learned")
      ->excludes(admin);
  sub->callback([given, &chosen] { chosen = [given] { return explain(*given); }; });
}

}  // namespace turnout::cli
