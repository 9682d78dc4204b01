#pragma once
// What all workers learn together: the router and the retry budget, behind one
// lock that is held for microseconds and never over a wait; and beside it when
// gateways may be asked for the truth.
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "policies/retry_budget.hpp"
#include "proxy/core/gateway_pacing.hpp"
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

  /// Has a lock of its own.
  gateway_pacing& pacing() noexcept { return pacing_; }

  /// Inside with() only: a payment under `policy` arrived.
  void on_payment(const policies::policy& policy, payments::steady_time now) {
    budget_.on_payment(now);
    if (policy.retry_budget) tightened(policy).on_payment(now);
  }
  /// Inside with() only: takes one failover from the proxy's budget, and from the
  /// policy's own where it has one; false when either is spent.
  bool withdraw(const policies::policy& policy, payments::steady_time now) {
    if (!policy.retry_budget) return budget_.withdraw(now);
    policies::retry_budget& own = tightened(policy);
    return own.remaining(now) >= 1 && budget_.withdraw(now) && own.withdraw(now);
  }

 private:
  struct policy_budget {
    double share;
    policies::retry_budget budget;
  };
  policies::retry_budget& tightened(const policies::policy& policy) {
    const policy_budget fresh{*policy.retry_budget, policies::retry_budget(*policy.retry_budget, 0)};
    const auto [known, added] = policy_budgets_.try_emplace(policy.name, fresh);
    if (!added && known->second.share != fresh.share) known->second = fresh;  // reloaded with another share
    return known->second.budget;
  }

  std::mutex mutex_;
  std::unique_ptr<routing::router> router_;
  policies::retry_budget budget_;
  gateway_pacing pacing_;
  std::map<std::string, policy_budget> policy_budgets_;  ///< of policies that tighten; by name
};

}  // namespace turnout::core
