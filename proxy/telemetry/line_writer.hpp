#pragma once
// Writes lines to a file descriptor on a thread of its own. Lines are gathered
// for a moment, so that a busy proxy neither wakes the thread nor enters the
// kernel for each of them.
#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

namespace turnout::telemetry {

class line_writer {
 public:
  /// Appends to `file`; empty is standard error. Lines of at most `limit` bytes (> 0) wait to be
  /// written. Null when the file cannot be opened; `error` says why.
  static std::unique_ptr<line_writer> open(const std::string& file, std::size_t limit, std::string& error);
  /// Writes what still waits.
  ~line_writer();
  line_writer(const line_writer&) = delete;
  line_writer& operator=(const line_writer&) = delete;

  /// From any thread. `line` has no end of line. It is written within 20 ms; at once if `urgent`.
  /// Never waits for the disk: what finds no room is lost and counted.
  void append(std::string_view line, bool urgent);
  /// Asks for everything so far to be written at once; does not wait for it.
  void flush();
  std::size_t dropped() const noexcept { return dropped_.load(std::memory_order_relaxed); }

 private:
  line_writer(int descriptor, std::size_t limit);
  void run();

  const int descriptor_;
  const std::size_t limit_;
  std::atomic<std::size_t> dropped_ = 0;

  std::mutex mutex_;
  std::condition_variable wake_;
  std::string waiting_;
  bool asleep_ = false;  ///< the thread waits for a first line
  bool hurry_ = false;   ///< the thread shall not wait for more lines
  bool stopping_ = false;

  std::thread thread_;  ///< last: starts when everything else stands
};

}  // namespace turnout::telemetry
