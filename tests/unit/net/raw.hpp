#pragma once
// Blocking sockets for the tests of the wire, plain or under TLS: what is sent
// is exactly what the test says, byte for byte. Every wait ends by itself: a receive
// limit turns a hang into a failure.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include <openssl/err.h>
#include <openssl/ssl.h>

namespace raw {

class connection {
 public:
  explicit connection(int descriptor) : descriptor_(descriptor) {
    if (descriptor_ < 0) throw std::runtime_error("no socket");
    timeval limit{10, 0};
    setsockopt(descriptor_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    const int at_once = 1;  // what was sent is there before the next step of the test
    setsockopt(descriptor_, IPPROTO_TCP, TCP_NODELAY, &at_once, sizeof at_once);
  }
  static connection to(std::uint16_t port) {
    connection made(::socket(AF_INET, SOCK_STREAM, 0));
    sockaddr_in where{};
    where.sin_family = AF_INET;
    where.sin_port = htons(port);
    where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(made.descriptor_, reinterpret_cast<sockaddr*>(&where), sizeof where) != 0)
      throw std::runtime_error("connect failed");
    return made;
  }
  connection(connection&& other) noexcept
      : descriptor_(std::exchange(other.descriptor_, -1)), ssl_(std::exchange(other.ssl_, nullptr)) {}
  connection& operator=(connection&&) = delete;
  ~connection() { close(); }

  /// TLS from here on; the handshake's outcome. `name` is what a client asks for.
  bool connect_tls(SSL_CTX* context, const char* name = nullptr, SSL_SESSION* known = nullptr) {
    make_ssl(context);
    if (name != nullptr) SSL_set_tlsext_host_name(ssl_, name);
    if (known != nullptr) SSL_set_session(ssl_, known);
    return SSL_connect(ssl_) == 1;
  }
  bool accept_tls(SSL_CTX* context) {
    make_ssl(context);
    return SSL_accept(ssl_) == 1;
  }
  SSL* ssl() const { return ssl_; }
  /// The TCP stream beneath, where a test breaks what TLS promises.
  int descriptor() const { return descriptor_; }
  /// The peer ended with close_notify.
  bool was_told_the_end() const { return told_the_end_; }

  void send(std::string_view bytes) {
    while (ssl_ != nullptr && !bytes.empty()) {
      const int sent = SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size()));
      if (sent <= 0) return;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    while (!bytes.empty()) {
      const auto sent = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent < 0) return;  // the peer is gone: what it answered decides the test
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
  }
  /// Under TLS with close_notify.
  void end() {
    if (ssl_ != nullptr) SSL_shutdown(ssl_);
    truncate();
  }
  /// Ends the TCP stream only.
  void truncate() { ::shutdown(descriptor_, SHUT_WR); }
  void close() {
    SSL_free(std::exchange(ssl_, nullptr));
    if (descriptor_ >= 0) ::close(descriptor_);
    descriptor_ = -1;
  }
  /// Closes with RST, as a crashed peer does.
  void reset() {
    linger now{1, 0};
    setsockopt(descriptor_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close();
  }
  /// Waits until something can be read, and reads none of it.
  void wait_for_input() const {
    char byte = 0;
    if (::recv(descriptor_, &byte, 1, MSG_PEEK) < 0) throw std::runtime_error("nothing came");
  }
  /// Until `ends_with` was seen, or the end.
  std::string read_until(std::string_view ends_with) {
    std::string all;
    char byte = 0;
    while (!all.ends_with(ends_with) && read_byte(byte)) all.push_back(byte);
    return all;
  }
  /// All bytes until the peer closes. Throws if it does not.
  std::string read_all() {
    std::string all;
    char byte = 0;
    while (read_byte(byte)) all.push_back(byte);
    return all;
  }
  /// One answer: header and a body of Content-Length. Empty if the peer closed.
  std::string read_answer() {
    auto answer = read_until("\r\n\r\n");
    const auto at = answer.find("Content-Length: ");
    if (at == std::string::npos) return answer;
    auto left = std::stoul(answer.substr(at + 16));
    char byte = 0;
    while (left-- > 0 && read_byte(byte)) answer.push_back(byte);
    return answer;
  }

 private:
  void make_ssl(SSL_CTX* context) {
    std::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes to sockets as to files
    ERR_clear_error();
    ssl_ = SSL_new(context);
    SSL_set_fd(ssl_, descriptor_);
  }

  ssize_t receive() {
    if (ssl_ == nullptr) return ::recv(descriptor_, buffer_, sizeof buffer_, 0);
    ERR_clear_error();
    errno = 0;
    const int got = SSL_read(ssl_, buffer_, sizeof buffer_);
    if (got <= 0) told_the_end_ = SSL_get_error(ssl_, got) == SSL_ERROR_ZERO_RETURN;
    return got;
  }

  bool read_byte(char& byte) {
    if (next_ == filled_) {
      const auto got = receive();
      if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) throw std::runtime_error("nothing came, and no end");
      if (got <= 0) return false;
      next_ = 0;
      filled_ = static_cast<std::size_t>(got);
    }
    byte = buffer_[next_++];
    return true;
  }

  int descriptor_;
  SSL* ssl_ = nullptr;
  bool told_the_end_ = false;
  char buffer_[4096];
  std::size_t next_ = 0;
  std::size_t filled_ = 0;
};

/// A listener on a free port; accepts by hand.
class listener {
 public:
  /// `receive_buffer`: bytes that an accepted connection takes before anybody reads them; 0: as usual.
  explicit listener(int receive_buffer = 0) : descriptor_(::socket(AF_INET, SOCK_STREAM, 0)) {
    if (receive_buffer != 0) setsockopt(descriptor_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    sockaddr_in where{};
    where.sin_family = AF_INET;
    where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof where;
    if (::bind(descriptor_, reinterpret_cast<sockaddr*>(&where), size) != 0 || ::listen(descriptor_, 64) != 0)
      throw std::runtime_error("listen failed");
    getsockname(descriptor_, reinterpret_cast<sockaddr*>(&where), &size);
    port = ntohs(where.sin_port);
  }
  ~listener() { close(); }
  listener(const listener&) = delete;
  listener& operator=(const listener&) = delete;

  connection accept() {
    pollfd ready{descriptor_, POLLIN, 0};
    if (::poll(&ready, 1, 10000) != 1) throw std::runtime_error("nobody connected");
    return connection(::accept(descriptor_, nullptr, nullptr));
  }
  bool someone_waits() const {
    pollfd ready{descriptor_, POLLIN, 0};
    return ::poll(&ready, 1, 0) == 1;
  }
  void close() {
    if (descriptor_ >= 0) ::close(descriptor_);
    descriptor_ = -1;
  }

  std::uint16_t port = 0;

 private:
  int descriptor_;
};

}  // namespace raw
