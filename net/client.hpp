#pragma once
// A pooled HTTP/1.1 client. One pool belongs to one worker thread; every
// stage that can fail has its own code, and a deadline bounds the whole.
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include <boost/asio/io_context.hpp>

#include "net/http.hpp"
#include "net/tls.hpp"

namespace turnout::net {

struct client_limits {
  std::chrono::milliseconds connect_timeout{1000};   ///< for TCP, and once more for the TLS handshake
  std::chrono::milliseconds response_timeout{5000};  ///< from the first byte written to the last read
  std::chrono::milliseconds idle_timeout{
      20000};  ///< a pooled connection older than this is closed; keep it below the peer's
  std::chrono::milliseconds resolve_every{30000};  ///< names are resolved on a timer, off the request path
  std::size_t connections =
      256;  ///< open at once to this peer; beyond it too_many_connections after a wait up to the deadline
  std::size_t idle_connections = 64;
  std::size_t header_bytes = 16 * 1024;
  std::size_t body_bytes = 1024 * 1024;
};

enum class client_error : std::uint8_t {
  none,
  resolve_failed,  ///< the name has no address (yet)
  connect_refused,
  connect_timeout,
  connect_failed,  ///< unreachable, reset while connecting, …
  tls_timeout,
  tls_version_unsupported,    ///< the peer speaks only versions below the least that we take
  tls_certificate_expired,    ///< the peer's certificate has ended, or not begun: look at the clocks too
  tls_host_mismatch,          ///< the peer's certificate is for another name or address
  tls_untrusted_certificate,  ///< signed by nobody we trust, or by itself
  tls_pin_mismatch,           ///< the peer's key is none of those pinned
  tls_handshake_failed,       ///< anything else: no TLS there, no common cipher, our certificate was refused, …
  write_failed,               ///< the connection died while writing
  write_timeout,
  response_timeout,    ///< written whole, no complete answer in time
  response_truncated,  ///< the answer ended early
  response_malformed,  ///< framing that the guards refuse
  response_premature,  ///< bytes came before the peer had the whole request: they answer something else
  response_too_large,
  connection_lost,       ///< closed or reset after writing, before any byte of an answer
  too_many_connections,  ///< the pool was full until the deadline
  deadline_passed,       ///< nothing was tried: the deadline was over already
};
std::string_view to_string(client_error) noexcept;

struct exchange_result {
  client_error error = client_error::none;
  /// False only if provably no byte of the request left: any write that was
  /// started on a connected socket counts as true. A TLS handshake carries none of it.
  bool carried = false;
  response reply;  ///< complete when error is none
  std::chrono::milliseconds latency{0};
};

struct endpoint {
  std::string host;
  std::uint16_t port = 80;
  std::string host_header;  ///< "host" or "host:port"; without the port that is usual for https
  bool tls = false;
};
/// Parses "http://host[:port]" or "https://host[:port]" without a path; throws std::invalid_argument with a readable text.
endpoint parse_endpoint(std::string_view url);

class client_pool {
 public:
  struct implementation;
  /// `tls` counts only where the peer's address says https. Throws tls_error
  /// for what check_client_tls() refuses, std::invalid_argument for a limit of zero.
  client_pool(boost::asio::io_context& worker, endpoint peer, client_limits limits, const client_tls& tls = {});
  ~client_pool();
  client_pool(const client_pool&) = delete;
  client_pool& operator=(const client_pool&) = delete;

  /// Call on the worker's thread. Never calls `done` from inside this call.
  /// A pooled connection that turns out dead *before any byte was written* is
  /// replaced silently; once a byte was written nothing is ever repeated.
  /// TLS: the peer's certificate is verified before that first byte, sessions
  /// are resumed, and there is no early data.
  /// When `done` runs, the connection is either back in the pool (a complete
  /// keep-alive answer was read) or closed. What `done` throws comes out of the
  /// worker's run().
  /// What comes before the peer had the whole request is no answer to it
  /// (response_premature): a surplus answer to an earlier one, or a refusal in
  /// the middle. After that only the content tells whose answer it is.
  void send(request message, std::chrono::steady_clock::time_point deadline, std::function<void(exchange_result)> done);
  /// Closes what is idle, for the caller who was given somebody else's answer:
  /// on one of these connections answers and requests are out of step. What is
  /// under way goes on. Worker's thread.
  void drop_idle();
  /// Closes idle connections and fails waiting requests. What is under way
  /// finishes; a later send() fails with connect_failed. Worker's thread, or
  /// when it has ended; the worker must outlive the pool.
  void close();

 private:
  std::shared_ptr<implementation> implementation_;
};

}  // namespace turnout::net
