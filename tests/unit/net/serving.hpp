#pragma once
// A server on its own thread for one test. The handler echoes unless the test
// brings its own; every target that was served is noted.
#include <chrono>
#include <functional>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include "authority.hpp"
#include "net/server.hpp"
#include "raw.hpp"

class serving {
 public:
  using handler = std::function<void(turnout::net::request&&, turnout::net::responder)>;

  explicit serving(turnout::net::server_limits limits = {}, handler own = {},
                   std::optional<turnout::net::server_tls> tls = {})
      : own_(std::move(own)), tls_(tls.has_value()) {
    server.emplace(
        std::vector<boost::asio::io_context*>{&context}, limits,
        [this](std::size_t, turnout::net::request&& message, turnout::net::responder out) {
          {
            const std::lock_guard hold(mutex_);
            targets_.push_back(message.target);
          }
          if (own_) return own_(std::move(message), std::move(out));
          turnout::net::response answer;
          answer.body = message.method + " " + message.target + " [" + message.body + "]";
          out.send(std::move(answer));
        },
        [](unsigned status, std::string_view detail) {
          turnout::net::response answer;
          answer.status = status;
          answer.body = detail;
          return answer;
        });
    if (tls) server->use_tls(turnout::net::make_server_tls(*tls));
    port = server->listen("127.0.0.1", 0);
    thread_ = std::thread([this] { context.run(); });
  }
  ~serving() {
    server->stop();
    guard_.reset();
    context.stop();
    thread_.join();
    server.reset();
  }
  serving(const serving&) = delete;
  serving& operator=(const serving&) = delete;

  /// Under TLS if the server speaks it, trusting anybody.
  raw::connection connect() const {
    auto made = raw::connection::to(port);
    if (tls_ && !made.connect_tls(anybody().get())) throw std::runtime_error("the handshake failed");
    return made;
  }
  /// Sends these bytes on a new connection and reads until the server closes.
  std::string converse(std::string_view bytes) const {
    auto peer = connect();
    peer.send(bytes);
    return peer.read_all();
  }
  std::vector<std::string> targets() {
    const std::lock_guard hold(mutex_);
    return targets_;
  }
  /// Waits for a fact about the server that another thread makes true.
  void until_open(std::size_t connections) const {
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (server->open_connections() != connections) {
      if (std::chrono::steady_clock::now() > limit) throw std::runtime_error("the connections never became that many");
      std::this_thread::yield();
    }
  }

  boost::asio::io_context context{1};
  std::optional<turnout::net::server> server;
  std::uint16_t port = 0;

 private:
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> guard_{context.get_executor()};
  handler own_;
  bool tls_;
  std::mutex mutex_;
  std::vector<std::string> targets_;
  std::thread thread_;
};
