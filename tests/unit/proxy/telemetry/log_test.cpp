// The log as it is on disk: one JSON object a line, levels, order, no card number.
#include "proxy/telemetry/log.hpp"

#include <catch2/catch.hpp>

#include <unistd.h>
#include <boost/json.hpp>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

#include "tests/unit/proxy/telemetry/sample_payment.hpp"

using namespace turnout;
using namespace turnout::telemetry;
using namespace std::chrono_literals;

namespace {

// A file of its own for each test case, gone afterwards.
struct log_file {
  std::filesystem::path path;
  log_file() {
    std::string name = (std::filesystem::temp_directory_path() / "turnout-log-XXXXXX").string();
    const int descriptor = ::mkstemp(name.data());
    REQUIRE(descriptor >= 0);
    ::close(descriptor);
    path = name;
  }
  ~log_file() { std::filesystem::remove(path); }

  std::unique_ptr<telemetry::log> open(log_level level = log_level::debug) const {
    std::string error;
    auto made = telemetry::log::open({.level = level, .file = path.string()}, error);
    REQUIRE(made);
    return made;
  }
  std::string text() const {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  std::vector<boost::json::object> lines() const {
    std::vector<boost::json::object> found;
    std::ifstream in(path, std::ios::binary);
    for (std::string line; std::getline(in, line);) found.push_back(boost::json::parse(line).as_object());
    return found;
  }
};

}  // namespace

TEST_CASE("a payment is one line with what an operator needs") {
  const log_file file;
  file.open()->payment_answered(test::sample_payment(), 1084ms, "req_1");
  const auto lines = file.lines();
  REQUIRE(lines.size() == 1);
  boost::json::object line = lines[0];
  CHECK(line.at("time").as_string().size() == 24);
  line.erase("time");
  CHECK(line == boost::json::parse(R"({"level":"info","event":"payment_answered",
      "payment":"pay_01KAF3ZJ5M8N2Q4R6S8T0V2W4X","merchant":"demo","livemode":false,"status":"succeeded","amount":1250,
      "currency":"EUR","connector":"beta","attempts":2,"outcomes":["not_sent:connect_timeout","approved"],
      "duration_ms":1084,"request_id":"req_1"})")
                    .as_object());
}

TEST_CASE("a decline shows its reason") {
  const log_file file;
  payments::payment record = test::sample_payment();
  record.status = payments::payment_status::failed;
  record.attempts.resize(1, record.attempts.front());
  record.attempts[0].outcome = payments::outcome::soft_decline;
  record.attempts[0].reason = payments::decline_reason::insufficient_funds;
  record.error.emplace().code = "card_declined";
  file.open()->payment_answered(record, 5ms);
  const auto line = file.lines().at(0);
  CHECK(line.at("outcomes").as_array().at(0) == "soft_decline:insufficient_funds");
  CHECK(line.at("error") == "card_declined");
  CHECK_FALSE(line.contains("request_id"));
}

TEST_CASE("lines keep their order and their kinds") {
  const log_file file;
  {
    const auto out = file.open();
    out->started("0.1.0", "127.0.0.1:8080", "127.0.0.1:8081", 2);
    out->recovered(3);
    payments::attempt attempt = test::sample_payment().attempts.front();
    payments::send_result result;
    result.code = "response_timeout";
    result.carried = true;
    result.latency = 5000ms;
    out->send_unclear(attempt, payments::send_kind::charge, result);
    out->reversal("alpha", "wanted");
    payments::payment record = test::sample_payment();
    record.attention = payments::attention{{}, "no_proof_available"};
    out->attention(record);
    out->invariant_violated("late_approval", record.id);
    out->payment_settled(record);
    out->config_reloaded("abc");
    out->config_refused("turnout.yaml:3:1: what");
    out->journal_unavailable("disk full");
    out->journal_available();
    out->http_request({"/v1/payments", "POST", 201, 0.084, "req_1", {}});
    out->http_request({"/v1/payments", "POST", 500, 0.001, "req_2", "bad_alloc"});
    out->note(log_level::warn, "keys_changed", "one key was revoked");
    out->stopping("SIGTERM");
    out->stopped(0);
  }
  std::vector<std::string> seen;
  for (const auto& line : file.lines())
    seen.push_back(std::string(line.at("level").as_string()) + " " + std::string(line.at("event").as_string()));
  CHECK(seen == std::vector<std::string>{"info started", "info recovered", "warn send_unclear", "warn reversal",
                                         "warn attention", "error invariant_violated", "info payment_settled",
                                         "info config_reloaded", "error config_refused", "error journal_unavailable",
                                         "info journal_available", "debug http_request", "error http_request",
                                         "warn keys_changed", "info stopping", "info stopped"});
}

TEST_CASE("the level decides, and can be changed while running") {
  const log_file file;
  {
    const auto out = file.open(log_level::warn);
    CHECK_FALSE(out->writes(log_level::info));
    out->recovered(1);
    out->set_level(log_level::info);
    CHECK(out->writes(log_level::info));
    out->recovered(2);
    out->set_level(log_level::error);
    out->reversal("alpha", "wanted");
  }
  const auto lines = file.lines();
  REQUIRE(lines.size() == 1);
  CHECK(lines[0].at("payments") == 2);
}

TEST_CASE("levels are read by their names") {
  CHECK(parse_log_level("debug") == log_level::debug);
  CHECK(parse_log_level("error") == log_level::error);
  CHECK_FALSE(parse_log_level("INFO"));
  CHECK_FALSE(parse_log_level(""));
}

TEST_CASE("a card number reaches the file in no spelling, and no line can be forged") {
  const log_file file;
  {
    const auto out = file.open();
    payments::payment record = test::sample_payment();
    record.merchant = "4242424242424242";
    record.connector = "x\"}\n{\"event\":\"forged\"}";
    out->payment_answered(record, 1ms, "4242-4242-4242-4242");
    out->config_refused("got 4242 4242 4242 4242 and %34%32%34%32424242424242");
    out->note(log_level::info, "5555555555554444", "5555 5555 5555 4444");
  }
  const std::string text = file.text();
  CHECK(text.find("4242") == std::string::npos);
  CHECK(text.find("%34") == std::string::npos);
  CHECK(text.find("5555") == std::string::npos);
  CHECK(file.lines().size() == 3);
}

TEST_CASE("threads write whole lines") {
  const log_file file;
  {
    const auto out = file.open();
    std::vector<std::thread> threads;
    for (int thread = 0; thread < 4; ++thread)
      threads.emplace_back([&out] {
        for (int count = 0; count < 500; ++count) out->payment_answered(test::sample_payment(), 1ms);
      });
    for (auto& each : threads) each.join();
    CHECK(out->dropped() == 0);
  }
  CHECK(file.lines().size() == 2000);
}

TEST_CASE("an existing log is continued") {
  const log_file file;
  file.open()->recovered(1);
  file.open()->recovered(2);
  CHECK(file.lines().size() == 2);
}

TEST_CASE("a file that cannot be opened is an error that names it") {
  std::string error;
  CHECK_FALSE(telemetry::log::open({.file = "/nonexistent/turnout.log"}, error));
  CHECK(error.find("/nonexistent/turnout.log: ") == 0);
}
