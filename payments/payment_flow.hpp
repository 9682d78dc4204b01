#pragma once
// The life of one payment as a sans-I/O machine: resume(event, now) -> action.
//
// The machine decides; whoever drives it (proxy/core, a simulator, a test)
// performs the action and comes back with the next event. The driver's one
// duty towards safety: everything in take_events() and record() is durable
// *before* the returned action is performed.
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "payments/connector_profile.hpp"
#include "payments/instant.hpp"
#include "payments/payment.hpp"
#include "payments/random_source.hpp"
#include "payments/retry_plan.hpp"
#include "payments/send_result.hpp"

namespace turnout::payments {

enum class send_kind : std::uint8_t {
  charge,   ///< the attempt's first send
  replay,   ///< the same request with the same idempotency key
  inquire,  ///< by our own reference
  reverse,  ///< by our own reference
  modify,   ///< a capture, refund or void; also its replay, with the same idempotency key
};
std::string_view to_string(send_kind) noexcept;

namespace flow {

// ---- events -------------------------------------------------------------
struct start {};      ///< a new payment, nothing tried yet
struct recovered {};  ///< read back from the journal after a restart, with work left
struct reopened {};   ///< read back from the journal because something is asked of it
/// The router's answer to action choose.
struct chosen {
  const connector_profile* connector;  ///< must outlive the flow
  std::string attempt_id;
  payments::operation operation;  ///< sale or authorize
  money charged;
};
struct no_candidate {
  std::string code;
};  ///< nobody left to try, and why
struct sent {
  send_result result;
};                           ///< the last send is over
struct timer {};             ///< a wait is over
struct cancel_requested {};  ///< may come at any time
struct gateway_recovered {
  std::string connector;
};  ///< may come at any time
/// What permit refused at this connector may be sent now: it is asked again, at once.
struct permitted {
  std::string connector;
};  ///< may come at any time
/// A fact about an attempt that nobody asked for (webhook, late answer); any time.
struct gateway_said {
  std::string attempt_id;
  send_result result;
};
/// A capture, refund or cancellation that check_modification() has planned for
/// record() as it is now, with id and cause; any time.
struct modify {
  modification planned;
};
/// A person's word that check_resolution() has nothing against, complete but for
/// before, after and time; any time when sending_about() is not its target.
struct resolved {
  resolution word;
};
using event = std::variant<start, recovered, reopened, chosen, no_candidate, sent, timer, cancel_requested,
                           gateway_recovered, permitted, gateway_said, modify, resolved>;

// ---- actions ------------------------------------------------------------
/// Ask the router; answer with chosen or no_candidate.
struct choose {};
/// Send for record().attempts[attempt]; answer with sent.
struct send {
  std::size_t attempt;
  send_kind kind;
  steady_time deadline;
  std::optional<std::size_t> modification;  ///< it is about record().modifications[…], at the attempt's gateway
  /// Of a reversal: not by our own reference but as this operation, void or
  /// refund, on the charge that the gateway's reference names.
  std::optional<operation> undo = std::nullopt;
  std::size_t undo_try = 0;  ///< how many were refused before: each is a request of its own
};
/// Tell the merchant record() as it is now, then ask again with timer.
struct answer {};
/// Come back with timer at `until`; steady_time::max() is "never by itself".
struct wait {
  steady_time until;
};
/// Nothing is left to do, ever, unless gateway_said or modify brings news.
struct finish {};
/// An event arrived while a send or a choice is under way: go on with that.
struct none {};
using action = std::variant<choose, send, answer, wait, finish, none>;

}  // namespace flow

class payment_flow {
 public:
  /// Finds the profile of an earlier attempt's connector; null when it is no
  /// longer configured: then nothing can be asked of that gateway.
  using profile_lookup = std::function<const connector_profile*(std::string_view connector)>;
  /// Asked before each send that is not the first of a charge, capture, refund or
  /// void. False: not now; flow::permitted follows.
  using permit = std::function<bool(std::string_view connector)>;

  /// `record` is fresh (then resume(start)) or as the journal has it (then
  /// resume(recovered)). `arrival` is when the request came in, or the restart.
  payment_flow(payment record, const retry_plan& plan, instant arrival, bool card_in_memory, profile_lookup profiles,
               permit may_send = {});

  flow::action resume(const flow::event& event, instant now, random_source& random);

  const payment& record() const noexcept { return record_; }
  /// What happened since the last call, oldest first.
  std::vector<payment_event> take_events() noexcept;
  bool has_events() const noexcept { return !events_.empty(); }
  /// The last action was finish, and no event came since.
  bool finished() const noexcept { return phase_ == phase::finished; }
  steady_time deadline() const noexcept { return deadline_; }
  /// False once nothing can need the card any more: the driver wipes it.
  bool needs_card() const noexcept { return card_in_memory_; }
  /// The attempt or modification about which a send is under way that may move money; empty: none.
  std::string_view sending_about() const noexcept;
  /// True when an attempt at this connector is unresolved or being reversed, or a
  /// modification is pending there.
  bool waits_for(std::string_view connector) const noexcept;

 private:
  /// What is known of an attempt in this process only.
  struct ladder {
    steady_time begun{};         ///< first send, or the restart
    steady_time last_carried{};  ///< when the last connection that carried a charge or replay was closed
    steady_time next_at{};       ///< no rung before this
    steady_time rung_begun{};    ///< when the rung under way was begun
    int round = 0;
    int rung = 0;                       ///< next rung of this round: 0 replay, 1 inquire, 2 reverse, 3 none left
    bool reachable = false;             ///< in this round the gateway answered: it knows nothing of the attempt
    bool declined_for_good = false;     ///< by an answer that proves nothing, but the card is not tried elsewhere
    bool asked_overdue = false;         ///< an inquiry began after the shopper's time was over
    bool reverse_acknowledged = false;  ///< acknowledged, which is no proof by itself here
    bool awaits_permit = false;         ///< its next rung is due, and waits for flow::permitted
    bool woken = false;                 ///< the gateway came back while a send was under way
    std::size_t undo_refused = 0;       ///< how many ways of undoing it were refused
    bool undo_in_doubt = false;         ///< a send to undo it was carried and got no definite answer
  };
  static constexpr milliseconds first_question_after_action{5000};

  /// What is known of a modification in this process only.
  struct modification_steps {
    steady_time begun{};         ///< asked for, or the restart
    steady_time next_at{};       ///< no send before this
    steady_time last_carried{};  ///< when the last connection that may have carried it was closed
    steady_time asked_at{};      ///< when the send under way was begun
    int round = 0;
    int rung = 0;                 ///< next proof to be tried while it is in doubt
    bool awaits_permit = false;   ///< as in ladder
    bool woken = false;           ///< as in ladder
    bool replay_refused = false;  ///< in a way that says nothing of the first send
  };
  struct due_modification {
    std::size_t index;
    steady_time at;
  };
  enum class phase : std::uint8_t { idle, choosing, sending, waiting, finished };

  void on(const flow::start&, instant now);
  void on(const flow::recovered&, instant now);
  void on(const flow::reopened&, instant now);
  void on(const flow::chosen&, instant now);
  void on(const flow::no_candidate&, instant now);
  void on(const flow::sent&, instant now);
  void on(const flow::timer&, instant now);
  void on(const flow::cancel_requested&, instant now);
  void on(const flow::gateway_recovered&, instant now);
  void on(const flow::permitted&, instant now);
  void on(const flow::gateway_said&, instant now);
  void on(const flow::modify&, instant now);
  void on(const flow::resolved&, instant now);  // payment_flow_resolve.cpp
  void resolve_attempt(std::size_t index, const resolution& word, instant now);
  void resolve_modification(std::size_t index, const resolution& word, instant now);
  void take_up(instant now);

  void charge_ended(std::size_t index, const send_result& result, instant now);
  bool asked_after_all_sends(std::size_t index) const;
  void replay_ended(std::size_t index, const send_result& result, instant now);
  void inquiry_ended(std::size_t index, const send_result& result, instant now);
  void reversal_ended(std::size_t index, const send_result& result, instant now);
  void approve(std::size_t index, const send_result& result, instant now, bool first_answer);
  void settle(std::size_t index, outcome ended, const send_result& result, instant now);
  // payment_flow_reverse.cpp
  void want_reversal(std::size_t index, std::string_view reason, instant now);
  void confirm_reversal(std::size_t index, const send_result& result, instant now);
  void undo_ended(std::size_t index, const send_result& result, instant now);
  bool shown_undone(std::size_t index, const send_result& result) const;
  /// By the gateway's own reference, because it offers no other way.
  bool undone_by_gateway_reference(std::size_t index) const;
  /// The operation to be sent now; nullopt: none is possible (now).
  std::optional<operation> way_to_undo(std::size_t index, instant now) const;
  bool can_undo(std::size_t index) const;
  bool may_be_captured(std::size_t index) const;
  bool voids_all(std::size_t index) const;
  /// When its charge has settled, and can be refunded; nullopt: it can be now, or never.
  std::optional<wall_time> undo_possible_from(std::size_t index, instant now) const;
  // payment_flow_look.cpp
  void plan_looks(std::size_t index, instant now);
  void plan_next_look(std::size_t index, bool got_answer, instant now);
  std::optional<flow::action> begin_look(instant now);
  void look_ended(std::size_t index, const send_result& result, instant now);
  bool charge_seen(std::size_t index, const send_result& result, instant now);
  bool twin_found(std::size_t index, const send_result& result, instant now);

  void show_action(std::size_t index, const send_result& result, instant now);
  bool action_overdue(instant now) const noexcept;
  void expire_action(instant now);
  bool shopper_has_time(std::size_t index) const noexcept;
  // payment_flow_modify.cpp
  void add_modification(modification planned, instant now);
  void take_up_modifications(instant now);
  void modification_answered(std::size_t index, const send_result& result, instant now);
  bool is_definite(std::size_t index, const send_result& refusal) const;
  void modification_inquired(std::size_t index, const send_result& result, instant now);
  bool told_truly(const modification& each, std::int64_t done) const;
  void modification_succeeded(std::size_t index, const send_result& result, instant now);
  void modification_refused(std::size_t index, const send_result& result, instant now);
  void modification_failed(std::size_t index, instant now);
  void drop_modifications(instant now);
  void change_status(payment_status status, instant now);
  /// True while the payment waits for its automatic capture (or for its reversal instead).
  bool capture_automatically(const attempt& standing, std::size_t index, instant now, random_source& random);
  void expire_authorization(instant now, random_source& random);
  std::optional<due_modification> next_modification(instant now) const;
  /// nullopt: nothing is to be sent now; what is due may be something else.
  std::optional<flow::action> begin_modification(std::size_t index, instant now, random_source& random);
  static std::nullopt_t await_permit(modification_steps& steps, instant now);
  void pause(std::size_t index, instant now);
  void pause(std::size_t index, instant now, random_source& random);
  bool proof_allowed(std::size_t index, send_kind kind, instant now) const;
  bool can_prove_modification(std::size_t index, instant now) const;
  /// Why a person should look; empty: no reason.
  std::string_view modification_trouble(instant now) const;

  flow::action next(instant now, random_source& random);
  /// The next rung for an attempt that is due; nullopt: its round is over.
  std::optional<flow::action> climb(std::size_t index, instant now, random_source& random);
  void reverse_what_may_not_stand(instant now);
  void update_status(instant now, random_source& random);
  void raise_attention(instant now);
  bool unresolved_for_long(std::size_t index, instant now) const;
  void forget_card(instant now);
  bool must_answer(instant now) const noexcept;
  bool may_continue(instant now) const noexcept;
  bool expired(instant now) const noexcept;
  bool needs_work(std::size_t index) const noexcept;
  flow::action begin_charge(instant now);
  std::optional<send_kind> take_rung(std::size_t index, instant now);
  bool rung_due(std::size_t index, instant now) const;
  bool permitted(std::size_t attempt) const;
  bool rung_allowed(std::size_t index, send_kind kind, instant now) const;
  bool may_replay(std::size_t index, instant now) const;
  bool can_prove(std::size_t index, instant now) const;
  void end_round(std::size_t index, instant now, random_source& random);
  void finalize(payment_status status, instant now);
  void set_capture_limit(std::size_t index);
  payment_error explain_failure() const;
  void note(payment_event_type type, instant now, std::string_view attempt, std::string_view code,
            std::optional<money> amount = std::nullopt);
  const connector_profile* profile(std::size_t index) const { return profiles_(record_.attempts[index].connector); }

  // Unresolved for longer than this needs a person's attention.
  static constexpr std::chrono::hours attention_after{1};
  // What waits for leave asks again after this long, should nobody call.
  static constexpr milliseconds permit_patience{60'000};

  payment record_;
  retry_plan plan_;
  steady_time deadline_;
  profile_lookup profiles_;
  permit may_send_;
  bool card_in_memory_;
  phase phase_ = phase::idle;
  std::size_t sending_ = 0;  ///< the attempt a send is under way for
  send_kind sending_kind_ = send_kind::charge;
  std::optional<operation> sending_undo_;            ///< how the reversal under way is done, if not by our reference
  random_source* random_ = nullptr;                  ///< of the resume() under way
  bool look_awaits_permit_ = false;                  ///< as in ladder
  bool looking_ = false;                             ///< the inquiry under way is a second look
  bool charge_chosen_ = false;                       ///< the last attempt's first send is due
  std::string no_candidate_;                         ///< why nobody is left, once known
  std::optional<std::size_t> sending_modification_;  ///< that it is about, if any
  std::vector<ladder> ladders_;                      ///< beside record_.attempts
  std::vector<modification_steps> steps_;            ///< beside record_.modifications
  std::vector<payment_event> events_;
};

}  // namespace turnout::payments
