// A disk that is full, read-only, does not sync, or loses power.
#include <sqlite3.h>
#include <catch2/catch.hpp>

#include <atomic>
#include <future>
#include <random>
#include <set>
#include <thread>

#include "faulty_disk.hpp"
#include "journal_fixture.hpp"

using namespace journal_test;
using core::commit_status;

namespace {

struct room {
  temporary_directory directory;
  faulty_disk disk;
  worker owner;
  journal_options options;
  std::unique_ptr<sqlite_journal> journal;
  std::unique_ptr<core::journal> port;
  std::string path = directory / "journal.db";

  room() {
    options.vfs = disk.name();
    options.on_problem = [](std::string_view) {};
    options.on_fatal = [](std::string_view) {};
    options.reserve_bytes = 1 << 16;
    options.reserve_retry = std::chrono::milliseconds(1);
  }
  void open() {
    journal = sqlite_journal::open(path, options);
    port = journal->journal_for(owner.post());
  }
  void close() {
    port.reset();
    journal.reset();
  }
  commit_status write(core::journal_write what) { return commit(*port, owner, std::move(what)).status; }
  /// Whether new payments are taken is found out by the writer itself: nothing is written here.
  bool accepts_again() const {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (!journal->accepting() && std::chrono::steady_clock::now() < end) std::this_thread::yield();
    return journal->accepting();
  }
};

}  // namespace

TEST_CASE("disk full: new payments are refused, outcomes get the reserve, and it passes without a restart") {
  room in;
  in.open();
  const payments::payment flying = make_payment(payment_id(1));
  REQUIRE(in.write(creation(flying, "flying")) == commit_status::committed);
  // The disk is full as long as the reserve takes up its room, and nothing can get the reserve back.
  std::atomic<bool> full = true;
  in.disk.on_write([&](const std::string&) {
    return full && std::filesystem::exists(in.path + ".reserve") && !std::filesystem::is_directory(in.path + ".reserve")
               ? SQLITE_FULL
               : SQLITE_OK;
  });
  // A new payment alone does not use up the reserve.
  CHECK(in.write(creation(make_payment(payment_id(2)), "second")) == commit_status::unavailable);
  CHECK(std::filesystem::is_regular_file(in.path + ".reserve"));
  CHECK_FALSE(in.port->find_payment(payment_id(2)));
  CHECK_FALSE(in.port->find_key("demo", false, "second"));

  CHECK(in.write(ending(flying)) == commit_status::committed);
  CHECK(in.port->find_payment(flying.id)->status == payments::payment_status::succeeded);
  CHECK(in.port->find_key("demo", false, "flying")->answer->status == 201);

  full = false;
  // The reserve comes back by itself, and with it new payments.
  bool accepted = false;
  for (int number = 3; number < 30'000 && !accepted; ++number)
    accepted = in.write(creation(make_payment(payment_id(number)), "second")) == commit_status::committed;
  CHECK(accepted);
  CHECK(std::filesystem::file_size(in.path + ".reserve") == in.options.reserve_bytes);
  CHECK(in.journal->unfinished().size() == 1);
}

TEST_CASE("disk full at the start: the reserve is given up, and outcomes of payments in flight are committed") {
  room in;
  in.open();
  const payments::payment flying = make_payment(payment_id(1));
  REQUIRE(in.write(creation(flying)) == commit_status::committed);
  in.close();
  const std::string reserve = in.path + ".reserve";
  REQUIRE(std::filesystem::is_regular_file(reserve));
  in.disk.on_write([&](const std::string&) {
    if (std::filesystem::is_regular_file(reserve)) return SQLITE_FULL;
    std::filesystem::create_directory(reserve);  // so that it cannot come back
    return SQLITE_OK;
  });
  in.open();
  CHECK_FALSE(in.journal->accepting());
  CHECK(in.journal->unfinished().size() == 1);
  CHECK(in.write(ending(flying)) == commit_status::committed);
  CHECK(in.write(creation(make_payment(payment_id(2)))) == commit_status::unavailable);
  in.disk.on_write(nullptr);
  std::filesystem::remove(reserve);
}

TEST_CASE("while the reserve is gone new payments are refused, outcomes are committed") {
  room in;
  in.open();
  payments::payment one = make_payment(payment_id(1)), two = make_payment(payment_id(2));
  REQUIRE(in.write(creation(one)) == commit_status::committed);
  REQUIRE(in.write(creation(two)) == commit_status::committed);
  const std::string reserve = in.path + ".reserve";
  in.disk.on_write([&](const std::string&) {
    if (!std::filesystem::is_regular_file(reserve)) {
      std::filesystem::create_directory(reserve);  // so that it cannot come back
      return SQLITE_OK;
    }
    return SQLITE_FULL;
  });
  CHECK(in.write(ending(one)) == commit_status::committed);
  for (int number = 3; number < 10; ++number)
    CHECK(in.write(creation(make_payment(payment_id(number)))) == commit_status::unavailable);
  CHECK(in.write(ending(two)) == commit_status::committed);
  in.disk.on_write(nullptr);
  std::filesystem::remove(reserve);
  bool accepted = false;
  for (int number = 10; number < 30'000 && !accepted; ++number)
    accepted = in.write(creation(make_payment(payment_id(number)))) == commit_status::committed;
  CHECK(accepted);
}

TEST_CASE("the journal says whether it takes new payments, and finds out by itself when it does again") {
  const int code = GENERATE(SQLITE_FULL, SQLITE_READONLY, SQLITE_IOERR_WRITE);
  room in;
  in.options.reserve_bytes = GENERATE(0, 1 << 16);
  in.open();
  CHECK(in.journal->accepting());
  std::atomic<int> tries = 0;
  in.disk.on_write([&](const std::string&) {
    ++tries;
    return code;
  });
  // A new payment alone: the reserve stays, and tells nothing.
  CHECK(in.write(creation(make_payment(payment_id(1)))) == commit_status::unavailable);
  CHECK_FALSE(in.journal->accepting());
  const int after = tries;
  while (tries < after + 3) std::this_thread::yield();  // the writer tries, and fails
  CHECK_FALSE(in.journal->accepting());
  in.disk.on_write(nullptr);
  CHECK(in.accepts_again());
  CHECK(in.write(creation(make_payment(payment_id(2)))) == commit_status::committed);
  CHECK(in.journal->accepting());
}

TEST_CASE("a payment that is refused for itself says nothing about the others") {
  room in;
  in.open();
  REQUIRE(in.write(creation(make_payment(payment_id(1)))) == commit_status::committed);
  CHECK(in.write(creation(make_payment(payment_id(1)))) == commit_status::unavailable);
  CHECK(in.journal->accepting());
}

TEST_CASE("while the reserve is gone the journal takes no new payments, and says so") {
  room in;
  in.open();
  const payments::payment one = make_payment(payment_id(1));
  REQUIRE(in.write(creation(one)) == commit_status::committed);
  const std::string reserve = in.path + ".reserve";
  in.disk.on_write([&](const std::string&) {
    if (std::filesystem::is_regular_file(reserve)) return SQLITE_FULL;
    std::filesystem::create_directory(reserve);  // so that it cannot come back
    return SQLITE_OK;
  });
  CHECK(in.write(ending(one)) == commit_status::committed);
  CHECK_FALSE(in.journal->accepting());
  CHECK(in.write(creation(make_payment(payment_id(2)))) == commit_status::unavailable);
  in.disk.on_write(nullptr);
  std::filesystem::remove(reserve);
  CHECK(in.accepts_again());
  CHECK(in.write(creation(make_payment(payment_id(2)))) == commit_status::committed);
}

TEST_CASE("a disk that takes no writes at all: everything is unavailable, nothing is half written, and it passes") {
  const int code = GENERATE(SQLITE_FULL, SQLITE_READONLY, SQLITE_IOERR_WRITE);
  room in;
  in.options.reserve_bytes = GENERATE(0, 1 << 16);
  in.open();
  const payments::payment flying = make_payment(payment_id(1));
  REQUIRE(in.write(creation(flying, "flying")) == commit_status::committed);
  in.disk.on_write([&](const std::string&) { return code; });
  CHECK(in.write(creation(make_payment(payment_id(2)), "second")) == commit_status::unavailable);
  CHECK(in.write(ending(flying)) == commit_status::unavailable);
  std::vector<commit_status> statuses;
  for (int number = 3; number < 100; ++number)
    in.port->commit(shared(creation(make_payment(payment_id(number)))),
                    [&](core::commit_result result) { statuses.push_back(result.status); });
  in.owner.run_until([&] { return statuses.size() == 97; });
  CHECK(std::set(statuses.begin(), statuses.end()) == std::set{commit_status::unavailable});
  CHECK_FALSE(in.port->find_key("demo", false, "second"));
  CHECK(in.port->find_payment(flying.id)->status == payments::payment_status::processing);
  CHECK(in.journal->make_reader()->events_of(flying.id).size() == 1);

  in.disk.on_write(nullptr);
  CHECK(in.write(ending(flying)) == commit_status::committed);
  bool accepted = false;
  for (int number = 100; number < 30'000 && !accepted; ++number)
    accepted = in.write(creation(make_payment(payment_id(number)), "second")) == commit_status::committed;
  CHECK(accepted);
  in.close();
  in.open();
  CHECK(in.journal->unfinished().size() == 1);
  CHECK(in.journal->make_reader()->events_of(flying.id).size() == 2);
}

TEST_CASE("a write that fails in the middle of a group leaves nothing of the group") {
  for (int survives = 0; survives < 12; ++survives) {
    room in;
    in.open();
    payments::payment big = make_payment(payment_id(1));
    for (int n = 0; n < 50; ++n) big.metadata.emplace_back(std::to_string(n), std::string(500, 'x'));
    int written = 0;
    in.disk.on_write([&](const std::string&) { return written++ < survives ? SQLITE_OK : SQLITE_FULL; });
    const commit_status status = in.write(creation(big, "big"));
    CHECK(in.port->find_payment(big.id).has_value() == (status == commit_status::committed));
    CHECK(in.port->find_key("demo", false, "big").has_value() == (status == commit_status::committed));
    in.disk.on_write(nullptr);
    CHECK(in.write(creation(make_payment(payment_id(2)))) == commit_status::committed);
    CHECK(in.journal->make_reader()->events_of(big.id).size() == (status == commit_status::committed ? 1 : 0));
  }
}

TEST_CASE("a failed sync is fatal, and its group is never acknowledged") {
  const int code = GENERATE(SQLITE_IOERR_FSYNC, SQLITE_IOERR_DIR_FSYNC);
  room in;
  std::promise<std::string> fatal;
  in.options.on_fatal = [&](std::string_view why) { fatal.set_value(std::string(why)); };
  in.open();
  REQUIRE(in.write(creation(make_payment(payment_id(1)))) == commit_status::committed);
  in.disk.on_sync([&](const std::string&) { return code; });
  std::atomic<bool> completed = false;
  in.port->commit(shared(creation(make_payment(payment_id(2)))), [&](core::commit_result) { completed = true; });
  auto told = fatal.get_future();
  REQUIRE(told.wait_for(std::chrono::seconds(30)) == std::future_status::ready);
  CHECK_THAT(told.get(), Catch::Contains("stopping"));
  in.disk.on_sync(nullptr);
  in.port->commit(shared(creation(make_payment(payment_id(3)))), [&](core::commit_result) { completed = true; });
  const int posts = in.owner.posts();
  in.close();
  CHECK_FALSE(completed);
  CHECK(in.owner.posts() == posts);
}

TEST_CASE("a failed sync while the log is copied is fatal too") {
  room in;
  std::promise<void> fatal;
  in.options.on_fatal = [&](std::string_view) { fatal.set_value(); };
  in.options.checkpoint_pages = 1;
  in.disk.on_sync([&](const std::string& path) {
    const bool main_file = path.size() >= 3 && path.ends_with(".db");
    return main_file && in.journal ? SQLITE_IOERR_FSYNC : SQLITE_OK;
  });
  in.open();
  in.port->commit(shared(creation(make_payment(payment_id(1)))), [](core::commit_result) {});
  CHECK(fatal.get_future().wait_for(std::chrono::seconds(30)) == std::future_status::ready);
}

TEST_CASE("every acknowledged commit survives a power cut, whatever else of it did") {
  const unsigned seed = GENERATE(range(1u, 13u));
  CAPTURE(seed);
  std::mt19937 random(seed);
  room in;
  in.options.group_limit = 8;
  in.options.checkpoint_pages = 40;  // so that cuts fall into copying too
  in.open();
  std::set<int> created, ended;
  int sent = 0;
  auto create_next = [&] {
    const int number = ++sent;
    const payments::payment record = make_payment(payment_id(number));
    in.port->commit(shared(creation(record, "key-" + std::to_string(number))),
                    [&, number, record](core::commit_result result) {
                      if (result.status != commit_status::committed) return;
                      created.insert(number);
                      in.port->commit(shared(ending(record)), [&, number](core::commit_result last) {
                        if (last.status == commit_status::committed) ended.insert(number);
                      });
                    });
  };
  const int target = static_cast<int>(20 + random() % 200);
  while (static_cast<int>(ended.size()) < target) {
    for (unsigned burst = random() % 12; burst > 0; --burst) create_next();
    if (static_cast<int>(created.size() + ended.size()) < 2 * sent) in.owner.run_one();
  }
  const auto left = in.disk.cut_power();  // the writer may be in the middle of a group
  in.close();
  const int kept_in_100 = static_cast<int>(random() % 101);
  faulty_disk::restore(*left, [&] { return static_cast<int>(random() % 100) < kept_in_100; });

  in.open();
  for (int number : created) {
    const auto record = in.port->find_payment(payment_id(number));
    REQUIRE(record);
    const auto entry = in.port->find_key("demo", false, "key-" + std::to_string(number));
    REQUIRE(entry);
    CHECK_FALSE(entry->running);
    if (!ended.contains(number)) continue;
    CHECK(record->status == payments::payment_status::succeeded);
    CHECK(entry->answer);
    CHECK(in.journal->make_reader()->events_of(record->id).size() == 2);
  }
  CHECK(in.write(creation(make_payment("pay_after"))) == commit_status::committed);
  in.close();
  sqlite3* file = nullptr;
  REQUIRE(sqlite3_open(in.path.c_str(), &file) == SQLITE_OK);
  std::string verdict;
  sqlite3_exec(
      file, "PRAGMA integrity_check",
      [](void* out, int, char** values, char**) {
        *static_cast<std::string*>(out) += values[0];
        return 0;
      },
      &verdict, nullptr);
  sqlite3_close(file);
  CHECK(verdict == "ok");
}
