#pragma once
// Bounds a label whose values come from outside: the first so many names keep
// their own series, all later ones share one.
#include <mutex>
#include <set>
#include <shared_mutex>
#include <string>
#include <string_view>

#include "proxy/telemetry/series.hpp"

namespace turnout::telemetry {

class bounded_names {
 public:
  explicit bounded_names(std::size_t most) : most_(most) {}

  /// `name` itself or "other"; the same answer for the same name, always.
  std::string_view admit(std::string_view name) {
    {
      const std::shared_lock lock(mutex_);
      if (names_.contains(name)) return name;
      if (names_.size() >= most_) return other_label;
    }
    const std::lock_guard lock(mutex_);
    if (names_.contains(name)) return name;
    if (names_.size() >= most_) return other_label;
    names_.emplace(name);
    return name;
  }

 private:
  std::size_t most_;
  std::shared_mutex mutex_;
  std::set<std::string, std::less<>> names_;
};

}  // namespace turnout::telemetry
