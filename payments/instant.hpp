#pragma once
// Time comes in as an argument: pure rooms never read a clock.
#include <chrono>

namespace turnout::payments {

using steady_time = std::chrono::steady_clock::time_point;
using wall_time = std::chrono::system_clock::time_point;
using milliseconds = std::chrono::milliseconds;

/// One moment on both clocks. Deadlines, back-offs and breakers use `steady`;
/// what is written down or shown uses `wall`, which may jump either way.
struct instant {
  steady_time steady;
  wall_time wall;
};

}  // namespace turnout::payments
