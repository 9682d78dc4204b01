#pragma once
// Drives the captures, refunds and cancellations of an approved payment, for tests.
#include "flow_driver.hpp"
#include "payments/modification_rules.hpp"

namespace turnout::payments {

using kind = modification_kind;

struct modify_driver : flow_driver {
  explicit modify_driver(payment_status status = payment_status::authorized) {
    connector_profile& alpha = profiles.at("alpha");
    for (const operation each : {operation::capture, operation::refund, operation::void_payment})
      alpha.operations.push_back(each);
    alpha.multiple_captures = true;
    record_.status = status;
    record_.answered = true;
    record_.connector = "alpha";
    record_.amount_authorized = 1250;
    if (status == payment_status::succeeded) record_.amount_captured = 1250;
    attempt made{.id = "att_1", .connector = "alpha", .operation = operation::authorize, .amount = record_.amount};
    made.in_flight = false;
    made.outcome = outcome::approved;
    made.seen_approved = true;
    made.captured = status == payment_status::succeeded;
    record_.attempts.push_back(made);
  }
  payment record_ = fresh_record();
  connector_profile& alpha() { return profiles.at("alpha"); }

  void reopen() {
    open(record_);
    feed(flow::reopened{});
    REQUIRE(is<flow::finish>());
  }
  void ask(kind what, std::optional<std::int64_t> amount = {}, bool final = true) {
    if (!flow) reopen();
    modification_check made =
        check_modification(record(), {.kind = what, .amount = amount, .final_capture = final}, &alpha(), now.wall);
    REQUIRE(made.refusal == modification_refusal::none);
    made.planned.id = "mod_" + std::to_string(record().modifications.size());
    made.planned.cause = "merchant";
    feed(flow::modify{made.planned});
  }
  const modification& mod(std::size_t index = 0) const { return record().modifications.at(index); }
  bool sends(send_kind what, std::size_t index = 0) const {
    return is_send(what) && std::get<flow::send>(last).modification == index;
  }
  /// The same record in a new process.
  void restart() {
    payment kept = record();
    open(std::move(kept));
    feed(flow::recovered{});
  }
};

inline send_result totals(std::optional<std::int64_t> captured, std::optional<std::int64_t> refunded,
                          std::optional<bool> voided = {}) {
  send_result made = said(outcome::approved);
  made.captured_total = captured;
  made.refunded_total = refunded;
  made.voided = voided;
  return made;
}

}  // namespace turnout::payments
