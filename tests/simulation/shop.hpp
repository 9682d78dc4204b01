#pragma once
// Merchants: they pay, capture, cancel and refund, with and without keys, ask
// again when nothing came back, and remember every word they were told.
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "proxy/core/engine.hpp"
#include "tests/simulation/faults.hpp"
#include "tests/simulation/scheduler.hpp"

namespace turnout::simulation {

/// One answer that a merchant got with 2xx.
struct told {
  std::string payment, object;  ///< object is cap_…, ref_… or can_…; empty: about the payment
  unsigned status = 0;          ///< HTTP
  std::string word;             ///< the status of the payment or the object
  std::string key;              ///< empty: without
};

class shop {
 public:
  /// `engine` is null while the proxy is down.
  shop(scheduler& time, seeded_random& random, const per_fault<double>& odds, per_fault<std::uint64_t>& count,
       std::function<core::engine*()> engine)
      : time_(time), random_(random), odds_(odds), count_(count), engine_(std::move(engine)) {}

  void open(int payments, milliseconds within);
  /// Nobody waits for anything any more.
  bool idle() const noexcept { return pending_ == 0; }
  const std::vector<told>& memory() const noexcept { return memory_; }
  /// What no merchant may ever be told, in words.
  const std::vector<std::string>& complaints() const noexcept { return complaints_; }
  std::uint64_t asked_payments = 0, asked_modifications = 0;
  std::function<void(const std::string& payment, const std::string& line)> tell;

 private:
  struct request {
    std::string key;      ///< empty: without
    std::string payment;  ///< of a modification
    payments::modification_request wish;
    std::int64_t amount = 0;
    bool manual = false;
    int tries = 0;
    int polls = 0;
    bool done = false;
  };
  using pointer = std::shared_ptr<request>;

  void pay(const pointer& what);
  void modify(const pointer& what);
  void ask(const pointer& what);
  void paid(const pointer& what, core::create_result result);
  void modified(const pointer& what, core::modify_result result);
  /// Asks again after a while, where the request has a key; gives up without.
  void again(const pointer& what, milliseconds after);
  void finish(const pointer& what);
  void remember(const pointer& what, const core::stored_answer& answer);
  void go_on(const std::string& payment, const std::string& status, std::int64_t captured, bool manual);
  void want(const std::string& payment, payments::modification_request wish, milliseconds after);

  scheduler& time_;
  seeded_random& random_;
  const per_fault<double>& odds_;
  per_fault<std::uint64_t>& count_;
  std::function<core::engine*()> engine_;
  std::vector<told> memory_;
  std::vector<std::string> complaints_;
  std::map<std::string, bool> went_on_;
  std::size_t pending_ = 0;
  std::uint64_t last_key_ = 0;
};

}  // namespace turnout::simulation
