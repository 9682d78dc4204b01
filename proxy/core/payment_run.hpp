#pragma once
// One payment under way: performs what its payment_flow decides, every step
// committed before the action it leads to. Internal to proxy/core.
#include <deque>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

#include "payments/payment_flow.hpp"
#include "proxy/core/candidates.hpp"
#include "proxy/core/engine.hpp"

namespace turnout::core {

class payment_run;

/// What the journal has; nullopt also when it cannot be read now.
std::optional<payments::payment> read_durable(journal& records, std::string_view payment);

/// What the runs of one engine share.
struct engine::implementation {
  ports world;
  shared_routing& routing;
  observer& watcher;
  std::shared_ptr<const configuration> config;
  decision_writer explain;
  ownership own;
  engine& owner;
  bool draining = false;
  std::size_t unanswered = 0;
  std::unordered_map<std::string, std::shared_ptr<payment_run>> live;
  /// Who waits for leave to send, by ticket; see gateway_pacing.hpp.
  std::unordered_map<gateway_pacing::ticket, std::weak_ptr<payment_run>> in_line;
  clock::timer_id pacing_timer = 0, probe_timer = 0;
  steady_time pacing_at = steady_time::max();  ///< when the first is due
  bool probing = false;                        ///< the second is set

  /// A run for a record out of the journal, which has not been told so yet.
  std::shared_ptr<payment_run> take_up(payments::payment record);
  /// The run of a payment, live or read back; null when there is none. Throws what the journal throws.
  std::shared_ptr<payment_run> open(const std::string& payment_id);
  /// Notices when a gateway gives definite answers again after trouble.
  void note_health(const std::string& connector, const payments::send_result& result, instant now);
  /// Lets those send that may.
  void serve_line();
  /// Comes back when somebody in line may send.
  void watch_line();
  /// While a gateway gives no definite answers, lets one payment that waits for it ask now and then.
  void watch_gateways();
  void probe_gateways();
  /// Calls from the clock that may come after the engine is gone.
  std::function<void()> if_alive(void (implementation::*what)());
};

class payment_run : public std::enable_shared_from_this<payment_run> {
 public:
  /// `policy` is one of home.config's, or lives for ever.
  payment_run(engine::implementation& home, payments::payment record, const policies::policy& policy, instant arrival,
              payments::card card)
      : home_(home),
        config_(home.config),
        policy_(policy),
        arrival_(arrival),
        card_(std::move(card)),
        flow_(
            std::move(record), policy.retry, arrival, card_.present(),
            [this](std::string_view name) -> const payments::connector_profile* {
              const connectors::definition* found = gateway(name);
              return found ? &found->profile() : nullptr;
            },
            [this](std::string_view name) { return may_send(name); }) {}
  payment_run(const payment_run&) = delete;
  payment_run& operator=(const payment_run&) = delete;

  /// `found` are the connectors of home.config that can serve the payment: not empty.
  void start(candidate_set found, std::optional<idempotency_claim> claim, bool unique_reference,
             std::function<stored_answer(const payments::payment&)> render, std::function<void(create_result)> done) {
    candidates_ = std::move(found);
    has_key_ = claim.has_value();
    claim_ = std::move(claim);
    render_ = std::move(render);
    done_ = std::move(done);
    unique_reference_ = unique_reference;
    create_ = true;
    feed(payments::flow::start{});
  }
  void recover() { feed(payments::flow::recovered{}); }
  /// A settled payment, read back because something is asked of it, or due.
  void reopen() { inbox_.push_back(payments::flow::event(payments::flow::reopened{})); }
  void modify(modify_command command, std::function<void(modify_result)> done);
  void resolve(payments::resolution word, std::function<void(resolve_result)> done);
  /// `config` may have a connector that this payment waits for and that its own
  /// configuration lacks (it was removed, and is back).
  void adopt(const std::shared_ptr<const configuration>& config);
  void feed(payments::flow::event event);
  /// See engine::shopper_returned.
  void shopper_returned(std::function<void(std::optional<payments::payment>)> done);
  void pump();
  /// Leave to send, for which this waited under the ticket.
  void permit(gateway_pacing::ticket ticket);
  /// Wakes it, for its gateway's sake.
  void probe(const std::string& connector);
  steady_time last_probe() const noexcept { return last_probe_; }
  const payments::payment_flow& flow() const noexcept { return flow_; }

 private:
  /// A write under way, and what follows once it is durable.
  struct step {
    payments::flow::action action;
    std::shared_ptr<const journal_write> write;
  };

  struct modify_request {
    modify_command command;
    std::function<void(modify_result)> done;
  };
  /// A person who waits for their word to be durable.
  struct resolve_request {
    payments::resolution word;
    std::function<void(resolve_result)> done;
    std::string follows{};
  };
  /// A merchant who waits for a modification to settle.
  struct waiter {
    std::string object;  ///< cap_…, ref_… or can_…
    bool has_key;
    std::function<stored_answer(const payments::payment&, std::string_view)> render;
    std::function<void(modify_result)> done;
    clock::timer_id timer = 0;
    bool overdue = false;
    std::optional<stored_answer> rendered;  ///< once it is settled; told when that is durable
  };

  // payment_run_modify.cpp
  void take_on(modify_request asked);
  std::optional<modify_result> answer_key(const modify_command& command);
  void render_settled(journal_write& write);
  void tell_settled();
  void tell_overdue();
  void tell(std::list<waiter>::iterator who, modify_result result);
  /// Requests that were not taken on yet: unavailable.
  void refuse_waiting();
  void take_back(modify_result why);
  void modification_sent(const payments::flow::send& what, exchange came_back);

  // payment_run_resolve.cpp
  void take_word(resolve_request asked);
  void tell_resolver(resolve_result result);

  payments::flow::action decide(const payments::flow::event& event);
  void perform(payments::flow::action action);
  void commit_then(payments::flow::action action);
  void commit(step taken);
  void committed(const step& taken, commit_result result);
  void commit_refused(const step& taken);
  void act(const payments::flow::action& action);
  void ask_router();
  payments::operation operation_of(const payments::flow::send& what) const;
  /// The id that its request carries: the attempt's, or that of a capture, refund or void.
  std::string sent_reference(const payments::flow::send& what) const;
  void send(const payments::flow::send& what);
  void send_undo(const connectors::definition& peer, const payments::flow::send& what);
  void sent(const payments::flow::send& what, exchange came_back);
  /// What came back, read through the connector's rules, or what its absence means.
  /// `reference` is the id that the request carried.
  payments::send_result read(const payments::attempt& attempt, payments::operation operation,
                             const payments::money& amount, std::string_view reference, exchange came_back);
  void wait(steady_time until);
  bool may_send(std::string_view connector);
  bool somebody_waits() const noexcept { return done_ || !waiters_.empty() || !shoppers_.empty(); }
  void tell_merchant();
  void reply(create_result result);
  void ask_for_shoppers();
  void tell_shoppers();
  /// What is durable: the record itself, or what the journal has while it is written. nullopt: unreadable.
  std::optional<payments::payment> known_durable();
  void observe_events(const std::vector<payments::payment_event>& events);
  void end();
  instant now() { return home_.world.clock.now(); }
  routing::request routing_request() const;
  /// Null when no configuration this payment knows has it.
  const connectors::definition* gateway(std::string_view name) const noexcept;

  engine::implementation& home_;
  std::shared_ptr<const configuration> config_;
  std::vector<std::shared_ptr<const configuration>> adopted_;  ///< only asked for what config_ lacks
  const policies::policy& policy_;                             ///< kept alive by config_
  instant arrival_;
  payments::card card_;
  payments::payment_flow flow_;

  std::optional<idempotency_claim> claim_;  ///< until the next write takes it
  std::function<stored_answer(const payments::payment&)> render_;
  std::function<void(create_result)> done_;
  std::optional<stored_answer> rendered_;
  bool unique_reference_ = false;
  bool has_key_ = false;
  bool create_ = false;      ///< nothing of this payment is durable yet
  bool committing_ = false;  ///< the record must not change now
  bool pumping_ = false;
  bool ended_ = false;
  std::deque<std::variant<payments::flow::event, modify_request, resolve_request>> inbox_;
  std::list<waiter> waiters_;
  /// As it was before what is being taken on, until that is durable.
  struct snapshot {
    payments::payment_flow flow;
    std::vector<payments::payment_event> uncommitted;
    std::vector<std::string> decisions;
  };
  std::optional<snapshot> before_;
  std::optional<resolve_request> resolver_;  ///< whose word is being written
  std::vector<payments::payment_event> uncommitted_;
  std::vector<std::string> decisions_;
  candidate_set candidates_;                                                     ///< found once, at the start
  routing::decision decision_;                                                   ///< of the latest attempt
  std::vector<std::function<void(std::optional<payments::payment>)>> shoppers_;  ///< who are back and wait
  steady_time shoppers_until_{};
  clock::timer_id timer_ = 0;
  bool timer_set_ = false;
  struct place_in_line {
    gateway_pacing::ticket ticket;
    bool urgent;
  };
  std::map<std::string, place_in_line, std::less<>> places_;  ///< by connector
  std::string leave_;                                         ///< the connector that may be sent to, right now
  steady_time last_probe_{};
};

}  // namespace turnout::core
