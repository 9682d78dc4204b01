// Opening: what is created, what is refused and in which words, migrations.
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <catch2/catch.hpp>

#include <csignal>
#include <fstream>

#include "journal_fixture.hpp"
#include "proxy/journal/record_json.hpp"
#include "proxy/journal/schema.hpp"
#include "proxy/journal/writer_lock.hpp"

using namespace journal_test;
using turnout::journal::database;
using turnout::journal::open_error;

namespace {

void execute(const std::string& path, const std::string& sql) {
  database file(path, database::mode::read_write_create, "");
  file.run(sql.c_str());
}

std::string contents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

TEST_CASE("a new journal's directory and files are made, for this user only") {
  temporary_directory directory;
  const std::string path = directory / "var/deep/journal.db";
  auto journal = sqlite_journal::open(path);
  for (const char* suffix : {"", "-wal", ".lock", ".reserve"}) {
    struct stat status {};
    REQUIRE(::stat((path + suffix).c_str(), &status) == 0);
    CHECK((status.st_mode & 0777) == 0600);
  }
  CHECK(std::filesystem::file_size(path + ".reserve") == 8u << 20);
}

TEST_CASE("a second writer is refused, in this process and in another; readers are not") {
  temporary_directory directory;
  const std::string path = directory / "journal.db";
  auto journal = sqlite_journal::open(path);
  const auto message = path + " is in use by another turnout (lock file " + path + ".lock)";
  CHECK_THROWS_WITH(sqlite_journal::open(path), message);
  CHECK_THROWS_AS(sqlite_journal::open(path), open_error);
  CHECK(turnout::journal::open_reader(path)->unfinished().empty());
  journal.reset();
  CHECK_NOTHROW(sqlite_journal::open(path));

  // A lock dies with its process, however that dies.
  int ready[2];
  REQUIRE(::pipe(ready) == 0);
  const pid_t child = ::fork();
  if (child == 0) {
    turnout::journal::writer_lock lock(path);
    if (::write(ready[1], "x", 1) != 1) ::_exit(1);
    ::pause();
    ::_exit(0);
  }
  char byte;
  REQUIRE(::read(ready[0], &byte, 1) == 1);
  CHECK_THROWS_WITH(sqlite_journal::open(path), message);
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  ::close(ready[0]);
  ::close(ready[1]);
  CHECK_NOTHROW(sqlite_journal::open(path));
}

TEST_CASE("a path that cannot be a journal is refused, and left as it was") {
  temporary_directory directory;
  SECTION("under a file") {
    std::ofstream(directory / "file") << "x";
    CHECK_THROWS_WITH(sqlite_journal::open(directory / "file/journal.db"), Catch::Contains("cannot write the journal"));
  }
  SECTION("a directory") {
    std::filesystem::create_directory(directory / "journal.db");
    CHECK_THROWS_WITH(sqlite_journal::open(directory / "journal.db"), Catch::Contains("Is a directory"));
  }
  SECTION("not a database") {
    const std::string text(5000, 'x');
    std::ofstream(directory / "journal.db") << text;
    CHECK_THROWS_WITH(sqlite_journal::open(directory / "journal.db"), Catch::Contains("is not a Turnout journal"));
    CHECK(contents(directory / "journal.db") == text);
  }
  SECTION("another program's database") {
    execute(directory / "journal.db", "CREATE TABLE theirs (x)");
    const std::string before = contents(directory / "journal.db");
    CHECK_THROWS_WITH(sqlite_journal::open(directory / "journal.db"), Catch::Contains("of another program"));
    CHECK(contents(directory / "journal.db") == before);
  }
  SECTION("a newer schema") {
    sqlite_journal::open(directory / "journal.db").reset();
    execute(directory / "journal.db", "PRAGMA user_version = 99");
    CHECK_THROWS_WITH(sqlite_journal::open(directory / "journal.db"), Catch::Contains("has schema version 99"));
  }
  SECTION("a truncated journal") {
    sqlite_journal::open(directory / "journal.db").reset();
    std::filesystem::resize_file(directory / "journal.db", 5000);
    CHECK_THROWS_AS(sqlite_journal::open(directory / "journal.db"), open_error);
  }
}

TEST_CASE("a damaged journal says in plain words what is damaged") {
  temporary_directory directory;
  const std::string path = directory / "journal.db";
  worker owner;
  {
    auto journal = sqlite_journal::open(path);
    auto port = journal->journal_for(owner.post());
    for (int n = 1; n <= 200; ++n)
      REQUIRE(commit(*port, owner, creation(make_payment(payment_id(n)))).status == core::commit_status::committed);
  }
  SECTION("in its pages") {
    std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
    const auto pages = std::filesystem::file_size(path) / 4096;
    REQUIRE(pages > 20);
    // The first pages have the schema and the roots of the tables.
    file.seekp(22 * 4096);
    for (std::uintmax_t page = 22; page < pages; ++page) file << std::string(4096, 'x');
    file.close();
    CHECK_THROWS_WITH(sqlite_journal::open(path),
                      "cannot open the journal " + path +
                          ": reading the chain: the file is damaged (database disk image is malformed); restore it "
                          "from a backup");
  }
  SECTION("in a record") {
    execute(path, "UPDATE payments SET record = '{' WHERE seq = 7");
    auto journal = sqlite_journal::open(path);
    CHECK_THROWS_WITH(journal->unfinished(),
                      Catch::StartsWith("the journal " + path + " is damaged: payment " + payment_id(7) + ": "));
  }
  SECTION("at its beginning") {
    std::filesystem::resize_file(path, 5000);
    CHECK_THROWS_WITH(sqlite_journal::open(path), Catch::StartsWith("cannot open the journal " + path) &&
                                                      Catch::Contains("damaged") && !Catch::Contains("SELECT") &&
                                                      !Catch::Contains("PRAGMA"));
  }
}

TEST_CASE("what a failed statement was for is said without its text") {
  temporary_directory directory;
  database file(directory / "journal.db", database::mode::read_write_create, "");
  const auto said = [&](const char* sql) {
    try {
      file.run(sql);
    } catch (const turnout::journal::database_error& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  CHECK(said("SELECT x FROM payments p JOIN answers a") == "reading the payments: no such table: payments");
  CHECK(said("UPDATE listing SET x = 1") == "writing the list of payments: no such table: listing");
  CHECK(said("INSERT INTO steps (slot) VALUES (1)") ==
        "writing the payments' events and decisions: no such table: steps");
  CHECK(said("DELETE FROM idempotency WHERE x") == "removing from the idempotency keys: no such table: idempotency");
  CHECK(said("COMMIT") == "writing to the disk: cannot commit - no transaction is active");
  CHECK(said("DROP TABLE payments") == "preparing the file: no such table: payments");
  CHECK(said("") == "");
}

TEST_CASE("migrations are applied once, each whole, from empty and from an earlier version") {
  using turnout::journal::migration;
  temporary_directory directory;
  const std::string path = directory / "journal.db";
  std::vector<migration> steps(turnout::journal::migrations().begin(), turnout::journal::migrations().end());
  const auto released = static_cast<std::int64_t>(steps.size());
  {
    database file(path, database::mode::read_write_create, "");
    migrate(file, path, steps);
    CHECK(file.number("PRAGMA user_version") == released);
    file.run("INSERT INTO meta VALUES ('kept', 42)");
    migrate(file, path, steps);  // nothing to do
  }
  steps.push_back({"a column", "ALTER TABLE payments ADD COLUMN extra TEXT"});
  steps.push_back({"fails half way", "CREATE TABLE half (x); INSERT INTO missing VALUES (1)"});
  {
    database file(path, database::mode::read_write_create, "");
    CHECK_THROWS_WITH(migrate(file, path, steps), Catch::Contains("fails half way"));
    CHECK(file.number("PRAGMA user_version") == released + 1);
    CHECK(file.number("SELECT count(*) FROM sqlite_master WHERE name = 'half'") == 0);
    CHECK(file.number("SELECT count(extra) FROM payments") == 0);
    CHECK(file.number("SELECT value FROM meta WHERE name = 'kept'") == 42);
  }
  // The binary that knows fewer migrations keeps away.
  CHECK_THROWS_WITH(sqlite_journal::open(path), Catch::Contains("run the newer turnout"));
}

TEST_CASE("a reader says what to do with a journal of an earlier version, and leaves it alone") {
  temporary_directory directory;
  const std::string path = directory / "journal.db";
  {
    database file(path, database::mode::read_write_create, "");
    migrate(file, path, turnout::journal::migrations().first(3));
  }
  CHECK_THROWS_WITH(turnout::journal::open_reader(path),
                    Catch::Contains("schema version 3") && Catch::Contains("turnout serve"));
  CHECK_THROWS_WITH(turnout::journal::open_reader(directory / "none.db"), Catch::Contains("cannot read the journal"));
  database file(path, database::mode::read_only, "");
  CHECK(file.number("PRAGMA user_version") == 3);
}

TEST_CASE("events and decisions that had rows of their own are kept, and more follow them") {
  temporary_directory directory;
  const std::string path = directory / "journal.db";
  payments::payment record = make_payment(payment_id(1));
  record.status = payments::payment_status::processing;
  {
    database file(path, database::mode::read_write_create, "");
    migrate(file, path, turnout::journal::migrations().first(3));
    std::string json;
    turnout::journal::write_record(record, json);
    turnout::journal::statement(
        file,
        "INSERT INTO payments (seq, id, merchant, livemode, status, open, answered, created_at, "
        "updated_at, record) VALUES (7, ?1, 'demo', 0, 'processing', 1, 0, 1, 1, ?2)")
        .bind(1, record.id)
        .bind(2, json)
        .finish();
    file.run(
        "INSERT INTO events VALUES (7 * 65536, 5, 'created', '', 'processing'),"
        " (7 * 65536 + 1, 6, 'attempt_started', 'att_1', 'quote \" and \\'),"
        " (8 * 65536, 7, 'created', '', 'of another payment');"
        "INSERT INTO decisions VALUES (7 * 1024, '{\"n\":0.25}'), (7 * 1024 + 1, '{\"n\":2}'), (7 * 1024 + 2, '{\"n\":3}'),"
        " (8 * 1024, '{}')");
  }
  worker owner;
  auto journal = sqlite_journal::open(path);
  auto port = journal->journal_for(owner.post());
  core::journal_write write = ending(record);
  write.decisions = {R"({"n":4})"};
  REQUIRE(commit(*port, owner, write).status == core::commit_status::committed);
  auto read = journal->make_reader();
  const auto events = read->events_of(record.id);
  REQUIRE(events.size() == 3);
  CHECK(events[0].type == payments::payment_event_type::created);
  CHECK(events[0].at == turnout::journal::from_stored(5));
  CHECK(events[1].attempt == "att_1");
  CHECK(events[1].code == "quote \" and \\");
  CHECK(events[2].type == payments::payment_event_type::finished);
  CHECK(read->decisions_of(record.id) ==
        std::vector<std::string>{R"({"n":0.25})", R"({"n":2})", R"({"n":3})", R"({"n":4})"});
}
