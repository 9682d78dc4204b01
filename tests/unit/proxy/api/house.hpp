#pragma once
// The API with fakes around it: an engine that keeps what it is told and
// answers what the test wants, and merchants with keys.
#include <catch2/catch.hpp>

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <unistd.h>
#include <boost/json.hpp>

#include "fixtures.hpp"
#include "proxy/api/api.hpp"
#include "proxy/api/header_text.hpp"

namespace turnout::api::test {

namespace json = boost::json;

struct fake_reader final : reader {
  std::map<std::string, payments::payment, std::less<>> payments;
  bool broken = false;
  core::payment_page page;  // what list() gives
  std::optional<core::payment_filter> wanted;
  int many = 1;                    // events and decisions of each payment
  std::vector<std::string> calls;  // what was asked, in this order
  std::optional<payments::payment> find_own(std::string_view merchant, bool livemode, std::string_view id) override {
    calls.push_back("find_own " + std::string(merchant) + (livemode ? " live" : " test"));
    if (broken) throw std::runtime_error("the disk is gone");
    const auto found = payments.find(id);
    if (found == payments.end() || found->second.merchant != merchant || found->second.livemode != livemode)
      return std::nullopt;
    return found->second;
  }
  core::payment_page list(const core::payment_filter& filter) override {
    calls.emplace_back("list");
    wanted = filter;
    return page;
  }
  std::vector<std::string> decisions_of(std::string_view, std::size_t skip, std::size_t count) override {
    calls.emplace_back("decisions_of");
    std::vector<std::string> all(static_cast<std::size_t>(many), R"({"why":"best_score"})");
    return part(std::move(all), skip, count);
  }
  std::vector<payments::payment_event> events_of(std::string_view, std::size_t skip, std::size_t count) override {
    calls.emplace_back("events_of");
    std::vector<payments::payment_event> all;
    for (int n = 0; n < many; ++n)
      all.push_back({payments::payment_event_type::created, noon(), "", std::to_string(n)});
    return part(std::move(all), skip, count);
  }
  template <class List>
  static List part(List all, std::size_t skip, std::size_t count) {
    all.erase(all.begin(), all.begin() + static_cast<long>(std::min(skip, all.size())));
    if (all.size() > count) all.erase(all.begin() + static_cast<long>(count), all.end());
    return all;
  }
};

struct answer {
  unsigned status = 0;
  net::headers fields;
  std::string text;
  json::value body;
  std::string_view header(std::string_view name) const { return only_header(fields, name).value; }
  std::string code() const { return json::value_to<std::string>(body.at("code")); }
  std::string first_field() const { return json::value_to<std::string>(body.at("errors").at(0).at("field")); }
};

struct house {
  fake_reader records;
  std::vector<core::modify_command> modifications;
  core::modify_result next_modified{.status = core::modify_status::unavailable};
  std::vector<core::create_command> commands;
  core::create_status next = core::create_status::answered;
  std::function<void(core::create_result&)> prepare;  // what else the engine's result has
  std::string known_key;
  std::string file;
  std::unique_ptr<api_key_ring> keys;
  std::map<std::string, std::string> key_of;  // by who
  keyed_mac request_key{std::string(32, 'r')}, card_key{std::string(32, 'c')};
  return_address returns{std::string(32, 'r')};
  std::vector<std::string> shoppers;  // payments whose shopper came back
  std::vector<std::string> reports;
  bool draining = false, throwing = false;
  payments::wall_time wall = noon();
  payments::steady_time steady{};
  std::string peer = "127.0.0.1";
  std::vector<std::string> limited;                 // the reasons of refusals
  std::function<void(payments::payment&)> outcome;  // what becomes of a payment
  std::unique_ptr<turnout::api::api> served;
  int made_ids = 0;

  house() {
    std::string name = (std::filesystem::temp_directory_path() / "turnout-api-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary directory");
    file = name;
    api_key_store store(file);
    key_of["demo"] = store.create("demo", false);
    key_of["demo live"] = store.create("demo", true);
    key_of["other"] = store.create("other", false);
    for (const scope each : every_scope)
      key_of["demo " + std::string(name_of(each))] = store.create("demo", false, scope_set().add(each));
    keys = std::make_unique<api_key_ring>(store.file(), [](const std::string&) {});
    dependencies world;
    worker only;
    only.create = [this](core::create_command command, std::function<void(core::create_result)> done) {
      if (throwing) throw std::runtime_error("boom");
      core::create_result result{.status = next};
      payments::payment record{.id = "pay_new", .merchant = command.request.merchant, .amount = command.request.amount};
      record.status = payments::payment_status::succeeded;
      record.card = command.card.summary();
      if (outcome) outcome(record);
      if (next == core::create_status::answered) result.answer = command.render(record);
      commands.push_back(std::move(command));
      if (prepare) prepare(result);
      done(std::move(result));
    };
    only.modify = [this](core::modify_command command, std::function<void(core::modify_result)> done) {
      modifications.push_back(command);
      done(next_modified);
    };
    only.reader = &records;
    only.make_request_id = [this] { return "req_" + std::to_string(++made_ids); };
    only.knows_key = [this](const principal&, std::string_view key) { return key == known_key; };
    only.shopper_returned = [this](std::string payment, std::function<void(std::optional<payments::payment>)> done) {
      shoppers.push_back(payment);
      const auto found = records.payments.find(payment);
      done(found == records.payments.end() ? std::nullopt : std::optional(found->second));
    };
    world.workers.push_back(std::move(only));
    world.returns = &returns;
    world.keys = keys.get();
    world.request_key = &request_key;
    world.card_key = &card_key;
    world.now = [this] { return payments::instant{steady, wall}; };
    world.on_limited = [this](std::string_view reason) { limited.emplace_back(reason); };
    world.draining = [this] { return draining; };
    world.on_request = [this](const request_report& told) {
      reports.push_back(std::string(told.method) + " " + std::string(told.route) + " " + std::to_string(told.status));
    };
    served = std::make_unique<turnout::api::api>(std::move(world));
  }
  ~house() { std::filesystem::remove_all(file); }

  /// As it is sent; HEAD has its body here, too.
  net::response ask_raw(std::string method, std::string target, net::headers fields, std::string body = {}) {
    std::optional<net::response> got;
    served->handle(0, net::request{std::move(method), std::move(target), std::move(fields), std::move(body), peer},
                   [&](net::response message) {
                     REQUIRE_FALSE(got.has_value());
                     got = std::move(message);
                   });
    REQUIRE(got.has_value());
    return std::move(*got);
  }
  answer ask(std::string method, std::string target, net::headers fields, std::string body = {}) {
    net::response message = ask_raw(std::move(method), std::move(target), std::move(fields), std::move(body));
    std::optional<answer> got = answer{message.status, message.fields, message.body, json::parse(message.body)};
    for (const char* name : {"Request-Id", "Cache-Control", "X-Content-Type-Options", "Content-Security-Policy",
                             "Referrer-Policy", "Content-Type"}) {
      INFO(name);
      CHECK(only_header(got->fields, name).count == 1);
    }
    if (got->status >= 400) {
      CHECK(got->header("Content-Type") == "application/problem+json");
      CHECK(got->body.at("status").as_int64() == got->status);
      CHECK(json::value_to<std::string>(got->body.at("request_id")) == got->header("Request-Id"));
      for (const char* name : {"type", "title", "detail", "code"}) CHECK(got->body.at(name).is_string());
      CHECK(got->text.find(card_number) == std::string::npos);
      CHECK(got->text.find("987") == std::string::npos);
    }
    return std::move(*got);
  }
  /// Without a key, as a browser asks.
  net::response visit(std::string method, std::string target, std::string body = {}) {
    std::optional<net::response> got;
    served->handle(0, net::request{std::move(method), std::move(target), {}, std::move(body), "127.0.0.1"},
                   [&](net::response message) {
                     REQUIRE_FALSE(got.has_value());
                     got = std::move(message);
                   });
    REQUIRE(got.has_value());
    CHECK(only_header(got->fields, "Referrer-Policy").value == "no-referrer");
    CHECK(only_header(got->fields, "Content-Security-Policy").value.find("default-src 'none'") == 0);
    return std::move(*got);
  }
  net::headers as(const std::string& who, net::headers more = {}) {
    more.emplace_back("Authorization", "Bearer " + key_of.at(who));
    return more;
  }
  answer create(std::string body, net::headers more = {}) {
    more.emplace_back("Content-Type", "application/json");
    return ask("POST", "/v1/payments", as("demo", std::move(more)), std::move(body));
  }
  void keep(const char* id, const char* merchant, bool live) {
    payments::payment record{
        .id = id, .merchant = merchant, .livemode = live, .amount = {1250, *payments::currency::find("EUR")}};
    records.payments.emplace(id, std::move(record));
  }
};

}  // namespace turnout::api::test
