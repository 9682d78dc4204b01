#include "sandbox/exchange.hpp"

#include <algorithm>
#include <charconv>

#include <boost/json.hpp>

#include "sandbox/answer_writing.hpp"
#include "sandbox/request_reading.hpp"

namespace turnout::sandbox {
namespace json = boost::json;
namespace {

std::array<gateway_traits, gateway_count> all_traits() {
  return {{{0, &alpha_dialect(), key_memory::all, key_clash::conflict},
           {1, &beta_dialect(), key_memory::success, key_clash::wait},
           {2, &gamma_dialect(), key_memory::none, key_clash::conflict, true},
           {3, &delta_dialect(), key_memory::all, key_clash::wait}}};
}

std::optional<std::size_t> gateway_index(std::string_view name) {
  const auto found = std::find(gateway_names.begin(), gateway_names.end(), name);
  if (found == gateway_names.end()) return std::nullopt;
  return static_cast<std::size_t>(found - gateway_names.begin());
}

std::string_view title_of(unsigned status) {
  switch (status) {
    case 400: return "Bad Request";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    default: return "Internal Server Error";
  }
}

net::response problem(unsigned status, std::string_view code, std::string_view detail,
                      const std::vector<control_problem>& errors = {}) {
  json::object body{
      {"type", "about:blank"}, {"title", title_of(status)}, {"status", status}, {"detail", detail}, {"code", code}};
  if (!errors.empty()) {
    json::array list;
    for (const auto& each : errors) list.push_back({{"field", each.field}, {"message", each.message}});
    body["errors"] = std::move(list);
  }
  net::response answer;
  answer.status = status;
  answer.fields.emplace_back("Content-Type", "application/problem+json");
  answer.body = json::serialize(body);
  return answer;
}

std::string url_of(const std::string& address, std::uint16_t port) {
  const bool ipv6 = address.find(':') != std::string::npos;
  return "http://" + (ipv6 ? "[" + address + "]" : address) + ":" + std::to_string(port);
}

}  // namespace

exchange::exchange(const exchange_options& options) : book_(options.salt, options.first_charge) {
  const auto traits = all_traits();
  for (std::size_t i = 0; i < gateway_count; ++i) {
    gateways_[i] = std::make_unique<gateway>(traits[i], surroundings{book_, later_, out_}, options.seed);
  }
  if (options.ledger_file.empty()) return;
  book_.keep_in(options.ledger_file, [this](const operation& what) { gateways_[what.gateway]->restore(what); });
}

void exchange::set_addresses(const std::string& address, std::uint16_t port,
                             const std::array<std::uint16_t, gateway_count>& ports) {
  json::array list;
  for (std::size_t i = 0; i < gateway_count; ++i) {
    list.push_back({{"name", gateway_names[i]},
                    {"address", address},
                    {"port", ports[i]},
                    {"url", url_of(address, ports[i])},
                    {"path", "/" + std::string(gateway_names[i])}});
  }
  gateways_json_ = json::serialize(json::object{{"gateways", list}, {"port", port}, {"url", url_of(address, port)}});
}

void exchange::receive(std::size_t index, const net::request& message, answerer to, const payments::instant& now) {
  gateways_.at(index)->receive(message, message.target, std::move(to), now);
}

void exchange::receive(const net::request& message, answerer to, const payments::instant& now) {
  const std::string_view target = message.target;
  if (target.starts_with("/_")) {
    const auto [path, query] = split(target);
    return receive_internal(message, path, query, to);
  }
  for (std::size_t i = 0; i < gateway_count; ++i) {
    const auto name = gateway_names[i];
    if (target.size() <= name.size() + 1 || target.substr(1, name.size()) != name) continue;
    const auto rest = target.substr(name.size() + 1);
    if (rest.front() == '/') return gateways_[i]->receive(message, rest, std::move(to), now);
  }
  to(problem(404, "not_found", "no such gateway or path; GET /_gateways lists them"));
}

void exchange::receive_internal(const net::request& message, std::string_view path, std::string_view query,
                                const answerer& to) {
  constexpr std::string_view control_path = "/_control/";
  const bool get = message.method == "GET";
  const auto answer = [&]() -> net::response {
    if (path.starts_with(control_path)) return answer_control(message, path.substr(control_path.size()));
    if (path != "/_ledger" && path != "/_gateways" && path != "/_reset") {
      return problem(404, "not_found", "no such path");
    }
    if (path == "/_reset" ? message.method != "POST" : !get) {
      return problem(405, "method_not_allowed", "this path does not take this method");
    }
    if (path == "/_ledger") return answer_ledger(query);
    if (path == "/_gateways") return json_answer(200, gateways_json_);
    return reset();
  };
  // Through the outbox: what the ledger shows must already be on disk.
  out_.give(to, answer());
}

net::response exchange::answer_ledger(std::string_view query) const {
  ledger::filter wanted;
  if (const auto name = query_value(query, "gateway")) {
    const auto index = gateway_index(*name);
    if (!index) {
      return problem(400, "invalid_filter", "unknown gateway",
                     {{"gateway", "must be one of alpha, beta, gamma, delta"}});
    }
    wanted.gateway = static_cast<std::uint8_t>(*index);
  }
  if (const auto since = query_value(query, "since")) {
    const auto end = since->data() + since->size();
    const auto [stopped, failed] = std::from_chars(since->data(), end, wanted.since);
    if (failed != std::errc() || stopped != end) {
      return problem(400, "invalid_filter", "since must be a number", {{"since", "must be a sequence number"}});
    }
  }
  return json_answer(200, book_.to_json(wanted));
}

net::response exchange::answer_control(const net::request& message, std::string_view name) {
  const auto index = gateway_index(name);
  if (!index) return problem(404, "not_found", "no such gateway; GET /_gateways lists them");
  if (message.method == "GET") return json_answer(200, to_json(gateways_[*index]->control()));
  if (message.method != "PUT" && message.method != "PATCH" && message.method != "POST") {
    return problem(405, "method_not_allowed", "this path takes GET and PUT");
  }
  return change_control(*index, message.body);
}

net::response exchange::change_control(std::size_t index, std::string_view body) {
  gateway& target = *gateways_[index];
  control changed = target.control();
  const auto found = update_control(body, changed);
  if (!found.empty()) {
    const auto& first = found.front();
    const std::string detail = first.field.empty() ? first.message : first.field + ": " + first.message;
    return problem(400, "invalid_control", detail, found);
  }
  const auto failed = switch_listener(index, target.control().outage, changed.outage);
  if (!failed.empty()) return problem(500, "listener_failed", failed);
  const auto text = to_json(changed);
  target.set_control(std::move(changed));
  return json_answer(200, text);
}

std::string exchange::switch_listener(std::size_t index, outage from, outage to) {
  const bool was_open = from != outage::refuse;
  const bool open = to != outage::refuse;
  if (was_open == open || !listeners_) return {};
  return listeners_(index, open);
}

net::response exchange::reset() {
  for (std::size_t i = 0; i < gateway_count; ++i) {
    const auto failed = switch_listener(i, gateways_[i]->control().outage, outage::none);
    if (!failed.empty()) return problem(500, "listener_failed", failed);
    gateways_[i]->reset();
  }
  later_.clear();
  out_.clear();
  book_.reset();
  return json_answer(200, R"({"reset":true})");
}

std::size_t exchange::stalled() const noexcept {
  std::size_t count = 0;
  for (const auto& each : gateways_) count += each->stalled();
  return count;
}

void exchange::abandon() {
  later_.clear();
  out_.clear();
  for (const auto& each : gateways_) each->abandon();
}

}  // namespace turnout::sandbox
