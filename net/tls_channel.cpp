#include "net/tls_channel.hpp"

#include <algorithm>
#include <cerrno>
#include <new>
#include <string>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <sys/socket.h>

#include "net/framing.hpp"
#include "net/http.hpp"

namespace turnout::net {
namespace {

/// What one record holds at most.
constexpr std::size_t record_bytes = 16 * 1024;

// ---- the socket as OpenSSL sees it. Its own BIO would raise SIGPIPE, and would
// keep a descriptor that may belong to another connection after a close.

int native(BIO* of) { return static_cast<tcp_socket*>(BIO_get_data(of))->native_handle(); }

int bio_write(BIO* of, const char* bytes, int size) {
  BIO_clear_retry_flags(of);
  const auto sent = ::send(native(of), bytes, static_cast<std::size_t>(size), MSG_NOSIGNAL);
  if (sent < 0 && (errno == EAGAIN || errno == EINTR)) BIO_set_retry_write(of);
  return static_cast<int>(sent);
}

int bio_read(BIO* of, char* bytes, int size) {
  BIO_clear_retry_flags(of);
  const auto got = ::recv(native(of), bytes, static_cast<std::size_t>(size), 0);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) BIO_set_retry_read(of);
  return static_cast<int>(got);
}

long bio_control(BIO*, int what, long, void*) { return what == BIO_CTRL_FLUSH ? 1 : 0; }

const BIO_METHOD* socket_method() {
  static BIO_METHOD* const method = [] {
    BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "socket");
    if (made == nullptr) throw std::bad_alloc();
    BIO_meth_set_write(made, bio_write);
    BIO_meth_set_read(made, bio_read);
    BIO_meth_set_ctrl(made, bio_control);
    return made;
  }();
  return method;
}

}  // namespace

tls_channel::tls_channel(ssl_ptr ssl, tcp_socket& socket) : socket_(socket), ssl_(std::move(ssl)) {
  BIO* bio = BIO_new(socket_method());
  if (bio == nullptr) throw std::bad_alloc();
  BIO_set_data(bio, &socket_);
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl_.get(), bio, bio);
  if (SSL_is_server(ssl_.get()) == 1) return;
  const auto asked = [](SSL*, void* flag) {
    *static_cast<bool*>(flag) = true;
    return 1;
  };
  SSL_set_cert_cb(ssl_.get(), asked, &certificate_asked_);
}

tls_channel::next tls_channel::judge(int result) noexcept {
  switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_NONE: return next::done;
    case SSL_ERROR_WANT_READ: return next::read;
    case SSL_ERROR_WANT_WRITE: return next::write;
    case SSL_ERROR_ZERO_RETURN: return next::ended;
    default: break;
  }
  complaint_ = ERR_peek_last_error();
  ERR_clear_error();
  broken_ = true;
  return next::failed;
}

tls_fault tls_channel::fault() const noexcept {
  switch (SSL_get_verify_result(ssl_.get())) {
    case X509_V_OK: break;
    case X509_V_ERR_CERT_HAS_EXPIRED:
    case X509_V_ERR_CERT_NOT_YET_VALID: return tls_fault::expired;
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH: return tls_fault::host_mismatch;
    default: return tls_fault::untrusted;
  }
  if (ERR_GET_LIB(complaint_) != ERR_LIB_SSL) return tls_fault::failed;
  switch (ERR_GET_REASON(complaint_)) {
    case SSL_R_HTTP_REQUEST: return tls_fault::plain_http;
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
    case SSL_R_VERSION_TOO_LOW:
    case SSL_R_VERSION_TOO_HIGH: return tls_fault::version;
    default: return tls_fault::failed;
  }
}

/// False: `failed`.
task<bool> tls_channel::wait(next what, error_code& failed) {
  const auto until = what == next::write ? tcp_socket::wait_write : tcp_socket::wait_read;
  co_await socket_.async_wait(until, asio::redirect_error(use_task, failed));
  co_return !failed;
}

task<tls_fault> tls_channel::handshake() {
  for (;;) {
    ERR_clear_error();
    const next what = judge(SSL_do_handshake(ssl_.get()));
    if (what == next::done) co_return tls_fault::none;
    if (what == next::failed || what == next::ended) co_return fault();
    error_code failed;
    const bool ready = co_await wait(what, failed);
    if (ready) continue;
    broken_ = true;
    co_return failed == asio::error::operation_aborted ? tls_fault::cancelled : tls_fault::failed;
  }
}

task<bool> tls_channel::is_welcome() {
  if (!certificate_asked_ || SSL_version(ssl_.get()) < TLS1_3_VERSION) co_return true;
  error_code failed;
  const bool ready = co_await wait(next::read, failed);
  if (!ready) co_return failed == asio::error::operation_aborted;
  co_return is_quiet();
}

task<std::size_t> tls_channel::read_some(asio::mutable_buffer target, error_code& failed) {
  for (;;) {
    ERR_clear_error();
    std::size_t count = 0;
    const next what = judge(SSL_read_ex(ssl_.get(), target.data(), target.size(), &count));
    if (what == next::done) co_return count;
    if (what == next::ended) failed = asio::error::eof;
    if (what == next::failed) failed = asio::error::connection_reset;
    if (failed) co_return 0;
    const bool ready = co_await wait(what, failed);
    if (!ready) co_return 0;
  }
}

task<void> tls_channel::write(std::string_view first, std::string_view second, error_code& failed) {
  std::string record;
  while (!failed && first.size() + second.size() != 0) {
    std::string_view now = first.empty() ? second : first;
    if (!first.empty() && !second.empty() && first.size() < record_bytes) {
      record.reserve(record_bytes);  // once: what is in it is wiped below
      record.assign(first).append(second.substr(0, record_bytes - first.size()));
      now = record;
    }
    ERR_clear_error();
    std::size_t count = 0;
    const next what = judge(SSL_write_ex(ssl_.get(), now.data(), now.size(), &count));
    if (what == next::done) {
      const auto of_first = std::min(count, first.size());
      first.remove_prefix(of_first);
      second.remove_prefix(count - of_first);
    } else if (what == next::read || what == next::write) {
      // The same bytes are offered again: OpenSSL holds them encrypted already.
      const bool ready = co_await wait(what, failed);
      if (!ready) broken_ = true;  // half a record is out: a goodbye would follow it
    } else {
      failed = asio::error::broken_pipe;
    }
  }
  wipe(record);
}

void tls_channel::say_goodbye() noexcept {
  if (broken_ || SSL_is_init_finished(ssl_.get()) != 1) return;
  ERR_clear_error();
  SSL_shutdown(ssl_.get());
  ERR_clear_error();
  broken_ = true;
}

bool tls_channel::is_quiet() noexcept {
  if (broken_) return false;
  ERR_clear_error();
  char byte = 0;
  std::size_t count = 0;
  return judge(SSL_peek_ex(ssl_.get(), &byte, 1, &count)) == next::read;
}

}  // namespace turnout::net
