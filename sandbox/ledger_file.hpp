#pragma once
// The ledger on disk: JSON lines, appended and synced before an answer goes
// out. One process owns the file; a line that a crash cut short is forgotten.
#include <functional>
#include <string>
#include <string_view>

namespace turnout::sandbox {

class ledger_file {
 public:
  /// Opens or creates the file, locks it and hands every whole line to `each`,
  /// which says whether it could read it. Only the last line may be unreadable
  /// (torn): it is cut off. Throws std::runtime_error with a readable text for
  /// anything else, std::system_error when the system refuses.
  ledger_file(std::string path, const std::function<bool(std::string_view line)>& each);
  ~ledger_file();
  ledger_file(const ledger_file&) = delete;
  ledger_file& operator=(const ledger_file&) = delete;

  /// Writes `lines` and syncs. Throws std::system_error; the file is then of
  /// no more use, and nothing that it should prove may be said.
  void append(std::string_view lines);
  /// Empties the file and writes `lines`.
  void restart(std::string_view lines);
  const std::string& path() const noexcept { return path_; }

 private:
  void read_back(const std::function<bool(std::string_view)>& each);

  std::string path_;
  int descriptor_ = -1;
};

}  // namespace turnout::sandbox
