#pragma once
// One immutable version of everything ops configure that payments depend on.
// A reload makes a new one; payments in flight keep theirs.
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "connectors/definition.hpp"
#include "policies/policy.hpp"

namespace turnout::core {

struct configuration {
  std::vector<std::shared_ptr<const connectors::definition>> connectors;
  policies::policy_set policies;
  std::string version;  ///< of all files as they are written: 12 hex digits

  const connectors::definition* find(std::string_view connector) const noexcept {
    for (const auto& each : connectors)
      if (each->profile().name == connector) return each.get();
    return nullptr;
  }
};

}  // namespace turnout::core
