// The write-ahead log under constant load: it is copied beside the commits, it
// stays short, and neither a slow disk nor the end of the proxy is in its way.
#include <catch2/catch.hpp>

#include <atomic>
#include <filesystem>
#include <future>
#include <thread>

#include <sqlite3.h>

#include "faulty_disk.hpp"
#include "journal_fixture.hpp"

using namespace journal_test;
using core::commit_status;

namespace {

constexpr int log_pages = 50;
/// A page of the log with its header, as SQLite writes it.
constexpr std::uintmax_t page_bytes = 4096 + 24;
/// More pages than one of this test's commits writes.
constexpr std::uintmax_t group_pages = 20;

struct busy_room {
  temporary_directory directory;
  faulty_disk disk;
  worker owner;
  journal_options options;
  std::unique_ptr<sqlite_journal> journal;
  std::unique_ptr<core::journal> port;
  std::string path = directory / "journal.db";
  int written = 0;
  std::uintmax_t longest = 0;

  busy_room() {
    options.vfs = disk.name();
    options.checkpoint_pages = log_pages;
    options.on_problem = [](std::string_view) {};
  }
  void open() {
    journal = sqlite_journal::open(path, options);
    port = journal->journal_for(owner.post());
  }
  void close() {
    port.reset();
    journal.reset();
  }
  std::uintmax_t log_bytes() const { return std::filesystem::file_size(path + "-wal"); }
  void write(int count) {
    for (const int last = written + count; written < last; ++written) {
      REQUIRE(commit(*port, owner, creation(make_payment(payment_id(written)))).status == commit_status::committed);
      longest = std::max(longest, log_bytes());
    }
  }
};

bool is_main_file(const std::string& path) { return path.ends_with(".db"); }

}  // namespace

TEST_CASE("the log is copied on another thread than the writer's, and begins anew under constant load") {
  busy_room in;
  std::atomic<std::thread::id> writer;
  std::atomic<int> copies = 0;
  in.options.on_commit = [&](double, std::size_t) { writer = std::this_thread::get_id(); };
  in.open();
  in.write(1);
  in.disk.on_sync([&](const std::string& path) {
    if (is_main_file(path) && std::this_thread::get_id() != writer.load()) ++copies;
    return SQLITE_OK;
  });
  in.write(1000);
  in.disk.on_sync(nullptr);
  CHECK(copies > 10);
  CHECK(in.longest <= (4 * log_pages + group_pages) * page_bytes);
}

TEST_CASE("commits wait for a copier that cannot keep up: the log stays short") {
  busy_room in;
  std::atomic<std::thread::id> writer;
  std::atomic<bool> waited = false;
  in.options.on_commit = [&](double, std::size_t) { writer = std::this_thread::get_id(); };
  in.open();
  in.write(1);
  in.disk.on_sync([&](const std::string& path) {
    if (!is_main_file(path) || std::this_thread::get_id() == writer.load() || waited) return SQLITE_OK;
    // As slow as can be: until the writer has filled the log, and a while longer.
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (in.log_bytes() < 4 * log_pages * page_bytes && std::chrono::steady_clock::now() < end)
      std::this_thread::yield();
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    waited = true;
    return SQLITE_OK;
  });
  in.write(500);
  CHECK(waited);
  CHECK(in.longest >= 4 * log_pages * page_bytes);
  CHECK(in.longest <= (4 * log_pages + group_pages) * page_bytes);
}

TEST_CASE("a failed sync of the copier is fatal, once") {
  busy_room in;
  std::atomic<std::thread::id> writer, failed;
  std::promise<std::string> fatal;
  in.options.on_commit = [&](double, std::size_t) { writer = std::this_thread::get_id(); };
  in.options.on_fatal = [&](std::string_view why) {
    failed = std::this_thread::get_id();
    fatal.set_value(std::string(why));  // throws when called twice
  };
  in.open();
  in.write(1);
  in.disk.on_sync([](const std::string& path) { return is_main_file(path) ? SQLITE_IOERR_FSYNC : SQLITE_OK; });
  for (int number = 1; number < 1000; ++number)
    in.port->commit(shared(creation(make_payment(payment_id(number)))), [](core::commit_result) {});
  auto told = fatal.get_future();
  REQUIRE(told.wait_for(std::chrono::seconds(30)) == std::future_status::ready);
  CHECK_THAT(told.get(), Catch::Contains("stopping"));
  CHECK(failed.load() != writer.load());
  in.close();
}

TEST_CASE("a copier that cannot write tells of it, and the journal goes on") {
  busy_room in;
  std::atomic<int> problems = 0;
  in.options.on_problem = [&](std::string_view) { ++problems; };
  in.open();
  in.write(1);
  in.disk.on_write([](const std::string& path) { return is_main_file(path) ? SQLITE_FULL : SQLITE_OK; });
  in.write(300);
  CHECK(problems > 0);
  in.disk.on_write(nullptr);
  in.write(600);
  in.close();
  in.open();
  CHECK(in.journal->unfinished().size() == 901);
}

TEST_CASE("closing waits for the copy under way") {
  busy_room in;
  std::atomic<std::thread::id> writer;
  std::promise<void> copying, go_on;
  std::atomic<bool> told = false, copied = false;
  in.options.on_commit = [&](double, std::size_t) { writer = std::this_thread::get_id(); };
  in.open();
  in.write(1);
  in.disk.on_sync([&](const std::string& path) {
    if (!is_main_file(path) || std::this_thread::get_id() == writer.load() || told.exchange(true)) return SQLITE_OK;
    copying.set_value();
    go_on.get_future().wait();
    copied = true;
    return SQLITE_OK;
  });
  constexpr int queued = 300;
  for (int number = 1; number <= queued; ++number)
    in.port->commit(shared(creation(make_payment(payment_id(number)))), [](core::commit_result) {});
  REQUIRE(copying.get_future().wait_for(std::chrono::seconds(30)) == std::future_status::ready);
  std::thread end([&] { in.close(); });
  go_on.set_value();
  end.join();
  CHECK(copied);
  in.disk.on_sync(nullptr);
  in.open();
  CHECK(in.journal->unfinished().size() == queued + 1);
}
