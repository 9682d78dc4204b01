#pragma once
// The Asio types of this room: one concrete executor everywhere, because the
// type-erased default costs on every operation. Also the watchdog, which puts
// a time limit on socket operations without touching a timer per operation.
#include <chrono>
#include <exception>
#include <memory>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace turnout::net {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;
using error_code = boost::system::error_code;
using steady_clock = std::chrono::steady_clock;
using executor = asio::io_context::executor_type;
using tcp_socket = asio::basic_stream_socket<tcp, executor>;
using tcp_acceptor = asio::basic_socket_acceptor<tcp, executor>;
using tcp_timer = asio::basic_waitable_timer<steady_clock, asio::wait_traits<steady_clock>, executor>;
template <class T>
using task = asio::awaitable<T, executor>;
inline constexpr asio::use_awaitable_t<executor> use_task{};

/// What co_spawn calls at a coroutine's end. Coroutines here handle what can go
/// wrong; an exception is a fault of ours, in a state that nobody knows. It
/// comes out of the context's run() and ends the process rather than being
/// swallowed: the journal knows the rest.
inline constexpr auto end_on_exception = [](const std::exception_ptr& fault) {
  if (fault) std::rethrow_exception(fault);
};

/// Cancels the operations of a socket when a time is reached. A limit that is
/// moved further away (the usual case: a keep-alive connection) costs two
/// stores; the timer finds out when it fires, and goes on waiting.
class watchdog {
 public:
  explicit watchdog(tcp_socket& guarded);
  ~watchdog();
  watchdog(const watchdog&) = delete;
  watchdog& operator=(const watchdog&) = delete;

  /// Call before every operation, also with the same limit again: it forgets an earlier expiry.
  void expire_at(steady_clock::time_point limit);
  /// No limit until the next expire_at().
  void rest() noexcept;
  /// True after the limit was reached and the operation was cancelled.
  bool expired() const noexcept;

 private:
  struct state;
  std::shared_ptr<state> state_;
};

}  // namespace turnout::net
