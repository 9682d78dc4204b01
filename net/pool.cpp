#include "net/pool.hpp"

#include <linux/sockios.h>  // SIOCOUTQ
#include <sys/ioctl.h>

#include <algorithm>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/post.hpp>

namespace turnout::net {
namespace {

/// A name that could not be resolved is tried again sooner than a known one.
constexpr std::chrono::milliseconds resolve_again{1000};

}  // namespace

bool client_connection::is_fresh() {
  if (tls != nullptr) return tls->is_quiet() && input.unread().empty();
  error_code failed;
  peek(failed);
  return failed == asio::error::would_block && input.unread().empty();
}

bool client_connection::has_input() {
  error_code failed;
  return peek(failed) != 0;
}

std::size_t client_connection::peek(error_code& failed) {
  char byte = 0;
  return socket.receive(asio::buffer(&byte, 1), asio::socket_base::message_peek, failed);
}

bool client_connection::is_acknowledged() {
  int left = 0;
  return ::ioctl(socket.native_handle(), SIOCOUTQ, &left) != 0 || left == 0;
}

client_pool::implementation::implementation(asio::io_context& where, endpoint peer_, client_limits limits_,
                                            const client_tls& secrets)
    : worker(where),
      peer(std::move(peer_)),
      limits(limits_),
      tls(peer.tls ? std::make_unique<client_tls_context>(secrets, peer.host) : nullptr),
      sweep_timer_(where.get_executor()),
      resolve_timer_(where.get_executor()),
      resolver_(where.get_executor()) {
  error_code not_literal;
  const auto address = asio::ip::make_address(peer.host, not_literal);
  if (not_literal)
    resolving = true;
  else
    addresses.emplace_back(address, peer.port);
}

connection_ptr client_pool::implementation::take_idle() {
  const auto oldest = steady_clock::now() - limits.idle_timeout;
  while (!idle_.empty()) {
    auto connection = std::move(idle_.back());
    idle_.pop_back();
    if (connection->idle_since > oldest && connection->is_fresh()) return connection;
    --open_;
  }
  return nullptr;
}

bool client_pool::implementation::take_place() noexcept {
  if (open_ >= limits.connections) return false;
  ++open_;
  return true;
}

void client_pool::implementation::give_back(connection_ptr connection) {
  if (closed) connection = nullptr;
  if (!waiting.empty()) {
    waiter& next = waiting.front();
    waiting.pop_front();
    next.connection = std::move(connection);
    next.granted = true;
    next.wake.cancel();
    return;
  }
  if (connection == nullptr || idle_.size() >= limits.idle_connections) {
    --open_;
    return;
  }
  connection->guard.rest();
  connection->idle_since = steady_clock::now();
  if (!sweeping_) sweep_later(connection->idle_since + limits.idle_timeout);
  idle_.push_back(std::move(connection));
}

void client_pool::implementation::sweep_later(steady_clock::time_point when) {
  sweeping_ = true;
  sweep_timer_.expires_at(when);
  sweep_timer_.async_wait([weak = weak_from_this()](const error_code& cancelled) {
    const auto self = weak.lock();
    if (self && !cancelled) self->sweep();
  });
}

void client_pool::implementation::sweep() {
  sweeping_ = false;
  const auto oldest = steady_clock::now() - limits.idle_timeout;
  while (!idle_.empty() && idle_.front()->idle_since <= oldest) {
    idle_.pop_front();
    --open_;
  }
  if (!idle_.empty()) sweep_later(idle_.front()->idle_since + limits.idle_timeout);
}

void client_pool::implementation::drop_idle() noexcept {
  open_ -= idle_.size();
  idle_.clear();
}

void client_pool::implementation::close() {
  closed = true;
  drop_idle();
  sweep_timer_.cancel();
  resolve_timer_.cancel();
  resolver_.cancel();
  for (waiter& one : waiting) one.wake.cancel();
  for (waiter& one : unresolved) one.wake.cancel();
}

void client_pool::implementation::start_resolving() {
  if (!resolving) return;
  asio::post(worker, [self = shared_from_this()] {
    if (!self->closed) asio::co_spawn(self->worker.get_executor(), self->resolve_names(), end_on_exception);
  });
}

task<void> client_pool::implementation::resolve_names() {
  const auto self = shared_from_this();
  const auto port = std::to_string(peer.port);
  while (!closed) {
    error_code failed;
    const auto found = co_await resolver_.async_resolve(peer.host, port, asio::redirect_error(use_task, failed));
    // A failed resolution keeps what was known: stale addresses beat none.
    if (!failed && !found.empty()) addresses.assign(found.begin(), found.end());
    resolving = false;
    for (waiter& one : unresolved) one.wake.cancel();
    unresolved.clear();
    if (closed) break;
    resolve_timer_.expires_after(failed ? std::min(resolve_again, limits.resolve_every) : limits.resolve_every);
    co_await resolve_timer_.async_wait(asio::redirect_error(use_task, failed));
  }
}

}  // namespace turnout::net
