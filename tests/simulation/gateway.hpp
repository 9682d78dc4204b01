#pragma once
// A simulated gateway: it keeps a true ledger, honours what its profile
// declares and nothing beyond, and fails as it is told.
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "proxy/core/ports.hpp"
#include "tests/simulation/broken_promises.hpp"
#include "tests/simulation/faults.hpp"
#include "tests/simulation/scheduler.hpp"
#include "tests/simulation/wire.hpp"

namespace turnout::simulation {

struct charge {
  std::string reference;  ///< att_…
  std::string card;
  std::int64_t amount = 0, captured = 0, refunded = 0;
  payments::decline_reason reason = payments::decline_reason::none;  ///< why it is declined
  bool hard = false;
  bool sale = false;  ///< captured as soon as it is approved
  bool voided = false;
  bool closed = false;      ///< nothing more can be captured
  bool released = false;    ///< what was not captured is given up
  bool given_back = false;  ///< all that was captured, by a void
  bool reversed = false;    ///< by reference: voided, or what was captured given back
  bool declined = false;
  bool undecided = false;
  bool challenged = false;  ///< waits for its shopper
  steady_time made_at{}, visible_at{}, captured_at{};
  /// When it was decided, and when it was given back.
  steady_time stood_from{}, stood_until = steady_time::max();

  bool stands() const noexcept { return !undecided && !challenged && !declined && !voided && !reversed; }
};

/// One line for a person: what became of it.
std::string describe(const charge& made);

/// Some worlds are broken on purpose: see variants.hpp.
struct gateway_habits {
  bool forgets_operation_keys = false;   ///< of captures, refunds and voids
  std::optional<milliseconds> key_life;  ///< shorter than declared
  broken_promises broken;
};

class gateway {
 public:
  using answer = std::function<void(core::exchange)>;
  gateway(scheduler& time, seeded_random& random, const per_fault<double>& odds, per_fault<std::uint64_t>& count,
          payments::connector_profile declared, gateway_habits habits);

  void receive(asked what, steady_time deadline, scheduler::life whose, answer done);
  /// As soon as it has processed one more request: nobody hears of that one.
  void go_down_soon(milliseconds time) { down_for_ = time; }
  void heal() {
    down_until_ = {};
    down_for_.reset();
  }
  /// The shopper has taken the challenge of this charge.
  void take_challenge(const std::string& reference);

  const std::string& name() const noexcept { return declared_.name; }
  const payments::connector_profile& declared() const noexcept { return declared_; }
  const std::vector<charge>& ledger() const noexcept { return charges_; }
  /// When the proxy was told that this charge's card is never to be tried again.
  const std::unordered_map<std::string, steady_time>& told_hard() const noexcept { return told_hard_; }
  /// What no proxy may ever ask for, in words.
  const std::vector<std::string>& complaints() const noexcept { return complaints_; }
  /// Called with each line of its story, where set.
  std::function<void(const std::string& reference, const std::string& line)> tell;

 private:
  /// One request, and who may still wait for its answer.
  struct call;
  using caller = std::shared_ptr<call>;
  struct key_record {
    steady_time made_at{};
    std::optional<reply> cached;
    bool running = false;
    std::vector<caller> waiting;
  };

  // gateway_network.cpp
  /// True when the request ends on its way, or at the door.
  bool ends_early(const asked& what, steady_time deadline, scheduler::life whose, const answer& done);
  void arrive(const caller& from);
  void answer_later(const caller& to, reply made);
  void deliver(const caller& to, const reply& made);
  /// nullopt: the request has no key, or it is not honoured.
  std::optional<std::string> key_scope(const asked& what) const;
  void end_first(const std::string& scope, const caller& from);
  bool is_charge_again(const asked& what) const;
  bool strikes(fault which);

  // gateway.cpp
  reply perform(const asked& what);
  reply make_charge(const asked& what);
  void decline(charge& made);
  void decide(std::size_t which, double declined);
  reply modify(const asked& what);
  reply capture(charge& about, const asked& what);
  reply refund(charge& about, const asked& what);
  reply give_up(charge& about);
  reply refuse();
  reply inquire(const asked& what);
  reply reverse(const asked& what);
  bool settled(const charge& about) const;
  charge* standing(const asked& what);
  void complain(const asked& what, const char* why);
  void note(const asked& what, const reply& said);

  scheduler& time_;
  seeded_random& random_;
  const per_fault<double>& odds_;
  per_fault<std::uint64_t>& count_;
  payments::connector_profile declared_;
  gateway_habits habits_;
  std::vector<charge> charges_;
  std::unordered_map<std::string, std::vector<std::size_t>> by_reference_;
  std::unordered_set<std::string> blocked_;
  std::unordered_map<std::string, std::size_t> inquiries_;  ///< how many, by reference
  std::unordered_map<std::string, key_record> keys_;
  std::unordered_map<std::string, steady_time> told_hard_;
  std::vector<std::string> complaints_;
  steady_time down_until_{};
  std::optional<milliseconds> down_for_;
  bool down_stalls_ = false;
};

}  // namespace turnout::simulation
