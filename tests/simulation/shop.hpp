#pragma once
// Merchants and shoppers: they pay, capture, cancel and refund, with and
// without keys, take challenges or leave, ask again when nothing came back,
// and remember every word they were told.
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "tests/simulation/card_watch.hpp"
#include "tests/simulation/coverage.hpp"
#include "tests/simulation/disk.hpp"
#include "tests/simulation/faults.hpp"
#include "tests/simulation/proxy.hpp"
#include "tests/simulation/scheduler.hpp"
#include "tests/simulation/story.hpp"

namespace turnout::simulation {

/// One answer that a merchant got with 2xx.
struct told {
  std::string payment, object;  ///< object is cap_…, ref_… or can_…; empty: about the payment
  unsigned status = 0;          ///< HTTP
  std::string word;             ///< the status of the payment or the object
  std::string key;              ///< empty: without
};

/// What the merchants of a world find there.
struct market {
  scheduler& time;
  seeded_random& random;
  const per_fault<double>& odds;
  per_fault<std::uint64_t>& count;
  const disk& journal;
  card_watch& cards;
  coverage* reached;                ///< null: not counted
  std::function<proxy*()> turnout;  ///< null while it is down
  std::function<void(const std::string& url)> take_challenge;
};

class shop {
 public:
  explicit shop(market around) : world_(std::move(around)) {}

  void open(int payments, milliseconds within);
  /// Nobody waits for anything any more.
  bool idle() const noexcept { return pending_ == 0; }
  const std::vector<told>& memory() const noexcept { return memory_; }
  /// What no merchant may ever be told, in words.
  const std::vector<std::string>& complaints() const noexcept { return complaints_; }
  std::uint64_t asked_payments = 0, asked_modifications = 0;
  story* kept = nullptr;  ///< where to tell, if anywhere

 private:
  struct request {
    std::string name;     ///< for the story: the key, or a number
    std::string key;      ///< empty: without
    std::string payment;  ///< of a modification
    std::string card, reference;
    payments::modification_request wish;
    std::int64_t amount = 0;
    bool manual = false;
    bool forged = false;  ///< another request with the key of this one
    bool stranger = false;
    int tries = 0;
    int polls = 0;
    bool done = false;
  };
  using pointer = std::shared_ptr<request>;
  struct waiting {
    bool over = false;
    std::uint64_t limit = 0;
  };
  using pointer_to_wait = std::shared_ptr<waiting>;

  pointer_to_wait hold_the_line(const pointer& what);
  /// False: nobody listens any more.
  bool hears(const pointer_to_wait& wait);

  void pay(const pointer& what);
  void modify(const pointer& what);
  void ask(const pointer& what);
  void paid(const pointer& what, core::create_result result);
  void modified(const pointer& what, core::modify_result result);
  /// Asks again after a while, where the request has a key; gives up without.
  void again(const pointer& what, milliseconds after);
  void finish(const pointer& what);
  void remember(const pointer& what, const core::stored_answer& answer, bool first);
  void compare_with_first(const pointer& what, const core::stored_answer& answer, bool first, bool settled);
  /// Reads the payment.
  void look(const pointer& what, const std::string& payment);
  void forge(const pointer& what);
  void go_on(const std::string& payment, const std::string& status, std::int64_t captured, bool manual);
  void want(const std::string& payment, payments::modification_request wish, milliseconds after);
  void challenge(const std::string& payment, const std::string& url);
  void come_back(const std::string& payment, int times);
  void tell(const std::string& subject, std::string line);
  pointer make();

  market world_;
  std::vector<told> memory_;
  std::vector<std::string> complaints_;
  std::unordered_map<std::string, bool> went_on_, challenged_;
  std::unordered_map<std::string, std::string> first_answers_;  ///< that were final, by key
  std::size_t pending_ = 0;
  std::uint64_t last_key_ = 0;
};

}  // namespace turnout::simulation
