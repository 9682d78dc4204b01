#pragma once
// An exchange driven by hand: time moves when a test says so.
#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include <boost/json.hpp>

#include "sandbox/exchange.hpp"

namespace sandbox_test {

using namespace turnout;
namespace json = boost::json;

inline constexpr const char* good_card = "4242424242424242";

/// What became of one request.
struct outcome {
  bool answered = false;  ///< an answer or a closed connection
  std::optional<net::response> reply;
  bool closed() const { return answered && !reply; }
  unsigned status() const { return reply ? reply->status : 0; }
  json::value body() const { return reply ? json::parse(reply->body) : json::value(); }
};
using pending = std::shared_ptr<outcome>;

class counter {
 public:
  explicit counter(std::string ledger_file = {}, std::uint64_t seed = 7) {
    sandbox::exchange_options options;
    options.ledger_file = std::move(ledger_file);
    options.seed = seed;
    options.salt = 99;
    bank = std::make_unique<sandbox::exchange>(options);
    for (const char* name : {"alpha", "beta", "gamma", "delta"}) control(name, R"({"latency_ms": 0})");
  }

  pending send(const std::string& method, const std::string& target, const std::string& body = {},
               const net::headers& more = {}) {
    net::request message;
    message.method = method;
    message.target = target;
    message.body = body;
    message.fields = more;
    message.fields.emplace_back("Host", "localhost");
    if (target.starts_with("/alpha")) message.fields.emplace_back("Authorization", "Bearer any");
    if (target.starts_with("/beta")) message.fields.emplace_back("Authorization", "Basic YTpi");
    if (target.starts_with("/gamma")) message.fields.emplace_back("X-Api-Key", "any");
    return raw(std::move(message));
  }
  pending raw(net::request message) {
    auto result = std::make_shared<outcome>();
    bank->receive(
        message,
        [result](std::optional<net::response> what) {
          result->answered = true;
          result->reply = std::move(what);
        },
        now);
    if (flush_at_once) bank->flush();
    return result;
  }
  pending control(const std::string& gateway, const std::string& body) {
    return send("PUT", "/_control/" + gateway, body);
  }
  void pass(std::int64_t ms) {
    now.steady += std::chrono::milliseconds(ms);
    now.wall += std::chrono::milliseconds(ms);
    bank->run_due(now);
    if (flush_at_once) bank->flush();
  }
  json::array ledger(const std::string& query = {}) {
    return send("GET", "/_ledger" + query)->body().at("operations").as_array();
  }

  pending alpha(const std::string& reference, const std::string& key = {}, int amount = 1250,
                const std::string& number = good_card, bool capture = true) {
    net::headers more;
    if (!key.empty()) more.emplace_back("Idempotency-Key", key);
    const json::object body{
        {"amount", amount},
        {"currency", "EUR"},
        {"capture", capture},
        {"reference", reference},
        {"card", {{"number", number}, {"exp_month", 12}, {"exp_year", 2030}, {"cvc", "123"}, {"holder", "A. Buyer"}}}};
    return send("POST", "/alpha/v1/charges", json::serialize(body), more);
  }
  pending alpha_inquiry(const std::string& reference) {
    return send("GET", "/alpha/v1/charges?reference=" + reference);
  }
  pending alpha_reverse(const std::string& reference) {
    return send("POST", "/alpha/v1/reversals", json::serialize(json::object{{"reference", reference}}));
  }
  pending beta(const std::string& reference, const std::string& key, const std::string& value = "12.50",
               const std::string& number = good_card, const std::string& type = "SALE",
               const std::string& currency = "EUR") {
    const json::object body{
        {"requestKey", key},
        {"transactionReference", reference},
        {"type", type},
        {"amount", {{"value", value}, {"currency", currency}}},
        {"card", {{"pan", number}, {"expiry", "12/30"}, {"securityCode", "123"}, {"holder", "A. Buyer"}}}};
    return send("POST", "/beta/payments", json::serialize(body));
  }
  pending gamma(const std::string& reference, int minor = 1250, const std::string& action = "charge",
                const std::string& number = good_card) {
    const json::object body{
        {"orderRef", reference},
        {"action", action},
        {"money", {{"minor", minor}, {"code", "EUR"}}},
        {"instrument", {{"pan", number}, {"month", 12}, {"year", 2030}, {"code", "123"}, {"name", "A. Buyer"}}}};
    return send("POST", "/gamma/api/transactions", json::serialize(body));
  }

  std::unique_ptr<sandbox::exchange> bank;
  bool flush_at_once = true;
  payments::instant now{payments::steady_time{} + std::chrono::hours(1),
                        payments::wall_time{} + std::chrono::seconds(1'790'000'000)};
};

}  // namespace sandbox_test
