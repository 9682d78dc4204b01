#pragma once
// The journal on SQLite: one file, one writer thread that commits in groups,
// and a handle per worker thread that implements the core's port.
//
// What was acknowledged survives a crash and a power cut (WAL with
// synchronous=FULL). A failed sync is fatal: what is on disk is then unknown.
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

#include "proxy/core/ports.hpp"
#include "proxy/journal/reader.hpp"

namespace turnout::journal {

/// The journal cannot be opened; the text says why, for the operator.
class open_error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct journal_options {
  std::string vfs;                                ///< SQLite's name of a file layer; empty: the default
  std::size_t group_limit = 256;                  ///< writes in one transaction; > 0
  std::size_t queue_limit = 100'000;              ///< writes waiting; more are answered `unavailable`; > 0
  std::uint64_t reserve_bytes = 8u << 20;         ///< kept back for outcomes when the disk is full; 0: none
  std::chrono::milliseconds reserve_retry{1000};  ///< between tries to get the reserve back; > 0
  std::chrono::hours key_retention{48};           ///< idempotency keys are kept at least this long; at least 24 h
  std::chrono::minutes purge_warmup{10};          ///< after the start no key is removed; see purge_rule.hpp
  /// How long a group that is smaller than the one before waits for more; > 0.
  std::chrono::microseconds group_patience{100};
  /// Of write-ahead log before it is copied while busy; > 0. Unless readers hold on to it, the log
  /// stays below four times as many and what one group writes.
  int checkpoint_pages = 8000;
  /// After each durable group, on the writer thread: how long it took, how many writes it had.
  std::function<void(double commit_seconds, std::size_t batch)> on_commit;
  /// Something failed that the journal goes on after; any thread. Default: a line on stderr.
  std::function<void(std::string_view)> on_problem;
  /// What is on disk is unknown; any thread, called once. Default: a line on stderr and _Exit(70). Should it
  /// return, the journal stays silent for ever: nothing is completed any more.
  std::function<void(std::string_view)> on_fatal;
};

/// Runs a function later on the thread that owns a handle; never inside the call.
using post_function = std::function<void(std::function<void()>)>;

class sqlite_journal {
 public:
  /// Creates the file and its directory where they are missing. Throws open_error.
  static std::unique_ptr<sqlite_journal> open(const std::string& path, journal_options options = {});
  /// The file is closed, after what is queued was committed, when this object and all its handles are gone.
  ~sqlite_journal();
  sqlite_journal(const sqlite_journal&) = delete;
  sqlite_journal& operator=(const sqlite_journal&) = delete;

  /// The port for one worker. Completions come through `post`, those of one
  /// group in one call; after the handle's destruction none come, and `post` is not
  /// called. find_key and find_payment run on the calling thread and throw as reader does.
  std::unique_ptr<core::journal> journal_for(post_function post);
  std::unique_ptr<reader> make_reader();
  /// See reader::unfinished.
  std::vector<payments::payment> unfinished();

  /// Counts the starts on this file; the first is 1.
  std::int64_t epoch() const noexcept;
  bool has_payments();
  /// When the backup was taken that this is, if it was opened for the first time since it was put back.
  std::optional<payments::wall_time> restored_from() const noexcept;
  /// False while new payments are refused: the disk is full or takes no writes. It is
  /// found out by trying, also when nobody asks for payments. Thread-safe and cheap.
  bool accepting() const noexcept;
  /// The digest of the secret keys that this journal was written with, if it was set.
  std::optional<std::string> key_identity();
  /// Durable when it returns. Throws database_error.
  void set_key_identity(std::string_view identity);

 private:
  struct state;
  explicit sqlite_journal(std::shared_ptr<state> opened);
  std::shared_ptr<state> state_;
};

}  // namespace turnout::journal
