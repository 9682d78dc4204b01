#pragma once
// What the engine tells whoever counts and logs. Never decides anything.
#include <string_view>

#include "payments/payment.hpp"
#include "payments/payment_flow.hpp"
#include "routing/router.hpp"

namespace turnout::core {

class observer {
 public:
  virtual ~observer() = default;
  /// `event` made the flow of `record` decide on `action`; its status was `before`. Not durable yet.
  virtual void on_step(const payments::payment& /*record*/, payments::payment_status /*before*/,
                       const payments::flow::event& /*event*/, const payments::flow::action& /*action*/) {}
  /// A routing decision was made for `record`; `taken` is how long choose() took.
  virtual void on_decision(const payments::payment& record, const routing::decision& made) = 0;
  /// One send is over.
  virtual void on_send(const payments::attempt& attempt, payments::send_kind kind,
                       const payments::send_result& result) = 0;
  /// An attempt got its (first or later, settled) outcome.
  virtual void on_attempt(const payments::payment& record, const payments::attempt& attempt) = 0;
  /// One send of a capture, refund or void is over.
  virtual void on_modification_send(const payments::attempt& attempt, payments::operation operation,
                                    const payments::send_result& result) = 0;
  /// It succeeded or failed.
  virtual void on_modification(const payments::payment& record, const payments::modification& ended) = 0;
  virtual void on_failover(std::string_view from, std::string_view to, std::string_view reason) = 0;
  /// result: confirmed | wanted
  virtual void on_reversal(std::string_view connector, std::string_view result) = 0;
  /// The merchant is being told (final or 202), `taken` after the request arrived.
  virtual void on_answer(const payments::payment& record, payments::milliseconds taken) = 0;
  /// The payment became final (once per payment).
  virtual void on_final(const payments::payment& record) = 0;
  /// A person ended a doubt; `word` is durable.
  virtual void on_resolution(const payments::payment& record, const payments::resolution& word) = 0;
  /// A send that asks for the truth waits for its turn.
  virtual void on_delayed(std::string_view connector) = 0;
  /// It gives definite answers again: all that waits for it is woken.
  virtual void on_gateway_recovered(std::string_view connector) = 0;
  virtual void on_invariant_violation(std::string_view invariant, std::string_view payment) = 0;
};

}  // namespace turnout::core
