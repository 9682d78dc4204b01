#pragma once
// A client's pool on a thread of its own, for tests whose peer is raw.hpp.
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include "net/client.hpp"
#include "raw.hpp"

namespace turnout::net::testing {

using namespace std::chrono_literals;

inline request asking(std::string target = "/x", std::string body = {}) {
  request made;
  made.method = body.empty() ? "GET" : "POST";
  made.target = std::move(target);
  made.body = std::move(body);
  return made;
}

inline std::string ok(std::string_view body, std::string_view fields = {}) {
  return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" + std::string(fields) + "\r\n" +
         std::string(body);
}

/// A pool on its own thread.
class calling {
 public:
  explicit calling(std::uint16_t port, client_limits limits = {}, std::string host = "127.0.0.1") {
    pool_.emplace(context_, turnout::net::parse_endpoint("http://" + host + ":" + std::to_string(port)), limits);
    thread_ = std::thread([this] { context_.run(); });
  }
  ~calling() {
    on_worker([this] { pool_.reset(); });
    guard_.reset();
    thread_.join();  // a closed pool leaves nothing that would keep its worker
  }
  calling(const calling&) = delete;
  calling& operator=(const calling&) = delete;

  std::future<exchange_result> send(request message, std::chrono::milliseconds within = 10s) {
    auto promise = std::make_shared<std::promise<exchange_result>>();
    auto result = promise->get_future();
    on_worker([this, message = std::move(message), within, promise] {
      pool_->send(message, std::chrono::steady_clock::now() + within,
                  [promise](exchange_result got) { promise->set_value(std::move(got)); });
    });
    return result;
  }
  void on_worker(std::function<void()> what) {
    std::promise<void> ran;
    boost::asio::post(context_, [&] {
      what();
      ran.set_value();
    });
    ran.get_future().get();
  }
  void close() {
    on_worker([this] { pool_->close(); });
  }
  turnout::net::client_pool& pool() { return *pool_; }

 private:
  boost::asio::io_context context_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> guard_{context_.get_executor()};
  std::optional<turnout::net::client_pool> pool_;
  std::thread thread_;
};

}  // namespace turnout::net::testing
