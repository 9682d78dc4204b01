#pragma once
// One thread, one io_context, and what a payment needs on that thread. A
// connection and the payments that came over it stay on their worker.
#include <functional>
#include <memory>
#include <thread>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include "proxy/core/engine.hpp"
#include "proxy/journal/sqlite_journal.hpp"
#include "proxy/server/asio_clock.hpp"
#include "proxy/server/gateway_transport.hpp"
#include "proxy/server/journal_view.hpp"
#include "proxy/server/system_random.hpp"

namespace turnout::server {

class worker {
 public:
  /// `journal` must outlive the worker.
  worker(journal::sqlite_journal& journal, core::shared_routing& routing, core::observer& watcher,
         const std::shared_ptr<const core::configuration>& config, core::ownership own);
  ~worker();
  worker(const worker&) = delete;
  worker& operator=(const worker&) = delete;

  boost::asio::io_context& context() noexcept { return context_; }

  void start();
  /// Ends the thread, then the engine; what was pending is not run any more. Idempotent.
  void stop();
  /// Runs `work` on the worker's thread, or never after stop(). Thread-safe.
  void post(std::function<void()> work);

  // On the worker's thread, or before start().
  core::engine& engine() noexcept { return *engine_; }
  journal_view& view() noexcept { return view_; }
  system_random& random() noexcept { return random_; }
  void configure(const std::shared_ptr<const core::configuration>& config);

 private:
  boost::asio::io_context context_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> guard_;
  asio_clock clock_{context_};
  system_random random_;
  gateway_transport transport_{context_};
  std::unique_ptr<core::journal> journal_;
  journal_view view_;
  std::unique_ptr<core::engine> engine_;
  std::thread thread_;
};

}  // namespace turnout::server
