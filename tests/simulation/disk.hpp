#pragma once
// The journal as a disk keeps it: what was acknowledged is there after a
// crash, what was not may be there or not, in the order it was written.
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>

#include "proxy/core/ports.hpp"
#include "tests/simulation/faults.hpp"
#include "tests/simulation/scheduler.hpp"

namespace turnout::simulation {

/// Some worlds are broken on purpose: see variants.hpp.
struct disk_habits {
  bool acknowledges_early = false;  ///< before it is durable
  bool forgets_keys = false;        ///< two payments may have one key
};

class disk {
 public:
  disk(scheduler& time, seeded_random& random, const per_fault<double>& odds, per_fault<std::uint64_t>& count,
       disk_habits habits)
      : time_(time), random_(random), odds_(odds), count_(count), habits_(habits) {}

  /// The port for one life of the proxy.
  std::unique_ptr<core::journal> open(scheduler::life whose);
  /// The proxy is gone; some of what it was writing may have become durable, in order.
  void crash();
  void fill(milliseconds time) { full_until_ = time_.now().steady + time; }
  void slow_down(milliseconds time) { slow_until_ = time_.now().steady + time; }

  const std::unordered_map<std::string, payments::payment>& payments() const noexcept { return payments_; }
  const payments::payment* find(const std::string& id) const;
  /// An attempt or modification with this id is durable.
  bool has_intent(const std::string& id) const { return intents_.contains(id); }
  /// Called with each durable event of a payment, where set.
  std::function<void(const payments::payment&, const payments::payment_event&)> tell;

 private:
  class port;
  struct writing {
    std::shared_ptr<const core::journal_write> write;
    std::function<void(core::commit_result)> done;
    scheduler::life whose;
  };
  void write_next();
  core::commit_result apply(const core::journal_write& write, scheduler::life whose);
  std::optional<core::key_entry> find_key(std::string_view merchant, std::string_view key, scheduler::life whose) const;

  struct key_row {
    core::key_entry entry;
    scheduler::life made_by;
  };
  scheduler& time_;
  seeded_random& random_;
  const per_fault<double>& odds_;
  per_fault<std::uint64_t>& count_;
  disk_habits habits_;
  std::unordered_map<std::string, payments::payment> payments_;
  std::unordered_map<std::string, key_row> keys_;
  std::unordered_map<std::string, std::string> key_of_;  ///< of a payment or an object
  std::unordered_set<std::string> intents_;
  std::deque<writing> queue_;
  bool busy_ = false;
  steady_time full_until_{}, slow_until_{};
};

}  // namespace turnout::simulation
