// The statements of the payment path. All of them are prepared once, and bind
// their texts in place.
#include "proxy/journal/tables.hpp"

#include <sqlite3.h>

#include <algorithm>

#include "payments/due.hpp"
#include "payments/modification_rules.hpp"
#include "proxy/journal/record_json.hpp"
#include "proxy/journal/sqlite_reader.hpp"

namespace turnout::journal {

namespace {

constexpr std::size_t remembered_places = 100'000;

void bind_due(statement& into, int at, const payments::payment& record) {
  if (const auto due = due_at(record))
    into.bind(at, to_stored(*due));
  else
    into.bind_null(at);
}

}  // namespace

bool is_open(const payments::payment& record) noexcept {
  if (!is_final(record.status)) return true;
  for (const auto& attempt : record.attempts)
    if (attempt.unresolved() || attempt.reversal == payments::reversal_state::wanted) return true;
  return has_pending_modification(record);
}

tables::tables(database& file, std::int64_t epoch)
    : file_(file),
      epoch_(epoch),
      begin_(file, "BEGIN IMMEDIATE"),
      commit_(file, "COMMIT"),
      find_key_(file, find_key_sql),
      insert_payment_(file,
                      "INSERT INTO payments (id, merchant, livemode, status, open, answered, created_at, updated_at, "
                      "record, due_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)"),
      update_payment_(
          file,
          "UPDATE payments SET status = ?2, open = ?3, answered = ?4, updated_at = ?5, record = ?6, due_at = ?7 "
          "WHERE seq = ?1"),
      find_sequence_(file, "SELECT seq FROM payments WHERE id = ?1"),
      last_step_(file, "SELECT slot FROM steps WHERE slot BETWEEN ?1 AND ?2 ORDER BY slot DESC LIMIT 1"),
      insert_step_(file, "INSERT INTO steps (slot, link, events, decisions) VALUES (?1, ?2, ?3, ?4)"),
      insert_key_(file,
                  "INSERT INTO idempotency (payment, merchant, livemode, key, mac, created_at, epoch) "
                  "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)"),
      insert_answer_(file,
                     "INSERT OR IGNORE INTO answers (payment, status, body) "
                     "SELECT payment, ?2, ?3 FROM idempotency WHERE payment = ?1"),
      purge_(file,
             "DELETE FROM idempotency WHERE payment IN "
             "(SELECT payment FROM idempotency ORDER BY payment LIMIT ?2) AND created_at < ?1 AND epoch < ?3"),
      purge_answers_(file,
                     "DELETE FROM answers WHERE payment IN (SELECT payment FROM answers ORDER BY payment LIMIT ?1) "
                     "AND payment NOT IN (SELECT payment FROM idempotency)"),
      note_purge_(file,
                  "INSERT INTO meta (name, value) VALUES ('keys_purged_before', ?1) "
                  "ON CONFLICT (name) DO UPDATE SET value = max(value, excluded.value)"),
      insert_operation_key_(file,
                            "INSERT INTO operation_keys (object, payment, merchant, livemode, key, mac, created_at, "
                            "epoch) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"),
      insert_operation_answer_(file,
                               "UPDATE operation_keys SET status = ?2, body = ?3 WHERE object = ?1 AND status IS NULL"),
      purge_operation_keys_(
          file,
          "DELETE FROM operation_keys WHERE seq IN "
          "(SELECT seq FROM operation_keys ORDER BY seq LIMIT ?2) AND created_at < ?1 AND epoch < ?3"),
      find_reference_(file,
                      "SELECT p.id FROM unique_references r JOIN payments p ON p.seq = r.payment WHERE r.merchant = ?1 "
                      "AND r.livemode = ?2 AND r.reference = ?3 AND p.status NOT IN ('failed', 'canceled')"),
      insert_reference_(file,
                        "INSERT OR REPLACE INTO unique_references (merchant, livemode, reference, payment) "
                        "VALUES (?1, ?2, ?3, ?4)"),
      listing_(file_),
      chain_(file_) {}

void tables::rollback() noexcept {
  places_.clear();
  listing_.forget();
  chain_.forget();
  // SQLite may have rolled back by itself; then there is nothing left to do.
  if (sqlite3_get_autocommit(file_.handle()) == 0) sqlite3_exec(file_.handle(), "ROLLBACK", nullptr, nullptr, nullptr);
}

void tables::commit() {
  chain_.finish();
  commit_.finish();
}

core::commit_result tables::apply(const prepared_write& prepared) {
  const core::journal_write& write = prepared.write();
  const payments::payment& record = *write.record;
  if (core::commit_result refused = refusal(write); refused.status != core::commit_status::committed) return refused;
  place at = write.create ? insert(write, prepared.record()) : update(record, prepared.record());
  store_keys(at, prepared);
  append_step(at, prepared);
  if (!is_open(record)) {
    places_.erase(record.id);
  } else {
    if (places_.size() >= remembered_places) places_.clear();
    places_.insert_or_assign(record.id, at);
  }
  return {core::commit_status::committed, std::nullopt};
}

core::commit_result tables::refusal(const core::journal_write& write) {
  const payments::payment& record = *write.record;
  if (write.claim) {
    auto existing = find_key(find_key_, epoch_, record.merchant, record.livemode, write.claim->key);
    if (existing) return {core::commit_status::key_exists, std::move(existing)};
  }
  if (write.create && write.unique_reference && !record.reference.empty()) {
    reset_at_end guard(find_reference_);
    if (find_reference_.bind(1, record.merchant).bind(2, record.livemode).bind(3, record.reference).step())
      return {core::commit_status::reference_taken,
              core::key_entry{.payment_id = std::string(find_reference_.text(0))}};
  }
  return {core::commit_status::committed, std::nullopt};
}

// Answers do nothing for what was asked without a key. What is stored is attested by the step's link.
void tables::store_keys(const place& at, const prepared_write& prepared) {
  const core::journal_write& write = prepared.write();
  const payments::payment& record = *write.record;
  rows_.clear();
  auto attested = prepared.rows().begin();
  if (write.claim) {
    if (!write.claim->object.empty()) {
      insert_operation_key_.bind(1, write.claim->object).bind(2, at.sequence).bind(3, record.merchant);
      insert_operation_key_.bind(4, record.livemode).bind(5, write.claim->key).bind(6, write.claim->mac);
      insert_operation_key_.bind(7, to_stored(record.updated_at)).bind(8, epoch_).finish();
    } else {
      insert_key_.bind(1, at.sequence).bind(2, record.merchant).bind(3, record.livemode).bind(4, write.claim->key);
      insert_key_.bind(5, write.claim->mac).bind(6, to_stored(record.created_at)).bind(7, epoch_).finish();
    }
    rows_.push_back(*attested++);
  }
  if (write.create && write.unique_reference && !record.reference.empty()) {
    rows_.push_back(*attested++);
    insert_reference_.bind(1, record.merchant).bind(2, record.livemode).bind(3, record.reference);
    insert_reference_.bind(4, at.sequence).finish();
  }
  for (const core::object_answer& each : write.answers) {
    statement& into = each.object.empty() ? insert_answer_ : insert_operation_answer_;
    if (each.object.empty())
      into.bind(1, at.sequence);
    else
      into.bind(1, each.object);
    into.bind(2, each.answer.status).bind(3, each.answer.body).finish();
    if (sqlite3_changes(file_.handle()) == 1) rows_.push_back(*attested);
    ++attested;
  }
}

tables::place tables::insert(const core::journal_write& write, std::string_view text) {
  const payments::payment& record = *write.record;
  const bool open = is_open(record);
  insert_payment_.bind(1, record.id).bind(2, record.merchant).bind(3, record.livemode);
  insert_payment_.bind(4, to_string(record.status)).bind(5, open).bind(6, record.answered);
  insert_payment_.bind(7, to_stored(record.created_at)).bind(8, to_stored(record.updated_at)).bind(9, text);
  bind_due(insert_payment_, 10, record);
  insert_payment_.finish();
  const std::int64_t sequence = sqlite3_last_insert_rowid(file_.handle());
  listing_.add(sequence, listed_payment(record));
  return {sequence, first_step_slot(sequence)};
}

tables::place tables::update(const payments::payment& record, std::string_view text) {
  const place at = find(record.id);
  update_payment_.bind(1, at.sequence).bind(2, to_string(record.status)).bind(3, is_open(record));
  update_payment_.bind(4, record.answered).bind(5, to_stored(record.updated_at)).bind(6, text);
  bind_due(update_payment_, 7, record);
  update_payment_.finish();
  listing_.update(at.sequence, record);
  return at;
}

tables::place tables::find(const std::string& id) {
  if (const auto known = places_.find(id); known != places_.end()) return known->second;
  reset_at_end guard(find_sequence_);
  if (!find_sequence_.bind(1, id).step()) throw database_error(SQLITE_MISMATCH, "no payment " + id + " to update");
  const std::int64_t sequence = find_sequence_.number(0);
  reset_at_end last_guard(last_step_);
  const bool known = last_step_.bind(1, first_step_slot(sequence)).bind(2, last_step_slot(sequence)).step();
  return {sequence, known ? last_step_.number(0) + 1 : first_step_slot(sequence)};
}

// Every write is a step, also one without an event: its link attests the record.
void tables::append_step(place& at, const prepared_write& prepared) {
  if (at.next_step > last_step_slot(at.sequence)) return;
  const std::int64_t slot = at.next_step++;
  insert_step_.bind(1, slot).bind(2, chain_.next()).bind(3, prepared.events()).bind(4, prepared.decisions()).finish();
  chain_.add(slot, to_stored(prepared.write().record->updated_at), prepared.step_digest(), prepared.record_digest(),
             rows_);
}

int tables::purge_keys(payments::wall_time cutoff, bool this_start, int limit) {
  purge_.bind(1, to_stored(cutoff)).bind(2, limit).bind(3, this_start ? epoch_ + 1 : epoch_).finish();
  const int purged = sqlite3_changes(file_.handle());
  purge_answers_.bind(1, limit).finish();
  purge_operation_keys_.bind(1, to_stored(cutoff)).bind(2, limit).bind(3, this_start ? epoch_ + 1 : epoch_).finish();
  const int most = std::max(purged, sqlite3_changes(file_.handle()));
  // Else a key that is missing and one that was forgotten would look the same.
  if (most > 0) note_purge_.bind(1, to_stored(cutoff)).finish();
  return most;
}

}  // namespace turnout::journal
