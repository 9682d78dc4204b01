#pragma once
// An HTTP/1.1 server: framing guards, limits, graceful drain. One connection
// stays on one worker (one thread, one io_context).
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "net/http.hpp"
#include "net/tls.hpp"

namespace turnout::net {

/// Zero or negative values are a programming error, except where said.
struct server_limits {
  /// From the first byte to the end of the header; for the first request of a
  /// connection from its accept, a TLS handshake included.
  std::chrono::milliseconds header_timeout{5000};
  std::chrono::milliseconds body_timeout{10000};   ///< from the end of the header to the end of the body
  std::chrono::milliseconds idle_timeout{60000};   ///< between requests of a connection
  std::chrono::milliseconds write_timeout{10000};  ///< for one answer
  std::size_t header_bytes = 8 * 1024;
  std::size_t header_count = 64;
  std::size_t body_bytes = 1024 * 1024;
  std::size_t connections = 20000;  ///< beyond it a connection is answered 503 and closed
};

/// The one chance to answer a request. Copyable handle; the first call wins.
/// Must be used on the connection's worker thread. Destroying all copies
/// without an answer closes the connection.
class responder {
 public:
  struct state;
  explicit responder(std::shared_ptr<state> target) : state_(std::move(target)) {}
  void send(response answer) const;
  /// Sends `answer` and closes the connection.
  void send_and_close(response answer) const;
  /// Closes the connection without a byte (the sandbox's faults are real).
  void abort() const;

 private:
  std::shared_ptr<state> state_;
};

/// Called on the connection's worker thread; must not block. `worker` is the
/// index of that worker in the contexts the server was given.
using request_handler = std::function<void(std::size_t worker, request&&, responder)>;

/// An answer for requests that break HTTP itself (framing, limits): the caller
/// gives it its own shape. `status` is 400, 408, 413, 414, 417, 431, 501, 503 or 505.
using error_body = std::function<response(unsigned status, std::string_view detail)>;

/// The workers must outlive the server, and have work of their own (a guard)
/// if they shall run without a connection. Destroying the server is like
/// stop(): what the handler refers to must live until the workers have ended.
class server {
 public:
  server(std::vector<boost::asio::io_context*> workers, server_limits limits, request_handler handler,
         error_body on_protocol_error);
  ~server();
  server(const server&) = delete;
  server& operator=(const server&) = delete;

  /// Binds and listens; port 0 takes a free one. Returns the port.
  /// Throws boost::system::system_error (address in use, permission, …).
  std::uint16_t listen(const std::string& address, std::uint16_t port);
  /// New connections speak TLS, with this certificate: before listen(), or later
  /// to exchange it. Connections that are open keep what they have. Thread-safe.
  void use_tls(std::shared_ptr<const server_tls_context> how);
  /// Stops accepting; idle connections close at once, the others after their
  /// current answer (which says Connection: close). Thread-safe, idempotent.
  void drain();
  /// Closes every connection now. Thread-safe, idempotent.
  void stop();
  /// Connections that are open. Thread-safe.
  std::size_t open_connections() const noexcept;

 private:
  struct implementation;
  std::shared_ptr<implementation> implementation_;
};

}  // namespace turnout::net
