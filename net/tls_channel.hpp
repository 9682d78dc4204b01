#pragma once
// One TLS connection over a socket that is non-blocking. OpenSSL reads from and
// writes to the socket itself; Asio only tells when it is worth while. So a
// record is encrypted and sent in one step, as plain bytes are, and it is known
// whether a byte of the application was ever given away. Private to this room;
// used on the socket's thread only.
#include <cstddef>
#include <string_view>

#include "net/tls_context.hpp"
#include "net/wire.hpp"

namespace turnout::net {

/// How a handshake ended.
enum class tls_fault : std::uint8_t {
  none,
  cancelled,      ///< the socket was cancelled or closed: a limit passed, or the end of everything
  plain_http,     ///< the peer speaks HTTP without TLS
  version,        ///< no common version
  expired,        ///< the peer's certificate has ended, or not begun
  host_mismatch,  ///< the peer's certificate is for somebody else
  untrusted,      ///< nobody we trust has signed the peer's certificate, or it is damaged
  failed          ///< anything else, such as an alert of the peer or a connection that ended
};

class tls_channel {
 public:
  /// `socket` must outlive it.
  tls_channel(ssl_ptr ssl, tcp_socket& socket);
  tls_channel(const tls_channel&) = delete;
  tls_channel& operator=(const tls_channel&) = delete;

  task<tls_fault> handshake();

  /// Clients, after the handshake. In TLS 1.3 a server judges a client's
  /// certificate only after the client is done. Where one was asked for, this
  /// waits for the server's next word, or until the socket is cancelled; false: refused.
  task<bool> is_welcome();

  /// As on the socket: at least one byte, or `failed`. asio::error::eof only
  /// after the peer said that this is the end (close_notify); a connection that
  /// just ends is connection_reset.
  task<std::size_t> read_some(asio::mutable_buffer target, error_code& failed);

  /// All of both, the second behind the first in the same record if they fit.
  task<void> write(std::string_view first, std::string_view second, error_code& failed);

  /// Tells the peer that nothing follows, if that can be done at once.
  void say_goodbye() noexcept;

  /// Nothing unread, and the peer has not ended it, as far as this machine
  /// knows. Takes in what the peer says besides data, such as tickets.
  bool is_quiet() noexcept;
  /// Bytes were read from the socket and not given out yet.
  bool has_pending() const noexcept { return SSL_has_pending(ssl_.get()) == 1; }
  const SSL& native() const noexcept { return *ssl_; }

 private:
  enum class next : std::uint8_t { done, read, write, ended, failed };

  next judge(int result) noexcept;
  tls_fault fault() const noexcept;
  task<bool> wait(next what, error_code& failed);

  tcp_socket& socket_;
  ssl_ptr ssl_;
  unsigned long complaint_ = 0;  ///< OpenSSL's error code, of what broke it
  bool certificate_asked_ = false;
  bool broken_ = false;  ///< nothing more may be written
};

}  // namespace turnout::net
