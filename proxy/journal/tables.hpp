#pragma once
// Writing one journal_write into the tables, within a transaction that the
// group writer opened.
#include <cstdint>
#include <string>
#include <unordered_map>

#include "proxy/core/ports.hpp"
#include "proxy/journal/chain.hpp"
#include "proxy/journal/database.hpp"
#include "proxy/journal/listing.hpp"
#include "proxy/journal/prepared_write.hpp"

namespace turnout::journal {

/// A payment's steps are the slots seq * 65536 … seq * 65536 + 65535.
inline constexpr std::int64_t steps_per_payment = 65536;
constexpr std::int64_t first_step_slot(std::int64_t sequence) { return sequence * steps_per_payment; }
constexpr std::int64_t last_step_slot(std::int64_t sequence) {
  return first_step_slot(sequence) + steps_per_payment - 1;
}

/// A restart has to take this payment up again.
bool is_open(const payments::payment& record) noexcept;

class tables {
 public:
  /// `epoch` is this start of the proxy.
  tables(database& file, std::int64_t epoch);

  void begin() { begin_.finish(); }
  void commit();
  void rollback() noexcept;
  /// committed, key_exists or reference_taken (then nothing was written); throws database_error.
  core::commit_result apply(const prepared_write& prepared);
  /// Forgets those of the `limit` oldest keys that were made before `cutoff`, and unless
  /// `this_start` in an earlier epoch; returns how many.
  int purge_keys(payments::wall_time cutoff, bool this_start, int limit);

 private:
  /// Where a payment is, and where its next step goes.
  struct place {
    std::int64_t sequence = 0, next_step = 0;
  };
  /// committed when nothing that is there forbids the write.
  core::commit_result refusal(const core::journal_write& write);
  place insert(const core::journal_write& write, std::string_view text);
  void store_keys(const place& at, const prepared_write& prepared);
  place update(const payments::payment& record, std::string_view text);
  place find(const std::string& id);
  void append_step(place& at, const prepared_write& prepared);

  database& file_;
  std::int64_t epoch_;
  statement begin_, commit_, find_key_, insert_payment_, update_payment_, find_sequence_, last_step_, insert_step_,
      insert_key_, insert_answer_, purge_, purge_answers_, note_purge_, insert_operation_key_, insert_operation_answer_,
      purge_operation_keys_, find_reference_, insert_reference_;
  listing listing_;
  chain_writer chain_;
  std::vector<row_digest> rows_;  ///< that the write being applied stored; kept for its room
  /// Of open payments written by this process; emptied by a rollback.
  std::unordered_map<std::string, place> places_;
};

}  // namespace turnout::journal
