// One exchange with a peer: a place in the pool, a connection, the request as
// text, and an answer read by the same guarded parser as the server's requests.
#include "net/client.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <stdexcept>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>

#include "net/message_parser.hpp"
#include "net/pool.hpp"

namespace turnout::net {
namespace {

/// Interim answers (1xx) that one exchange may skip.
constexpr unsigned interim_limit = 8;
constexpr std::size_t header_count_limit = 128;

/// Fields that the client itself writes.
bool is_own_field(std::string_view name) noexcept {
  using framing::same_token;
  return same_token(name, "host") || same_token(name, "content-length") || same_token(name, "connection") ||
         same_token(name, "transfer-encoding") || same_token(name, "expect");
}

bool wants_length(const request& message) noexcept {
  return !message.body.empty() || message.method == "POST" || message.method == "PUT" || message.method == "PATCH";
}

bool is_writable(const request& message, std::string_view host) noexcept {
  return framing::is_token(message.method) && framing::is_origin_target(message.target) &&
         framing::is_field_value(host) &&
         std::all_of(message.fields.begin(), message.fields.end(), [](const auto& field) {
           return framing::is_token(field.first) && framing::is_field_value(field.second);
         });
}

void format_head(std::string& head, const request& message, std::string_view host) {
  head.assign(message.method).append(" ").append(message.target).append(" HTTP/1.1\r\nHost: ").append(host);
  if (wants_length(message)) {
    char digits[20];
    const auto [end, error] = std::to_chars(digits, digits + sizeof digits, message.body.size());
    head.append("\r\nContent-Length: ").append(digits, end);
  }
  head.append("\r\nConnection: keep-alive\r\n");
  for (const auto& [name, value] : message.fields)
    if (!is_own_field(name)) head.append(name).append(": ").append(value).append("\r\n");
  head.append("\r\n");
}

client_error verdict_of(const message_parser<false>& parser) noexcept {
  if (parser.judged()) return client_error::none;
  return parser.judged().status == 413 ? client_error::response_too_large : client_error::response_malformed;
}

client_error meaning_of(tls_fault fault) noexcept {
  switch (fault) {
    case tls_fault::none: return client_error::none;
    case tls_fault::cancelled: return client_error::tls_timeout;
    case tls_fault::version: return client_error::tls_version_unsupported;
    case tls_fault::expired: return client_error::tls_certificate_expired;
    case tls_fault::host_mismatch: return client_error::tls_host_mismatch;
    case tls_fault::untrusted: return client_error::tls_untrusted_certificate;
    case tls_fault::plain_http:
    case tls_fault::failed: break;
  }
  return client_error::tls_handshake_failed;
}

/// What a server may need to judge our certificate, besides the time that a
/// round trip to it is seen to take.
constexpr std::chrono::milliseconds judging_time{100};

using pool_ptr = std::shared_ptr<client_pool::implementation>;

}  // namespace

/// The state of one send(), on its coroutine's frame.
class exchange {
 public:
  exchange(client_pool::implementation& pool, request& message, steady_clock::time_point deadline) noexcept
      : pool_(pool), message_(message), deadline_(deadline) {}

  /// Afterwards the connection is back or closed.
  task<exchange_result> perform();

 private:
  using error = client_error;

  task<error> find_place();
  task<error> find_addresses();
  task<error> connect();
  task<error> connect_to(tcp::endpoint address, steady_clock::time_point limit);
  task<error> secure();
  error write_at_once();
  task<error> write_rest();
  task<error> write_secure();
  task<error> read_answer();
  task<error> read_head(message_parser<false>& parser);
  task<error> read_body(message_parser<false>& parser);
  task<error> read_more();
  error ended_early() const noexcept { return heard_ ? error::response_truncated : error::connection_lost; }

  client_pool::implementation& pool_;
  request& message_;
  steady_clock::time_point deadline_;
  steady_clock::time_point limit_{};  ///< of the exchange, once its first byte is written
  connection_ptr connection_;
  std::array<asio::const_buffer, 2> unwritten_;
  exchange_result result_;
  bool has_place_ = false;
  bool heard_ = false;      ///< a byte of an answer came
  bool clean_end_ = false;  ///< the peer closed its side in order
  bool reusable_ = false;
};

task<exchange_result> exchange::perform() {
  auto failed = error::none;
  const auto begun = steady_clock::now();
  if (begun >= deadline_)
    failed = error::deadline_passed;
  else if (!is_writable(message_, pool_.peer.host_header))
    failed = error::write_failed;
  else if (pool_.closed)
    failed = error::connect_failed;
  else if ((connection_ = pool_.take_idle()) != nullptr)
    has_place_ = true;
  else
    failed = co_await find_place();
  if (failed == error::none && connection_ == nullptr) {
    failed = co_await connect();
    if (failed == error::none && pool_.tls != nullptr) failed = co_await secure();
  }
  if (failed == error::none && steady_clock::now() >= deadline_) {
    failed = error::deadline_passed;
    reusable_ = true;  // nothing was written
  }
  if (failed == error::none && connection_->tls != nullptr) {
    failed = co_await write_secure();
  } else {
    if (failed == error::none) failed = write_at_once();
    if (failed == error::none && unwritten_[0].size() + unwritten_[1].size() != 0) failed = co_await write_rest();
  }
  if (failed == error::none) failed = co_await read_answer();
  if (connection_ != nullptr) wipe(connection_->head);
  if (!reusable_) connection_ = nullptr;
  if (has_place_) pool_.give_back(std::move(connection_));
  result_.error = failed;
  if (failed != error::none) result_.reply = {};
  result_.latency = std::chrono::duration_cast<std::chrono::milliseconds>(steady_clock::now() - begun);
  co_return std::move(result_);
}

task<client_error> exchange::find_place() {
  if (pool_.waiting.empty() && pool_.take_place()) {
    has_place_ = true;
    co_return error::none;
  }
  client_pool::implementation::waiter self(pool_.worker);
  self.wake.expires_at(deadline_);
  pool_.waiting.push_back(self);
  error_code ignored;
  co_await self.wake.async_wait(asio::redirect_error(use_task, ignored));
  if (!self.granted) co_return error::too_many_connections;
  has_place_ = true;
  connection_ = std::move(self.connection);
  // What was handed over may have been closed by the peer right after its answer.
  if (connection_ != nullptr && !connection_->is_fresh()) connection_ = nullptr;
  co_return error::none;
}

task<client_error> exchange::find_addresses() {
  if (pool_.addresses.empty() && pool_.resolving && !pool_.closed) {
    client_pool::implementation::waiter self(pool_.worker);
    self.wake.expires_at(deadline_);
    pool_.unresolved.push_back(self);
    error_code ignored;
    co_await self.wake.async_wait(asio::redirect_error(use_task, ignored));
  }
  co_return pool_.addresses.empty() ? error::resolve_failed : error::none;
}

task<client_error> exchange::connect() {
  auto failed = co_await find_addresses();
  if (failed != error::none) co_return failed;
  const auto limit = std::min(deadline_, steady_clock::now() + pool_.limits.connect_timeout);
  const auto addresses = pool_.addresses;  // the timer may replace them meanwhile
  for (const auto& address : addresses) {
    failed = co_await connect_to(address, limit);
    if (failed == error::none || failed == error::connect_timeout) break;
  }
  co_return failed;
}

task<client_error> exchange::connect_to(tcp::endpoint address, steady_clock::time_point limit) {
  connection_ =
      std::make_unique<client_connection>(pool_.worker, std::max<std::size_t>(pool_.limits.header_bytes, 1024));
  error_code failed;
  connection_->guard.expire_at(limit);
  co_await connection_->socket.async_connect(address, asio::redirect_error(use_task, failed));
  const bool late = connection_->guard.expired();
  if (!failed) {
    error_code ignored;
    connection_->socket.set_option(tcp::no_delay(true), ignored);
    connection_->socket.non_blocking(true, ignored);
    co_return error::none;
  }
  connection_ = nullptr;
  if (late || failed == asio::error::timed_out) co_return error::connect_timeout;
  co_return failed == asio::error::connection_refused ? error::connect_refused : error::connect_failed;
}

/// Shakes hands; nothing of the request is written.
task<client_error> exchange::secure() {
  connection_->tls = std::make_unique<tls_channel>(pool_.tls->connect(), connection_->socket);
  auto& channel = *connection_->tls;
  const auto begun = steady_clock::now();
  const auto limit = std::min(deadline_, begun + pool_.limits.connect_timeout);
  connection_->guard.expire_at(limit);
  const auto fault = co_await channel.handshake();
  if (fault != tls_fault::none) co_return meaning_of(fault);
  if (!pool_.tls->accepts_key(channel.native())) co_return error::tls_pin_mismatch;
  const auto now = steady_clock::now();
  connection_->guard.expire_at(std::min(limit, now + (now - begun) + judging_time));
  const bool welcome = co_await channel.is_welcome();
  co_return welcome ? error::none : error::tls_handshake_failed;
}

task<client_error> exchange::write_secure() {
  auto& head = connection_->head;
  format_head(head, message_, pool_.peer.host_header);
  limit_ = std::min(deadline_, steady_clock::now() + pool_.limits.response_timeout);
  result_.carried = true;
  connection_->guard.expire_at(limit_);
  error_code failed;
  co_await connection_->tls->write(head, message_.body, failed);
  if (!failed) co_return error::none;
  co_return connection_->guard.expired() ? error::write_timeout : error::write_failed;
}

/// Most requests fit into the socket's buffer: tried without waiting.
client_error exchange::write_at_once() {
  auto& head = connection_->head;
  format_head(head, message_, pool_.peer.host_header);
  unwritten_ = {asio::buffer(head), asio::buffer(message_.body)};
  limit_ = std::min(deadline_, steady_clock::now() + pool_.limits.response_timeout);
  result_.carried = true;
  error_code failed;
  auto written = connection_->socket.write_some(unwritten_, failed);
  if (failed && failed != asio::error::would_block) return error::write_failed;
  if (failed) written = 0;
  for (auto& part : unwritten_) {
    const auto done = std::min(written, part.size());
    part += done;
    written -= done;
  }
  return error::none;
}

task<client_error> exchange::write_rest() {
  while (unwritten_[0].size() + unwritten_[1].size() != 0) {
    if (connection_->has_input()) co_return error::response_premature;
    connection_->guard.expire_at(limit_);
    error_code failed;
    auto written = co_await connection_->socket.async_write_some(unwritten_, asio::redirect_error(use_task, failed));
    if (failed) co_return connection_->guard.expired() ? error::write_timeout : error::write_failed;
    for (auto& part : unwritten_) {
      const auto done = std::min(written, part.size());
      part += done;
      written -= done;
    }
  }
  co_return error::none;
}

task<client_error> exchange::read_answer() {
  auto& reply = result_.reply;
  for (unsigned interim = 0; interim <= interim_limit; ++interim) {
    message_parser<false> parser(reply, header_count_limit, pool_.limits.body_bytes);
    parser.skip(message_.method == "HEAD");
    auto failed = co_await read_head(parser);
    if (failed == error::none && reply.status >= 200) failed = co_await read_body(parser);
    if (failed != error::none) co_return failed;
    if (reply.status == 101) break;  // nobody asked to switch
    if (reply.status < 200) continue;
    reusable_ = !parser.close() && connection_->input.unread().empty();
    co_return error::none;
  }
  co_return error::response_malformed;
}

task<client_error> exchange::read_head(message_parser<false>& parser) {
  auto& input = connection_->input;
  std::size_t scanned = 0;
  std::size_t length = 0;
  while ((length = framing::header_length(input.unread(), scanned)) == 0) {
    scanned = input.unread().size();
    if (scanned >= pool_.limits.header_bytes) co_return error::response_too_large;
    const auto failed = co_await read_more();
    if (failed != error::none) co_return failed;
  }
  if (length > pool_.limits.header_bytes) co_return error::response_too_large;
  parser.take_header(input.unread().substr(0, length));
  input.consume(length);
  co_return verdict_of(parser);
}

task<client_error> exchange::read_body(message_parser<false>& parser) {
  auto& input = connection_->input;
  while (!parser.is_done()) {
    input.consume(parser.take_body(input.unread()));
    const auto judged = verdict_of(parser);
    if (judged != error::none) co_return judged;
    if (parser.is_done()) break;
    // What is left is the line of a chunk, or trailers, still without their end.
    if (input.unread().size() >= pool_.limits.header_bytes) co_return error::response_malformed;
    const auto failed = co_await read_more();
    if (failed != error::none) co_return parser.need_eof() && clean_end_ ? error::none : failed;
  }
  co_return error::none;
}

task<client_error> exchange::read_more() {
  auto& input = connection_->input;
  connection_->guard.expire_at(limit_);
  const auto room = input.prepare();
  const auto target = asio::buffer(room.data, room.size);
  error_code failed;
  std::size_t count = 0;
  if (connection_->tls == nullptr)
    count = co_await connection_->socket.async_read_some(target, asio::redirect_error(use_task, failed));
  else
    count = co_await connection_->tls->read_some(target, failed);
  input.commit(count);
  // An answer acknowledges the request that it answers, in the same segment at the latest.
  if (count != 0 && !std::exchange(heard_, true) && !connection_->is_acknowledged())
    co_return error::response_premature;
  if (!failed) co_return error::none;
  clean_end_ = failed == asio::error::eof;
  if (connection_->guard.expired()) co_return error::response_timeout;
  co_return ended_early();
}

client_pool::client_pool(asio::io_context& worker, endpoint peer, client_limits limits, const client_tls& tls)
    : implementation_(std::make_shared<implementation>(worker, std::move(peer), limits, tls)) {
  const auto zero = std::chrono::milliseconds::zero();
  if (limits.connect_timeout <= zero || limits.response_timeout <= zero || limits.idle_timeout <= zero ||
      limits.resolve_every <= zero || limits.connections == 0 || limits.header_bytes == 0 || limits.body_bytes == 0)
    throw std::invalid_argument("a limit of the client is zero or negative");
  implementation_->start_resolving();
}

client_pool::~client_pool() { close(); }

void client_pool::close() { implementation_->close(); }

void client_pool::drop_idle() { implementation_->drop_idle(); }

namespace {

task<void> run_exchange(pool_ptr pool, request message, steady_clock::time_point deadline,
                        std::function<void(exchange_result)> done) {
  exchange one(*pool, message, deadline);
  exchange_result result = co_await one.perform();
  wipe(message.body);
  // The caller of send() is still on the stack: it gets its answer later.
  if (pool->sending) co_await asio::post(pool->worker, use_task);
  done(std::move(result));
}

}  // namespace

void client_pool::send(request message, steady_clock::time_point deadline, std::function<void(exchange_result)> done) {
  auto& pool = *implementation_;
  const bool outer = std::exchange(pool.sending, true);
  asio::co_spawn(pool.worker.get_executor(),
                 run_exchange(implementation_, std::move(message), deadline, std::move(done)), end_on_exception);
  pool.sending = outer;
}

}  // namespace turnout::net
