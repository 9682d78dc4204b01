#pragma once
// Copies of a journal: taken while it is written, and put back.
//
// A backup is one file without a log beside it, and says so itself: `serve` refuses
// it until it was put in place by restore(), because what was paid after
// it was taken is not known to it.
#include <optional>
#include <stdexcept>
#include <string>

#include "payments/instant.hpp"

namespace turnout::journal {

/// The text is for the operator.
class backup_error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// One moment of the journal at `path`, in a new file `to` that only its user may read. Durable when it
/// returns; until then it is `to`.partial. Throws backup_error, also when `to` is there.
void take_backup(const std::string& path, const std::string& to, payments::wall_time now);

/// Puts the backup in the place of the journal `path`, where none may be. Durable when it returns. Throws backup_error.
void restore_backup(const std::string& backup, const std::string& path);

/// What is needed to know of a backup before it is put back. Throws backup_error.
struct backup_view {
  std::optional<payments::wall_time> taken_at;  ///< nullopt: a journal that was copied otherwise
  std::optional<std::string> key_identity;      ///< see sqlite_journal::key_identity()
  bool has_payments = false;
};
backup_view look_at_backup(const std::string& backup);

}  // namespace turnout::journal
