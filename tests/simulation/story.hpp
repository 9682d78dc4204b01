#pragma once
// One payment's story for a person to read: what the merchant asked, what the
// core decided, what was written and sent, and beside it the ledgers of the
// gateways as they were at that moment.
#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "tests/simulation/scheduler.hpp"

namespace turnout::simulation {

class story {
 public:
  explicit story(const scheduler& time) : time_(time) {}

  /// `subject` is a payment's id, or something that alias() makes one of.
  void tell(const std::string& subject, const std::string& who, std::string what);
  /// From now on, and before.
  void alias(const std::string& subject, const std::string& payment) { aliases_[subject] = payment; }
  /// An attempt's charge as its gateway has it now; shown beside the lines from here on.
  void ledger(const std::string& payment, const std::string& attempt, const std::string& gateway,
              const std::string& state);
  /// The lines about one payment, or about "all" of them.
  std::vector<std::string> read(const std::string& payment) const;

 private:
  struct line {
    milliseconds at;
    std::string subject, who, what;
    bool entry;  ///< of a ledger, `who` is the attempt
  };
  const scheduler& time_;
  std::vector<line> lines_;
  std::map<std::string, std::string> aliases_;
};

}  // namespace turnout::simulation
