#pragma once
// The journal as a disk keeps it: what was acknowledged is there after a
// crash, what was not may be there or not, in the order it was written.
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>

#include "payments/payment_story.hpp"
#include "proxy/core/ports.hpp"
#include "tests/simulation/coverage.hpp"
#include "tests/simulation/faults.hpp"
#include "tests/simulation/scheduler.hpp"

namespace turnout::simulation {

/// Some worlds are broken on purpose: see variants.hpp.
struct disk_habits {
  bool acknowledges_answers_early = false;  ///< the step before an answer, before it is durable
  bool acknowledges_intents_early = false;  ///< the step before a send, before it is durable
  bool ignores_failed_sync = false;         ///< what was lost is said to be written, and work goes on
  bool ignores_full_disk = false;
  bool forgets_keys = false;             ///< two payments may have one key
  bool forgets_keys_at_restart = false;  ///< as if they were kept in memory
  bool forgets_answers = false;          ///< they are not kept with their keys
  bool forgets_cancels = false;          ///< a restart does not know of them
  bool forgets_modifications = false;    ///< a restart does not know of pending captures and refunds
};

class disk {
 public:
  disk(scheduler& time, seeded_random& random, const per_fault<double>& odds, per_fault<std::uint64_t>& count,
       disk_habits habits, coverage* reached)
      : time_(time), random_(random), odds_(odds), count_(count), habits_(habits), reached_(reached) {}

  /// The port for one life of the proxy.
  std::unique_ptr<core::journal> open(scheduler::life whose);
  /// The proxy is gone; some of what it was writing may have become durable, in order.
  void crash();
  /// The next write fails; then the proxy stops, which is `strike`.
  void fail_sync(std::function<void()> strike) { failed_sync_ = std::move(strike); }
  void fill(milliseconds time) { full_until_ = time_.now().steady + time; }
  void slow_down(milliseconds time) { slow_until_ = time_.now().steady + time; }
  /// Calls `strike` once, at the `calls`-th beginning or end of a write from now.
  void strike_after(std::uint64_t calls, std::function<void()> strike);

  const std::unordered_map<std::string, payments::payment>& payments() const noexcept { return payments_; }
  const payments::payment* find(const std::string& id) const;
  /// The payment of an attempt or modification whose intent is durable; null when there is none.
  const std::string* owner_of(const std::string& id) const;
  /// What its durable events say.
  const payments::payment_story& story_of(const std::string& id) const { return stories_.at(id); }
  /// Payments that have to be looked at one day: see payments/due.hpp.
  const std::set<std::string>& due() const noexcept { return due_; }
  /// Payments with a durable late_approval.
  const std::set<std::string>& late_approvals() const noexcept { return late_approvals_; }
  /// Called with each write before it becomes durable, where set.
  std::function<void(const core::journal_write&)> tell;

 private:
  class port;
  struct writing {
    std::shared_ptr<const core::journal_write> write;
    std::function<void(core::commit_result)> done;
    scheduler::life whose;
  };
  void commit(writing asked);
  void count_call();
  void write_next();
  /// True: the group is lost, and the proxy does not hear of it.
  bool loses(std::size_t group);
  core::commit_result apply(const core::journal_write& write, scheduler::life whose);
  core::commit_result decide(const core::journal_write& write, scheduler::life whose);
  std::optional<core::key_entry> find_key(std::string_view merchant, std::string_view key, scheduler::life whose) const;
  std::optional<core::key_entry> find_reference(const payments::payment& record) const;
  void forget_at_restart();

  struct key_row {
    core::key_entry entry;
    scheduler::life made_by;
  };
  scheduler& time_;
  seeded_random& random_;
  const per_fault<double>& odds_;
  per_fault<std::uint64_t>& count_;
  disk_habits habits_;
  coverage* reached_;
  std::unordered_map<std::string, payments::payment> payments_;
  std::unordered_map<std::string, payments::payment_story> stories_;
  std::unordered_map<std::string, key_row> keys_;
  std::unordered_map<std::string, std::string> key_of_;      ///< of a payment or an object
  std::unordered_map<std::string, std::string> intents_;     ///< to the payment
  std::unordered_map<std::string, std::string> references_;  ///< that may be paid once, to the payment
  std::set<std::string> due_, late_approvals_;
  std::deque<writing> queue_;
  bool busy_ = false;
  steady_time full_until_{}, slow_until_{};
  std::uint64_t calls_left_ = 0;
  std::function<void()> strike_, failed_sync_;
};

}  // namespace turnout::simulation
