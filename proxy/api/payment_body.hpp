#pragma once
// The body of POST /v1/payments, checked field by field. Every fault is
// found in one go; no message ever quotes a value.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "payments/card.hpp"
#include "payments/payment.hpp"
#include "proxy/api/api_key_ring.hpp"
#include "proxy/api/json_document.hpp"
#include "proxy/api/problem.hpp"

namespace turnout::api {

/// More faults than these are not listed.
inline constexpr std::size_t most_errors = 20;

struct payment_body {
  std::optional<payments::payment_request> request;  ///< set when there are no errors
  payments::card card;                               ///< present beside `request`
  std::string customer_network;  ///< of customer.ip, see network_of(); empty when not given. Never kept
  std::vector<field_error> errors;
};

/// What must be said of the card.
enum class card_form : std::uint8_t {
  number,         ///< all that a charge needs
  number_or_bin,  ///< the number, or `bin` (its first six digits) in its place; the rest may be left out
};

/// `now` decides whether the card has expired, or cannot be that young; nullopt:
/// neither is asked, because the body was good when it first came.
payment_body read_payment_body(const json_document& body, const principal& who, std::optional<payments::wall_time> now,
                               card_form form = card_form::number);

/// True when the digits of `number` stand in `text` in a row, whatever is between them.
/// What is kept and shown must not carry a card number.
bool contains_number(std::string_view text, std::string_view number);

/// Code points of valid UTF-8.
std::size_t count_characters(std::string_view text) noexcept;

}  // namespace turnout::api
