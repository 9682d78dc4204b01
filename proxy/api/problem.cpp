#include "proxy/api/problem.hpp"

#include "proxy/api/json_text.hpp"

namespace turnout::api {

problem invalid(std::vector<field_error> errors) {
  std::string detail = errors.size() == 1 ? errors.front().field + ": " + errors.front().message
                                          : std::to_string(errors.size()) + " fields are not valid";
  return {problems::invalid_request, std::move(detail), std::move(errors), {}, {}};
}

net::response render(const problem& what, std::string_view request_id) {
  std::string body;
  body.reserve(256 + what.detail.size() + 96 * (what.errors.size() + what.exclusions.size()));
  body.append("{\"type\":\"/problems/").append(what.kind.code).append("\",\"title\":");
  append_string(body, what.kind.title);
  body.append(",\"status\":");
  append_integer(body, what.kind.status);
  body.append(",\"detail\":");
  append_string(body, what.detail);
  body.append(",\"code\":");
  append_string(body, what.kind.code);
  body.append(",\"request_id\":");
  append_string(body, request_id);
  if (!what.errors.empty()) {
    body.append(",\"errors\":[");
    for (const field_error& each : what.errors) {
      body.append("{\"field\":");
      append_string(body, each.field);
      body.append(",\"message\":");
      append_string(body, each.message);
      body.append("},");
    }
    body.back() = ']';
  }
  if (!what.exclusions.empty()) {
    body.append(",\"exclusions\":[");
    for (const routing::exclusion& each : what.exclusions) {
      body.append("{\"connector\":");
      append_string(body, each.connector);
      body.append(",\"reason\":");
      append_string(body, each.reason);
      body.append("},");
    }
    body.back() = ']';
  }
  body.push_back('}');
  net::response answer{what.kind.status, what.fields, std::move(body)};
  answer.fields.emplace_back("Content-Type", "application/problem+json");
  return answer;
}

problem protocol_problem(unsigned status, std::string_view detail) {
  static constexpr problem_kind kinds[] = {
      {"malformed_http", 400, "The request breaks HTTP"},
      {"request_timeout", 408, "The request took too long to arrive"},
      {"body_too_large", 413, "The body is too large"},
      {"target_too_long", 414, "The address is too long"},
      {"expectation_failed", 417, "The expectation cannot be met"},
      {"header_too_large", 431, "The header is too large"},
      {"not_implemented", 501, "The method or coding is not known"},
      {"overloaded", 503, "There are too many connections"},
      {"http_version", 505, "The HTTP version is not supported"},
  };
  problem_kind kind = kinds[0];
  for (const problem_kind& each : kinds)
    if (each.status == status) kind = each;
  kind.status = status;
  problem made{kind, std::string(detail), {}, {}, {}};
  if (status == 503) made.fields.emplace_back("Retry-After", "1");
  return made;
}

}  // namespace turnout::api
