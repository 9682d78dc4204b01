#pragma once
// Worlds that are broken on purpose, each in one way that real payment
// switches are: the audit has to catch every one of them.
#include <optional>
#include <span>
#include <string_view>

#include "tests/simulation/disk.hpp"
#include "tests/simulation/gateway.hpp"

namespace turnout::simulation {

/// What the proxy is made to believe, at its ports.
struct variant {
  std::string_view name, what;
  disk_habits disk;
  gateway_habits gateways;
  bool unknown_is_not_sent = false;        ///< a lost charge is failed over
  bool trusts_early_not_found = false;     ///< not_found_final_after is zero
  bool limited_replay_is_decline = false;  ///< a 429 on a replay clears the doubt
  bool reversals_are_forgotten = false;    ///< acknowledged without being sent
  bool resolver_stops = false;             ///< after a restart nothing is taken up again
  bool lost_modification_failed = false;   ///< its reservation is released on a timeout
  bool lost_modification_done = false;     ///< it is taken for done
  bool any_amount = false;                 ///< the approved amount is not read
  bool reverse_does_not_block = false;     ///< a reversal is said to block late charges, and does not
};

std::span<const variant> broken_variants() noexcept;
const variant* find_variant(std::string_view name) noexcept;

}  // namespace turnout::simulation
