#pragma once
// The life of one payment as a sans-I/O machine: resume(event, now) -> action.
//
// The machine decides; whoever drives it (proxy/core, a simulator, a test)
// performs the action and comes back with the next event. The driver's one
// duty towards safety: everything in take_events() and record() is durable
// *before* the returned action is performed.
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
};
std::string_view to_string(send_kind) noexcept;

namespace flow {

// ---- events -------------------------------------------------------------
struct start {};           ///< a new payment, nothing tried yet
struct recovered {};       ///< read back from the journal after a restart
/// The router's answer to action choose.
struct chosen {
  const connector_profile* connector;  ///< must outlive the flow
  std::string attempt_id;
  payments::operation operation;       ///< sale or authorize
  money charged;
};
struct no_candidate { std::string code; };   ///< nobody left to try, and why
struct sent { send_result result; };         ///< the last send is over
struct timer {};                             ///< a wait is over
struct cancel_requested {};                  ///< may come at any time
struct gateway_recovered { std::string connector; };  ///< may come at any time
/// A fact about an attempt that nobody asked for (webhook, late answer); any time.
struct gateway_said { std::string attempt_id; send_result result; };
using event = std::variant<start, recovered, chosen, no_candidate, sent, timer, cancel_requested,
                           gateway_recovered, gateway_said>;

// ---- actions ------------------------------------------------------------
/// Ask the router; answer with chosen or no_candidate.
struct choose {};
/// Send for record().attempts[attempt]; answer with sent.
struct send {
  std::size_t attempt;
  send_kind kind;
  steady_time deadline;
};
/// Tell the merchant record() as it is now, then ask again with timer.
struct answer {};
/// Come back with timer at `until`; steady_time::max() is "never by itself".
struct wait { steady_time until; };
/// Nothing is left to do, ever, unless gateway_said brings news.
struct finish {};
/// An event arrived while a send or a choice is under way: go on with that.
struct none {};
using action = std::variant<choose, send, answer, wait, finish, none>;

}  // namespace flow

class payment_flow {
 public:
  /// `record` is fresh (start) or as the journal has it (recovered).
  /// `profiles` resolves connectors of earlier attempts, by name; a null result
  /// means the connector is no longer configured: nothing can be asked of it.
  using profile_lookup = const connector_profile* (*)(const void* context, std::string_view name);
  payment_flow(payment record, const retry_plan& plan, instant arrival, bool card_in_memory,
               profile_lookup profiles, const void* context);

  flow::action resume(const flow::event& event, instant now, random_source& random);

  const payment& record() const noexcept { return record_; }
  /// What happened since the last call, oldest first.
  std::vector<payment_event> take_events();
  bool has_events() const noexcept { return !events_.empty(); }
  steady_time deadline() const noexcept { return deadline_; }
  /// False once no send can need the card any more: the driver wipes it.
  bool needs_card(instant now) const noexcept;
  /// Names of connectors with an unresolved attempt or unconfirmed reversal.
  bool waits_for(std::string_view connector) const noexcept;
  /// Approvals that had to be reversed because another stood or the payment was over.
  int late_approvals() const noexcept { return late_approvals_; }

 private:
  // What is known of an attempt in this process only.
  struct ladder {
    steady_time begun{};         ///< first send (or restart)
    steady_time last_carried{};  ///< when the last connection that carried a charge or replay was closed
    steady_time next_at{};       ///< next rung not before
    int round = 0;
    send_kind next_rung = send_kind::replay;
    bool reachable = false;      ///< some rung of this round got an HTTP answer
    bool reverse_acknowledged = false;  ///< acknowledged, yet no proof by itself
    bool gave_up = false;        ///< no rung can prove anything: attention
  };


  payment record_;
  retry_plan plan_;
  steady_time deadline_;
  profile_lookup profiles_;
  const void* context_;
  bool card_in_memory_;
  std::vector<ladder> ladders_;          ///< beside record_.attempts
  std::vector<payment_event> events_;
  int late_approvals_ = 0;
};

}  // namespace turnout::payments
