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
  bool unknown_is_not_sent = false;         ///< a lost charge is failed over
  bool trusts_early_not_found = false;      ///< not_found_final_after is zero
  bool limited_replay_is_decline = false;   ///< a 429 on a replay clears the doubt
  bool duplicate_is_decline = false;        ///< so does a replay that is called a duplicate
  bool keys_live_for_ever = false;          ///< replays go on past the declared life
  bool hard_is_soft = false;                ///< a stolen card is tried elsewhere
  bool pending_is_declined = false;         ///< what is not decided yet is tried elsewhere
  bool challenge_is_declined = false;       ///< and so is what waits for its shopper
  bool late_approvals_are_ignored = false;  ///< once cancel was asked for
  bool answers_are_crossed = false;         ///< one payment reads another one's answer
  bool keeps_card = false;                  ///< its number is in what is kept of an answer
  bool reversals_are_forgotten = false;     ///< acknowledged without being sent
  bool resolver_stops = false;              ///< after a restart nothing is taken up again
  bool anyone_modifies = false;             ///< not the payment's owner only
  bool ignores_reload = false;              ///< one engine keeps its configuration for ever
  bool lost_modification_failed = false;    ///< its reservation is released on a timeout
  bool lost_modification_done = false;      ///< it is taken for done
  bool any_amount = false;                  ///< the approved amount is not read
  bool reverse_does_not_block = false;      ///< a reversal is said to block late charges, and does not
};

std::span<const variant> broken_variants() noexcept;
const variant* find_variant(std::string_view name) noexcept;

}  // namespace turnout::simulation
