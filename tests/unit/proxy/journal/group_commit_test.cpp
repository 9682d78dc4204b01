// What the port promises: durable groups, claims, restarts, readers.
#include <sqlite3.h>
#include <catch2/catch.hpp>

#include <thread>

#include "journal_fixture.hpp"

using namespace journal_test;
using core::commit_status;

TEST_CASE("a payment's life: created, changed, answered, read back") {
  temporary_directory directory;
  worker owner;
  auto journal = sqlite_journal::open(directory / "journal.db");
  auto port = journal->journal_for(owner.post());
  payments::payment record = make_payment(payment_id(1));
  core::journal_write first = creation(record, "key-1");
  first.decisions = {R"({"n":1})", R"({"n":2})"};
  REQUIRE(commit(*port, owner, std::move(first)).status == commit_status::committed);

  auto entry = port->find_key("demo", false, "key-1");
  REQUIRE(entry);
  CHECK(entry->payment_id == record.id);
  CHECK(entry->mac == "mac");
  CHECK(entry->running);
  CHECK_FALSE(entry->answer);

  core::journal_write second = ending(record);
  second.decisions = {R"({"n":3})"};
  REQUIRE(commit(*port, owner, std::move(second)).status == commit_status::committed);
  entry = port->find_key("demo", false, "key-1");
  CHECK_FALSE(entry->running);
  REQUIRE(entry->answer);
  CHECK(entry->answer->status == 201);
  CHECK(entry->answer->body == R"({"id":")" + record.id + R"("})");
  CHECK(port->find_payment(record.id)->status == payments::payment_status::succeeded);
  CHECK_FALSE(port->find_payment("pay_other"));

  auto reader = journal->make_reader();
  CHECK(reader->decisions_of(record.id) == std::vector<std::string>{R"({"n":1})", R"({"n":2})", R"({"n":3})"});
  CHECK(reader->decisions_of("pay_other").empty());
  const auto events = reader->events_of(record.id);
  REQUIRE(events.size() == 2);
  CHECK(events[0].type == payments::payment_event_type::created);
  CHECK(events[0].at == record.created_at);
  CHECK(events[1].type == payments::payment_event_type::finished);
  CHECK(events[1].code == "succeeded");
}

TEST_CASE("keys are apart by merchant and by mode") {
  temporary_directory directory;
  worker owner;
  auto journal = sqlite_journal::open(directory / "journal.db");
  auto port = journal->journal_for(owner.post());
  payments::payment one = make_payment(payment_id(1)), two = make_payment(payment_id(2)),
                    three = make_payment(payment_id(3));
  two.merchant = "other";
  three.livemode = true;
  for (const auto& record : {one, two, three})
    CHECK(commit(*port, owner, creation(record, "same")).status == commit_status::committed);
  CHECK(port->find_key("other", false, "same")->payment_id == two.id);
  CHECK(port->find_key("demo", true, "same")->payment_id == three.id);
  CHECK_FALSE(port->find_key("other", true, "same"));
}

TEST_CASE("200 claims of one key over several workers: exactly one wins, and nothing of the others is written") {
  temporary_directory directory;
  std::size_t largest = 0;
  journal_options options;
  options.on_commit = [&](double, std::size_t batch) { largest = std::max(largest, batch); };
  auto journal = sqlite_journal::open(directory / "journal.db", options);
  constexpr int workers = 4, each = 50;
  std::vector<int> won(workers), lost(workers);
  std::vector<std::string> winners(workers * each);
  std::vector<std::thread> threads;
  for (int w = 0; w < workers; ++w)
    threads.emplace_back([&, w] {
      worker owner;
      auto port = journal->journal_for(owner.post());
      int completed = 0;
      for (int n = 0; n < each; ++n) {
        const int number = w * each + n;
        port->commit(shared(creation(make_payment(payment_id(number)), "the-key")),
                     [&, number, w](core::commit_result result) {
                       ++completed;
                       if (result.status == commit_status::committed) {
                         ++won[w];
                         winners[number] = payment_id(number);
                       } else if (result.status == commit_status::key_exists) {
                         ++lost[w];
                         winners[number] = result.existing->payment_id;
                       }
                     });
      }
      owner.run_until([&] { return completed == each; });
    });
  for (auto& thread : threads) thread.join();
  CHECK(won[0] + won[1] + won[2] + won[3] == 1);
  CHECK(lost[0] + lost[1] + lost[2] + lost[3] == workers * each - 1);
  for (const auto& winner : winners) CHECK(winner == winners[0]);
  CHECK(journal->unfinished().size() == 1);
  auto reader = journal->make_reader();
  for (int number = 0; number < workers * each; ++number)
    CHECK(reader->events_of(payment_id(number)).size() == (payment_id(number) == winners[0] ? 1 : 0));
  journal.reset();
  CHECK(largest > 1);  // the last reference to it is the writer thread's
}

TEST_CASE("one group's completions reach a worker in one post") {
  temporary_directory directory;
  worker owner;
  auto journal = sqlite_journal::open(directory / "journal.db");
  auto port = journal->journal_for(owner.post());
  int completed = 0;
  // Queued while the first group is being synced, so they share groups.
  for (int number = 0; number < 200; ++number)
    port->commit(shared(creation(make_payment(payment_id(number)))),
                 [&](core::commit_result result) { completed += result.status == commit_status::committed; });
  owner.run_until([&] { return completed == 200; });
  CHECK(owner.posts() < 100);
}

TEST_CASE("a write that breaks a constraint fails alone") {
  temporary_directory directory;
  worker owner;
  int problems = 0;
  journal_options options;
  options.on_problem = [&](std::string_view) { ++problems; };
  auto journal = sqlite_journal::open(directory / "journal.db", options);
  auto port = journal->journal_for(owner.post());
  std::vector<commit_status> statuses;
  auto keep = [&](core::commit_result result) { statuses.push_back(result.status); };
  port->commit(shared(creation(make_payment(payment_id(1)))), keep);
  port->commit(shared(creation(make_payment(payment_id(1)))), keep);  // the id again
  port->commit(shared(change(make_payment("pay_never_created"))), keep);
  port->commit(shared(creation(make_payment(payment_id(2)))), keep);
  owner.run_until([&] { return statuses.size() == 4; });
  CHECK(statuses == std::vector{commit_status::committed, commit_status::unavailable, commit_status::unavailable,
                                commit_status::committed});
  CHECK(journal->unfinished().size() == 2);
  port.reset();
  journal.reset();
  CHECK(problems >= 2);
}

TEST_CASE("writes beyond the queue's limit are refused") {
  temporary_directory directory;
  worker owner;
  journal_options options;
  options.queue_limit = 1;
  auto journal = sqlite_journal::open(directory / "journal.db", options);
  auto port = journal->journal_for(owner.post());
  int committed = 0, refused = 0;
  for (int number = 0; number < 500; ++number)
    port->commit(shared(creation(make_payment(payment_id(number)))), [&](core::commit_result result) {
      (result.status == commit_status::committed ? committed : refused) += 1;
    });
  CHECK(committed + refused == 0);  // never inside the call
  owner.run_until([&] { return committed + refused == 500; });
  CHECK(refused > 0);
  CHECK(journal->unfinished().size() == static_cast<std::size_t>(committed));
}

TEST_CASE("after a handle is gone, neither its completions nor its post are called") {
  temporary_directory directory;
  auto journal = sqlite_journal::open(directory / "journal.db");
  bool called = false;
  {
    worker owner;
    auto port = journal->journal_for(owner.post());
    for (int number = 0; number < 50; ++number)
      port->commit(shared(creation(make_payment(payment_id(number)))), [&](core::commit_result) { called = true; });
  }
  worker owner;
  auto port = journal->journal_for(owner.post());
  CHECK(commit(*port, owner, creation(make_payment(payment_id(99)))).status == commit_status::committed);
  CHECK_FALSE(called);
  CHECK(journal->unfinished().size() == 51);  // committed all the same
}

TEST_CASE("after a restart nothing is running, and the unfinished payments are told") {
  temporary_directory directory;
  const std::string path = directory / "journal.db";
  payments::payment open = make_payment(payment_id(1)), done = make_payment(payment_id(2)),
                    unknown = make_payment(payment_id(3)), reversing = make_payment(payment_id(4)),
                    settled = make_payment(payment_id(5));
  for (auto* record : {&unknown, &reversing, &settled}) {
    record->status = payments::payment_status::failed;
    record->attempts.push_back(make_attempt("att_1"));
    record->attempts[0].in_flight = false;
    record->attempts[0].outcome = payments::outcome::approved;
  }
  unknown.attempts[0].outcome = payments::outcome::unknown;
  reversing.attempts[0].reversal = payments::reversal_state::wanted;
  settled.attempts[0].reversal = payments::reversal_state::confirmed;
  {
    worker owner;
    auto journal = sqlite_journal::open(path);
    CHECK(journal->epoch() == 1);
    CHECK_FALSE(journal->has_payments());
    auto port = journal->journal_for(owner.post());
    commit(*port, owner, creation(open, "open"));
    commit(*port, owner, creation(done, "done"));
    commit(*port, owner, ending(done));
    for (const auto& record : {unknown, reversing, settled}) commit(*port, owner, creation(record));
    CHECK(port->find_key("demo", false, "open")->running);
    CHECK(journal->has_payments());
  }
  worker owner;
  auto journal = sqlite_journal::open(path);
  CHECK(journal->epoch() == 2);
  std::vector<std::string> ids;
  for (const auto& record : journal->unfinished()) ids.push_back(record.id);
  CHECK(ids == std::vector<std::string>{open.id, unknown.id, reversing.id});
  auto port = journal->journal_for(owner.post());
  const auto entry = port->find_key("demo", false, "open");
  REQUIRE(entry);
  CHECK_FALSE(entry->running);
  CHECK(port->find_key("demo", false, "done")->answer->status == 201);
  const auto lost = commit(*port, owner, creation(make_payment(payment_id(6)), "open"));
  CHECK(lost.status == commit_status::key_exists);
  REQUIRE(lost.existing);
  CHECK(lost.existing->payment_id == open.id);
  CHECK_FALSE(lost.existing->running);
  CHECK_FALSE(port->find_payment(payment_id(6)));
  // A payment of an earlier start can go on.
  CHECK(commit(*port, owner, ending(open)).status == commit_status::committed);
  CHECK(journal->unfinished().size() == 2);
}

TEST_CASE("keys older than the retention are forgotten, younger ones are not") {
  temporary_directory directory;
  const std::string path = directory / "journal.db";
  {
    worker owner;
    auto journal = sqlite_journal::open(path);
    auto port = journal->journal_for(owner.post());
    payments::payment old = make_payment(payment_id(1)), young = make_payment(payment_id(2));
    old.created_at -= std::chrono::hours(49);
    young.created_at -= std::chrono::hours(23);
    commit(*port, owner, creation(old, "old"));
    commit(*port, owner, creation(young, "young"));
  }
  worker owner;
  journal_options options;
  options.key_retention = std::chrono::hours(1);  // never less than a day
  options.purge_warmup = std::chrono::minutes(0);
  auto journal = sqlite_journal::open(path, options);
  auto port = journal->journal_for(owner.post());
  // The writer tidies up between the first commit and the second.
  commit(*port, owner, creation(make_payment(payment_id(3))));
  commit(*port, owner, creation(make_payment(payment_id(4))));
  CHECK_FALSE(port->find_key("demo", false, "old"));
  CHECK(port->find_key("demo", false, "young"));
  CHECK(port->find_payment(payment_id(1)));
}

TEST_CASE("a key that only the wall clock calls old is kept") {
  temporary_directory directory;
  const std::string path = directory / "journal.db";
  journal_options options;
  options.purge_warmup = std::chrono::minutes(0);
  const auto make_old = [](int number) {
    payments::payment record = make_payment(payment_id(number));
    record.created_at -= std::chrono::hours(24 * 365);
    return record;
  };
  {
    // Made in this start, when the clock was a year behind.
    worker owner;
    auto journal = sqlite_journal::open(path, options);
    auto port = journal->journal_for(owner.post());
    commit(*port, owner, creation(make_old(1), "first"));
    commit(*port, owner, creation(make_payment(payment_id(2))));
    commit(*port, owner, creation(make_payment(payment_id(3))));
    CHECK(port->find_key("demo", false, "first"));
  }
  {
    // Made in an earlier start; this one is younger than its warm-up.
    worker owner;
    auto journal = sqlite_journal::open(path);
    auto port = journal->journal_for(owner.post());
    commit(*port, owner, creation(make_payment(payment_id(4))));
    commit(*port, owner, creation(make_payment(payment_id(5))));
    CHECK(port->find_key("demo", false, "first"));
  }
}

TEST_CASE("events can be neither changed nor removed") {
  temporary_directory directory;
  const std::string path = directory / "journal.db";
  worker owner;
  auto journal = sqlite_journal::open(path);
  auto port = journal->journal_for(owner.post());
  commit(*port, owner, creation(make_payment(payment_id(1))));
  sqlite3* other = nullptr;
  REQUIRE(sqlite3_open(path.c_str(), &other) == SQLITE_OK);
  for (const char* sql : {"UPDATE steps SET events = '[]'", "DELETE FROM steps"}) {
    CHECK(sqlite3_exec(other, sql, nullptr, nullptr, nullptr) == SQLITE_CONSTRAINT);
    CHECK(std::string(sqlite3_errmsg(other)) == "steps are append-only");
  }
  sqlite3_close(other);
  CHECK(journal->make_reader()->events_of(payment_id(1)).size() == 1);
}

TEST_CASE("a damaged row is an error that names the payment") {
  temporary_directory directory;
  const std::string path = directory / "journal.db";
  worker owner;
  auto journal = sqlite_journal::open(path);
  auto port = journal->journal_for(owner.post());
  commit(*port, owner, creation(make_payment(payment_id(1))));
  sqlite3* other = nullptr;
  REQUIRE(sqlite3_open(path.c_str(), &other) == SQLITE_OK);
  CHECK(sqlite3_exec(other, "UPDATE payments SET record = '{\"v\":1}'", nullptr, nullptr, nullptr) == SQLITE_OK);
  sqlite3_close(other);
  CHECK_THROWS_WITH(port->find_payment(payment_id(1)), Catch::Contains("id: missing"));
  CHECK_THROWS_WITH(journal->unfinished(), Catch::Contains(payment_id(1)));
}

TEST_CASE("the identity of the keys is kept") {
  temporary_directory directory;
  auto journal = sqlite_journal::open(directory / "journal.db");
  CHECK_FALSE(journal->key_identity());
  journal->set_key_identity("digest");
  journal.reset();
  journal = sqlite_journal::open(directory / "journal.db");
  CHECK(journal->key_identity() == "digest");
}
