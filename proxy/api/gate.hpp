#pragma once
// Who may ask how often: rate limits of keys, failed authentications of
// clients, and the guard against card testing. It decides before anything is
// journaled, so a refused request leaves no trace and its idempotency key free.
#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>

#include "payments/payment.hpp"
#include "proxy/api/api_key_ring.hpp"
#include "proxy/api/api_settings.hpp"
#include "proxy/api/endpoint_call.hpp"
#include "proxy/api/keyed_mac.hpp"

namespace turnout::api {

/// Told of each refusal, with one of limit_reasons.
using limit_hook = std::function<void(std::string_view reason)>;
inline constexpr std::string_view limit_reasons[] = {"requests",       "failed_authentications",
                                                     "customer_cards", "customer_declines",
                                                     "ip_cards",       "ip_declines",
                                                     "key_cards",      "key_declines"};

/// Thread-safe; of a request in flight the limits stay those it began with.
class gate {
 public:
  using settings_pointer = std::shared_ptr<const api_settings>;

  /// `card_key` must outlive the gate. `on_limited` may be empty.
  gate(const keyed_mac& card_key, settings_pointer settings, limit_hook on_limited);
  void configure(settings_pointer settings);
  settings_pointer settings() const { return settings_.load(); }

  /// The problem, when this client failed to authenticate too often: asked before
  /// the key is looked at, since a guess that is right must not be told either.
  std::optional<problem> admit_client(const api_settings& in, std::string_view peer, payments::steady_time now) const;
  void authentication_failed(const api_settings& in, std::string_view peer, payments::steady_time now);

  /// Takes one of the key's tokens, and adds the RateLimit fields to the call's answer.
  std::optional<problem> admit_request(const api_settings& in, const principal& who, endpoint_call& call) const;

  /// Whose cards are counted in a payment. Empty when nothing is.
  testing_subjects subjects_of(const api_settings& in, const principal& who, std::string_view customer,
                               std::string_view shopper_network) const;
  /// The problem, when the card must not be tried; else it is counted. Only of a
  /// suspect it is asked whether the payment `was_taken` before: then it is
  /// answered again, suspect or not.
  std::optional<problem> admit_card(const api_settings& in, const testing_subjects& whose,
                                    std::string_view card_fingerprint, payments::steady_time now,
                                    const std::function<bool()>& was_taken);
  /// Counts the answer of a payment, when it is a decline.
  void answered(const api_settings& in, const testing_subjects& whose, const payments::payment& record,
                payments::steady_time now);

 private:
  void limited(std::string_view reason) const;

  const keyed_mac& card_key_;
  std::atomic<settings_pointer> settings_;
  limit_hook on_limited_;
  client_buckets failures_;
  card_testing_guard guard_;
};

}  // namespace turnout::api
