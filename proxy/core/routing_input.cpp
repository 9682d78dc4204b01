#include "proxy/core/routing_input.hpp"

#include <algorithm>

namespace turnout::core {

policies::match_input match_input_of(const payments::payment_request& wish, const payments::card& card) {
  return {.merchant = wish.merchant,
          .method = wish.method,
          .brand = card.brand(),
          .bin = card.reveal_number().substr(0, 6),
          .customer_country = wish.buyer.country,
          .amount = wish.amount,
          .capture = wish.capture};
}

std::optional<payments::money> without_rates(const payments::money& amount, payments::currency to) {
  return amount.unit == to ? std::optional(amount) : std::nullopt;
}

payments::payment record_of(const payments::payment_request& wish, const payments::card& card) {
  payments::payment record{.merchant = wish.merchant, .livemode = wish.livemode, .amount = wish.amount};
  record.capture = wish.capture;
  record.method = wish.method;
  record.card = card.summary();
  record.reference = wish.reference;
  record.buyer = wish.buyer;
  record.return_url = wish.return_url;
  record.metadata = wish.metadata;
  record.authentication = wish.authentication;
  return record;
}

routing::request routing_request_of(const payments::payment& record, const payments::retry_plan& plan) {
  return {.merchant = record.merchant,
          .method = record.method,
          .brand = record.card.brand,
          .bin = record.card.bin,
          .country = {},
          .amount = record.amount,
          .attempts_left = std::max(1, plan.max_attempts - static_cast<int>(record.attempts.size()))};
}

}  // namespace turnout::core
