#pragma once
// Takes traffic off a gateway that fails technically, and finds out with single
// payments when it is back.
//
//   closed ──(failure probability ≥ .5 and ≥ 3 failures in the last 8)──▶ open
//   open ──(after 2, 4, 8 … 60 s)──▶ half_open ──(3 probes in a row succeed)──▶ closed
//                                        └──(a probe fails)──▶ open, twice as long
//
// Only sends that began after it opened may close it or open it again: the pile
// of requests that were in flight when a gateway died says nothing about now.
// Growth starts over once it stayed closed for a minute.
#include <cstdint>
#include <string_view>

#include "routing/decay.hpp"

namespace turnout::routing {

enum class breaker_state : std::uint8_t {
  closed,     ///< traffic flows
  open,       ///< no traffic until the time is over
  half_open,  ///< one probe at a time
};
std::string_view to_string(breaker_state) noexcept;

class breaker {
 public:
  breaker_state state(steady_time now) const noexcept;
  /// half_open and no probe is under way.
  bool may_probe(steady_time now) const noexcept;
  /// A probe was chosen. It holds the one place until it is observed or its lease runs out.
  void lease_probe(std::uint64_t decision, steady_time now) noexcept;
  /// The probe came to nothing, through no fault of the gateway.
  void release_probe(std::uint64_t decision) noexcept;
  /// An answer to a send that began at `sent_at`. `failure_probability` is the
  /// health filter's after this answer.
  void observe(std::uint64_t decision, bool technical_failure, double failure_probability, steady_time sent_at,
               steady_time now) noexcept;
  /// When an open breaker lets a probe through.
  steady_time opens_until() const noexcept { return until_; }

 private:
  void open(steady_time now) noexcept;
  void close(steady_time now) noexcept;

  bool tripped_ = false;     ///< open or half_open, by time
  std::uint8_t recent_ = 0;  ///< the last eight answers, a bit each, 1 = failure
  int level_ = 0;            ///< how often the open time was doubled
  int successes_ = 0;        ///< in a row since it opened
  steady_time opened_at_{}, until_{}, closed_at_{};
  bool ever_closed_again_ = false;
  std::uint64_t probe_ = 0;  ///< decision that holds the place, 0: none
  steady_time probe_until_{};
};

}  // namespace turnout::routing
