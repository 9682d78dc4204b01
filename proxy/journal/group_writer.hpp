#pragma once
// The one thread that writes. It takes everything that waits (up to a limit),
// commits it as one transaction, and tells the workers.
//
// When the disk is full, new payments are refused while outcomes of payments
// in flight get the room of the reserve; until the reserve is back, new
// payments stay refused. All of it passes without a restart.
#include <atomic>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "proxy/journal/database.hpp"
#include "proxy/journal/log_copier.hpp"
#include "proxy/journal/mailbox.hpp"
#include "proxy/journal/purge_rule.hpp"
#include "proxy/journal/space_reserve.hpp"
#include "proxy/journal/sqlite_journal.hpp"
#include "proxy/journal/tables.hpp"

namespace turnout::journal {

class group_writer {
 public:
  /// Every option is set by now.
  group_writer(const std::string& path, const journal_options& options, database file, std::int64_t epoch);
  group_writer(const group_writer&) = delete;
  group_writer& operator=(const group_writer&) = delete;
  /// Commits what is queued.
  ~group_writer();

  void enqueue(prepared_write write, std::function<void(core::commit_result)> done, std::shared_ptr<mailbox> owner);
  /// False while new payments are refused. Any thread.
  bool accepting() const noexcept { return accepting_.load(std::memory_order_relaxed) && !dead_; }

 private:
  struct pending {
    prepared_write write;
    std::function<void(core::commit_result)> done;
    std::shared_ptr<mailbox> owner;
    core::commit_result result;  ///< unavailable until proven otherwise
  };
  using time_point = std::chrono::steady_clock::time_point;

  void run();
  /// Waits for work or for the next upkeep; false when all is done.
  bool take_group(std::vector<pending>& group);
  void commit_group(std::vector<pending>& group);
  void settle(std::vector<pending*> writes);
  std::optional<failure> try_commit(const std::vector<pending*>& writes);
  void note_acceptance(const std::vector<pending*>& writes, std::optional<failure> failed);
  void answer_group(std::vector<pending>& group);
  void keep_up(bool idle);
  void restore_reserve();
  void probe();
  void purge_keys();
  void copy_log(bool idle);
  void checkpoint();
  void copying_failed(int code, const std::string& why);
  /// Any thread.
  void die(std::string_view why);
  static int count_pages(void* self, sqlite3*, const char*, int pages);

  const std::string path_;
  const journal_options options_;
  database file_;
  tables tables_;
  space_reserve reserve_;
  log_copier copier_;
  std::atomic<bool> dead_ = false;
  std::atomic<bool> accepting_ = false;

  // The writer thread's own.
  int log_pages_ = 0;     ///< in the write-ahead log; 0 once it was copied, until the next commit
  int copy_due_;          ///< as many pages in the log make the copier start
  bool copying_ = false;  ///< the copier was started, and its rest not copied yet
  purge_rule purge_rule_;
  time_point reserve_due_{}, probe_due_{}, purge_due_{};

  // Shared with the workers.
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<pending> queue_;
  std::size_t last_group_ = 0;
  bool sleeping_ = false, stopping_ = false;

  std::thread thread_;  ///< last: starts when everything else stands
};

}  // namespace turnout::journal
