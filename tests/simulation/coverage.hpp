#pragma once
// Which transitions of the core the simulation went through, by name. A list
// says which there are: one that was never reached is a hole in the
// simulation, one that nobody listed is a surprise. Both fail.
// A few are rare: of them as many are reached as there is time for.
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>

#include "payments/payment_flow.hpp"
#include "proxy/core/engine.hpp"
#include "proxy/core/ports.hpp"

namespace turnout::simulation {

class coverage {
 public:
  void step(payments::payment_status before, const payments::flow::event& event, const payments::flow::action& action);
  void send(payments::send_kind kind, const payments::send_result& result);
  void modification_send(payments::operation asked, const payments::send_result& result);
  void commit(const core::journal_write& write, core::commit_status status);
  /// What a write changes; `before` is null on the first one.
  void change(const payments::payment* before, const core::journal_write& write);
  void created(core::create_status status);
  void modified(payments::modification_kind kind, const core::modify_result& result);
  void shopper_told(payments::payment_status status);

  void add(const coverage& other);
  /// Prints what was reached how often, and what was not. True: all of it, and nothing else.
  /// Of the rare ones none is asked for unless `rare_too`.
  bool report(bool rare_too) const;

 private:
  void count(std::string name) { ++reached_[std::move(name)]; }

  std::map<std::string, std::uint64_t> reached_;
};

struct transition {
  std::string_view name;
  bool rare = false;
};
/// The transitions there are, in the order of the alphabet.
std::span<const transition> known_transitions() noexcept;

}  // namespace turnout::simulation
