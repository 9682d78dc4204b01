#pragma once
// What a payment's events alone say of it: its status, how each attempt ended,
// what was captured and given back. Folded without the record, so that each can be
// held against the other; whoever changes the one without the other is found out.
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "payments/payment.hpp"

namespace turnout::payments {

class payment_story {
 public:
  /// In the order of the story. Events about an attempt or modification that the story does not know are noted as
  /// contradictions.
  void add(const payment_event& event);

  /// One line for each contradiction, within the events and between them and the record; empty: they agree.
  /// Amounts are compared as far as the events tell them: those before the journal's schema 5 do not.
  std::vector<std::string> differences(const payment& record) const;

 private:
  struct told_attempt {
    std::string id, connector;
    bool in_flight = true;
    std::string result;  ///< the word of its outcome
    reversal_state reversal = reversal_state::none;
    std::optional<money> amount;
  };
  struct told_modification {
    std::string id, kind;
    modification_status status = modification_status::pending;
    std::optional<money> amount;
  };
  told_attempt* attempt_of(const payment_event& event);
  void about_attempt(const payment_event& event);
  void about_twin(const payment_event& event);
  void about_modification(const payment_event& event);
  void about_payment(const payment_event& event);
  void modification_done(const told_modification& each);
  void compare_attempts(const payment& record, std::vector<std::string>& found) const;
  void compare_modifications(const payment& record, std::vector<std::string>& found) const;
  void compare_amounts(const payment& record, std::vector<std::string>& found) const;

  std::optional<payment_status> status_;  ///< nullopt: no event told it
  std::optional<money> amount_;
  bool answered_ = false, cancel_requested_ = false, action_expired_ = false, captured_something_ = false;
  std::string attention_;
  std::vector<std::string> words_;  ///< of people: target and verdict
  std::vector<told_attempt> attempts_;
  std::vector<told_modification> modifications_;
  std::vector<std::string> contradictions_;
};

/// Whatever the story: what no record may say of money and of its attempts (invariants 1 and 4), one line each.
std::vector<std::string> broken_rules(const payment& record);

}  // namespace turnout::payments
