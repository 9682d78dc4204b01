// The table of decline reasons. Sources: the decline codes that gateways
// publish, and the schemes' rules on retrying (Visa category 1, Mastercard
// merchant advice codes).
#include "payments/decline_reason.hpp"

#include <array>

#include "payments/name_table.hpp"

namespace turnout::payments {

namespace {

constexpr name_table<decline_class, decline_class_count> classes{
    {"issuer_soft", "issuer_hard", "technical", "risk", "authentication", "invalid_data"}};

constexpr name_table<advice, 5> advices{
    {"do_not_retry", "retry_later", "update_card", "authenticate", "contact_issuer"}};

using r = decline_reason;
using c = decline_class;
using a = advice;
constexpr auto soft = outcome::soft_decline;
constexpr auto hard = outcome::hard_decline;
constexpr bool blames = true, spares = false;      // the gateway
constexpr bool elsewhere = true, nowhere = false;  // may another gateway be tried

constexpr std::array table = {
    // What the issuer says today, about this amount or this try.
    decline_info{r::do_not_honor, "do_not_honor", soft, c::issuer_soft, a::contact_issuer, spares, elsewhere,
                 "The card's issuer declined without giving a reason."},
    decline_info{r::try_again_later, "try_again_later", soft, c::issuer_soft, a::retry_later, spares, elsewhere,
                 "The card's issuer asks to try again later."},
    decline_info{r::insufficient_funds, "insufficient_funds", soft, c::issuer_soft, a::retry_later, spares, elsewhere,
                 "The card has insufficient funds."},
    decline_info{r::limit_exceeded, "limit_exceeded", soft, c::issuer_soft, a::retry_later, spares, elsewhere,
                 "The card's amount or frequency limit is exceeded."},
    decline_info{r::incorrect_cvc, "incorrect_cvc", soft, c::issuer_soft, a::update_card, spares, elsewhere,
                 "The card's security code is incorrect."},
    // The reason of last resort: nobody knows what it stands for, so it is never tried elsewhere.
    decline_info{r::declined, "declined", soft, c::issuer_soft, a::contact_issuer, spares, nowhere,
                 "The card was declined."},
    // Visa response code 57 is in category 1: the issuer will never approve.
    decline_info{r::not_permitted, "not_permitted", soft, c::issuer_soft, a::contact_issuer, spares, nowhere,
                 "The card does not permit this kind of payment."},
    decline_info{r::restricted_card, "restricted_card", soft, c::issuer_soft, a::contact_issuer, spares, elsewhere,
                 "The card is restricted by its issuer."},

    // Never with this card.
    decline_info{r::expired_card, "expired_card", hard, c::issuer_hard, a::update_card, spares, nowhere,
                 "The card has expired."},
    decline_info{r::lost_card, "lost_card", hard, c::issuer_hard, a::do_not_retry, spares, nowhere,
                 "The card was reported lost."},
    decline_info{r::stolen_card, "stolen_card", hard, c::issuer_hard, a::do_not_retry, spares, nowhere,
                 "The card was reported stolen."},
    decline_info{r::pickup_card, "pickup_card", hard, c::issuer_hard, a::do_not_retry, spares, nowhere,
                 "The card's issuer has withdrawn the card."},
    decline_info{r::closed_account, "closed_account", hard, c::issuer_hard, a::do_not_retry, spares, nowhere,
                 "The card's account is closed."},
    decline_info{r::invalid_card, "invalid_card", hard, c::issuer_hard, a::update_card, spares, nowhere,
                 "The card number does not exist."},
    decline_info{r::invalid_account, "invalid_account", hard, c::issuer_hard, a::update_card, spares, nowhere,
                 "The card's account does not exist."},
    decline_info{r::do_not_retry, "do_not_retry", hard, c::issuer_hard, a::do_not_retry, spares, nowhere,
                 "The card's issuer or scheme forbids another try."},
    decline_info{r::stop_recurring, "stop_recurring", hard, c::issuer_hard, a::do_not_retry, spares, nowhere,
                 "The cardholder has stopped this series of payments."},

    // Nobody judged the payment: something on the gateway's side of the wire failed.
    decline_info{r::issuer_unavailable, "issuer_unavailable", soft, c::technical, a::retry_later, blames, elsewhere,
                 "The card's issuer could not be reached."},
    decline_info{r::processing_error, "processing_error", soft, c::technical, a::retry_later, blames, elsewhere,
                 "The payment could not be processed."},
    decline_info{r::gateway_error, "gateway_error", soft, c::technical, a::retry_later, blames, elsewhere,
                 "The gateway reported an error and did not process the payment."},
    decline_info{r::timeout_upstream, "timeout_upstream", soft, c::technical, a::retry_later, blames, elsewhere,
                 "The gateway had no answer in time and did not process the payment."},

    // Risk: what the issuer rejects is over, what a gateway rejects is its own opinion.
    decline_info{r::fraud_suspected, "fraud_suspected", hard, c::risk, a::do_not_retry, spares, nowhere,
                 "The card's issuer suspects fraud."},
    decline_info{r::gateway_risk, "gateway_risk", soft, c::risk, a::do_not_retry, spares, elsewhere,
                 "The gateway's risk check rejected the payment."},

    // 3-D Secure at the same gateway, never another gateway instead.
    decline_info{r::authentication_required, "authentication_required", soft, c::authentication, a::authenticate,
                 spares, nowhere, "The cardholder must authenticate."},
    decline_info{r::authentication_failed, "authentication_failed", soft, c::authentication, a::authenticate, spares,
                 nowhere, "The cardholder's authentication failed."},

    // The request, as this gateway sees it.
    decline_info{r::invalid_amount, "invalid_amount", soft, c::invalid_data, a::do_not_retry, spares, elsewhere,
                 "The gateway does not accept this amount."},
    decline_info{r::invalid_data, "invalid_data", soft, c::invalid_data, a::do_not_retry, spares, elsewhere,
                 "The gateway does not accept the payment's data."},
    decline_info{r::currency_not_supported, "currency_not_supported", soft, c::invalid_data, a::do_not_retry, spares,
                 elsewhere, "The gateway does not support this currency."},
    decline_info{r::card_not_supported, "card_not_supported", soft, c::invalid_data, a::update_card, spares, elsewhere,
                 "The gateway does not support this card."},
    // A twin may stand already: another gateway could charge a second time.
    decline_info{r::duplicate, "duplicate", soft, c::invalid_data, a::do_not_retry, spares, nowhere,
                 "The gateway takes this payment for a duplicate of another."},
};

constexpr bool in_order_of_enum() {
  for (std::size_t index = 0; index < table.size(); ++index)
    if (static_cast<std::size_t>(table[index].reason) != index + 1) return false;
  return static_cast<std::size_t>(decline_reason::duplicate) == table.size();
}
static_assert(in_order_of_enum());
static_assert(table.size() < 64, "retry_plan keeps one bit per reason");

}  // namespace

std::string_view to_string(decline_class value) noexcept { return classes[value]; }
std::optional<decline_class> parse_decline_class(std::string_view name) noexcept { return classes.find(name); }

std::string_view to_string(advice value) noexcept { return advices[value]; }

std::span<const decline_info> decline_table() noexcept { return table; }

const decline_info& describe(decline_reason reason) noexcept {
  const auto index = static_cast<std::size_t>(reason);
  TURNOUT_ASSERT(index >= 1 && index <= table.size());
  return table[index - 1];
}

std::string_view to_string(decline_reason reason) noexcept {
  return reason == decline_reason::none ? std::string_view{} : describe(reason).name;
}

std::optional<decline_reason> parse_decline_reason(std::string_view name) noexcept {
  for (const decline_info& each : table)
    if (each.name == name) return each.reason;
  return std::nullopt;
}

}  // namespace turnout::payments
