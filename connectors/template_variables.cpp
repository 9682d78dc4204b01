#include "connectors/template_variables.hpp"

#include <array>
#include <charconv>

#include "payments/assertion.hpp"

namespace turnout::connectors {
namespace {

using v = variable;
using s = variable_scope;
constexpr bool number = true, text = false, always = true, maybe = false;

constexpr std::array table = {
    variable_info{v::amount_minor, "amount.minor", number, always, s::anywhere},
    variable_info{v::amount_minor_text, "amount.minor_text", text, always, s::anywhere},
    variable_info{v::amount_decimal, "amount.decimal", text, always, s::anywhere},
    variable_info{v::amount_decimal_number, "amount.decimal_number", number, always, s::anywhere},
    variable_info{v::amount_currency, "amount.currency", text, always, s::anywhere},
    variable_info{v::amount_exponent, "amount.exponent", number, always, s::anywhere},
    variable_info{v::card_number, "card.number", text, always, s::card},
    variable_info{v::card_exp_month, "card.exp_month", number, always, s::card},
    variable_info{v::card_exp_year, "card.exp_year", number, always, s::card},
    variable_info{v::card_exp_month_2, "card.exp_month_2", text, always, s::card},
    variable_info{v::card_exp_year_2, "card.exp_year_2", text, always, s::card},
    variable_info{v::card_exp_year_4, "card.exp_year_4", text, always, s::card},
    variable_info{v::card_cvc, "card.cvc", text, maybe, s::card},
    variable_info{v::card_holder, "card.holder", text, maybe, s::card},
    variable_info{v::card_brand, "card.brand", text, always, s::card},
    variable_info{v::authentication_version, "authentication.version", text, maybe, s::card},
    variable_info{v::authentication_eci, "authentication.eci", text, maybe, s::card},
    variable_info{v::authentication_cryptogram, "authentication.cryptogram", text, maybe, s::card},
    variable_info{v::authentication_ds_transaction_id, "authentication.ds_transaction_id", text, maybe, s::card},
    variable_info{v::return_url, "return_url", text, maybe, s::charge},
    variable_info{v::attempt_id, "attempt.id", text, always, s::anywhere},
    variable_info{v::attempt_gateway_reference, "attempt.gateway_reference", text, maybe, s::later},
    variable_info{v::operation_id, "operation.id", text, always, s::anywhere},
    variable_info{v::operation_reference, "operation.reference", text, maybe, s::merchants_words},
    variable_info{v::operation_reason, "operation.reason", text, maybe, s::merchants_words},
    variable_info{v::operation_final, "operation.final", number, always, s::modification},
    variable_info{v::payment_id, "payment.id", text, always, s::anywhere},
    variable_info{v::payment_reference, "payment.reference", text, maybe, s::chosen_by_others},
    variable_info{v::payment_return_url, "payment.return_url", text, maybe, s::chosen_by_others},
    variable_info{v::customer_id, "customer.id", text, maybe, s::chosen_by_others},
    variable_info{v::customer_email, "customer.email", text, maybe, s::chosen_by_others},
    variable_info{v::customer_country, "customer.country", text, maybe, s::chosen_by_others},
    variable_info{v::metadata, "metadata.<key>", text, maybe, s::chosen_by_others},
    variable_info{v::kept, "kept.<name>", text, maybe, s::kept},
};

std::string_view digits(std::int64_t number_to_write, scratch& buffer) {
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, number_to_write).ptr;
  return {buffer, static_cast<std::size_t>(end - buffer)};
}

std::string_view two_digits(int number_to_write, scratch& buffer) {
  buffer[0] = static_cast<char>('0' + number_to_write / 10 % 10);
  buffer[1] = static_cast<char>('0' + number_to_write % 10);
  return {buffer, 2};
}

std::string_view amount_text(variable id, const payments::money& amount, int decimals, scratch& buffer) {
  if (id == v::amount_decimal || id == v::amount_decimal_number) {
    const std::string written = payments::to_decimal(amount, decimals);
    TURNOUT_ASSERT(written.size() <= sizeof buffer);
    return {buffer, written.copy(buffer, sizeof buffer)};
  }
  // The loader only takes exponents at which every payable amount is whole and in range.
  const auto minor = payments::minor_at_exponent(amount, decimals);
  TURNOUT_ASSERT(minor.has_value());
  return digits(*minor, buffer);
}

std::string_view authentication_text(variable id, const request_context& context) {
  if (!context.payment.authentication) return {};
  const payments::authentication& brought = *context.payment.authentication;
  switch (id) {
    case v::authentication_version: return brought.version;
    case v::authentication_eci: return brought.eci;
    case v::authentication_ds_transaction_id: return brought.ds_transaction_id;
    default: return context.card != nullptr ? context.card->reveal_cryptogram() : std::string_view{};
  }
}

std::string_view card_text(variable id, const payments::card& card, scratch& buffer) {
  switch (id) {
    case v::card_number: return card.reveal_number();
    case v::card_exp_month: return digits(card.exp_month(), buffer);
    case v::card_exp_year:
    case v::card_exp_year_4: return digits(card.exp_year(), buffer);
    case v::card_exp_month_2: return two_digits(card.exp_month(), buffer);
    case v::card_exp_year_2: return two_digits(card.exp_year(), buffer);
    case v::card_cvc: return card.reveal_cvc();
    case v::card_holder: return card.holder();
    case v::card_brand: return to_string(card.brand());
    default: return {};
  }
}

std::string_view operation_text(variable id, const payments::modification& asked) {
  switch (id) {
    case v::operation_id: return asked.id;
    case v::operation_reference: return asked.reference;
    case v::operation_reason: return asked.reason;
    case v::operation_final: return asked.final_capture ? "true" : "false";
    default: return {};
  }
}

/// Of a charge, an inquiry, a reversal: there is only the attempt.
std::string_view operation_text(variable id, const payments::attempt& asked) {
  if (id == v::operation_final) return "true";
  return id == v::operation_id ? std::string_view(asked.id) : std::string_view{};
}

std::string_view named_text(std::string_view key, const std::vector<std::pair<std::string, std::string>>& pairs) {
  for (const auto& [name, content] : pairs)
    if (name == key) return content;
  return {};
}

}  // namespace

std::span<const variable_info> variable_table() noexcept { return table; }

std::string_view text_of(variable id, std::string_view key, const request_context& context, const exponents& decimals,
                         scratch& buffer) {
  payments::money amount = context.attempt.amount;
  if (context.modification != nullptr) amount.minor = context.modification->amount;
  switch (id) {
    case v::amount_minor:
    case v::amount_minor_text:
    case v::amount_decimal:
    case v::amount_decimal_number: return amount_text(id, amount, decimals.of(amount.unit), buffer);
    case v::amount_currency: return amount.unit.code();
    case v::amount_exponent: return digits(decimals.of(amount.unit), buffer);
    case v::authentication_version:
    case v::authentication_eci:
    case v::authentication_cryptogram:
    case v::authentication_ds_transaction_id: return authentication_text(id, context);
    case v::return_url: return context.return_url;
    case v::attempt_id: return context.attempt.id;
    case v::attempt_gateway_reference: return context.attempt.gateway_reference;
    case v::operation_id:
    case v::operation_reference:
    case v::operation_reason:
    case v::operation_final:
      return context.modification != nullptr ? operation_text(id, *context.modification)
                                             : operation_text(id, context.attempt);
    case v::payment_id: return context.payment.id;
    case v::payment_reference: return context.payment.reference;
    case v::payment_return_url: return context.payment.return_url;
    case v::customer_id: return context.payment.buyer.id;
    case v::customer_email: return context.payment.buyer.email;
    case v::customer_country: return context.payment.buyer.country;
    case v::metadata: return named_text(key, context.payment.metadata);
    case v::kept: return named_text(key, context.attempt.kept);
    default: break;
  }
  return context.card != nullptr ? card_text(id, *context.card, buffer) : std::string_view{};
}

}  // namespace turnout::connectors
