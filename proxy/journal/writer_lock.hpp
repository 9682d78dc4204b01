#pragma once
// One writer per journal: a lock on a file beside it, held as long as this
// object lives. SQLite's own exclusive mode would shut out our readers. The
// lock belongs to the open file, so a second open in the same process fails too,
// and the kernel drops it when the process dies however it dies.
#include <string>

namespace turnout::journal {

class writer_lock {
 public:
  /// Throws std::runtime_error with a text for the operator.
  explicit writer_lock(const std::string& journal_path);
  writer_lock(const writer_lock&) = delete;
  writer_lock& operator=(const writer_lock&) = delete;
  ~writer_lock();

 private:
  int file_ = -1;
};

}  // namespace turnout::journal
