// The statements of the payment path. All of them are prepared once, and bind
// their texts in place.
#include "proxy/journal/tables.hpp"

#include <sqlite3.h>

#include "proxy/journal/record_json.hpp"
#include "proxy/journal/sqlite_reader.hpp"

namespace turnout::journal {

namespace {

constexpr std::size_t remembered_sequences = 100'000;

}  // namespace

bool is_open(const payments::payment& record) noexcept {
  if (!is_final(record.status)) return true;
  for (const auto& attempt : record.attempts)
    if (attempt.unresolved() || attempt.reversal == payments::reversal_state::wanted) return true;
  return false;
}

tables::tables(database& file, std::int64_t epoch)
    : file_(file),
      epoch_(epoch),
      begin_(file, "BEGIN IMMEDIATE"),
      commit_(file, "COMMIT"),
      find_key_(file, find_key_sql),
      insert_payment_(file,
                      "INSERT INTO payments (id, merchant, livemode, status, open, answered, created_at, updated_at, "
                      "record) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"),
      update_payment_(file,
                      "UPDATE payments SET status = ?2, open = ?3, answered = ?4, updated_at = ?5, record = ?6 "
                      "WHERE seq = ?1"),
      find_sequence_(file, "SELECT seq FROM payments WHERE id = ?1"),
      insert_event_(file, "INSERT INTO events (payment, at, type, attempt, code) VALUES (?1, ?2, ?3, ?4, ?5)"),
      last_decision_(file, "SELECT slot FROM decisions WHERE slot BETWEEN ?1 AND ?2 ORDER BY slot DESC LIMIT 1"),
      insert_decision_(file, "INSERT INTO decisions (slot, json) VALUES (?1, ?2)"),
      insert_key_(file,
                  "INSERT INTO idempotency (payment, merchant, livemode, key, mac, created_at, epoch) "
                  "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)"),
      update_answer_(file, "UPDATE idempotency SET answer_status = ?2, answer_body = ?3 WHERE payment = ?1"),
      purge_(file,
             "DELETE FROM idempotency WHERE payment IN "
             "(SELECT payment FROM idempotency ORDER BY payment LIMIT ?2) AND created_at < ?1 AND epoch < ?3") {}

void tables::rollback() noexcept {
  sequences_.clear();
  // SQLite may have rolled back by itself; then there is nothing left to do.
  if (sqlite3_get_autocommit(file_.handle()) == 0)
    sqlite3_exec(file_.handle(), "ROLLBACK", nullptr, nullptr, nullptr);
}

core::commit_result tables::apply(const core::journal_write& write) {
  const payments::payment& record = *write.record;
  if (write.create && write.claim) {
    auto existing = find_key(find_key_, epoch_, record.merchant, record.livemode, write.claim->key);
    if (existing) return {core::commit_status::key_exists, std::move(existing)};
  }
  json_.clear();
  write_record(record, json_);
  const std::int64_t sequence = write.create ? insert(write) : update(record);
  append_events(sequence, write);
  append_decisions(sequence, write);
  // Does nothing for a payment that was made without a key.
  if (write.answer)
    update_answer_.bind(1, sequence).bind(2, write.answer->status).bind(3, write.answer->body).finish();
  return {core::commit_status::committed, std::nullopt};
}

std::int64_t tables::insert(const core::journal_write& write) {
  const payments::payment& record = *write.record;
  const bool open = is_open(record);
  insert_payment_.bind(1, record.id).bind(2, record.merchant).bind(3, record.livemode);
  insert_payment_.bind(4, to_string(record.status)).bind(5, open).bind(6, record.answered);
  insert_payment_.bind(7, to_stored(record.created_at)).bind(8, to_stored(record.updated_at)).bind(9, json_).finish();
  const std::int64_t sequence = sqlite3_last_insert_rowid(file_.handle());
  if (write.claim) {
    insert_key_.bind(1, sequence).bind(2, record.merchant).bind(3, record.livemode).bind(4, write.claim->key);
    insert_key_.bind(5, write.claim->mac).bind(6, to_stored(record.created_at)).bind(7, epoch_).finish();
  }
  if (open) {
    if (sequences_.size() >= remembered_sequences) sequences_.clear();
    sequences_.emplace(record.id, sequence);
  }
  return sequence;
}

std::int64_t tables::update(const payments::payment& record) {
  const bool open = is_open(record);
  const std::int64_t sequence = sequence_of(record.id);
  update_payment_.bind(1, sequence).bind(2, to_string(record.status)).bind(3, open).bind(4, record.answered);
  update_payment_.bind(5, to_stored(record.updated_at)).bind(6, json_).finish();
  if (!open) sequences_.erase(record.id);
  return sequence;
}

std::int64_t tables::sequence_of(const std::string& id) {
  if (const auto known = sequences_.find(id); known != sequences_.end()) return known->second;
  reset_at_end guard(find_sequence_);
  if (!find_sequence_.bind(1, id).step()) throw database_error(SQLITE_MISMATCH, "no payment " + id + " to update");
  return find_sequence_.number(0);
}

void tables::append_events(std::int64_t sequence, const core::journal_write& write) {
  for (const auto& event : write.events) {
    insert_event_.bind(1, sequence).bind(2, to_stored(event.at)).bind(3, to_string(event.type));
    insert_event_.bind(4, event.attempt).bind(5, event.code).finish();
  }
}

void tables::append_decisions(std::int64_t sequence, const core::journal_write& write) {
  if (write.decisions.empty()) return;
  std::int64_t slot = first_decision_slot(sequence);
  if (!write.create) {
    reset_at_end guard(last_decision_);
    if (last_decision_.bind(1, slot).bind(2, last_decision_slot(sequence)).step()) slot = last_decision_.number(0) + 1;
  }
  for (const auto& decision : write.decisions) {
    if (slot > last_decision_slot(sequence)) return;
    insert_decision_.bind(1, slot++).bind(2, decision).finish();
  }
}

int tables::purge_keys(payments::wall_time cutoff, bool this_start, int limit) {
  purge_.bind(1, to_stored(cutoff)).bind(2, limit).bind(3, this_start ? epoch_ + 1 : epoch_).finish();
  return sqlite3_changes(file_.handle());
}

}  // namespace turnout::journal
