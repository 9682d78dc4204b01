#pragma once
// When a proxy that was asked to end may end: every merchant was answered, or
// the time for it is over. Counts without a lock; workers report in their turn.
#include <atomic>
#include <cstddef>
#include <memory>
#include <vector>

namespace turnout::server {

/// How many payments each worker still owes an answer; unknown until it says so.
class unanswered_count {
 public:
  explicit unanswered_count(std::size_t workers) : counts_(workers) {
    for (auto& each : counts_) each.store(unknown, std::memory_order_relaxed);
  }
  /// Any thread.
  void report(std::size_t worker, std::size_t count) noexcept {
    counts_[worker].store(count, std::memory_order_relaxed);
  }
  /// True once every worker has said zero.
  bool all_answered() const noexcept {
    for (const auto& each : counts_)
      if (each.load(std::memory_order_relaxed) != 0) return false;
    return true;
  }
  /// Of those who spoke.
  std::size_t total() const noexcept {
    std::size_t sum = 0;
    for (const auto& each : counts_)
      if (const std::size_t count = each.load(std::memory_order_relaxed); count != unknown) sum += count;
    return sum;
  }

 private:
  static constexpr std::size_t unknown = static_cast<std::size_t>(-1);
  std::vector<std::atomic<std::size_t>> counts_;
};

}  // namespace turnout::server
