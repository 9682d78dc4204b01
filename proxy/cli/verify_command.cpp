// turnout verify: whether a journal, or a backup of one, is whole.
#include <cstdio>
#include <filesystem>
#include <string>

#include <boost/json.hpp>

#include "payments/money.hpp"
#include "proxy/cli/commands.hpp"
#include "proxy/cli/verify_report.hpp"
#include "proxy/server/settings_file.hpp"

namespace turnout::cli {
namespace {

struct options {
  std::string conf = default_conf, file, format = "text", expected;
};

std::optional<std::string> journal_of(const options& given) {
  if (!given.file.empty()) return given.file;
  const server::loaded_settings loaded = server::load_settings(given.conf, server::system_secrets());
  for (const settings::problem& each : loaded.problems) std::fprintf(stderr, "%s\n", each.to_string().c_str());
  if (settings::has_errors(loaded.problems)) return std::nullopt;
  return loaded.settings.journal_path;
}

int run(const options& given) {
  journal::verify_options wanted;
  if (!given.expected.empty()) {
    wanted.expected = journal::parse_chain_head(given.expected);
    if (!wanted.expected) {
      std::fprintf(stderr, "--expect-head: a head is NUMBER:64 hexadecimal digits, as `turnout verify` prints it\n");
      return 1;
    }
  }
  const auto path = journal_of(given);
  if (!path) return 1;
  std::error_code unreadable;
  if (!std::filesystem::exists(*path, unreadable)) {
    std::fprintf(stderr, "turnout: there is no journal %s\n", path->c_str());
    return 1;
  }
  const journal::verify_report report = journal::verify(*path, wanted);
  if (given.format == "json")
    std::printf("%s\n", boost::json::serialize(as_json(*path, report)).c_str());
  else
    std::fputs(as_text(*path, report).c_str(), stdout);
  return report.sound() ? 0 : 1;
}

}  // namespace

void add_verify(CLI::App& app, command& chosen) {
  CLI::App* sub = app.add_subcommand("verify", "Check a journal or a backup: its file, chain, payments and money");
  auto given = std::make_shared<options>();
  auto* conf = sub->add_option("--conf", given->conf, "Directory that holds turnout.yaml: its journal is checked")
                   ->capture_default_str();
  sub->add_option("file", given->file, "A journal or a backup to check instead")->excludes(conf);
  sub->add_option("--format", given->format, "text or json")->check(CLI::IsMember({"text", "json"}));
  sub->add_option("--expect-head", given->expected, "A head noted earlier (NUMBER:HEX): the chain must contain it");
  sub->callback([given, &chosen] { chosen = [given] { return run(*given); }; });
}

}  // namespace turnout::cli
