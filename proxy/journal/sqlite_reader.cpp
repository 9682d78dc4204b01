// Queries; each statement is reset at once, so that no reader keeps the
// write-ahead log from being recycled.
#include "proxy/journal/sqlite_reader.hpp"

#include <algorithm>

#include "proxy/journal/record_json.hpp"
#include "proxy/journal/schema.hpp"
#include "proxy/journal/tables.hpp"

namespace turnout::journal {

namespace {

/// Binds what a statement on a payment's events or decisions needs.
void bind_part(statement& query, std::int64_t sequence, std::size_t skip, std::size_t count) {
  const auto at_most = [](std::size_t value) { return static_cast<std::int64_t>(std::min(value, reader::all)); };
  query.bind(1, first_step_slot(sequence)).bind(2, last_step_slot(sequence));
  query.bind(3, at_most(count)).bind(4, at_most(skip));
}

}  // namespace

std::optional<core::key_entry> find_key(statement& query, std::int64_t epoch, std::string_view merchant, bool livemode,
                                        std::string_view key) {
  reset_at_end guard(query);
  query.bind(1, merchant).bind(2, livemode).bind(3, key);
  if (!query.step()) return std::nullopt;
  core::key_entry entry;
  entry.payment_id = query.text(0);
  entry.object = query.text(6);
  entry.mac = query.text(1);
  entry.running = query.number(2) == 0 && query.number(3) == epoch;
  if (!query.is_null(4))
    entry.answer = core::stored_answer{static_cast<unsigned>(query.number(4)), std::string(query.text(5))};
  return entry;
}

sqlite_reader::sqlite_reader(const std::string& path, const std::string& vfs, std::int64_t epoch)
    : file_(path, database::mode::read_only, vfs),
      epoch_(epoch),
      payment_(file_, "SELECT record FROM payments WHERE id = ?1"),
      own_payment_(file_, "SELECT record FROM payments WHERE id = ?1 AND merchant = ?2 AND livemode = ?3"),
      sequence_(file_, "SELECT seq FROM payments WHERE id = ?1"),
      decisions_(file_, "SELECT json FROM decisions WHERE slot BETWEEN ?1 AND ?2 ORDER BY slot, n LIMIT ?3 OFFSET ?4"),
      events_(
          file_,
          "SELECT type, at, attempt, code, amount, currency FROM events WHERE slot BETWEEN ?1 AND ?2 ORDER BY slot, n "
          "LIMIT ?3 OFFSET ?4"),
      key_(file_, find_key_sql),
      open_(file_, "SELECT id, record FROM payments WHERE open = 1 ORDER BY seq"),
      due_(
          file_,
          "SELECT id, due_at, seq FROM payments WHERE due_at <= ?1 AND due_at IS NOT NULL AND (due_at, seq) > (?2, ?3) "
          "ORDER BY due_at, seq LIMIT ?4"),
      lists_(file_) {}

std::optional<std::int64_t> sqlite_reader::sequence_of(std::string_view id) {
  reset_at_end guard(sequence_);
  if (!sequence_.bind(1, id).step()) return std::nullopt;
  return sequence_.number(0);
}

std::optional<payments::payment> sqlite_reader::find_payment(std::string_view id) {
  reset_at_end guard(payment_);
  if (!payment_.bind(1, id).step()) return std::nullopt;
  return read_record(payment_.text(0));
}

std::optional<payments::payment> sqlite_reader::find_own(std::string_view merchant, bool livemode,
                                                         std::string_view id) {
  reset_at_end guard(own_payment_);
  if (!own_payment_.bind(1, id).bind(2, merchant).bind(3, livemode).step()) return std::nullopt;
  return read_record(own_payment_.text(0));
}

std::vector<std::string> sqlite_reader::decisions_of(std::string_view id, std::size_t skip, std::size_t count) {
  std::vector<std::string> found;
  const auto sequence = sequence_of(id);
  if (!sequence) return found;
  reset_at_end guard(decisions_);
  bind_part(decisions_, *sequence, skip, count);
  while (decisions_.step()) found.emplace_back(decisions_.text(0));
  return found;
}

std::vector<payments::payment_event> sqlite_reader::events_of(std::string_view id, std::size_t skip,
                                                              std::size_t count) {
  std::vector<payments::payment_event> found;
  const auto sequence = sequence_of(id);
  if (!sequence) return found;
  reset_at_end guard(events_);
  bind_part(events_, *sequence, skip, count);
  while (events_.step()) {
    found.push_back({read_event_type(events_.text(0)), from_stored(events_.number(1)), std::string(events_.text(2)),
                     std::string(events_.text(3))});
    if (const auto unit = payments::currency::find(events_.text(5)); unit && !events_.is_null(4))
      found.back().amount = payments::money{events_.number(4), *unit};
  }
  return found;
}

std::optional<core::key_entry> sqlite_reader::find_key(std::string_view merchant, bool livemode, std::string_view key) {
  return journal::find_key(key_, epoch_, merchant, livemode, key);
}

std::vector<payments::payment> sqlite_reader::unfinished() {
  std::vector<payments::payment> found;
  reset_at_end guard(open_);
  while (open_.step()) {
    try {
      found.push_back(read_record(open_.text(1)));
    } catch (const damaged_record& damage) {
      throw damaged_record("payment " + std::string(open_.text(0)) + ": " + damage.what());
    }
  }
  return found;
}

std::vector<due_payment> sqlite_reader::due(payments::wall_time now, const due_payment& after, std::size_t limit) {
  std::vector<due_payment> found;
  reset_at_end guard(due_);
  due_.bind(1, to_stored(now)).bind(2, after.due_at).bind(3, after.sequence).bind(4, static_cast<std::int64_t>(limit));
  while (due_.step()) found.push_back({std::string(due_.text(0)), due_.number(1), due_.number(2)});
  return found;
}

std::unique_ptr<reader> open_reader(const std::string& path, const std::string& vfs) {
  try {
    database file(path, database::mode::read_only, vfs);
    check_origin(file, path, migrations().size());
    const std::int64_t version = file.number("PRAGMA user_version");
    if (version < static_cast<std::int64_t>(migrations().size()))
      throw std::runtime_error("the journal " + path + " has schema version " + std::to_string(version) +
                               " of an earlier turnout, and this one reads version " +
                               std::to_string(migrations().size()) +
                               ": start this version's 'turnout serve', which brings it up to date (keep a copy: there "
                               "is no way back), or ask with the turnout that wrote it");
    return std::make_unique<sqlite_reader>(path, vfs, 0);
  } catch (const database_error& error) {
    throw database_error(error.code(), "cannot read the journal " + path + ": " + error.what());
  }
}

}  // namespace turnout::journal
