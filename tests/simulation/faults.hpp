#pragma once
// What goes wrong, how often, and how often it did.
#include <array>
#include <cstdint>
#include <string_view>

#include "payments/name_table.hpp"

namespace turnout::simulation {

enum class fault : std::uint8_t {
  refused_connection,
  drop_before,          ///< the request is lost on its way
  drop_after,           ///< it is processed, and the answer is lost
  late,                 ///< it is processed after the proxy gave up waiting
  stall,                ///< nothing is processed, nothing is answered
  error_after,          ///< it is processed and answered with a server error
  duplicated,           ///< it arrives twice; whichever answer is first is read, the other one is lost
  stale_answer,         ///< the answer is old when it arrives: another has been true since
  rate_limited,         ///< documented as not processed
  refused_credentials,  ///< refused before it is looked at, whatever became of its first send
  called_duplicate,     ///< a replay is declined as a duplicate, whatever became of its first send
  wrong_amount,         ///< another amount is approved
  echoed_card,          ///< the card's number is in the answer
  inquiry_lag,          ///< "not found" for a while about what exists
  inquiry_error,
  gateway_down,  ///< for minutes or hours
  proxy_crash,   ///< at any time
  crash_between_steps,
  disk_full,
  slow_disk,
  failed_sync,  ///< the proxy stops; what was under way may be on disk or not
  clock_jump,
  reload,          ///< a connector is gone for a while
  undecided,       ///< the gateway takes minutes to decide, and says so
  abandoned,       ///< a shopper never takes the challenge
  lost_client,     ///< a merchant hangs up, or asks twice at once
  repeated_client  ///< a merchant asks once more long after the answer
};
inline constexpr std::size_t fault_count = 27;
inline constexpr payments::name_table<fault, fault_count> fault_names{{"refused_connection",
                                                                       "drop_before",
                                                                       "drop_after",
                                                                       "late",
                                                                       "stall",
                                                                       "error_after",
                                                                       "duplicated",
                                                                       "stale_answer",
                                                                       "rate_limited",
                                                                       "refused_credentials",
                                                                       "called_duplicate",
                                                                       "wrong_amount",
                                                                       "echoed_card",
                                                                       "inquiry_lag",
                                                                       "inquiry_error",
                                                                       "gateway_down",
                                                                       "proxy_crash",
                                                                       "crash_between_steps",
                                                                       "disk_full",
                                                                       "slow_disk",
                                                                       "failed_sync",
                                                                       "clock_jump",
                                                                       "reload",
                                                                       "undecided",
                                                                       "abandoned",
                                                                       "lost_client",
                                                                       "repeated_client"}};

/// One number for each fault: a probability, or a count.
template <class Number>
struct per_fault {
  std::array<Number, fault_count> values{};
  Number& operator[](fault which) noexcept { return values[static_cast<std::size_t>(which)]; }
  Number operator[](fault which) const noexcept { return values[static_cast<std::size_t>(which)]; }
};

}  // namespace turnout::simulation
