// turnout backup and turnout restore: a copy of the journal while it is written, and the way back.
#include <chrono>
#include <cstdio>
#include <string>

#include "proxy/cli/commands.hpp"
#include "proxy/cli/payment_story.hpp"
#include "proxy/cli/verify_report.hpp"
#include "proxy/journal/backup.hpp"
#include "proxy/server/secret_keys.hpp"
#include "proxy/server/settings_file.hpp"

namespace turnout::cli {
namespace {

struct options {
  std::string conf = default_conf, file;
  bool accept_damage = false;
};

std::optional<server::server_settings> settings_of(const options& given) {
  server::loaded_settings loaded = server::load_settings(given.conf, server::system_secrets());
  for (const settings::problem& each : loaded.problems) std::fprintf(stderr, "%s\n", each.to_string().c_str());
  if (settings::has_errors(loaded.problems)) return std::nullopt;
  return std::move(loaded.settings);
}

int backup(const options& given) {
  const auto configured = settings_of(given);
  if (!configured) return 1;
  journal::take_backup(configured->journal_path, given.file, std::chrono::system_clock::now());
  const journal::verify_report report = journal::verify(given.file);
  std::fputs(as_text(given.file, report).c_str(), stdout);
  if (report.sound()) {
    std::fprintf(stderr, "backed up; the keys in %s are not part of it: keep a copy of them elsewhere\n",
                 configured->keys_directory.c_str());
    return 0;
  }
  std::fprintf(stderr,
               "turnout: the backup %s is complete, and damaged as the journal itself is, or the disk it is on\n",
               given.file.c_str());
  return 1;
}

int restore(const options& given) {
  const auto configured = settings_of(given);
  if (!configured) return 1;
  const journal::backup_view seen = journal::look_at_backup(given.file);
  const journal::verify_report report = journal::verify(given.file);
  std::fputs(as_text(given.file, report).c_str(), stdout);
  if (!report.sound() && !given.accept_damage) {
    std::fprintf(stderr,
                 "turnout: the backup is damaged and was not restored; take another one, or say --accept-damage\n");
    return 1;
  }
  // Throws what `serve` would say: without its keys a journal is of no use.
  if (seen.key_identity || seen.has_payments)
    server::secret_keys::open(configured->keys_directory, {given.file, seen.key_identity, seen.has_payments});
  journal::restore_backup(given.file, configured->journal_path);
  std::printf("restored  %s\n", configured->journal_path.c_str());
  const std::string moment = seen.taken_at ? timestamp(*seen.taken_at) : "its last write";
  std::fprintf(
      stderr,
      "ATTENTION payments, captures, refunds and idempotency keys after %s are not known to it. A request that is "
      "repeated with a key from then charges again. Before the proxy takes payments, compare the gateways' "
      "lists since then with it: every charge of ours carries an att_ id, and one that the journal does not "
      "know has to be refunded or taken over by hand. See docs/operations.md.\n",
      moment.c_str());
  return 0;
}

}  // namespace

void add_backup(CLI::App& app, command& chosen) {
  CLI::App* taking = app.add_subcommand("backup", "Copy the journal to a new file, also while the proxy runs");
  auto given = std::make_shared<options>();
  const auto conf = [given](CLI::App* sub) {
    sub->add_option("--conf", given->conf, "Directory that holds turnout.yaml")->capture_default_str();
  };
  conf(taking);
  taking->add_option("file", given->file, "The new file; it is never overwritten")->required();
  taking->callback([given, &chosen] { chosen = [given] { return backup(*given); }; });

  CLI::App* putting = app.add_subcommand("restore", "Put a backup in the place of a journal that is gone");
  conf(putting);
  putting->add_option("file", given->file, "The backup")->required();
  putting->add_flag("--accept-damage", given->accept_damage, "Also when the backup is damaged");
  putting->callback([given, &chosen] { chosen = [given] { return restore(*given); }; });
}

}  // namespace turnout::cli
