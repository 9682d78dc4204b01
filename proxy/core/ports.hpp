#pragma once
// The four ports of the core: journal, transport, clock, random. Everything
// the engine wants from the world goes through them, so the same engine runs
// over SQLite and sockets, and over fakes in virtual time.
//
// Threading: an engine lives on one thread. Adapters call every completion on
// that thread, never from inside the call that started it.
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "connectors/definition.hpp"
#include "connectors/wire.hpp"
#include "payments/instant.hpp"
#include "payments/payment.hpp"
#include "payments/random_source.hpp"

namespace turnout::core {

using payments::instant;
using payments::steady_time;
using payments::wall_time;

// ---- journal ------------------------------------------------------------

/// An answer as it went to the merchant, kept for replays of its key.
struct stored_answer {
  unsigned status = 0;  ///< HTTP status
  std::string body;
};

/// "One idempotency key, one payment", and one capture, refund or cancellation.
struct idempotency_claim {
  std::string key;     ///< normalised: without quotes
  std::string mac;     ///< keyed MAC over method, path and body without the CVC, hex
  std::string object;  ///< what the key stands for: cap_…, ref_… or can_…; empty: the payment itself
};

/// The final answer of a request that had a key, for what the key stands for.
struct object_answer {
  std::string object;  ///< as in the claim
  stored_answer answer;
};

/// One atomic, durable step of one payment.
struct journal_write {
  /// Must not change until the completion ran.
  std::shared_ptr<const payments::payment> record;
  std::vector<payments::payment_event> events;
  /// Explanations of routing decisions made in this step, as JSON texts.
  std::vector<std::string> decisions;
  /// On a payment's first write only.
  bool create = false;
  /// Takes on a capture, refund or cancel. Like a first write it is refused while
  /// the disk is full: what room is kept back is for outcomes.
  bool takes_on = false;
  /// With the write that takes on what the key stands for.
  std::optional<idempotency_claim> claim;
  /// On a first write: no other payment of this merchant and mode that is not
  /// failed or canceled may have its reference, as far as those had this flag.
  bool unique_reference = false;
  /// To store with their keys; one whose object has no key is ignored.
  std::vector<object_answer> answers;
};

enum class commit_status : std::uint8_t {
  committed,
  key_exists,       ///< the claim lost; nothing was written; see existing
  reference_taken,  ///< another payment has the reference; nothing was written; see existing->payment_id
  unavailable,      ///< disk full or unwritable; nothing was written
};

/// What the journal knows under an idempotency key.
struct key_entry {
  std::string payment_id;
  std::string object;  ///< as in the claim
  std::string mac;
  bool running = false;                 ///< of a payment: this start of the proxy is still working on the first answer
  std::optional<stored_answer> answer;  ///< a final answer, if one was given
};

struct commit_result {
  commit_status status = commit_status::unavailable;
  std::optional<key_entry> existing;
};

class journal {
 public:
  virtual ~journal() = default;
  /// Completes when the write is durable (or was refused whole). Shared, not copied: the caller
  /// keeps what it wrote, to try again or to tell of it.
  virtual void commit(std::shared_ptr<const journal_write> write, std::function<void(commit_result)> done) = 0;
  /// By key within merchant and mode.
  virtual std::optional<key_entry> find_key(std::string_view merchant, bool livemode, std::string_view key) = 0;
  virtual std::optional<payments::payment> find_payment(std::string_view id) = 0;
};

// ---- transport ----------------------------------------------------------

/// How far an exchange with a gateway got.
struct exchange {
  /// Empty: a complete answer is in `reply`. Otherwise the stage that failed:
  /// resolve_failed, connect_refused, connect_timeout, connect_failed, tls_timeout, tls_version_unsupported,
  /// tls_certificate_expired, tls_host_mismatch, tls_untrusted_certificate, tls_pin_mismatch,
  /// tls_handshake_failed (nothing was carried up to here), write_failed, write_timeout,
  /// response_timeout, response_truncated, response_malformed, response_premature, response_too_large, connection_lost,
  /// too_many_connections, deadline_passed
  std::string error;
  /// False only if provably no byte of the request left this process.
  bool carried = false;
  connectors::wire_reply reply;
  payments::milliseconds latency{0};
};

class transport {
 public:
  virtual ~transport() = default;
  /// Sends to the address and with the limits of `connector` itself: a payment
  /// stays with the definition it began with, whatever a reload put under the
  /// same name. The definition outlives the send. Completes by `deadline` at the
  /// latest. Unless a complete keep-alive answer was read, the connection is
  /// closed when it completes.
  virtual void send(const connectors::definition& connector, connectors::wire_request request, steady_time deadline,
                    std::function<void(exchange)> done) = 0;
  /// `connector` answered something that was not asked: whoever keeps its
  /// connections closes those that are idle, since one of them is out of step.
  virtual void distrust(const connectors::definition& /*connector*/) {}
};

// ---- clock and random ---------------------------------------------------

class clock {
 public:
  virtual ~clock() = default;
  virtual instant now() = 0;
  using timer_id = std::uint64_t;
  /// steady_time::max() is allowed and never fires.
  virtual timer_id call_at(steady_time when, std::function<void()> fire) = 0;
  /// A cancelled timer's function is destroyed and never called.
  virtual void cancel(timer_id id) = 0;
};

using payments::random_source;

}  // namespace turnout::core
