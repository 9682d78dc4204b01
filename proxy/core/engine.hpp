#pragma once
// Drives payment_flow over the four ports. One engine per worker thread; a
// payment is worked on by the engine that ownership.hpp says, and makes its
// payments so that they are its own. No I/O, no clock, no threads of its own.
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "payments/card.hpp"
#include "payments/modification_rules.hpp"
#include "payments/payment.hpp"
#include "payments/resolution.hpp"
#include "proxy/core/configuration.hpp"
#include "proxy/core/observer.hpp"
#include "proxy/core/ownership.hpp"
#include "proxy/core/ports.hpp"
#include "proxy/core/shared_routing.hpp"

namespace turnout::core {

struct create_command {
  payments::payment_request request;
  payments::card card;
  std::string card_fingerprint;
  std::optional<idempotency_claim> claim;
  instant arrival;
  /// Renders what the merchant will be told; called once, just before the
  /// commit that precedes the answer.
  std::function<stored_answer(const payments::payment&)> render;
  /// The merchant wants each reference to be payable once, with or without
  /// idempotency keys. Meaningless while the request has no reference.
  bool unique_reference = false;
};

/// A capture, refund or cancellation of a payment that this engine owns.
struct modify_command {
  std::string payment_id, merchant;
  bool livemode = false;
  payments::modification_request wish;
  std::optional<idempotency_claim> claim;  ///< its object is filled in by the engine
  /// What the merchant is told of `object` (cap_…, ref_… or can_…) as the record is.
  std::function<stored_answer(const payments::payment&, std::string_view object)> render;
};

enum class modify_status : std::uint8_t {
  answered,     ///< `answer` is settled (201) or still pending (202)
  replayed,     ///< the key was used before with the same body: `answer` is what it did, or what became of it
  in_progress,  ///< 409: the first request with this key is still running
  key_reused,   ///< 422: the key was used before for something else
  not_found,    ///< 404: the merchant has no such payment
  refused,      ///< 422: the payment is not where this can be done; see `refusal` and `detail`
  unavailable,  ///< 503: the journal cannot take it; nothing was sent
};

struct modify_result {
  modify_status status;
  stored_answer answer;
  payments::modification_refusal refusal = payments::modification_refusal::none;
  std::string detail;
};

/// A person's word on an attempt, capture, refund or cancellation of a payment that
/// this engine owns.
struct resolve_command {
  std::string payment_id;
  payments::resolution word;  ///< target, as, by, reason, gateway_reference; card numbers in it are masked
};

enum class resolve_status : std::uint8_t {
  resolved,        ///< durable; `record` and `text` tell what became of it
  not_found,       ///< there is no such payment
  unknown_target,  ///< the payment has no such attempt or modification
  not_in_doubt,    ///< see `text`
  busy,            ///< see `text`: try again later
  unavailable,     ///< the journal cannot take it, or the proxy is stopping; nothing changed
};

struct resolve_result {
  resolve_status status;
  std::string text;                         ///< why it was refused, or what follows
  std::optional<payments::payment> record;  ///< resolved: as it is now
};

enum class create_status : std::uint8_t {
  answered,          ///< `answer` is the new payment's answer (201 or 202)
  replayed,          ///< the key was used before with the same body; `answer` is set, or `record` is the current state
  in_progress,       ///< 409: the first request with this key is still running
  key_reused,        ///< 422: the key was used before with another body
  no_candidate,      ///< 422: no connector can serve this payment; see `excluded`
  no_policy,         ///< 422: no policy matches
  reference_taken,   ///< 422: the reference may be paid once, and `existing` has it
  rate_unavailable,  ///< 422: a policy compares amounts over currencies and there is no rate
  unavailable,       ///< 503: the journal cannot take it; nothing was sent
};

struct create_result {
  create_status status;
  stored_answer answer;
  std::optional<payments::payment> record;  ///< replayed without a stored answer: the current state
  std::vector<routing::exclusion> excluded;
  std::string existing;  ///< reference_taken: the other payment's id
};

/// What a decision rests on beside the router's state.
struct decision_context {
  std::string_view policy, policy_version, configuration_version;
  wall_time at;
};

/// Writes a decision down for GET …/decisions, as a JSON object.
using decision_writer = std::function<std::string(const routing::decision& made, const decision_context& on)>;

class engine {
 public:
  struct ports {
    core::journal& journal;
    core::transport& transport;
    core::clock& clock;
    core::random_source& random;
  };
  engine(ports world, shared_routing& routing, observer& watcher, std::shared_ptr<const configuration> config,
         decision_writer explain, ownership own = {});
  ~engine();
  engine(const engine&) = delete;
  engine& operator=(const engine&) = delete;

  void create(create_command command, std::function<void(create_result)> done);
  void modify(modify_command command, std::function<void(modify_result)> done);
  void resolve(resolve_command command, std::function<void(resolve_result)> done);
  /// A payment of its own that is due for a look: see payments/due.hpp. False when it cannot be read.
  bool look_at(const std::string& payment_id);
  /// Takes over a payment of its own that the journal holds as not finished.
  void recover(payments::payment record);
  /// New payments use `config` from now on.
  void configure(std::shared_ptr<const configuration> config);
  /// A gateway gave a definite answer after trouble: wake all that waits for it.
  void gateway_recovered(std::string_view connector);
  /// The shopper is back from a challenge: the gateway is asked at once, and
  /// `done` hears what is durable then, a few seconds later at most; nullopt when
  /// there is no such payment. Coming back again and again is harmless. Only the
  /// engine that owns an unfinished payment can ask; others tell what the journal has.
  void shopper_returned(std::string_view payment, std::function<void(std::optional<payments::payment>)> done);
  /// Refuses new payments (unavailable) from now on; those in flight go on.
  void drain();
  /// Requests whose merchant has not been answered yet.
  std::size_t unanswered() const noexcept;
  /// Payments that are unresolved (or being reversed) per connector, with the
  /// oldest's age; for metrics.
  struct unresolved_view {
    std::string connector;
    std::size_t count;
    payments::milliseconds oldest;
  };
  std::vector<unresolved_view> unresolved(instant now) const;

  /// Telling the other workers' engines (and this one) that a gateway
  /// recovered is the owner's business; called with the connector's name.
  std::function<void(const std::string&)> on_gateway_recovered;

  /// Makes the signed address to which the gateway sends the shopper back, good
  /// until `expires`; may be empty: then gateways are told none.
  std::function<std::string(std::string_view payment, wall_time expires)> make_return_url;

  struct implementation;

 private:
  std::shared_ptr<implementation> implementation_;
};

}  // namespace turnout::core
