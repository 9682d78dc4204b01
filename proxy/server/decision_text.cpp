// See decision_text.hpp.
#include "proxy/server/decision_text.hpp"

#include "proxy/api/json_text.hpp"

namespace turnout::server {
namespace {

void append_candidate(std::string& out, const routing::ranked& each) {
  const auto number = [&out](std::string_view name, double value) {
    out.append(",\"").append(name).append("\":");
    api::append_number(out, value);
  };
  out.append("{\"connector\":");
  api::append_string(out, each.connector);
  number("score", each.score);
  number("approval", each.approval);
  number("approval_deviation", each.approval_deviation);
  number("health", each.health);
  number("unknown", each.unknown);
  number("latency_ms", each.latency_ms);
  number("cost", each.cost);
  number("probability", each.probability);
  out.push_back('}');
}

/// Not the best was taken, but one that teaches something.
bool explored(const routing::decision& made) noexcept {
  return !made.order.empty() &&
         (made.why == routing::choice_reason::explored || made.why == routing::choice_reason::probed);
}

}  // namespace

std::string decision_text(const routing::decision& made, const core::decision_context& on) {
  std::string out;
  out.reserve(320 + 208 * (made.order.size() + made.excluded.size()));
  out.append("{\"at\":");
  api::append_time(out, on.at);
  out.append(",\"chosen\":");
  if (made.order.empty())
    out.append("null,\"why\":null");
  else {
    api::append_string(out, made.order.front().connector);
    out.append(",\"why\":");
    api::append_string(out, to_string(made.why));
  }
  out.append(explored(made) ? ",\"explored\":true" : ",\"explored\":false");
  out.append(",\"probability\":");
  api::append_number(out, made.order.empty() ? 0 : made.probability);
  out.append(",\"segment\":");
  api::append_string(out, made.segment);
  out.append(",\"candidates\":[");
  for (const routing::ranked& each : made.order) {
    if (out.back() != '[') out.push_back(',');
    append_candidate(out, each);
  }
  out.append("],\"excluded\":[");
  for (const routing::exclusion& each : made.excluded) {
    if (out.back() != '[') out.push_back(',');
    out.append("{\"connector\":");
    api::append_string(out, each.connector);
    out.append(",\"reason\":");
    api::append_string(out, each.reason);
    out.push_back('}');
  }
  out.append("],\"policy\":");
  api::append_string(out, on.policy);
  out.append(",\"policy_version\":");
  api::append_string(out, on.policy_version);
  out.append(",\"configuration_version\":");
  api::append_string(out, on.configuration_version);
  out.push_back('}');
  return out;
}

}  // namespace turnout::server
