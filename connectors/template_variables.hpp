#pragma once
// The variables that a request template may read: one table of names, and
// where each may stand.
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "connectors/definition.hpp"
#include "connectors/exponents.hpp"

namespace turnout::connectors {

enum class variable : std::uint8_t {
  amount_minor,
  amount_minor_text,
  amount_decimal,
  amount_decimal_number,
  amount_currency,
  amount_exponent,
  card_number,
  card_exp_month,
  card_exp_year,
  card_exp_month_2,
  card_exp_year_2,
  card_exp_year_4,
  card_cvc,
  card_holder,
  card_brand,
  authentication_version,
  authentication_eci,
  authentication_cryptogram,
  authentication_ds_transaction_id,
  return_url,
  attempt_id,
  attempt_gateway_reference,
  operation_id,
  operation_reference,
  operation_reason,
  operation_final,
  payment_id,
  payment_reference,
  payment_return_url,
  customer_id,
  customer_email,
  customer_country,
  metadata,  ///< metadata.<key>
  kept,      ///< kept.<name>
};

/// Why a variable may not stand somewhere.
enum class variable_scope : std::uint8_t {
  anywhere,
  card,              ///< card data: only in the body of a charge
  charge,            ///< only in a charge, not in its path
  later,             ///< known only once a charge was answered: capture, refund, void
  modification,      ///< about what is captured, refunded or voided: only there
  merchants_words,   ///< as `modification`, and the merchant chooses the text: not in a path
  kept,              ///< told by earlier answers: not in a charge, nor in a path that goes by our reference
  chosen_by_others,  ///< merchants and shoppers choose the text: not in a path
};

struct variable_info {
  variable id;
  std::string_view name;
  bool number;  ///< alone in a JSON value it is a number (or true, false), not a string
  bool always;  ///< never empty where it may stand
  variable_scope scope;
};

std::span<const variable_info> variable_table() noexcept;

/// Room for numbers that are written while a request is built.
using scratch = char[48];

/// The variable's text; empty when the payment has none. Points into `context`,
/// static text or `buffer`. `key` is for metadata and kept.
std::string_view text_of(variable id, std::string_view key, const request_context& context, const exponents& decimals,
                         scratch& buffer);

}  // namespace turnout::connectors
