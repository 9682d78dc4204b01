#include "proxy/api/admin_api.hpp"

#include <stdexcept>

#include <openssl/crypto.h>
#include <boost/asio/ip/address.hpp>

#include "proxy/api/answers.hpp"
#include "proxy/api/credentials.hpp"
#include "proxy/api/header_text.hpp"
#include "proxy/api/json_text.hpp"
#include "proxy/api/resolution_body.hpp"
#include "proxy/api/route_table.hpp"

namespace turnout::api {

const admin_api::endpoint admin_api::endpoints[7] = {
    {"GET", "/health/live", true, &admin_api::live},
    {"GET", "/health/ready", true, &admin_api::ready},
    {"GET", "/metrics", false, &admin_api::metrics},
    {"GET", "/admin/connectors", false, &admin_api::connectors},
    {"POST", "/admin/explain", false, &admin_api::explain},
    {"POST", "/-/reload", false, &admin_api::reload},
    {"POST", "/admin/payments/{id}/resolve", false, &admin_api::resolve},
};

admin_api::admin_api(admin_dependencies world)
    : world_(std::move(world)), context_{world_.now, world_.on_request, world_.tls} {
  if (!world_.ready || !world_.metrics || !world_.connectors || !world_.reload || !world_.merchants ||
      !world_.explain || !world_.resolve || !world_.make_request_id || !world_.now)
    throw std::invalid_argument("the admin API lacks something it depends on");
  if (!world_.token.empty()) token_ = hash_secret(world_.token);
  net::wipe(world_.token);
}

void admin_api::handle(std::size_t, net::request&& message, net::responder reply) {
  handle(std::move(message),
         answer_function([reply = std::move(reply)](net::response answer) { reply.send(std::move(answer)); }));
}

void admin_api::handle(net::request&& message, answer_function reply) {
  endpoint_call call{
      &context_, std::move(reply), world_.make_request_id(), world_.now(), "unmatched", method_label(message.method),
      {}};
  try {
    dispatch(message, call);
  } catch (const std::exception& error) {
    call.failure = error.what();
    call.refuse(make(problems::internal_error, "the request could not be completed"));
  }
  net::wipe(message.body);  // it may have had a card number
}

void admin_api::dispatch(const net::request& message, endpoint_call& call) {
  const auto found = find_route<endpoint>(endpoints, message.method, split(message.target).path);
  if (!found.row && found.allow.empty())
    return call.refuse(make(problems::not_found, "there is nothing at this address"));
  if (!found.row) {
    problem made = make(problems::method_not_allowed, "possible here: " + found.allow);
    made.fields.emplace_back("Allow", found.allow);
    return call.refuse(made);
  }
  call.route = found.row->path;
  // A page whose name was rebound to 127.0.0.1 is of the same origin as what it
  // asks here, so that its browser lets it read the answer: only the name tells.
  const header_lookup host = only_header(message.fields, "Host");
  if (!token_ && host.count != 0 && !is_local_host(host.value, world_.address))
    return call.refuse(make(problems::origin_refused,
                            "without a token this listener answers to loopback addresses and localhost only"));
  // Browsers say where a POST comes from, tools do not: without this any page
  // that an operator has open could reach a listener on loopback.
  const bool changes_something = found.row->method != "GET";
  if (changes_something && only_header(message.fields, "Origin").count != 0)
    return call.refuse(make(problems::origin_refused, "requests with an Origin header change nothing here"));
  if (token_ && !found.row->open) {
    const secret_hash given = hash_secret(bearer_token(message.fields));
    if (CRYPTO_memcmp(given.data(), token_->data(), given.size()) != 0) {
      problem made = make(problems::unauthorized, "give the admin token: Authorization: Bearer …");
      made.fields.emplace_back("WWW-Authenticate", "Bearer realm=\"turnout admin\"");
      return call.refuse(made);
    }
  }
  (this->*found.row->serve)(message, call);
}

void admin_api::live(const net::request&, const endpoint_call& call) {
  call.answer(json_answer(200, "{\"status\":\"live\"}"));
}

void admin_api::ready(const net::request&, const endpoint_call& call) {
  const readiness state = world_.ready();
  std::string body = "{\"status\":";
  append_string(body, state.state);
  body.append(state.ready ? ",\"ready\":true" : ",\"ready\":false");
  if (!state.reason.empty()) {
    body.append(",\"reason\":");
    append_string(body, state.reason);
  }
  body.push_back('}');
  call.answer(json_answer(state.ready ? 200 : 503, std::move(body)));
}

void admin_api::metrics(const net::request&, const endpoint_call& call) {
  call.answer({200, {{"Content-Type", "text/plain; version=0.0.4; charset=utf-8"}}, world_.metrics()});
}

void admin_api::connectors(const net::request&, const endpoint_call& call) {
  call.answer(json_answer(200, render_connectors(world_.connectors())));
}

void admin_api::explain(const net::request& message, const endpoint_call& call) {
  if (const auto refused = check_media_type(message.fields)) return call.refuse(*refused);
  const auto asked =
      read_explain_request(split(message.target).query, message.body, world_.merchants(), call.arrival.wall);
  if (const auto* refused = std::get_if<problem>(&asked)) return call.refuse(*refused);
  call.answer(json_answer(200, world_.explain(std::get<explain_request>(asked))));
}

void admin_api::reload(const net::request&, const endpoint_call& call) {
  const settings::problems found = world_.reload();
  if (!settings::has_errors(found)) return call.answer(json_answer(200, "{\"status\":\"reloaded\"}"));
  problem made = make(problems::reload_failed, "nothing was changed");
  for (const settings::problem& each : found) {
    if (each.warning) continue;
    std::string where = each.file;
    if (each.line > 0)
      where.append(":").append(std::to_string(each.line)).append(":").append(std::to_string(each.column));
    made.errors.push_back({std::move(where), each.message});
  }
  call.refuse(made);
}

bool is_local_host(std::string_view host, std::string_view address) {
  const bool bracketed = host.starts_with('[');
  const std::size_t end = bracketed ? host.find(']') : host.find(':');
  if (bracketed && end == std::string_view::npos) return false;
  std::string_view name = host.substr(bracketed ? 1 : 0, bracketed ? end - 1 : end);
  const std::string_view rest = bracketed                       ? host.substr(end + 1)
                                : end == std::string_view::npos ? ""
                                                                : host.substr(end);
  if (!rest.empty() && (rest.front() != ':' || rest.find_first_not_of("0123456789", 1) != std::string_view::npos))
    return false;
  boost::system::error_code failed;
  const auto given = boost::asio::ip::make_address(name, failed);
  if (!failed) {
    boost::system::error_code none;
    const auto own = boost::asio::ip::make_address(address, none);
    return given.is_loopback() || (!none && given == own);
  }
  if (name.ends_with('.')) name.remove_suffix(1);
  constexpr std::string_view local = "localhost";
  if (name.size() > local.size() && name[name.size() - local.size() - 1] == '.')
    name.remove_prefix(name.size() - local.size());
  return equal_ignoring_case(name, local);
}

// The engine answers later, on this thread: the call goes along.
void admin_api::resolve(const net::request& message, const endpoint_call& call) {
  constexpr std::size_t longest_id = 64;  // of a payment; more is none of ours
  std::string_view id;
  if (!match_path(call.route, split(message.target).path, id) || id.size() > longest_id)
    return call.refuse(no_payment());
  if (const auto wrong = check_media_type(message.fields)) return call.refuse(*wrong);
  json_failure failure;
  const std::optional<json_document> document = json_document::parse(message.body, {}, failure);
  if (!document) return call.refuse(malformed(failure));
  resolution_body body = read_resolution_body(*document);
  if (!body.errors.empty()) return call.refuse(invalid(std::move(body.errors)));
  world_.resolve({std::string(id), body.word}, [call, word = body.word](const core::resolve_result& result) {
    call.answer(resolution_answer(word, result, call.request_id));
  });
}

std::string render_connectors(const std::vector<routing::connector_view>& connectors) {
  std::string out = "{\"object\":\"list\",\"data\":[";
  const auto number = [&](std::string_view name, double value) {
    out.append(",\"").append(name).append("\":");
    append_number(out, value);
  };
  for (const routing::connector_view& each : connectors) {
    if (out.back() != '[') out.push_back(',');
    out.append("{\"connector\":");
    append_string(out, each.connector);
    out.append(",\"state\":");
    append_string(out, each.state);
    number("score", each.score);
    number("approval", each.approval);
    number("health", each.health);
    number("latency_ms", each.latency_ms);
    out.append(",\"in_flight\":");
    append_integer(out, static_cast<std::int64_t>(each.in_flight));
    number("share", each.share);
    out.push_back('}');
  }
  return out.append("],\"next_cursor\":null}");
}

}  // namespace turnout::api
