#include "sandbox/control.hpp"

#include <array>
#include <cmath>
#include <optional>

#include <boost/json.hpp>

namespace turnout::sandbox {
namespace json = boost::json;
namespace {

constexpr double longest_latency_ms = 600'000;
constexpr double widest_sigma = 5;
constexpr std::int64_t longest_delay_ms = 86'400'000;

constexpr std::array<std::string_view, 4> outage_names{"none", "refuse", "stall", "error"};

template <class Rates>
struct fault_field {
  std::string_view name;
  double Rates::*rate;
};
constexpr std::array<fault_field<fault_rates>, 6> fault_fields{{
    {"charge_then_drop", &fault_rates::charge_then_drop},
    {"charge_then_stall", &fault_rates::charge_then_stall},
    {"error_after_charge", &fault_rates::error_after_charge},
    {"drop_before_charge", &fault_rates::drop_before_charge},
    {"rate_limited", &fault_rates::rate_limited},
    {"wrong_amount", &fault_rates::wrong_amount},
}};

constexpr std::array<fault_field<modification_fault_rates>, 5> modification_fault_fields{{
    {"apply_then_drop", &modification_fault_rates::apply_then_drop},
    {"apply_then_stall", &modification_fault_rates::apply_then_stall},
    {"error_after_apply", &modification_fault_rates::error_after_apply},
    {"drop_before_apply", &modification_fault_rates::drop_before_apply},
    {"rate_limited", &modification_fault_rates::rate_limited},
}};

using problems = std::vector<control_problem>;

void read_number(const json::value& from, std::string field, double least, double most, double& into, problems& found) {
  const auto number = from.is_number() ? from.to_number<double>() : std::nan("");
  if (std::isfinite(number) && number >= least && number <= most) {
    into = number;
    return;
  }
  found.push_back({std::move(field), "must be a number from " + json::serialize(json::value(least)) + " to " +
                                         json::serialize(json::value(most))});
}

void read_milliseconds(const json::value& from, std::string field, std::int64_t& into, problems& found) {
  boost::system::error_code failed;
  const auto number = from.is_number() ? from.to_number<std::int64_t>(failed) : -1;
  if (!failed && number >= 0 && number <= longest_delay_ms) {
    into = number;
    return;
  }
  found.push_back({std::move(field), "must be whole milliseconds from 0 to " + std::to_string(longest_delay_ms)});
}

void read_outage(const json::value& from, outage& into, problems& found) {
  if (const auto* name = from.if_string()) {
    for (std::size_t i = 0; i < outage_names.size(); ++i) {
      if (*name != outage_names[i]) continue;
      into = static_cast<outage>(i);
      return;
    }
  }
  found.push_back({"outage", "must be one of none, refuse, stall, error"});
}

template <class Rates, std::size_t N>
void read_faults(const json::value& from, const std::string& path, const std::array<fault_field<Rates>, N>& fields,
                 Rates& into, problems& found) {
  const auto* object = from.if_object();
  if (!object) {
    found.push_back({path, "must be an object of probabilities"});
    return;
  }
  for (const auto& member : *object) {
    const std::string_view name = member.key();
    bool known = false;
    for (const auto& field : fields) {
      if (field.name != name) continue;
      known = true;
      read_number(member.value(), path + '.' + std::string(name), 0, 1, into.*field.rate, found);
    }
    if (!known) found.push_back({path + '.' + std::string(name), "unknown fault"});
  }
}

void read_declines(const json::value& from, control& into, problems& found) {
  const auto* object = from.if_object();
  if (!object) {
    found.push_back({"declines", "must be an object of reasons and weights"});
    return;
  }
  decltype(into.declines) mix;
  double total = 0;
  for (const auto& member : *object) {
    const std::string field = "declines." + std::string(member.key());
    const auto reason = payments::parse_decline_reason(member.key());
    if (!reason || *reason == payments::decline_reason::none) {
      found.push_back({field, "unknown decline reason"});
      continue;
    }
    double weight = 0;
    read_number(member.value(), field, 0, 1e9, weight, found);
    total += weight;
    mix.emplace_back(*reason, weight);
  }
  if (total <= 0) found.push_back({"declines", "needs at least one reason with a positive weight"});
  into.declines = std::move(mix);
}

void read_member(std::string_view name, const json::value& from, control& into, problems& found) {
  if (name == "approval_rate") return read_number(from, "approval_rate", 0, 1, into.approval_rate, found);
  if (name == "declines") return read_declines(from, into, found);
  if (name == "latency_ms") return read_number(from, "latency_ms", 0, longest_latency_ms, into.latency_ms, found);
  if (name == "latency_sigma") return read_number(from, "latency_sigma", 0, widest_sigma, into.latency_sigma, found);
  if (name == "outage") return read_outage(from, into.outage, found);
  if (name == "faults") return read_faults(from, "faults", fault_fields, into.faults, found);
  if (name == "modification_faults")
    return read_faults(from, "modification_faults", modification_fault_fields, into.modification_faults, found);
  if (name == "inquiry_lag_ms") return read_milliseconds(from, "inquiry_lag_ms", into.inquiry_lag_ms, found);
  if (name == "charge_delay_ms") return read_milliseconds(from, "charge_delay_ms", into.charge_delay_ms, found);
  found.push_back({std::string(name), "unknown field"});
}

/// 80 reads back as 80, not as 8E1.
json::value plain_number(double number) {
  if (number == std::floor(number) && std::abs(number) < 1e15) return static_cast<std::int64_t>(number);
  return number;
}

}  // namespace

std::string_view to_string(outage value) noexcept { return outage_names[static_cast<std::size_t>(value)]; }

std::vector<control_problem> update_control(std::string_view body, control& target) {
  problems found;
  boost::system::error_code failed;
  const json::value document = json::parse(body, failed);
  if (failed || !document.is_object()) {
    found.push_back({"", "the body must be a JSON object"});
    return found;
  }
  control changed = target;
  for (const auto& member : document.get_object()) read_member(member.key(), member.value(), changed, found);
  if (found.empty()) target = std::move(changed);
  return found;
}

std::string to_json(const control& from) {
  json::object declines, faults, modification_faults;
  for (const auto& [reason, weight] : from.declines) declines[payments::to_string(reason)] = plain_number(weight);
  for (const auto& field : fault_fields) faults[field.name] = plain_number(from.faults.*field.rate);
  for (const auto& field : modification_fault_fields)
    modification_faults[field.name] = plain_number(from.modification_faults.*field.rate);
  const json::object all{{"approval_rate", plain_number(from.approval_rate)},
                         {"declines", declines},
                         {"latency_ms", plain_number(from.latency_ms)},
                         {"latency_sigma", plain_number(from.latency_sigma)},
                         {"outage", to_string(from.outage)},
                         {"faults", faults},
                         {"inquiry_lag_ms", from.inquiry_lag_ms},
                         {"charge_delay_ms", from.charge_delay_ms},
                         {"modification_faults", modification_faults}};
  return json::serialize(all);
}

}  // namespace turnout::sandbox
