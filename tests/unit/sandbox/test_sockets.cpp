// The running sandbox on real sockets.
#include <catch2/catch.hpp>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>

#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio.hpp>
#include <boost/json.hpp>

#include "sandbox/sandbox.hpp"

namespace {

namespace asio = boost::asio;
namespace json = boost::json;
using asio::ip::tcp;

turnout::sandbox::sandbox_options free_ports(std::string ledger = {}) {
  turnout::sandbox::sandbox_options options;
  options.port = 0;
  options.ledger_file = std::move(ledger);
  options.seed = 3;
  return options;
}

/// A blocking connection; every read ends with the connection.
class caller {
 public:
  explicit caller(std::uint16_t port) : socket_(context_) {
    socket_.connect({asio::ip::make_address("127.0.0.1"), port}, failed_);
  }
  boost::system::error_code failed() const { return failed_; }
  void ask(const std::string& method, const std::string& target, const std::string& body = {}) {
    const std::string text =
        method + " " + target +
        " HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer t\r\nX-Api-Key: k\r\nConnection: close\r\nContent-Length: " +
        std::to_string(body.size()) + "\r\n\r\n" + body;
    asio::write(socket_, asio::buffer(text), failed_);
  }
  /// Everything until the end of the connection; "" when it was closed without a byte.
  std::string all() {
    std::string text;
    asio::read(socket_, asio::dynamic_buffer(text), failed_);
    return text;
  }

 private:
  asio::io_context context_;
  tcp::socket socket_;
  boost::system::error_code failed_;
};

std::string call(std::uint16_t port, const std::string& method, const std::string& target,
                 const std::string& body = {}) {
  caller one(port);
  one.ask(method, target, body);
  return one.all();
}

json::value body_of(const std::string& answer) { return json::parse(answer.substr(answer.find("\r\n\r\n") + 4)); }

std::string charge(const std::string& reference) {
  return R"({"amount":1250,"currency":"EUR","reference":")" + reference +
         R"(","card":{"number":"4242424242424242","exp_month":12,"exp_year":2030,"cvc":"123"}})";
}

std::size_t ledger_size(std::uint16_t port) {
  return body_of(call(port, "GET", "/_ledger")).at("operations").as_array().size();
}

}  // namespace

TEST_CASE("sockets: a gateway answers on its own port and on the common one") {
  turnout::sandbox::sandbox bank(free_ports());
  bank.start();
  CHECK(bank.describe().find("alpha on " + bank.gateway_url("alpha")) != std::string::npos);
  CHECK_THROWS_AS(bank.gateway_port("epsilon"), std::out_of_range);
  const auto own = call(bank.gateway_port("alpha"), "POST", "/v1/charges", charge("a1"));
  CHECK(own.starts_with("HTTP/1.1 200"));
  CHECK(call(bank.port(), "POST", "/alpha/v1/charges", charge("a2")).starts_with("HTTP/1.1 200"));
  CHECK(call(bank.gateway_port("alpha"), "GET", "/_ledger").starts_with("HTTP/1.1 404"));
  CHECK(ledger_size(bank.port()) == 2);
  const auto listed = body_of(call(bank.port(), "GET", "/_gateways"));
  CHECK(listed.at("port") == bank.port());
  CHECK(listed.at("gateways").at(2).at("port") == bank.gateway_port("gamma"));
}

TEST_CASE("sockets: drop closes the connection without a byte, after charging") {
  turnout::sandbox::sandbox bank(free_ports());
  bank.start();
  call(bank.port(), "PUT", "/_control/alpha", R"({"faults":{"charge_then_drop":1}})");
  CHECK(call(bank.gateway_port("alpha"), "POST", "/v1/charges", charge("a1")).empty());
  CHECK(ledger_size(bank.port()) == 1);
  call(bank.port(), "PUT", "/_control/alpha", R"({"faults":{"charge_then_drop":0,"drop_before_charge":1}})");
  CHECK(call(bank.gateway_port("alpha"), "POST", "/v1/charges", charge("a2")).empty());
  CHECK(ledger_size(bank.port()) == 1);
}

TEST_CASE("sockets: refuse closes the listener and its connections, and it comes back on the same port") {
  turnout::sandbox::sandbox bank(free_ports());
  bank.start();
  const auto port = bank.gateway_port("alpha");
  caller idle(port);
  REQUIRE_FALSE(idle.failed());
  call(bank.port(), "PUT", "/_control/alpha", R"({"faults":{"charge_then_stall":1}})");
  caller stuck(port);
  stuck.ask("POST", "/v1/charges", charge("a1"));
  for (int round = 0; round < 3; ++round) {
    CHECK(call(bank.port(), "PUT", "/_control/alpha", R"({"outage":"refuse"})").starts_with("HTTP/1.1 200"));
    CHECK(caller(port).failed() == asio::error::connection_refused);
    CHECK(call(bank.port(), "POST", "/alpha/v1/charges", charge("a2")).starts_with("HTTP/1.1 503"));
    if (round == 0) CHECK(idle.all().empty());
    if (round == 0) CHECK(stuck.all().empty());
    const auto control = R"({"outage":"none","faults":{"charge_then_stall":0}})";
    CHECK(call(bank.port(), "PUT", "/_control/alpha", control).starts_with("HTTP/1.1 200"));
    CHECK(call(port, "POST", "/v1/charges", charge("b" + std::to_string(round))).starts_with("HTTP/1.1 200"));
  }
  CHECK(bank.gateway_port("alpha") == port);
}

TEST_CASE("sockets: a stalled request ends when the outage does") {
  turnout::sandbox::sandbox bank(free_ports());
  bank.start();
  call(bank.port(), "PUT", "/_control/gamma", R"({"outage":"stall"})");
  caller stuck(bank.gateway_port("gamma"));
  stuck.ask("GET", "/api/transactions/x");
  call(bank.port(), "PUT", "/_control/gamma", R"({"outage":"none"})");
  const auto answer = stuck.all();
  // The request may have been read after the outage ended: then it is answered.
  CHECK((answer.empty() || answer.starts_with("HTTP/1.1 404")));
}

TEST_CASE("sockets: a delayed charge happens though its client hung up") {
  turnout::sandbox::sandbox bank(free_ports());
  bank.start();
  call(bank.port(), "PUT", "/_control/alpha", R"({"charge_delay_ms":50,"latency_ms":0})");
  {
    caller gone(bank.gateway_port("alpha"));
    gone.ask("POST", "/v1/charges", charge("a1"));
    caller other(bank.gateway_port("alpha"));
    other.ask("POST", "/v1/charges", charge("a2"));
    CHECK(other.all().starts_with("HTTP/1.1 200"));  // sent later, so a1's delay has passed too
  }
  CHECK(ledger_size(bank.port()) == 2);
}

TEST_CASE("sockets: what a killed sandbox answered is still true") {
  char pattern[] = "/tmp/sandbox-kill-XXXXXX";
  const std::filesystem::path folder = ::mkdtemp(pattern);
  const std::string file = (folder / "ledger.jsonl").string();
  int ports[2];
  REQUIRE(::pipe(ports) == 0);
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    turnout::sandbox::sandbox bank(free_ports(file));
    bank.start();
    const std::uint16_t port = bank.port();
    if (::write(ports[1], &port, sizeof port) != sizeof port) ::_exit(1);
    while (true) ::pause();
  }
  std::uint16_t port = 0;
  REQUIRE(::read(ports[0], &port, sizeof port) == sizeof port);
  call(port, "PUT", "/_control/alpha", R"({"latency_ms":0})");
  for (int i = 0; i < 20; ++i) {
    CHECK(call(port, "POST", "/alpha/v1/charges", charge("k" + std::to_string(i))).starts_with("HTTP/1.1 200"));
  }
  const auto before = call(port, "GET", "/_ledger");
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  ::close(ports[0]);
  ::close(ports[1]);
  {
    turnout::sandbox::sandbox bank(free_ports(file));
    bank.start();
    CHECK(body_of(call(bank.port(), "GET", "/_ledger")) == body_of(before));
    CHECK(call(bank.port(), "POST", "/alpha/v1/charges", charge("k7")).starts_with("HTTP/1.1 409"));
  }
  std::filesystem::remove_all(folder);
}

TEST_CASE("sockets: a taken port is said with its number, and stopping twice is harmless") {
  turnout::sandbox::sandbox bank(free_ports());
  bank.start();
  auto options = free_ports();
  options.port = bank.port();
  turnout::sandbox::sandbox other(options);
  CHECK_THROWS_WITH(other.start(), Catch::Contains(std::to_string(bank.port())));
  bank.stop();
  bank.stop();
  CHECK(caller(bank.port()).failed() == asio::error::connection_refused);
}
