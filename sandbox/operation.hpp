#pragma once
// One line of the ledger: something a gateway did with money, or refused to.
// Every change of a gateway's state is such an operation, so a list of them
// rebuilds the gateway.
#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "payments/decline_reason.hpp"
#include "payments/money.hpp"

namespace turnout::sandbox {

inline constexpr std::size_t gateway_count = 4;
inline constexpr std::array<std::string_view, gateway_count> gateway_names{"alpha", "beta", "gamma", "delta"};
/// Charge ids of each gateway start so.
inline constexpr std::array<std::string_view, gateway_count> charge_prefixes{"ch_", "bt_", "gm_", "dl_"};

enum class operation_kind : std::uint8_t { sale, authorize, capture, refund, void_charge };
inline constexpr std::array<std::string_view, 5> operation_names{"sale", "authorize", "capture", "refund", "void"};

enum class operation_result : std::uint8_t { approved, declined, refused };
inline constexpr std::array<std::string_view, 3> result_names{"approved", "declined", "refused"};

/// Why a gateway does not do what it was asked. Dialects have their own words.
enum class refusal : std::uint8_t {
  none,
  unauthorised,  ///< no credential
  invalid,       ///< the request itself is wrong
  unknown_path,
  method_not_allowed,
  key_mismatch,         ///< the idempotency key was used with another request
  key_in_flight,        ///< the first request with this key is still running
  rate_limited,         ///< not processed
  not_processed,        ///< not processed
  internal,             ///< says nothing about processing
  reference_reversed,   ///< the reference was reversed: never charges
  duplicate_reference,  ///< the reference was used before
  not_found,            ///< an inquiry found nothing
  unknown_charge,       ///< no charge with this id
  not_approved,         ///< the charge was declined
  already_captured,
  not_captured,
  already_voided,
  amount_too_large,
  currency_mismatch,
};
inline constexpr std::array<std::string_view, 20> refusal_names{"none",
                                                                "unauthorised",
                                                                "invalid",
                                                                "unknown_path",
                                                                "method_not_allowed",
                                                                "key_mismatch",
                                                                "key_in_flight",
                                                                "rate_limited",
                                                                "not_processed",
                                                                "internal",
                                                                "reference_reversed",
                                                                "duplicate_reference",
                                                                "not_found",
                                                                "unknown_charge",
                                                                "not_approved",
                                                                "already_captured",
                                                                "not_captured",
                                                                "already_voided",
                                                                "amount_too_large",
                                                                "currency_mismatch"};

/// The texts belong to the ledger's arena (see ledger.hpp).
struct operation {
  std::uint64_t seq = 0;   ///< from 1, over all gateways
  std::int64_t at_ms = 0;  ///< wall clock, Unix milliseconds
  std::string_view reference;
  std::string_view key;      ///< idempotency key, empty when none was sent
  std::uint64_t charge = 0;  ///< number of the charge created or acted on; 0: none
  std::uint64_t digest = 0;  ///< of the request that had the key
  std::int64_t amount = 0;
  std::optional<payments::currency> unit;  ///< none: a reversal that found no charge
  std::uint8_t gateway = 0;
  operation_kind kind = operation_kind::sale;
  operation_result result = operation_result::approved;
  payments::decline_reason reason = payments::decline_reason::none;  ///< of a decline
  refusal why = refusal::none;                                       ///< of a refusal
  bool replayed = false;                                             ///< an answer given again; nothing happened
  bool final_capture = true;                                         ///< of a capture: what is not captured is released
  bool reversal = false;  ///< a void or refund by reference: it blocks the reference for ever
};

}  // namespace turnout::sandbox
