#pragma once
// Copies SQLite's write-ahead log into the main file on a thread and a
// connection of its own, while the writer goes on. What is written meanwhile is
// left over: SQLite begins the log anew only when nothing is left to copy, so the
// writer copies that little rest itself.
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "proxy/journal/database.hpp"

namespace turnout::journal {

class log_copier {
 public:
  /// `failed` is called on the copier's thread, before the copy counts as ended.
  log_copier(std::string path, std::string vfs, std::function<void(const database_error&)> failed);
  log_copier(const log_copier&) = delete;
  log_copier& operator=(const log_copier&) = delete;
  ~log_copier() { stop(); }

  // One thread, the writer's, calls these.
  /// Only while not busy.
  void start();
  bool busy();
  void wait_until_idle();
  /// Ends the thread, after the copy under way.
  void stop();

 private:
  void run();
  void copy();

  const std::string path_, vfs_;
  const std::function<void(const database_error&)> failed_;
  std::unique_ptr<database> file_;  ///< opened for the first copy

  std::mutex mutex_;
  std::condition_variable changed_;
  bool busy_ = false, stopping_ = false;
  std::thread thread_;  ///< started for the first copy
};

}  // namespace turnout::journal
