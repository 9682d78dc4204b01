// The house around the sessions: one acceptor per address on the first worker,
// connections dealt out in turn, and the two ways to end.
#include "net/server.hpp"

#include <stdexcept>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/post.hpp>

#include "net/session.hpp"

namespace turnout::net {
namespace {

/// Connections that are told 503 at the same time; beyond it they are just closed.
constexpr std::size_t refusals_at_once = 64;
/// Out of file descriptors: accepting at once again would spin.
constexpr std::chrono::milliseconds accept_pause{50};

using shards = std::vector<std::shared_ptr<shard>>;

/// Known to the first worker while it is open, so that drain() finds it.
class open_acceptor {
 public:
  open_acceptor(shard& first, tcp_acceptor& what) : first_(first), what_(what) { first_.acceptors.insert(&what_); }
  ~open_acceptor() { first_.acceptors.erase(&what_); }
  open_acceptor(const open_acceptor&) = delete;
  open_acceptor& operator=(const open_acceptor&) = delete;

 private:
  shard& first_;
  tcp_acceptor& what_;
};

void admit(std::shared_ptr<shard> home, tcp_socket socket) {
  auto& rules = *home->rules;
  bool refused = false;
  if (rules.open.fetch_add(1, std::memory_order_relaxed) >= rules.limits.connections) {
    rules.open.fetch_sub(1, std::memory_order_relaxed);
    if (rules.refused.fetch_add(1, std::memory_order_relaxed) >= refusals_at_once) {
      rules.refused.fetch_sub(1, std::memory_order_relaxed);
      return;
    }
    refused = true;
  }
  auto& worker = home->worker;
  auto guest = std::make_shared<session>(std::move(home), std::move(socket), refused);
  asio::co_spawn(worker.get_executor(), session::run(std::move(guest)), end_on_exception);
}

task<void> accept_all(shards homes, tcp_acceptor acceptor) {
  const auto rules = homes.front()->rules;
  const open_acceptor registered(*homes.front(), acceptor);
  tcp_timer pause(acceptor.get_executor());
  std::size_t turn = 0;
  while (!rules->draining && acceptor.is_open()) {
    const auto& home = homes[turn % homes.size()];
    tcp_socket socket(home->worker.get_executor());
    error_code failed;
    co_await acceptor.async_accept(socket, asio::redirect_error(use_task, failed));
    if (failed == asio::error::operation_aborted) continue;  // the loop's condition decides
    if (failed && failed != asio::error::connection_aborted) {
      pause.expires_after(accept_pause);
      co_await pause.async_wait(asio::redirect_error(use_task, failed));
    } else if (!failed && !rules->draining) {
      ++turn;
      admit(home, std::move(socket));
    }
  }
}

}  // namespace

struct server::implementation {
  shards homes;
  std::shared_ptr<server_rules> rules;

  /// Runs `what` for every shard, on its thread.
  template <class Action>
  void on_each(Action what) {
    for (const auto& home : homes) asio::post(home->worker, [home, what] { what(*home); });
  }
};

server::server(std::vector<asio::io_context*> workers, server_limits limits, request_handler handler,
               error_body on_protocol_error)
    : implementation_(std::make_shared<implementation>()) {
  if (workers.empty() || !handler || !on_protocol_error)
    throw std::invalid_argument("a server needs workers and handlers");
  const auto zero = std::chrono::milliseconds::zero();
  if (limits.header_timeout <= zero || limits.body_timeout <= zero || limits.idle_timeout <= zero ||
      limits.write_timeout <= zero || limits.header_bytes == 0 || limits.header_count == 0 || limits.body_bytes == 0 ||
      limits.connections == 0)
    throw std::invalid_argument("a limit of the server is zero or negative");
  auto rules = std::make_shared<server_rules>();
  rules->limits = limits;
  rules->handler = std::move(handler);
  rules->on_protocol_error = std::move(on_protocol_error);
  for (auto* worker : workers)
    implementation_->homes.push_back(std::make_shared<shard>(*worker, implementation_->homes.size(), rules));
  implementation_->rules = std::move(rules);
}

server::~server() { stop(); }

std::uint16_t server::listen(const std::string& address, std::uint16_t port) {
  const tcp::endpoint where(asio::ip::make_address(address), port);
  auto& first = *implementation_->homes.front();
  tcp_acceptor acceptor(first.worker.get_executor());
  acceptor.open(where.protocol());
  // Restarting must not wait for TIME_WAIT; a second listener is still refused.
  acceptor.set_option(tcp::acceptor::reuse_address(true));
  acceptor.bind(where);
  acceptor.listen(asio::socket_base::max_listen_connections);
  const auto bound = acceptor.local_endpoint().port();
  asio::co_spawn(first.worker.get_executor(), accept_all(implementation_->homes, std::move(acceptor)),
                 end_on_exception);
  return bound;
}

void server::use_tls(std::shared_ptr<const server_tls_context> how) {
  // Posted before any connection that is accepted from now on: no worker admits one without it.
  implementation_->on_each([how](shard& home) { home.tls = how; });
}

void server::drain() {
  implementation_->rules->draining = true;
  implementation_->on_each([](shard& home) {
    error_code ignored;
    for (auto* acceptor : home.acceptors) acceptor->close(ignored);
    for (auto* guest : home.sessions) guest->drain();
  });
}

void server::stop() {
  implementation_->rules->draining = true;
  implementation_->rules->stopped = true;
  implementation_->on_each([](shard& home) {
    error_code ignored;
    for (auto* acceptor : home.acceptors) acceptor->close(ignored);
    for (auto* guest : home.sessions) guest->stop();
  });
}

std::size_t server::open_connections() const noexcept {
  return implementation_->rules->open.load(std::memory_order_relaxed);
}

}  // namespace turnout::net
