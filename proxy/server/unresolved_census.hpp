#pragma once
// What all engines together have unresolved: asked for from the control
// thread, answered by each worker in its turn, complete when the last has.
#include <algorithm>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "proxy/core/engine.hpp"

namespace turnout::server {

class unresolved_census {
 public:
  using views = std::vector<core::engine::unresolved_view>;
  /// `complete` is called once, on the thread of the worker that answered last.
  unresolved_census(std::size_t workers, std::function<void(const views&)> complete)
      : missing_(workers), complete_(std::move(complete)) {}

  /// Any thread; each worker once.
  void add(const views& found) {
    const std::lock_guard lock(mutex_);
    for (const auto& each : found) {
      const auto known =
          std::find_if(sum_.begin(), sum_.end(), [&](const auto& other) { return other.connector == each.connector; });
      if (known == sum_.end()) {
        sum_.push_back(each);
      } else {
        known->count += each.count;
        known->oldest = std::max(known->oldest, each.oldest);
      }
    }
    if (--missing_ == 0) complete_(sum_);
  }

 private:
  std::mutex mutex_;
  std::size_t missing_;
  views sum_;
  std::function<void(const views&)> complete_;
};

}  // namespace turnout::server
