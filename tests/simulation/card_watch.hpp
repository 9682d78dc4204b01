#pragma once
// Invariant 6: no card number on disk, in what is counted and logged, or in
// answers. It knows every number that was ever paid with, and finds them in any text.
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "payments/send_result.hpp"
#include "proxy/core/ports.hpp"
#include "tests/simulation/scheduler.hpp"

namespace turnout::simulation {

class card_watch {
 public:
  explicit card_watch(std::vector<std::string>& violations) : violations_(violations) {}

  /// A new number with a valid check digit.
  std::string draw(seeded_random& random);
  void read(std::string_view where, std::string_view text);
  void read(const core::journal_write& write);
  void read(const payments::send_result& result);

 private:
  static constexpr std::size_t length = 16;
  std::unordered_set<std::string> numbers_;
  std::vector<std::string>& violations_;
};

}  // namespace turnout::simulation
