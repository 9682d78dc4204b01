#include "proxy/journal/verify.hpp"

#include <sqlite3.h>

#include "proxy/journal/schema.hpp"
#include "proxy/journal/verify_chain.hpp"
#include "proxy/journal/verify_findings.hpp"
#include "proxy/journal/verify_payments.hpp"

namespace turnout::journal {

namespace {

/// Messages of SQLite about one file that are worth reading.
constexpr const char* integrity_check = "PRAGMA integrity_check(20)";

/// A part that cannot be read ends there; the others are looked at all the same.
template <class Part>
void attempt_part(findings& found, const char* what, const Part& part) {
  try {
    part();
  } catch (const database_error& error) {
    found.add(check::file, std::string(what) + " cannot be read to their end: " + error.what());
  }
}

bool check_schema(database& file, findings& found, verify_report& report) {
  const auto current = static_cast<std::int64_t>(migrations().size());
  report.schema = file.number("PRAGMA user_version");
  if (file.number("PRAGMA application_id") != application_id) {
    found.add(check::schema, report.schema == 0 && file.number("SELECT count(*) FROM sqlite_master") == 0
                                 ? "the file is empty"
                                 : "this is an SQLite database of another program, not a Turnout journal");
    return false;
  }
  if (report.schema == current) return true;
  const std::string version = "the journal has schema version " + std::to_string(report.schema);
  found.add(check::schema,
            report.schema > current
                ? version + ", this turnout knows versions up to " + std::to_string(current) +
                      ": run the newer turnout that wrote it"
                : version + ", and can be verified from version " + std::to_string(current) +
                      " on: `turnout serve` brings it up to date when it starts; verify it then, and keep a copy of "
                      "the file as it is now");
  return false;
}

void check_pages(database& file, findings& found) {
  statement lines(file, integrity_check);
  while (lines.step())
    if (lines.text(0) != "ok") found.add(check::file, "SQLite: " + std::string(lines.text(0)));
}

}  // namespace

std::string_view to_string(check about) noexcept {
  switch (about) {
    case check::file: return "file";
    case check::schema: return "schema";
    case check::chain: return "chain";
    case check::step: return "step";
    case check::record: return "record";
    case check::story: return "story";
    case check::money: return "money";
    case check::keys: return "keys";
    case check::lists: return "lists";
  }
  return "";
}

verify_report verify(const std::string& path, const verify_options& options) {
  verify_report report;
  findings found(report, options.most_findings);
  database file(path, database::mode::read_only, options.vfs);
  try {
    file.run("BEGIN");  // one snapshot for all parts
    if (!check_schema(file, found, report)) return report;
    report.chained_later = file.number("SELECT coalesce((SELECT value FROM meta WHERE name = 'chained_later'), 0)");
  } catch (const database_error& error) {
    if ((error.code() & 0xff) == SQLITE_CANTOPEN) throw;
    found.add(check::file, error.what());
    return report;
  }
  attempt_part(found, "the file's pages", [&] { check_pages(file, found); });
  attempt_part(found, "the chain's rows", [&] { report.head = chain_check(file, found).follow(options.expected); });
  attempt_part(found, "the payments", [&] {
    const expected_rows expected = payment_check(file, found, report).check_all();
    check_counts(file, found, expected);
    if (expected.steps != report.head.links) chain_check(file, found).name_missing_steps();
  });
  return report;
}

}  // namespace turnout::journal
