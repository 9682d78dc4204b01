#pragma once
// A payment as an operator wants it told: what happened, what is not known,
// and what is awaited. For eyes and, as JSON, for programs.
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/object.hpp>

#include "payments/connector_profile.hpp"
#include "payments/payment.hpp"

namespace turnout::cli {

/// By name; null: the running configuration has no such connector, or it could not be read.
using profiles = std::function<const payments::connector_profile*(std::string_view)>;

/// Something of a payment whose truth is not known.
struct open_question {
  std::string target;  ///< att_…, cap_…, ref_… or can_…
  std::string connector;
  std::string what;   ///< "sale 12.50 EUR"
  std::string state;  ///< unknown, reversing, in_doubt, …, and the latest code
  std::string tried;  ///< "3 sends, the first 2026-…"
  std::string awaits;
  payments::wall_time since;
};

/// Oldest first; empty when all is settled.
std::vector<open_question> open_questions(const payments::payment& record, const profiles& known);

/// "2026-11-20T10:00:00.000Z"
std::string timestamp(payments::wall_time at);
/// "3m 12s", "2d 4h"
std::string age(std::chrono::system_clock::duration span);

/// Several lines, each with its end.
std::string story(const payments::payment& record, const profiles& known, payments::wall_time now);
std::string story_of_events(const std::vector<payments::payment_event>& events);

boost::json::object to_json(const payments::payment& record, const profiles& known, payments::wall_time now);
boost::json::array to_json(const std::vector<payments::payment_event>& events);

}  // namespace turnout::cli
