#pragma once
// Decimals of a currency as one gateway counts them: the standard's, unless the
// definition overrides them (real gateways differ from ISO 4217).
#include <utility>
#include <vector>

#include "payments/money.hpp"

namespace turnout::connectors {

class exponents {
 public:
  /// `decimals` is never below the standard's: an amount could not be told exactly.
  void set(payments::currency unit, int decimals) { overrides_.emplace_back(unit, decimals); }
  int of(payments::currency unit) const noexcept {
    for (const auto& [each, decimals] : overrides_)
      if (each == unit) return decimals;
    return unit.exponent();
  }

 private:
  std::vector<std::pair<payments::currency, int>> overrides_;
};

}  // namespace turnout::connectors
