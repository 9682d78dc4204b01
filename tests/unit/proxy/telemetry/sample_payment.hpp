#pragma once
// A payment as an engine would report it.
#include "payments/payment.hpp"

namespace turnout::telemetry::test {

inline payments::payment sample_payment() {
  payments::payment record{
      .id = "pay_01KAF3ZJ5M8N2Q4R6S8T0V2W4X",
      .merchant = "demo",
      .livemode = false,
      .status = payments::payment_status::succeeded,
      .amount = {1250, *payments::currency::find("EUR")},
  };
  record.policy = "cards-eu";
  record.connector = "beta";
  payments::attempt first{.id = "att_1", .connector = "alpha", .amount = record.amount};
  first.in_flight = false;
  first.outcome = payments::outcome::not_sent;
  first.code = "connect_timeout";
  payments::attempt second{.id = "att_2", .connector = "beta", .amount = record.amount};
  second.in_flight = false;
  second.outcome = payments::outcome::approved;
  record.attempts = {first, second};
  return record;
}

}  // namespace turnout::telemetry::test
