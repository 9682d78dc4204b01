#pragma once
// One simulated world: merchants, the real engines, a disk and gateways, in
// virtual time from one seed. First faults, then healing, then the audit.
#include <cstdint>
#include <string>
#include <vector>

#include "tests/simulation/coverage.hpp"
#include "tests/simulation/faults.hpp"
#include "tests/simulation/variants.hpp"

namespace turnout::simulation {

struct world_options {
  std::uint64_t seed = 1;
  int payments = 400;
  const variant* broken = nullptr;
  bool broken_promises = false;  ///< of the gateways: see broken_promises.hpp
  std::vector<fault> without;    ///< faults that do not happen
  std::string story_of;          ///< a payment's id, or "all": its story is kept
  coverage* reached = nullptr;
};

struct world_report {
  std::vector<std::string> violations;  ///< empty: every invariant held
  std::vector<std::string> story;
  per_fault<std::uint64_t> faults;
  std::uint64_t payments = 0, modifications = 0, answers = 0, charges = 0, steps = 0;
  std::uint64_t attention = 0;              ///< payments left to a person: no proof was declared
  std::uint64_t doubled = 0, detected = 0;  ///< payments that were charged twice at a time, and known to have been
  std::uint64_t late_approvals = 0;         ///< as the metric counted them
  double virtual_hours = 0;
};

world_report run_world(const world_options& options);

}  // namespace turnout::simulation
