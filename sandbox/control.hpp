#pragma once
// What an operator sets on one simulated gateway: how often it approves, how
// slow it is, and what goes wrong. Read from and written as JSON.
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "payments/decline_reason.hpp"

namespace turnout::sandbox {

enum class outage : std::uint8_t {
  none,
  refuse,  ///< its own listener and connections are closed; 503 "not processed" on the shared port
  stall,   ///< accepts and never answers, processes nothing
  error,   ///< answers the dialect's internal error, processes nothing
};
std::string_view to_string(outage) noexcept;

/// Probabilities per charge request, 0 to 1.
struct fault_rates {
  double charge_then_drop = 0;    ///< processes, then closes the connection without a byte
  double charge_then_stall = 0;   ///< processes, then never answers
  double error_after_charge = 0;  ///< processes, then answers the dialect's internal error
  double drop_before_charge = 0;  ///< closes the connection, processes nothing
  double rate_limited = 0;        ///< answers 429, processes nothing
  double wrong_amount = 0;        ///< charges one minor unit too much, and says so
};

/// Probabilities per capture, refund or void request, 0 to 1.
struct modification_fault_rates {
  double apply_then_drop = 0;    ///< does it, then closes the connection without a byte
  double apply_then_stall = 0;   ///< does it, then never answers
  double error_after_apply = 0;  ///< does it, then answers the dialect's internal error
  double drop_before_apply = 0;  ///< closes the connection, does nothing
  double rate_limited = 0;       ///< answers 429, does nothing
};

struct control {
  double approval_rate = 1.0;
  /// Weights; at least one is positive.
  std::vector<std::pair<payments::decline_reason, double>> declines{{payments::decline_reason::do_not_honor, 1.0}};
  double latency_ms = 20;      ///< median; 0 answers at once
  double latency_sigma = 0.2;  ///< of the logarithm; 0 makes every answer take the median
  turnout::sandbox::outage outage = turnout::sandbox::outage::none;
  fault_rates faults;
  modification_fault_rates modification_faults;
  std::int64_t inquiry_lag_ms = 0;   ///< an inquiry says "not found" until this long after the charge
  std::int64_t charge_delay_ms = 0;  ///< a charge is processed this long after its request arrived
};

struct control_problem {
  std::string field;  ///< dotted path, "" for the whole body
  std::string message;
};

/// Applies `body` to `target`; on any problem nothing is changed.
std::vector<control_problem> update_control(std::string_view body, control& target);
std::string to_json(const control&);

}  // namespace turnout::sandbox
