// Keys of captures, refunds and cancellations, references that are payable once,
// and what is due.
#include <catch2/catch.hpp>

#include "journal_fixture.hpp"
#include "proxy/journal/record_json.hpp"
#include "proxy/journal/schema.hpp"

using namespace journal_test;
using core::commit_status;
using payments::payment_status;
using turnout::journal::database;
using turnout::journal::due_payment;

namespace {

struct opened {
  explicit opened(const std::string& path, journal_options options = {})
      : journal(sqlite_journal::open(path, std::move(options))), port(journal->journal_for(owner.post())) {}
  core::commit_result write(core::journal_write what) { return commit(*port, owner, std::move(what)); }
  worker owner;
  std::unique_ptr<sqlite_journal> journal;
  std::unique_ptr<core::journal> port;
};

payments::payment with_refund(payments::payment record, const std::string& id, payments::modification_status status) {
  record.status = payment_status::succeeded;
  record.answered = true;
  record.amount_authorized = record.amount_captured = record.amount.minor;
  record.modifications.push_back({.id = id,
                                  .kind = payments::modification_kind::refund,
                                  .operation = payments::operation::refund,
                                  .amount = 10,
                                  .status = status});
  return record;
}

/// Takes a refund on, under a key.
core::journal_write taking(const payments::payment& record, const std::string& key, const std::string& mac = "mac") {
  core::journal_write write = change(record);
  write.claim = core::idempotency_claim{key, mac, record.modifications.back().id};
  return write;
}

core::journal_write referenced(int number, const std::string& reference, bool unique = true) {
  payments::payment record = make_payment(payment_id(number));
  record.reference = reference;
  core::journal_write write = creation(record);
  write.unique_reference = unique;
  return write;
}

constexpr auto pending = payments::modification_status::pending, succeeded = payments::modification_status::succeeded;

}  // namespace

TEST_CASE("a key stands for one payment or one refund, never for both", "[operation_keys]") {
  temporary_directory directory;
  const std::string path = directory / "journal.db";
  const payments::payment first = make_payment(payment_id(1));
  {
    opened it(path);
    REQUIRE(it.write(creation(first, "pay")).status == commit_status::committed);
    const payments::payment refunded = with_refund(first, "ref_1", pending);
    REQUIRE(it.write(taking(refunded, "back")).status == commit_status::committed);
    const auto found = it.port->find_key("demo", false, "back");
    REQUIRE(found);
    CHECK(found->payment_id == first.id);
    CHECK(found->object == "ref_1");
    CHECK(found->mac == "mac");
    CHECK_FALSE(found->running);
    CHECK_FALSE(found->answer);
    CHECK_FALSE(it.port->find_key("demo", true, "back"));
    CHECK_FALSE(it.port->find_key("other", false, "back"));
    CHECK(it.port->find_key("demo", false, "pay")->object.empty());

    // Either table knows the other's keys, and nothing of what is refused is written.
    auto taken = it.write(creation(make_payment(payment_id(2)), "back", "another"));
    CHECK(taken.status == commit_status::key_exists);
    REQUIRE(taken.existing);
    CHECK(taken.existing->object == "ref_1");
    CHECK_FALSE(it.port->find_payment(payment_id(2)));
    for (const char* key : {"pay", "back"}) {
      taken = it.write(taking(with_refund(refunded, "ref_2", pending), key));
      CHECK(taken.status == commit_status::key_exists);
      CHECK(it.port->find_payment(first.id)->modifications.size() == 1);
    }
  }
  // After a restart: the same, and a final answer is kept once.
  opened it(path);
  CHECK(it.port->find_key("demo", false, "back")->object == "ref_1");
  core::journal_write ended = change(with_refund(first, "ref_1", succeeded));
  ended.answers.push_back({"ref_1", {201, "done"}});
  ended.answers.push_back({"ref_of_nobody", {201, "ignored"}});
  REQUIRE(it.write(std::move(ended)).status == commit_status::committed);
  core::journal_write again = change(with_refund(first, "ref_1", succeeded));
  again.answers.push_back({"ref_1", {201, "another"}});
  REQUIRE(it.write(std::move(again)).status == commit_status::committed);
  REQUIRE(it.port->find_key("demo", false, "back")->answer);
  CHECK(it.port->find_key("demo", false, "back")->answer->body == "done");
  CHECK_FALSE(it.port->find_key("demo", false, "pay")->answer);
}

TEST_CASE("of many claims of one key at once, for payments and refunds, one wins", "[operation_keys]") {
  temporary_directory directory;
  opened it(directory / "journal.db");
  constexpr int many = 40;
  for (int n = 1; n <= many; ++n)
    REQUIRE(it.write(creation(make_payment(payment_id(n)))).status == commit_status::committed);
  int won = 0, lost = 0;
  for (int n = 1; n <= many; ++n) {
    const std::string number = std::to_string(n);
    core::journal_write write =
        n % 2 == 0 ? creation(make_payment(payment_id(1000 + n)), "key", number)
                   : taking(with_refund(make_payment(payment_id(n)), "ref_" + number, pending), "key", number);
    it.port->commit(shared(std::move(write)), [&](core::commit_result result) {
      ++(result.status == commit_status::committed ? won : lost);
      if (result.status != commit_status::committed) CHECK(result.status == commit_status::key_exists);
    });
  }
  it.owner.run_until([&] { return won + lost == many; });
  CHECK(won == 1);
  int written = 0;
  for (int n = 1; n <= many; ++n) {
    written += it.port->find_payment(payment_id(1000 + n)).has_value();
    written += static_cast<int>(it.port->find_payment(payment_id(n))->modifications.size());
  }
  CHECK(written == 1);
}

TEST_CASE("a pending refund is taken up by a restart, a settled one is not", "[operation_keys]") {
  temporary_directory directory;
  const std::string path = directory / "journal.db";
  {
    opened it(path);
    for (int n = 1; n <= 2; ++n) {
      const payments::payment record = make_payment(payment_id(n));
      it.write(creation(record));
      it.write(change(with_refund(record, "ref_" + std::to_string(n), n == 1 ? pending : succeeded)));
    }
  }
  opened it(path);
  const auto open = it.journal->unfinished();
  REQUIRE(open.size() == 1);
  CHECK(open.front().id == payment_id(1));
}

TEST_CASE("keys of refunds are forgotten after the retention, too", "[operation_keys]") {
  temporary_directory directory;
  const std::string path = directory / "journal.db";
  {
    opened it(path);
    for (int n = 1; n <= 2; ++n) {
      payments::payment record = make_payment(payment_id(n));
      it.write(creation(record));
      record.updated_at -= std::chrono::hours(n == 1 ? 49 : 23);
      it.write(taking(with_refund(record, "ref_" + std::to_string(n), succeeded), n == 1 ? "old" : "young"));
    }
  }
  journal_options options;
  options.key_retention = std::chrono::hours(1);  // never less than a day
  options.purge_warmup = std::chrono::minutes(0);
  opened it(path, options);
  it.write(creation(make_payment(payment_id(3))));
  it.write(creation(make_payment(payment_id(4))));
  CHECK_FALSE(it.port->find_key("demo", false, "old"));
  CHECK(it.port->find_key("demo", false, "young"));
  CHECK(it.port->find_payment(payment_id(1))->modifications.size() == 1);
  // What was forgotten can be used anew.
  CHECK(it.write(creation(make_payment(payment_id(5)), "old")).status == commit_status::committed);
}

TEST_CASE("a reference is payable once, until its payment failed or was canceled", "[operation_keys]") {
  temporary_directory directory;
  const std::string path = directory / "journal.db";
  {
    opened it(path);
    REQUIRE(it.write(referenced(1, "order")).status == commit_status::committed);
    const auto taken = it.write(referenced(2, "order"));
    CHECK(taken.status == commit_status::reference_taken);
    REQUIRE(taken.existing);
    CHECK(taken.existing->payment_id == payment_id(1));
    CHECK_FALSE(it.port->find_payment(payment_id(2)));
    CHECK(it.write(referenced(3, "order 2")).status == commit_status::committed);
    for (const int number : {4, 5}) CHECK(it.write(referenced(number, "")).status == commit_status::committed);
    // Without the flag nobody asks, and nothing is claimed.
    CHECK(it.write(referenced(6, "order", false)).status == commit_status::committed);
    CHECK(it.write(referenced(7, "free", false)).status == commit_status::committed);
    CHECK(it.write(referenced(8, "free")).status == commit_status::committed);
    core::journal_write other = referenced(9, "order");
    auto record = std::make_shared<payments::payment>(*other.record);
    record->merchant = "other";
    other.record = record;
    CHECK(it.write(std::move(other)).status == commit_status::committed);
    core::journal_write live = referenced(10, "order");
    record = std::make_shared<payments::payment>(*live.record);
    record->livemode = true;
    live.record = record;
    CHECK(it.write(std::move(live)).status == commit_status::committed);
  }
  opened it(path);
  CHECK(it.write(referenced(11, "order")).status == commit_status::reference_taken);
  int number = 12, holder = 1;
  for (const auto ended : {payment_status::failed, payment_status::canceled}) {
    payments::payment record = *it.port->find_payment(payment_id(holder));
    for (const auto open : {payment_status::processing, payment_status::requires_action, payment_status::authorized,
                            payment_status::succeeded}) {
      record.status = open;
      it.write(change(record));
      CHECK(it.write(referenced(number++, "order")).status == commit_status::reference_taken);
    }
    record.status = ended;
    it.write(change(record));
    holder = number++;
    CHECK(it.write(referenced(holder, "order")).status == commit_status::committed);
    const auto taken = it.write(referenced(number++, "order"));
    REQUIRE(taken.status == commit_status::reference_taken);
    CHECK(taken.existing->payment_id == payment_id(holder));
  }
}

TEST_CASE("a retry with its key is answered, not told that its own reference is taken", "[operation_keys]") {
  temporary_directory directory;
  opened it(directory / "journal.db");
  for (const auto expected : {commit_status::committed, commit_status::key_exists}) {
    core::journal_write write = referenced(expected == commit_status::committed ? 1 : 2, "order");
    write.claim = core::idempotency_claim{"key", "mac", {}};
    CHECK(it.write(std::move(write)).status == expected);
  }
}

TEST_CASE("many payments of one reference at once: one is taken", "[operation_keys]") {
  temporary_directory directory;
  opened it(directory / "journal.db");
  int won = 0, lost = 0;
  for (int n = 1; n <= 50; ++n)
    it.port->commit(shared(referenced(n, "order")),
                    [&](core::commit_result result) { ++(result.status == commit_status::committed ? won : lost); });
  it.owner.run_until([&] { return won + lost == 50; });
  CHECK(won == 1);
}

TEST_CASE("authorizations that expire are due, page by page, until something is done", "[operation_keys]") {
  temporary_directory directory;
  opened it(directory / "journal.db");
  const payments::wall_time now =
      std::chrono::time_point_cast<payments::wall_time::duration>(std::chrono::system_clock::now());
  for (int n = 1; n <= 7; ++n) {
    payments::payment record = make_payment(payment_id(n));
    it.write(creation(record));
    record.status = n == 5 ? payment_status::succeeded : payment_status::authorized;
    if (n != 6) record.capture_before = now + std::chrono::seconds(n == 4 ? 1 : -n / 2);  // 2 and 3 at the same time
    it.write(change(record));
  }
  const auto read = it.journal->make_reader();
  const auto ids = [](const std::vector<due_payment>& all) {
    std::vector<std::string> made;
    for (const due_payment& each : all) made.push_back(each.id);
    return made;
  };
  CHECK(ids(read->due(now, {}, 100)) == std::vector{payment_id(7), payment_id(2), payment_id(3), payment_id(1)});
  std::vector<std::string> seen;
  due_payment last;
  for (;;) {
    const auto page = read->due(now, last, 1);
    if (page.empty()) break;
    last = page.back();
    seen.push_back(last.id);
    REQUIRE(seen.size() <= 4);
  }
  CHECK(seen == ids(read->due(now, {}, 100)));
  payments::payment done = *it.port->find_payment(payment_id(7));
  done.status = payment_status::canceled;
  it.write(change(done));
  CHECK(ids(read->due(now, {}, 1)) == std::vector{payment_id(2)});
  CHECK(read->due(now - std::chrono::hours(1), {}, 100).empty());
}

TEST_CASE("payments whose gateway is asked again are due, until the next time or for good", "[operation_keys]") {
  temporary_directory directory;
  opened it(directory / "journal.db");
  const payments::wall_time now = payments::wall_time(std::chrono::hours(500000));
  payments::payment record = make_payment(payment_id(1));
  record.status = payment_status::failed;
  record.attempts.push_back({.id = "att_1", .connector = "alpha", .amount = record.amount});
  payments::attempt& attempt = record.attempts.back();
  attempt.in_flight = false;
  attempt.outcome = payments::outcome::not_sent;
  attempt.look_again_at = now;
  it.write(creation(record));
  const auto read = it.journal->make_reader();
  CHECK(read->due(now - std::chrono::seconds(1), {}, 100).empty());
  CHECK(read->due(now, {}, 100).size() == 1);
  SECTION("later") {
    attempt.look_again_at = now + std::chrono::hours(1);
    it.write(change(record));
    CHECK(read->due(now, {}, 100).empty());
    CHECK(read->due(now + std::chrono::hours(1), {}, 100).size() == 1);
  }
  SECTION("no more") {
    attempt.look_again_at.reset();
    it.write(change(record));
    CHECK(read->due(now + std::chrono::hours(1), {}, 100).empty());
  }
  SECTION("while it is reversed it is open anyway") {
    attempt.reversal = payments::reversal_state::wanted;
    it.write(change(record));
    CHECK(read->due(now, {}, 100).empty());
  }
}

TEST_CASE("a journal of the first version gets the new tables and keeps its payments and keys", "[operation_keys]") {
  temporary_directory directory;
  const std::string path = directory / "journal.db";
  const payments::payment old = make_payment(payment_id(1));
  {
    database file(path, database::mode::read_write_create, "");
    migrate(file, path, turnout::journal::migrations().first(1));
    std::string json;
    turnout::journal::write_record(old, json);
    turnout::journal::statement insert(
        file,
        "INSERT INTO payments (id, merchant, livemode, status, open, answered, created_at, updated_at, record) "
        "VALUES (?1, 'demo', 0, 'processing', 1, 1, ?2, ?2, ?3)");
    insert.bind(1, old.id).bind(2, turnout::journal::to_stored(old.created_at)).bind(3, json).finish();
    file.run("INSERT INTO idempotency VALUES (1, 'demo', 0, 'key', 'mac', 1, 1)");
    file.run("INSERT INTO answers VALUES (1, 201, 'told')");
  }
  opened it(path);
  const auto found = it.port->find_key("demo", false, "key");
  REQUIRE(found);
  CHECK(found->object.empty());
  REQUIRE(found->answer);
  CHECK(found->answer->body == "told");
  REQUIRE(it.journal->unfinished().size() == 1);
  CHECK(it.journal->make_reader()->due(payments::wall_time::max(), {}, 10).empty());
  CHECK(it.write(taking(with_refund(old, "ref_1", succeeded), "key")).status == commit_status::key_exists);
  CHECK(it.write(taking(with_refund(old, "ref_1", succeeded), "new")).status == commit_status::committed);
  CHECK(it.port->find_payment(old.id)->modifications.size() == 1);
}
