#pragma once
// Which idempotency keys are old enough to be forgotten. A key that goes too
// early lets a retry pay twice, so the wall clock alone does not decide: a host
// may boot with a clock that is years behind, take payments, and have it put right.
//
//   - A key is older than the retention by the wall clock, always.
//   - Keys of this start wait until the process has been up for the retention.
//   - Keys of earlier starts wait for a warm-up, time for the clock to be set.
//   - When the wall clock is seen to step forward, every key waits for the
//     retention from there on.
//
// What it cannot see: a clock that was wrong in an earlier start and is right
// since before this one.
#include <chrono>
#include <cstdint>
#include <optional>

#include "payments/payment.hpp"

namespace turnout::journal {

class purge_rule {
 public:
  using uptime = std::chrono::steady_clock::time_point;
  struct scope {
    payments::wall_time made_before;
    bool this_start;  ///< or only keys of earlier starts
  };

  purge_rule(std::chrono::nanoseconds retention, std::chrono::nanoseconds warmup)
      : retention_(retention), warmup_(warmup) {}

  /// To be asked every minute or more often, so that no step of the clock is missed;
  /// the first time at the start. Nullopt: nothing may go.
  std::optional<scope> look(uptime now, payments::wall_time wall) {
    if (!asked_) asked_ = {now, wall}, even_since_ = now;
    if (wall - asked_->wall > now - asked_->at + tolerance) even_since_ = now, stepped_ = true;
    asked_ = {now, wall};
    const auto even_for = now - even_since_;
    const bool all = even_for >= retention_;
    if (!all && (stepped_ || even_for < warmup_)) return std::nullopt;
    return scope{wall - retention_, all};
  }

 private:
  struct answer {
    uptime at;
    payments::wall_time wall;
  };
  /// A clock that is slewed, and the time between the readings of two clocks, are no step.
  static constexpr std::chrono::minutes tolerance{1};

  std::chrono::nanoseconds retention_, warmup_;
  std::optional<answer> asked_;
  uptime even_since_{};  ///< the start, or the last step
  bool stepped_ = false;
};

}  // namespace turnout::journal
