#pragma once
// What all workers learn together: the router and the retry budget, behind one
// lock that is held for microseconds and never over a wait.
#include <memory>
#include <mutex>

#include "policies/retry_budget.hpp"
#include "routing/router.hpp"

namespace turnout::core {

class shared_routing {
 public:
  shared_routing(std::unique_ptr<routing::router> router, policies::retry_budget budget)
      : router_(std::move(router)), budget_(budget) {}

  /// Runs `use(router, budget)` under the lock.
  template <class Use>
  auto with(Use&& use) {
    const std::lock_guard lock(mutex_);
    return use(*router_, budget_);
  }

 private:
  std::mutex mutex_;
  std::unique_ptr<routing::router> router_;
  policies::retry_budget budget_;
};

}  // namespace turnout::core
