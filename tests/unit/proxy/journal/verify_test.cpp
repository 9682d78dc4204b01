// Each kind of damage is found, and named.
#include <catch2/catch.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "history.hpp"
#include "proxy/journal/record_json.hpp"
#include "proxy/journal/schema.hpp"
#include "proxy/journal/tables.hpp"
#include "proxy/journal/verify.hpp"

using namespace journal_test;
using turnout::journal::check;
using turnout::journal::database;
using turnout::journal::finding;
using turnout::journal::statement;
using turnout::journal::verify;
using turnout::journal::verify_report;

namespace {

std::string all(const verify_report& report) {
  std::string text;
  for (const finding& each : report.findings)
    text += std::string(to_string(each.about)) + " link " + std::to_string(each.link) + " " + each.payment + ": " +
            each.text + "\n";
  return text;
}

/// Forty payments, written one step in a transaction.
struct written {
  temporary_directory directory;
  const std::string path = directory / "journal.db";
  written() { write_journal(path, 40, 11); }

  /// As somebody would who has the file: nothing stops them.
  void damage(const std::string& sql) {
    database file(path, database::mode::read_write_create, "");
    for (const char* trigger : {"steps_no_update", "steps_no_delete", "chain_no_update", "chain_no_delete"})
      file.run((std::string("DROP TRIGGER IF EXISTS ") + trigger).c_str());
    file.run(sql.c_str());
  }
  std::int64_t number(const std::string& sql) {
    database file(path, database::mode::read_only, "");
    return file.number(sql.c_str());
  }
  std::string text(const std::string& sql) {
    database file(path, database::mode::read_only, "");
    statement query(file, sql.c_str());
    return query.step() ? std::string(query.text(0)) : std::string();
  }
  std::string slot_of(const std::string& link) {
    return std::to_string(number("SELECT slot FROM steps WHERE link = " + link));
  }
  std::string payment_of(const std::string& link) {
    return text("SELECT p.id FROM payments p JOIN steps s ON p.seq = s.slot / 65536 WHERE s.link = " + link);
  }
};

bool has(const verify_report& report, check about, const std::string& part, std::int64_t link = 0,
         const std::string& payment = {}) {
  return std::any_of(report.findings.begin(), report.findings.end(), [&](const finding& each) {
    return each.about == about && each.text.find(part) != std::string::npos && (link == 0 || each.link == link) &&
           (payment.empty() || each.payment == payment);
  });
}

}  // namespace

TEST_CASE("random histories verify clean, closed and while they are written") {
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    temporary_directory directory;
    const std::string path = directory / "journal.db";
    worker owner;
    auto journal = sqlite_journal::open(path);
    auto port = journal->journal_for(owner.post());
    storyteller teller(*port, owner, seed);
    for (int number = 1; number <= 60; ++number) {
      teller.tell(number);
      if (number % 20 != 0) continue;
      const verify_report live = verify(path);
      INFO("seed " << seed << "\n" << all(live));
      REQUIRE(live.sound());
      REQUIRE(live.payments == number);
    }
    port.reset();
    journal.reset();
    const verify_report report = verify(path);
    INFO("seed " << seed << "\n" << all(report));
    REQUIRE(report.sound());
    CHECK(report.head.links == report.steps);
    CHECK(report.steps > 120);
    CHECK(report.keys > 30);
    CHECK(report.by_status.size() > 2);
    const auto& euros = report.by_currency.at({false, "EUR"});
    CHECK(euros.payments == 60);
    CHECK(euros.captured > 0);
    CHECK(euros.refunded > 0);
  }
}

TEST_CASE("groups of many writes are one row of the chain") {
  temporary_directory directory;
  const std::string path = directory / "journal.db";
  {
    worker owner;
    auto journal = sqlite_journal::open(path);
    auto port = journal->journal_for(owner.post());
    int completed = 0;
    for (int n = 1; n <= 300; ++n) {
      core::journal_write write = creation(make_payment(payment_id(n)));
      write.events[0].code = "processing";
      port->commit(shared(std::move(write)), [&](const core::commit_result&) { ++completed; });
    }
    owner.run_until([&] { return completed == 300; });
  }
  const verify_report report = verify(path);
  INFO(all(report));
  CHECK(report.sound());
  CHECK(report.head.links == 300);
  database file(path, database::mode::read_only, "");
  CHECK(file.number("SELECT count(*) FROM chain") < 300);
}

TEST_CASE_METHOD(written, "a changed event, decision or chain value is found and named") {
  const std::string id = payment_of("20");
  SECTION("an event") {
    damage("UPDATE steps SET events = replace(events, '\"', '\"') || ' ' WHERE link = 20");
    const auto report = verify(path);
    REQUIRE(report.findings_total == 1);
    CHECK(has(report, check::step, "its events or decisions are not those that were written", 20, id));
  }
  SECTION("a decision") {
    const std::string link = std::to_string(number("SELECT link FROM steps WHERE decisions <> '[]' LIMIT 1 OFFSET 9"));
    damage("UPDATE steps SET decisions = replace(decisions, 'only one', 'only two') WHERE link = " + link);
    const auto report = verify(path);
    REQUIRE(report.findings_total == 1);
    CHECK(has(report, check::step, "not those that were written", std::stoll(link)));
  }
  SECTION("a value of the chain") {
    damage("UPDATE chain SET value = zeroblob(32) WHERE first = 20");
    const auto report = verify(path);
    REQUIRE(report.findings_total == 1);
    CHECK(has(report, check::chain, "link 20: the chain is broken here", 20));
  }
  SECTION("a link: what it attests does not fit any more, and the chain breaks there") {
    damage(
        "UPDATE chain SET links = CAST(substr(links, 1, 16) AS BLOB) || zeroblob(32) || substr(links, 49) "
        "WHERE first = 20");
    const auto report = verify(path);
    REQUIRE(report.findings_total == 2);
    CHECK(has(report, check::chain, "link 20: the chain is broken here", 20));
    CHECK(has(report, check::step, "not those that were written", 20, id));
  }
  SECTION("a link that cannot be read") {
    damage("UPDATE chain SET links = x'00' WHERE first = 20");
    const auto report = verify(path);
    CHECK(has(report, check::chain, "the row that begins with link 20 cannot be read", 20));
    CHECK(has(report, check::step, "the chain has no link for it", 20, id));
  }
}

TEST_CASE_METHOD(written, "what was removed, added or reordered is found and named") {
  const std::string id = payment_of("20"), slot = slot_of("20");
  const std::string step = "step " + std::to_string(std::stoll(slot) % 65536 + 1);
  SECTION("a step removed") {
    damage("DELETE FROM steps WHERE link = 20");
    const auto report = verify(path);
    CHECK(has(report, check::step, step + " of payment number", 20, id));
    CHECK(has(report, check::step, "is missing", 20, id));
  }
  SECTION("two steps exchanged") {
    damage(
        "CREATE TABLE t AS SELECT * FROM steps WHERE link IN (20, 21);"
        "UPDATE steps SET (events, decisions) = (SELECT events || ' ', decisions FROM t WHERE link = 41 - steps.link) "
        "WHERE link IN (20, 21); DROP TABLE t");
    const auto report = verify(path);
    CHECK(has(report, check::step, "not those that were written", 20));
    CHECK(has(report, check::step, "not those that were written", 21));
  }
  SECTION("two links exchanged") {
    damage("UPDATE steps SET link = 41 - link WHERE link IN (20, 21)");
    const auto report = verify(path);
    CHECK(has(report, check::step, "its link is that of step", 20));
    CHECK(has(report, check::step, "its link is that of step", 21));
  }
  SECTION("two rows of the chain exchanged") {
    damage(
        "UPDATE chain SET first = -20 WHERE first = 20; UPDATE chain SET first = 20 WHERE first = 21;"
        "UPDATE chain SET first = 21 WHERE first = -20");
    CHECK(has(verify(path), check::chain, "link 20: the chain is broken here", 20));
  }
  SECTION("a row of the chain removed") {
    damage("DELETE FROM chain WHERE first = 20");
    const auto report = verify(path);
    CHECK(has(report, check::chain, "link 20: missing from the chain", 20));
    CHECK(has(report, check::step, "the chain has no link for it", 20, id));
  }
  SECTION("a step added") {
    damage("INSERT INTO steps VALUES ((SELECT max(slot) + 1 FROM steps), 100000, '[]', '[]')");
    CHECK(has(verify(path), check::step, "the chain has no link for it", 100000));
  }
  SECTION("steps of no payment") {
    damage("INSERT INTO steps VALUES (77 * 65536, 100000, '[]', '[]')");
    CHECK(has(verify(path), check::step, "steps: a row is about payment number 77, which is not there"));
  }
  SECTION("a payment removed") {
    damage("DELETE FROM payments WHERE id = '" + id + "'");
    const auto report = verify(path);
    CHECK(has(report, check::step, "steps: a row is about payment number"));
    CHECK(has(report, check::lists, "the list of payments: a row is about payment number"));
  }
}

TEST_CASE_METHOD(written, "a missing end is found") {
  const auto head = verify(path).head;
  const std::string last = std::to_string(head.links), id = payment_of(last), slot = slot_of(last);
  const std::string sequence = std::to_string(std::stoll(slot) / 65536);
  SECTION("the last step and its link: the record has gone further than both") {
    damage("DELETE FROM steps WHERE link = " + last + "; DELETE FROM chain WHERE first = " + last);
    CHECK(has(verify(path), check::record, "not the one that was written with its last step", 0, id));
  }
  SECTION("a payment with all that is known of it: only a head that was noted elsewhere shows it") {
    const std::string first = std::to_string(number("SELECT min(link) FROM steps WHERE slot / 65536 = " + sequence));
    damage("DELETE FROM chain WHERE first >= " + first + "; DELETE FROM steps WHERE slot / 65536 = " + sequence +
           "; DELETE FROM payments WHERE seq = " + sequence + "; DELETE FROM idempotency WHERE payment = " + sequence +
           "; DELETE FROM answers WHERE payment = " + sequence + "; DELETE FROM operation_keys WHERE payment = " +
           sequence + "; DELETE FROM listing WHERE seq = " + sequence +
           "; DELETE FROM payment_references WHERE seq = " + sequence +
           "; DELETE FROM payment_customers WHERE seq = " + sequence);
    CHECK(verify(path).sound());
    const auto report = verify(path, {.expected = head});
    REQUIRE(report.findings_total == 1);
    CHECK(has(report, check::chain, "its end is missing, or this is an older copy", head.links));
  }
  SECTION("a noted head stays in the chain as it grows") {
    {
      worker owner;
      auto journal = sqlite_journal::open(path);
      auto port = journal->journal_for(owner.post());
      storyteller(*port, owner, 3).tell(41);
    }
    CHECK(verify(path).head.links > head.links);
    CHECK(verify(path, {.expected = head}).sound());
    auto other = head;
    other.value[0] ^= 1;
    CHECK(has(verify(path, {.expected = other}), check::chain, "is not what was there when it was noted", head.links));
  }
  SECTION("the file cut off") {
    std::filesystem::resize_file(path, std::filesystem::file_size(path) - 8192);
    const auto report = verify(path);
    CHECK_FALSE(report.sound());
    CHECK(has(report, check::file, ""));
  }
  SECTION("hardly anything left of it") {
    std::filesystem::resize_file(path, 700);
    CHECK(has(verify(path), check::file, ""));
    std::filesystem::resize_file(path, 0);
    CHECK(has(verify(path), check::schema, "the file is empty"));
  }
}

TEST_CASE_METHOD(written, "a payment that was edited is found, by its record, its events and its columns") {
  const std::string id =
      text("SELECT id FROM payments WHERE status = 'succeeded' AND record ->> 'amount_refunded' IS NULL LIMIT 1");
  REQUIRE_FALSE(id.empty());
  const std::string where = " WHERE id = '" + id + "'";
  SECTION("an amount") {
    damage("UPDATE payments SET record = replace(record, '\"amount_captured\":', '\"amount_captured\":9')" + where);
    const auto report = verify(path);
    CHECK(has(report, check::record, "not the one that was written with its last step", 0, id));
    CHECK(has(report, check::money, "is more than authorized", 0, id));
    CHECK(has(report, check::story, "amount_captured is", 0, id));
  }
  SECTION("its status") {
    damage(
        "UPDATE payments SET status = 'failed', record = replace(record, '\"status\":\"succeeded\"', "
        "'\"status\":\"failed\"')" +
        where);
    const auto report = verify(path);
    CHECK(has(report, check::record, "not the one", 0, id));
    CHECK(has(report, check::story, "status is failed in the record, and succeeded by the events", 0, id));
    CHECK(has(report, check::money, "it is failed, and an attempt stands", 0, id));
    CHECK(has(report, check::lists, "says something else", 0, id));
  }
  SECTION("an outcome") {
    damage("UPDATE payments SET record = replace(record, '\"outcome\":\"approved\"', '\"outcome\":\"soft_decline\"')" +
           where);
    CHECK(has(verify(path), check::story, "is soft_decline in the record, and approved by the events", 0, id));
  }
  SECTION("a column") {
    damage("UPDATE payments SET open = 1 - open, due_at = 5" + where);
    const auto report = verify(path);
    REQUIRE(report.findings_total == 2);
    CHECK(has(report, check::record, "its column 'open' is not what its record says", 0, id));
    CHECK(has(report, check::record, "'due_at'", 0, id));
  }
  SECTION("its whole record") {
    damage("UPDATE payments SET record = '{'" + where);
    CHECK(has(verify(path), check::record, "its record cannot be read: stored record: text: not JSON", 0, id));
  }
  SECTION("its place in the lists") {
    damage("UPDATE listing SET amount = amount + 1 WHERE seq = (SELECT seq FROM payments" + where + ")");
    CHECK(has(verify(path), check::lists, "the list of payments says something else than its record", 0, id));
    damage("DELETE FROM payment_references WHERE seq = (SELECT seq FROM payments" + where + ")");
    CHECK(has(verify(path), check::lists, "it is not in the list of references", 0, id));
  }
}

TEST_CASE_METHOD(written, "keys and answers that are missing or changed are found; those that were forgotten are not") {
  const std::string payment = text("SELECT payment FROM answers LIMIT 1 OFFSET 3");
  const std::string id = text("SELECT id FROM payments WHERE seq = " + payment);
  REQUIRE_FALSE(id.empty());
  SECTION("a key removed") {
    damage("DELETE FROM idempotency WHERE payment = " + payment);
    CHECK(has(verify(path), check::keys, "the idempotency key of the payment is missing", 0, id));
  }
  SECTION("a key changed") {
    damage("UPDATE idempotency SET key = 'another' WHERE payment = " + payment);
    CHECK(has(verify(path), check::keys, "the idempotency key of the payment is not one that was written", 0, id));
  }
  SECTION("a MAC changed") {
    damage("UPDATE idempotency SET mac = 'x' || substr(mac, 2) WHERE payment = " + payment);
    CHECK(has(verify(path), check::keys, "is not one that was written", 0, id));
  }
  SECTION("a key that moved to another payment") {
    damage("UPDATE idempotency SET payment = 100000 WHERE payment = " + payment);
    CHECK(has(verify(path), check::keys, "a row is about payment number 100000"));
  }
  SECTION("an answer removed or changed") {
    damage("UPDATE answers SET body = '{}' WHERE payment = " + payment);
    CHECK(has(verify(path), check::keys, "the answer kept with the payment's idempotency key is not one", 0, id));
    damage("DELETE FROM answers WHERE payment = " + payment);
    CHECK(has(verify(path), check::keys, "the answer kept with the payment's idempotency key is missing", 0, id));
  }
  SECTION("a key of a capture or refund") {
    const std::string object = text("SELECT object FROM operation_keys WHERE status IS NOT NULL LIMIT 1");
    REQUIRE_FALSE(object.empty());
    damage("UPDATE operation_keys SET status = 500 WHERE object = '" + object + "'");
    CHECK(has(verify(path), check::keys, "the answer kept with the key of a capture, refund or cancellation is not"));
    damage("DELETE FROM operation_keys WHERE object = '" + object + "'");
    CHECK(has(verify(path), check::keys, "the idempotency key of a capture, refund or cancellation is missing"));
  }
  SECTION("a key of a cancellation that left nothing in the record, and then its payment exchanged") {
    {
      worker owner;
      auto journal = sqlite_journal::open(path);
      auto port = journal->journal_for(owner.post());
      payments::payment record = make_payment(payment_id(50));
      core::journal_write first = creation(record);
      first.events[0].code = "processing";
      REQUIRE(commit(*port, owner, std::move(first)).status == core::commit_status::committed);
      record.cancel_requested = true;
      core::journal_write asked = change(record);
      asked.events.push_back({payments::payment_event_type::cancel_requested, record.updated_at, "", ""});
      asked.claim = core::idempotency_claim{"cancel", "mac", "can_50"};
      REQUIRE(commit(*port, owner, std::move(asked)).status == core::commit_status::committed);
    }
    INFO(all(verify(path)));
    CHECK(verify(path).sound());
    damage("UPDATE operation_keys SET payment = 1 WHERE object = 'can_50'");
    CHECK(has(verify(path), check::keys, "is missing", 0, payment_id(50)));
    CHECK(has(verify(path), check::keys, "is not one that was written", 0, payment_id(1)));
  }
  SECTION("forgotten by age, and one more removed by hand") {
    const auto cutoff = number("SELECT created_at FROM payments WHERE seq = 20");
    {
      database file(path, database::mode::read_write_create, "");
      turnout::journal::tables rows(file, 1000);
      rows.begin();
      REQUIRE(rows.purge_keys(turnout::journal::from_stored(cutoff), true, 1000) > 0);
      rows.commit();
    }
    const auto report = verify(path);
    INFO(all(report));
    CHECK(report.sound());
    const std::string young = text("SELECT max(payment) FROM idempotency");
    damage("DELETE FROM idempotency WHERE payment = " + young + "; DELETE FROM answers WHERE payment = " + young);
    CHECK(has(verify(path), check::keys, "the idempotency key of the payment is missing"));
  }
}

TEST_CASE("a unique reference that is lost or given away is found") {
  temporary_directory directory;
  const std::string path = directory / "journal.db";
  {
    worker owner;
    auto journal = sqlite_journal::open(path);
    auto port = journal->journal_for(owner.post());
    for (int n = 1; n <= 3; ++n) {
      payments::payment record = make_payment(payment_id(n));
      record.reference = "order-" + std::to_string(n);
      core::journal_write write = creation(record);
      write.events[0].code = "processing";
      write.unique_reference = true;
      REQUIRE(commit(*port, owner, std::move(write)).status == core::commit_status::committed);
    }
  }
  CHECK(verify(path).sound());
  database file(path, database::mode::read_write_create, "");
  file.run("DELETE FROM unique_references WHERE reference = 'order-2'");
  CHECK(has(verify(path), check::keys, "its unique reference is missing", 0, payment_id(2)));
  file.run("INSERT INTO unique_references VALUES ('demo', 0, 'order-2', 3)");
  CHECK(has(verify(path), check::keys, "its unique reference is missing, or another payment has it", 0, payment_id(2)));
}

TEST_CASE_METHOD(written, "a journal from before there was a chain is chained when it is opened") {
  const auto before = verify(path);
  damage(
      "DROP VIEW events; DROP VIEW decisions; CREATE TABLE old AS SELECT slot, events, decisions FROM steps;"
      "DROP TABLE steps; DROP TABLE chain; DROP INDEX operation_keys_of_payment;"
      "CREATE TABLE steps (slot INTEGER PRIMARY KEY, events TEXT NOT NULL, decisions TEXT NOT NULL);"
      "INSERT INTO steps SELECT * FROM old; DROP TABLE old;"
      "CREATE TRIGGER steps_no_update BEFORE UPDATE ON steps BEGIN SELECT RAISE(ABORT, ''); END;"
      "CREATE TRIGGER steps_no_delete BEFORE DELETE ON steps BEGIN SELECT RAISE(ABORT, ''); END;"
      "CREATE VIEW events AS SELECT slot FROM steps; CREATE VIEW decisions AS SELECT slot FROM steps;"
      "PRAGMA user_version = 4");
  const auto old = verify(path);
  REQUIRE(old.findings_total == 1);
  CHECK(
      has(old, check::schema, "schema version 4, and can be verified from version 5 on: `turnout serve` brings it up"));
  {
    worker owner;
    auto journal = sqlite_journal::open(path);
    auto port = journal->journal_for(owner.post());
    storyteller(*port, owner, 5).tell(41);
  }
  const auto report = verify(path);
  INFO(all(report));
  CHECK(report.sound());
  CHECK(report.chained_later == before.steps);
  CHECK(report.steps > before.steps);
  CHECK(report.keys >= before.keys);
  damage("UPDATE steps SET events = '[]' WHERE link = 7");
  CHECK(has(verify(path), check::step, "not those that were written", 7));
}

TEST_CASE("what is no journal of this version is said so") {
  temporary_directory directory;
  const std::string path = directory / "journal.db";
  SECTION("another program's") {
    database file(path, database::mode::read_write_create, "");
    file.run("CREATE TABLE theirs (x)");
    CHECK(has(verify(path), check::schema, "of another program"));
  }
  SECTION("a newer one") {
    sqlite_journal::open(path).reset();
    database(path, database::mode::read_write_create, "").run("PRAGMA user_version = 99");
    CHECK(has(verify(path), check::schema, "run the newer turnout"));
  }
  SECTION("no database") {
    std::ofstream(path) << std::string(5000, 'x');
    CHECK(has(verify(path), check::file, "not a database"));
  }
  SECTION("none") { CHECK_THROWS_AS(verify(path), turnout::journal::database_error); }
}
