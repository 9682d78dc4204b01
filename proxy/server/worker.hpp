#pragma once
// One thread, one io_context, and what a payment needs on that thread. A
// connection and the payments that came over it stay on their worker.
#include <memory>
#include <thread>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include "proxy/core/engine.hpp"
#include "proxy/server/asio_clock.hpp"
#include "proxy/server/gateway_transport.hpp"
#include "proxy/server/system_random.hpp"

namespace turnout::server {

class worker {
 public:
  worker();
  ~worker();
  worker(const worker&) = delete;
  worker& operator=(const worker&) = delete;

  boost::asio::io_context& context() noexcept { return context_; }

  /// `name` shows in top and gdb.
  void start(const char* name);
  /// Ends the thread; what was pending is not run any more. Idempotent.
  void stop();
  /// Runs `work` on the worker's thread, or never after stop().
  void post(std::function<void()> work);

  asio_clock& clock() noexcept { return clock_; }
  system_random& random() noexcept { return random_; }
  gateway_transport& transport() noexcept { return transport_; }

  /// Set before start(); used on the worker's thread only.
  std::unique_ptr<core::engine> engine;

 private:
  boost::asio::io_context context_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> guard_;
  asio_clock clock_{context_};
  system_random random_;
  gateway_transport transport_{context_};
  std::thread thread_;
};

}  // namespace turnout::server
