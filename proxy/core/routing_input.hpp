#pragma once
// What policies and the router are asked about a payment: one place, so that an
// explanation asks the same as the payment itself did.
#include <optional>

#include "payments/card.hpp"
#include "payments/payment.hpp"
#include "payments/retry_plan.hpp"
#include "policies/policy.hpp"
#include "routing/router.hpp"

namespace turnout::core {

/// Views into both.
policies::match_input match_input_of(const payments::payment_request& wish, const payments::card& card);

/// Rate feeds are not part of this version: amounts compare within one currency only.
std::optional<payments::money> without_rates(const payments::money& amount, payments::currency to);

/// The record of a payment that is asked for, still without id, policy and times.
payments::payment record_of(const payments::payment_request& wish, const payments::card& card);

/// Views into `record`.
routing::request routing_request_of(const payments::payment& record, const payments::retry_plan& plan);

}  // namespace turnout::core
