#pragma once
// What a client_pool keeps between exchanges: idle connections, the places for
// open ones, who waits for a place, and the peer's addresses. Private to the
// client; touched on the worker's thread only.
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include <boost/intrusive/list.hpp>

#include "net/client.hpp"
#include "net/input_buffer.hpp"
#include "net/tls_channel.hpp"
#include "net/wire.hpp"

namespace turnout::net {

struct client_connection {
  client_connection(asio::io_context& worker, std::size_t buffer_bytes)
      : socket(worker.get_executor()), guard(socket), input(buffer_bytes) {}
  ~client_connection() {
    if (tls != nullptr) tls->say_goodbye();
  }
  client_connection(const client_connection&) = delete;
  client_connection& operator=(const client_connection&) = delete;

  /// Nothing to read and not closed by the peer, as far as this machine knows.
  bool is_fresh();
  /// Bytes are there to be read (plain connections).
  bool has_input();
  /// The peer's TCP has acknowledged every byte written. True where that cannot be told.
  bool is_acknowledged();

  tcp_socket socket;
  std::unique_ptr<tls_channel> tls;  ///< null: plain
  watchdog guard;
  input_buffer input;
  std::string head;  ///< the request's header, reused
  steady_clock::time_point idle_since{};

 private:
  std::size_t peek(error_code& failed);
};
using connection_ptr = std::unique_ptr<client_connection>;

struct client_pool::implementation : std::enable_shared_from_this<client_pool::implementation> {
  /// One exchange that waits for a place (or for the first addresses).
  /// It lives on a coroutine's frame, and leaves its queue by itself when the
  /// frame dies, which a context's end may do in any order.
  struct waiter : boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
    explicit waiter(asio::io_context& worker) : wake(worker.get_executor()) {}
    tcp_timer wake;
    connection_ptr connection;  ///< handed over open; null: connect, the place is yours
    bool granted = false;
  };

  using waiters = boost::intrusive::list<waiter, boost::intrusive::constant_time_size<false>>;

  implementation(asio::io_context& where, endpoint peer_, client_limits limits_, const client_tls& secrets);

  /// An idle connection that is still good, or null.
  connection_ptr take_idle();
  bool take_place() noexcept;
  void drop_idle() noexcept;
  /// Gives a connection back (it becomes idle or goes to a waiter) or, null, its place.
  void give_back(connection_ptr connection);
  void close();

  void start_resolving();
  task<void> resolve_names();

  asio::io_context& worker;
  const endpoint peer;
  const client_limits limits;
  std::unique_ptr<client_tls_context> tls;  ///< null: plain
  std::vector<tcp::endpoint> addresses;
  bool resolving = false;  ///< the first answer is still to come
  bool sending = false;    ///< inside send()
  bool closed = false;
  waiters waiting;     ///< for a place, first come first served
  waiters unresolved;  ///< for the first addresses

 private:
  void sweep_later(steady_clock::time_point when);
  void sweep();

  std::deque<connection_ptr> idle_;  ///< oldest first; the newest is used first
  std::size_t open_ = 0;             ///< places taken, idle ones included
  bool sweeping_ = false;
  tcp_timer sweep_timer_;
  tcp_timer resolve_timer_;
  asio::ip::basic_resolver<tcp, executor> resolver_;
};

}  // namespace turnout::net
