#pragma once
// What the rest of the house may know about a connector: what it can do, what
// it costs, and above all what it promises about ambiguity.
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "payments/card.hpp"
#include "payments/money.hpp"
#include "payments/outcome.hpp"

namespace turnout::payments {

/// What a repeated idempotency key gives back.
enum class key_caches : std::uint8_t {
  none,     ///< the gateway has no keys, or nothing is known: never replay
  success,  ///< only approvals are kept; a decline is processed anew
  all,      ///< every definite answer is kept
};
/// What a repeated key does while the first request is still running.
enum class key_in_flight : std::uint8_t { parallel, conflict, wait };

struct idempotency_profile {
  key_caches caches = key_caches::none;
  key_in_flight in_flight = key_in_flight::parallel;
  std::chrono::seconds ttl{0};  ///< declared life of a key

  /// True when a definite answer to a replay is a proof, and a replay cannot
  /// charge a second time. Whatever is cached, it is cached only once the first
  /// request has ended: a replay beside a slow one must not run in parallel.
  bool replay_is_proof() const noexcept { return caches != key_caches::none && in_flight != key_in_flight::parallel; }
};

struct resolve_profile {
  bool replay = false, inquire = false, reverse = false;
  /// nullopt: "not found" is never final.
  std::optional<std::chrono::milliseconds> not_found_final_after;
  /// How long after its first send an attempt may still be replayed.
  std::chrono::milliseconds replay_for{0};
  /// An acknowledged reversal by our reference also blocks a charge that arrives later.
  bool reverse_blocks_late = false;
  /// gateway_reference is the charge's own in the answers of charges and inquiries
  /// alike: a second one under the same reference of ours is a second charge.
  bool gateway_reference_is_charge = false;
  /// The operator accepts that an unknown attempt may stay so for ever.
  bool accept_unprovable = false;
  /// How many sends a second may ask for the truth, over all payments; > 0. First charges do not count.
  double sends_per_second = 100;
};

/// What the gateway does with a refund of a charge that has not settled yet.
enum class unsettled_refund : std::uint8_t {
  allowed,       ///< takes it like any other
  wait,          ///< refuses it until the charge has settled
  void_if_full,  ///< as wait; but a refund of the whole charge can be done as a void
};

struct refund_profile {
  unsettled_refund unsettled = unsettled_refund::allowed;
  /// How long after its capture a charge has settled at the latest; > 0 unless `allowed`.
  std::chrono::seconds settles_after{0};
};

struct fee_schedule {
  double percent = 0;                     ///< of the amount; a cost estimate, never an amount
  std::vector<money> fixed, per_attempt;  ///< one entry a currency
};

struct connector_timeouts {
  std::chrono::milliseconds connect{1000};   ///< > 0
  std::chrono::milliseconds response{5000};  ///< from the first byte sent to the last received; > 0
};

struct connector_profile {
  std::string name;
  bool live = false;                   ///< mode: test | live
  std::vector<std::string> merchants;  ///< whose money this account may take
  std::vector<std::string> methods;    ///< "card"
  std::vector<currency> currencies;
  std::vector<card_brand> brands;
  bool takes_authentication = false;  ///< its charges carry what a merchant authenticated beforehand
  bool may_challenge = false;         ///< its charges may require an action of the shopper
  bool capture_automatic = false, capture_manual = false;
  /// A capture may leave the rest of the authorisation open for further ones.
  bool multiple_captures = false;
  std::vector<operation> operations;  ///< those the definition has
  idempotency_profile idempotency;
  resolve_profile resolve;
  refund_profile refunds;
  /// How long an authorisation can be captured; nullopt: it never expires.
  std::optional<std::chrono::seconds> authorization_valid;
  fee_schedule fees;
  connector_timeouts timeouts;

  bool offers(operation wanted) const noexcept {
    for (operation offered : operations)
      if (offered == wanted) return true;
    return false;
  }
};

}  // namespace turnout::payments
