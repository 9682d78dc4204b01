#pragma once
// Something done again and again on one io_context, until it is destroyed.
#include <chrono>
#include <functional>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

namespace turnout::server {

class every {
 public:
  /// The first time after one `interval`. Destroy only when `context` does not run (any more).
  every(boost::asio::io_context& context, std::chrono::milliseconds interval, std::function<void()> work)
      : timer_(context), interval_(interval), work_(std::move(work)) {
    wait();
  }
  every(const every&) = delete;
  every& operator=(const every&) = delete;

 private:
  void wait() {
    timer_.expires_after(interval_);
    timer_.async_wait([this](const boost::system::error_code& aborted) {
      if (aborted) return;
      work_();
      wait();
    });
  }

  boost::asio::steady_timer timer_;
  std::chrono::milliseconds interval_;
  std::function<void()> work_;
};

}  // namespace turnout::server
