// The tables. Payment ids are long texts, so every other table points to a
// payment by its sequence number: rows of one time lie together, and each
// commit dirties few pages. The only B-tree in random order is the unique index
// over the merchants' idempotency keys.
#include "proxy/journal/schema.hpp"

#include <array>
#include <string>

#include "proxy/journal/begin_chain.hpp"
#include "proxy/journal/listing.hpp"

namespace turnout::journal {

namespace {

// Times are nanoseconds since 1970. `open` marks payments that a restart has to
// take up again. events.slot is payments.seq * 65536 + n, decisions.slot is
// payments.seq * 1024 + n: what belongs to a payment is one range of the table,
// without an index. Answers have a table of their own because a row that grows
// splits its page.
constexpr const char* first_tables = R"sql(
CREATE TABLE meta (
  name  TEXT PRIMARY KEY,
  value NOT NULL
) WITHOUT ROWID;

CREATE TABLE payments (
  seq        INTEGER PRIMARY KEY,
  id         TEXT    NOT NULL UNIQUE,
  merchant   TEXT    NOT NULL,
  livemode   INTEGER NOT NULL,
  status     TEXT    NOT NULL,
  open       INTEGER NOT NULL,
  answered   INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  record     TEXT    NOT NULL
);
CREATE INDEX payments_open ON payments (seq) WHERE open = 1;

CREATE TABLE events (
  slot    INTEGER PRIMARY KEY,
  at      INTEGER NOT NULL,
  type    TEXT    NOT NULL,
  attempt TEXT    NOT NULL,
  code    TEXT    NOT NULL
);
CREATE TRIGGER events_no_update BEFORE UPDATE ON events BEGIN SELECT RAISE(ABORT, 'events are append-only'); END;
CREATE TRIGGER events_no_delete BEFORE DELETE ON events BEGIN SELECT RAISE(ABORT, 'events are append-only'); END;

CREATE TABLE decisions (
  slot INTEGER PRIMARY KEY,
  json TEXT NOT NULL
);

CREATE TABLE idempotency (
  payment       INTEGER PRIMARY KEY,
  merchant      TEXT    NOT NULL,
  livemode      INTEGER NOT NULL,
  key           TEXT    NOT NULL,
  mac           TEXT    NOT NULL,
  created_at    INTEGER NOT NULL,
  epoch         INTEGER NOT NULL,
  UNIQUE (merchant, livemode, key)
);

CREATE TABLE answers (
  payment INTEGER PRIMARY KEY,
  status  INTEGER NOT NULL,
  body    TEXT    NOT NULL
);
)sql";

// What lists of payments are filtered by. `listing` is narrow, so that thousands
// of its rows are looked at in a millisecond; a payment's rows lie at the end of
// its merchant's part of each table, except for customers (and references that
// do not count up). `hours` has a row wherever the hour of created_at differs
// from the payment before.
constexpr const char* list_tables = R"sql(
CREATE TABLE listing (
  merchant   TEXT    NOT NULL,
  livemode   INTEGER NOT NULL,
  seq        INTEGER NOT NULL,
  status     TEXT    NOT NULL,
  connector  TEXT    NOT NULL,
  amount     INTEGER NOT NULL,
  currency   TEXT    NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (merchant, livemode, seq)
) WITHOUT ROWID;

CREATE TABLE payment_references (
  merchant  TEXT    NOT NULL,
  livemode  INTEGER NOT NULL,
  reference TEXT    NOT NULL,
  seq       INTEGER NOT NULL,
  PRIMARY KEY (merchant, livemode, reference, seq)
) WITHOUT ROWID;

CREATE TABLE payment_customers (
  merchant TEXT    NOT NULL,
  livemode INTEGER NOT NULL,
  customer TEXT    NOT NULL,
  seq      INTEGER NOT NULL,
  PRIMARY KEY (merchant, livemode, customer, seq)
) WITHOUT ROWID;

CREATE TABLE hours (
  seq  INTEGER PRIMARY KEY,
  hour INTEGER NOT NULL
);
CREATE INDEX hours_by_hour ON hours (hour);
)sql";

// `due_at`: when the proxy has to look at a payment that it does not hold in
// memory. A key of a capture, refund or cancellation names its object.
constexpr const char* modification_tables = R"sql(
ALTER TABLE payments ADD COLUMN due_at INTEGER;
CREATE INDEX payments_due ON payments (due_at) WHERE due_at IS NOT NULL;

CREATE TABLE operation_keys (
  seq        INTEGER PRIMARY KEY,
  object     TEXT    NOT NULL UNIQUE,
  payment    INTEGER NOT NULL,
  merchant   TEXT    NOT NULL,
  livemode   INTEGER NOT NULL,
  key        TEXT    NOT NULL,
  mac        TEXT    NOT NULL,
  created_at INTEGER NOT NULL,
  epoch      INTEGER NOT NULL,
  status     INTEGER,
  body       TEXT,
  UNIQUE (merchant, livemode, key)
);

CREATE TABLE unique_references (
  merchant  TEXT    NOT NULL,
  livemode  INTEGER NOT NULL,
  reference TEXT    NOT NULL,
  payment   INTEGER NOT NULL,
  PRIMARY KEY (merchant, livemode, reference)
) WITHOUT ROWID;
)sql";

// What a write appends to a payment's story is one row: statements cost more than
// bytes. steps.slot is payments.seq * 65536 + n. Earlier journals had a row for each
// event and each decision; they become steps here, the n-th decision beside the
// n-th event.
constexpr const char* step_table = R"sql(
CREATE TABLE steps (
  slot      INTEGER PRIMARY KEY,
  events    TEXT NOT NULL,
  decisions TEXT NOT NULL
);
INSERT INTO steps (slot, events, decisions)
  SELECT slot, json_array(json_array(type, at, attempt, code)), '[]' FROM events ORDER BY slot;
INSERT INTO steps (slot, events, decisions)
  SELECT slot / 1024 * 65536 + slot % 1024, '[]', '[' || json || ']' FROM decisions WHERE true ORDER BY slot
  ON CONFLICT (slot) DO UPDATE SET decisions = excluded.decisions;
DROP TABLE events;
DROP TABLE decisions;
CREATE TRIGGER steps_no_update BEFORE UPDATE ON steps BEGIN SELECT RAISE(ABORT, 'steps are append-only'); END;
CREATE TRIGGER steps_no_delete BEFORE DELETE ON steps BEGIN SELECT RAISE(ABORT, 'steps are append-only'); END;

CREATE VIEW events AS
  SELECT slot, each.key AS n, each.value ->> 0 AS type, each.value ->> 1 AS at, each.value ->> 2 AS attempt,
         each.value ->> 3 AS code
  FROM steps, json_each(steps.events) AS each;
CREATE VIEW decisions AS
  SELECT slot, each.key AS n, each.value AS json FROM steps, json_each(steps.decisions) AS each;
)sql";

// See chain.hpp. steps.link is the number of the step's link, from 1; chain.first that of a row's first.
constexpr const char* chain_tables = R"sql(
CREATE TABLE chain (
  first INTEGER PRIMARY KEY,
  links BLOB NOT NULL,
  value BLOB NOT NULL
);
CREATE INDEX operation_keys_of_payment ON operation_keys (payment);

CREATE TRIGGER chain_no_update BEFORE UPDATE ON chain BEGIN SELECT RAISE(ABORT, 'the chain is append-only'); END;
CREATE TRIGGER chain_no_delete BEFORE DELETE ON chain BEGIN SELECT RAISE(ABORT, 'the chain is append-only'); END;

DROP VIEW events;
DROP VIEW decisions;
DROP TRIGGER steps_no_update;
DROP TRIGGER steps_no_delete;
ALTER TABLE steps RENAME TO unchained_steps;
CREATE TABLE steps (
  slot      INTEGER PRIMARY KEY,
  link      INTEGER NOT NULL,
  events    TEXT NOT NULL,
  decisions TEXT NOT NULL
);
CREATE TRIGGER steps_no_update BEFORE UPDATE ON steps BEGIN SELECT RAISE(ABORT, 'steps are append-only'); END;
CREATE TRIGGER steps_no_delete BEFORE DELETE ON steps BEGIN SELECT RAISE(ABORT, 'steps are append-only'); END;

CREATE VIEW events AS
  SELECT slot, each.key AS n, each.value ->> 0 AS type, each.value ->> 1 AS at, each.value ->> 2 AS attempt,
         each.value ->> 3 AS code, each.value ->> 4 AS amount, each.value ->> 5 AS currency
  FROM steps, json_each(steps.events) AS each;
CREATE VIEW decisions AS
  SELECT slot, each.key AS n, each.value AS json FROM steps, json_each(steps.decisions) AS each;
)sql";

constexpr std::array steps{
    migration{"payments, their events, decisions and idempotency keys", first_tables},
    migration{"what lists are filtered by", list_tables, list_all_payments},
    migration{"captures, refunds and cancellations", modification_tables},
    migration{"events and decisions, one row for each write", step_table},
    migration{"the chain", chain_tables, chain_all_steps},
};

}  // namespace

std::span<const migration> migrations() noexcept { return steps; }

void check_origin(database& file, std::string_view path, std::size_t known) {
  const bool empty = file.number("SELECT count(*) FROM sqlite_master") == 0;
  if (!empty && file.number("PRAGMA application_id") != application_id)
    throw std::runtime_error(std::string(path) + " is an SQLite database of another program, not a Turnout journal");
  const std::int64_t version = file.number("PRAGMA user_version");
  if (version > static_cast<std::int64_t>(known))
    throw std::runtime_error(std::string(path) + " has schema version " + std::to_string(version) +
                             ", this turnout knows versions up to " + std::to_string(known) +
                             ": run the newer turnout that wrote it");
}

void migrate(database& file, std::string_view path, std::span<const migration> wanted) {
  check_origin(file, path, wanted.size());
  const std::int64_t version = file.number("PRAGMA user_version");
  if (version == 0) file.run(("PRAGMA application_id = " + std::to_string(application_id)).c_str());
  for (auto next = static_cast<std::size_t>(version); next < wanted.size(); ++next) {
    file.run("BEGIN IMMEDIATE");
    try {
      file.run(wanted[next].sql);
      if (wanted[next].fill) wanted[next].fill(file);
      file.run(("PRAGMA user_version = " + std::to_string(next + 1)).c_str());
      file.run("COMMIT");
    } catch (const database_error& error) {
      try {
        file.run("ROLLBACK");
      } catch (const database_error&) {  // SQLite rolled back by itself
      }
      throw database_error(error.code(), std::string(path) + ": migration " + std::to_string(next + 1) + " (" +
                                             std::string(wanted[next].what) + ") failed: " + error.what());
    }
  }
}

}  // namespace turnout::journal
