#pragma once
// A person's word on what no gateway proves: an attempt, or a capture, refund
// or cancellation, that is in doubt. It ends the doubt, and is kept.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "payments/instant.hpp"

namespace turnout::payments {

struct payment;

enum class verdict : std::uint8_t {
  charged,      ///< the money was moved: charged, captured, refunded or voided
  not_charged,  ///< it was not, or it was given back
};
std::string_view to_string(verdict) noexcept;
std::optional<verdict> parse_verdict(std::string_view) noexcept;

struct resolution {
  std::string target;  ///< att_…, or cap_…, ref_… or can_…
  verdict as = verdict::not_charged;
  std::string by, reason;         ///< who, and what it rests on
  std::string gateway_reference;  ///< the gateway's own id, where the person found one; may be empty
  std::string before, after;      ///< what the record said of the target
  wall_time at{};
};

enum class resolution_refusal : std::uint8_t {
  none,
  unknown_target,  ///< the payment has no such attempt or modification
  not_in_doubt,    ///< nothing is left to be said about it
  busy,            ///< a merchant or a shopper still waits, or a send is under way: later
};

struct resolution_check {
  resolution_refusal refusal = resolution_refusal::none;
  std::string text;  ///< why it is refused, or what follows from it
};

/// Whether it may be said of `target` of this record, as far as the record tells.
resolution_check check_resolution(const payment& record, std::string_view target, verdict as);

/// What the record says of an attempt or a modification: unknown, reversing, pending, … Empty: there is none.
std::string state_of(const payment& record, std::string_view target);

}  // namespace turnout::payments
