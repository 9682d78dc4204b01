#pragma once
// What is to happen later: answers with latency, charges with a delay. It
// reads no clock; whoever runs it says what time it is.
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "payments/instant.hpp"

namespace turnout::sandbox {

class agenda {
 public:
  using task = std::function<void(const payments::instant&)>;

  void add(payments::steady_time due, task what);
  std::optional<payments::steady_time> next_due() const;
  /// In order of due time, equal ones in the order they were added. Tasks may add others.
  void run_due(const payments::instant& now);
  void clear() { entries_.clear(); }
  std::size_t size() const noexcept { return entries_.size(); }

 private:
  struct entry {
    payments::steady_time due;
    std::uint64_t order;
    task what;
  };
  static bool later(const entry& a, const entry& b) noexcept {
    return a.due != b.due ? a.due > b.due : a.order > b.order;
  }
  std::vector<entry> entries_;  ///< a heap, earliest first
  std::uint64_t added_ = 0;
};

}  // namespace turnout::sandbox
