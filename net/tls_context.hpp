#pragma once
// OpenSSL's contexts behind tls.hpp, and the sessions that a client may resume.
// Private to this room.
#include <memory>
#include <string>
#include <vector>

#include <openssl/ssl.h>

#include "net/tls.hpp"

namespace turnout::net {

template <auto release>
struct openssl_delete {
  template <class T>
  void operator()(T* what) const noexcept {
    release(what);
  }
};
using ssl_ptr = std::unique_ptr<SSL, openssl_delete<SSL_free>>;
using ssl_context_ptr = std::unique_ptr<SSL_CTX, openssl_delete<SSL_CTX_free>>;
using session_ptr = std::unique_ptr<SSL_SESSION, openssl_delete<SSL_SESSION_free>>;

class server_tls_context {
 public:
  explicit server_tls_context(const server_tls& from);
  /// Any thread. Throws std::bad_alloc.
  ssl_ptr accept() const;
  std::chrono::system_clock::time_point expires() const noexcept { return expires_; }

 private:
  ssl_context_ptr context_;
  std::chrono::system_clock::time_point expires_;
};

/// One peer's, on one thread. Must outlive what connect() gives.
class client_tls_context {
 public:
  /// `host` is what the peer's certificate must be for: a name, or an address.
  client_tls_context(const client_tls& from, std::string host);
  client_tls_context(const client_tls_context&) = delete;
  client_tls_context& operator=(const client_tls_context&) = delete;

  /// Ready to shake hands, with a session to resume if there is one.
  ssl_ptr connect();
  /// After the handshake: the peer's key is one that is expected.
  bool accepts_key(const SSL& of) const;

 private:
  static int keep_session(SSL* of, SSL_SESSION* fresh);
  session_ptr take_session();

  ssl_context_ptr context_;
  std::string host_;
  bool is_address_;
  std::vector<std::string> pins_;      ///< 32 bytes each
  std::vector<session_ptr> sessions_;  ///< oldest first; a session of TLS 1.3 is used once
};

}  // namespace turnout::net
