// A copy taken while payments are written, put back elsewhere, and what is refused.
#include <sys/stat.h>
#include <catch2/catch.hpp>

#include <atomic>
#include <fstream>
#include <thread>

#include "history.hpp"
#include "proxy/journal/backup.hpp"
#include "proxy/journal/record_json.hpp"
#include "proxy/journal/verify.hpp"

using namespace journal_test;
using turnout::journal::backup_error;
using turnout::journal::look_at_backup;
using turnout::journal::open_error;
using turnout::journal::restore_backup;
using turnout::journal::take_backup;
using turnout::journal::verify;

namespace {
const payments::wall_time taken_at(std::chrono::hours(500'000));
}

TEST_CASE("a backup is one moment of a journal that goes on, whole and for its user only") {
  temporary_directory directory;
  const std::string path = directory / "journal.db", copy = directory / "copy.db";
  worker owner;
  auto journal = sqlite_journal::open(path);
  auto port = journal->journal_for(owner.post());
  storyteller teller(*port, owner, 4);
  for (int number = 1; number <= 20; ++number) teller.tell(number);
  const auto before = verify(path).head;
  std::atomic<bool> done = false;
  std::thread copier([&] {
    for (int n = 0; n < 10; ++n) take_backup(path, copy + std::to_string(n), taken_at);
    done = true;
  });
  int number = 20;
  while (!done) teller.tell(++number);
  copier.join();
  for (int n = 0; n < 10; ++n) {
    const std::string made = copy + std::to_string(n);
    const auto report = verify(made, {.expected = before});
    CHECK(report.sound());
    CHECK(report.payments >= 20);
    // Each is a beginning of what the journal is now.
    CHECK(verify(path, {.expected = report.head}).sound());
    struct stat status {};
    REQUIRE(::stat(made.c_str(), &status) == 0);
    CHECK((status.st_mode & 0777) == 0600);
    for (const char* suffix : {"-wal", "-shm", "-journal", ".partial"})
      CHECK_FALSE(std::filesystem::exists(made + suffix));
  }
  CHECK(look_at_backup(copy + "0").taken_at == taken_at);
  CHECK(look_at_backup(copy + "0").has_payments);
}

TEST_CASE("nothing is overwritten, and what was not finished is gone") {
  temporary_directory directory;
  const std::string path = directory / "journal.db", copy = directory / "copy.db";
  write_journal(path, 3, 1);
  std::ofstream(copy) << "mine";
  CHECK_THROWS_WITH(take_backup(path, copy, taken_at), copy + " is there; it is not overwritten");
  CHECK(std::filesystem::file_size(copy) == 4);
  CHECK_THROWS_AS(take_backup(directory / "none.db", directory / "a.db", taken_at), backup_error);
  CHECK_THROWS_AS(take_backup(path, directory / "none/a.db", taken_at), backup_error);
  CHECK_FALSE(std::filesystem::exists(directory / "a.db"));
  CHECK_FALSE(std::filesystem::exists(directory / "a.db.partial"));
  std::ofstream(directory / "b.db.partial") << "x";
  CHECK_THROWS_WITH(take_backup(path, directory / "b.db", taken_at),
                    Catch::Contains("was interrupted; then remove it"));
}

TEST_CASE(
    "a backup is no journal until it is put back; then it knows its payments and keys, and says once what it was") {
  temporary_directory directory;
  const std::string path = directory / "journal.db", copy = directory / "copy.db", place = directory / "new/journal.db";
  std::size_t unfinished = 0;
  {
    worker owner;
    auto journal = sqlite_journal::open(path);
    journal->set_key_identity("digest of the keys");
    auto port = journal->journal_for(owner.post());
    storyteller teller(*port, owner, 9);
    for (int number = 1; number <= 60; ++number) teller.tell(number);
    unfinished = journal->unfinished().size();
    REQUIRE(unfinished > 0);
    take_backup(path, copy, taken_at);
    CHECK_FALSE(journal->restored_from());
  }
  CHECK_THROWS_WITH(sqlite_journal::open(copy),
                    Catch::Contains("is a backup: payments made after it was taken are not"));
  CHECK_THROWS_AS(sqlite_journal::open(copy), open_error);
  CHECK_THROWS_WITH(restore_backup(copy, path), Catch::Contains("move the journal that was aside"));
  restore_backup(copy, place);
  CHECK(verify(place).sound());
  {
    auto journal = sqlite_journal::open(place);
    CHECK(journal->restored_from() == taken_at);
    CHECK(journal->key_identity() == "digest of the keys");
    CHECK(journal->unfinished().size() == unfinished);
    auto reader = journal->make_reader();
    CHECK(reader->find_payment(payment_id(1)));
    int known = 0;
    for (int number = 1; number <= 60; ++number)
      known += reader->find_key("demo", false, "key-" + std::to_string(number)).has_value();
    CHECK(known > 30);
  }
  CHECK_FALSE(sqlite_journal::open(place)->restored_from());
  // Its log beside it is enough to be in the way.
  std::filesystem::remove(place);
  std::ofstream(place + "-wal") << "x";
  CHECK_THROWS_WITH(restore_backup(copy, place), Catch::Contains("-wal is there"));
}
