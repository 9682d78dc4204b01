#include "net/session.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include <boost/asio/recycling_allocator.hpp>
#include <boost/beast/http/status.hpp>

namespace turnout::net {
namespace {

/// After the last answer we read and drop what the client still sends: closing
/// with unread bytes resets the connection, and the answer with it.
constexpr std::chrono::milliseconds linger_time{1000};
constexpr std::size_t linger_bytes = 256 * 1024;
constexpr std::string_view continue_answer = "HTTP/1.1 100 Continue\r\n\r\n";
constexpr std::string_view no_body;

void append_number(std::string& text, std::size_t number) {
  char digits[20];
  const auto [end, error] = std::to_chars(digits, digits + sizeof digits, number);
  text.append(digits, end);
}

/// Fields that only the server itself writes.
bool is_own_field(std::string_view name) noexcept {
  switch (name.size()) {
    case 4: return framing::same_token(name, "date");
    case 10: return framing::same_token(name, "connection");
    case 14: return framing::same_token(name, "content-length");
    case 17: return framing::same_token(name, "transfer-encoding");
    default: return false;
  }
}

bool is_writable(const headers& fields) noexcept {
  return std::all_of(fields.begin(), fields.end(), [](const auto& field) {
    return framing::is_token(field.first) && framing::is_field_value(field.second);
  });
}

bool has_no_body(unsigned status) noexcept { return status == 204 || status == 304; }

}  // namespace

std::string_view shard::date() {
  const auto now = std::time(nullptr);
  if (now != date_second_) {
    std::tm parts{};
    gmtime_r(&now, &parts);
    std::strftime(date_text_, sizeof date_text_, "%a, %d %b %Y %H:%M:%S GMT", &parts);
    date_second_ = now;
  }
  return date_text_;
}

void responder::send(response answer) const {
  if (state_) state_->answer(session::answer_kind::keep, std::move(answer));
}
void responder::send_and_close(response answer) const {
  if (state_) state_->answer(session::answer_kind::close, std::move(answer));
}
void responder::abort() const {
  if (state_) state_->answer(session::answer_kind::abort, {});
}

session::session(std::shared_ptr<shard> home, tcp_socket socket, bool refused)
    : home_(std::move(home)),
      socket_(std::move(socket)),
      watchdog_(socket_),
      answered_(socket_.get_executor(), steady_clock::time_point::max()),
      input_(std::max<std::size_t>(home_->rules->limits.header_bytes, 1024)),
      started_(steady_clock::now()),
      refused_(refused) {
  error_code ignored;
  const auto remote = socket_.remote_endpoint(ignored);
  if (!ignored) peer_ = remote.address().to_string();
  socket_.set_option(tcp::no_delay(true), ignored);
  // So that reading and writing can be tried without waiting.
  socket_.non_blocking(true, ignored);
}

session::~session() {
  if (pending_ != nullptr) pending_->owner = nullptr;
  home_->sessions.erase(this);
  auto& rules = *home_->rules;
  (refused_ ? rules.refused : rules.open).fetch_sub(1, std::memory_order_relaxed);
}

task<void> session::run(std::shared_ptr<session> self) {
  self->home_->sessions.insert(self.get());
  if (!self->home_->rules->stopped) co_await self->converse();
  self->phase_ = phase::over;
  error_code ignored;
  self->socket_.close(ignored);
}

bool session::must_close() const noexcept {
  return last_ || kind_ == answer_kind::close || home_->rules->draining.load(std::memory_order_relaxed);
}

/// The TLS handshake. False: the connection is of no use, and the peer was told if it can be.
task<bool> session::secure() {
  tls_ = std::make_unique<tls_channel>(home_->tls->accept(), socket_);
  watchdog_.expire_at(started_ + home_->rules->limits.header_timeout);
  const auto fault = co_await tls_->handshake();
  if (fault == tls_fault::none) co_return true;
  if (fault == tls_fault::cancelled || phase_ == phase::over) co_return false;
  if (fault != tls_fault::plain_http) {
    co_await linger();  // so that our alert arrives
    co_return false;
  }
  tls_ = nullptr;
  refuse(400, "this port speaks TLS: use https");
  if (co_await write_answer(false, true)) co_await linger();
  co_return false;
}

task<void> session::converse() {
  if (home_->tls != nullptr && !co_await secure()) co_return;
  if (refused_) {
    refuse(503, "too many connections");
    if (co_await write_answer(false, true)) co_await linger();
    co_return;
  }
  for (;;) {
    phase_ = phase::idle;
    kind_ = answer_kind::none;
    request message;
    const auto got = co_await read_request(message);
    if (got == reading::closed) {
      wipe(message.body);
      if (tls_ != nullptr) tls_->say_goodbye();
      co_return;
    }
    const bool head_only = message.method == "HEAD";
    if (got == reading::complete) {
      watchdog_.rest();
      std::shared_ptr<responder::state> state =
          std::allocate_shared<responder::state>(asio::recycling_allocator<responder::state>(), *this);
      try {
        home_->rules->handler(home_->index, std::move(message), responder(std::move(state)));
      } catch (const std::exception&) {
        // The responder went down with the handler, which closes the connection.
      }
    }
    wipe(message.body);  // NOLINT(bugprone-use-after-move): a short text is copied by a move
    if (kind_ == answer_kind::none && !co_await await_answer()) co_return;
    if (kind_ == answer_kind::abort || phase_ == phase::over) co_return;
    const bool close = must_close();
    if (!co_await write_answer(head_only, close)) co_return;
    if (close) {
      co_await linger();
      co_return;
    }
    first_ = false;
  }
}

/// The refusal becomes the answer; the connection ends with it.
session::reading session::refuse(unsigned status, std::string_view detail) {
  answer_ = home_->rules->on_protocol_error(status, detail);
  kind_ = answer_kind::close;
  return reading::refused;
}

/// The header is larger than allowed; says which part of it.
session::reading session::refuse_header() {
  const bool in_line =
      input_.unread().substr(0, home_->rules->limits.header_bytes).find("\r\n") == std::string_view::npos;
  return in_line ? refuse(414, "the request line is too long") : refuse(431, "the header is too large");
}

task<session::reading> session::read_request(request& message) {
  const auto& rules = *home_->rules;
  const auto& limits = rules.limits;
  const auto begun = first_ ? started_ : steady_clock::now();
  auto header_limit = begun + limits.header_timeout;
  std::size_t scanned = 0;
  std::size_t length = 0;
  while ((length = framing::header_length(input_.unread(), scanned)) == 0) {
    const bool was_empty = scanned == 0;
    scanned = input_.unread().size();
    if (scanned >= limits.header_bytes) co_return refuse_header();
    if (scanned != 0) {
      phase_ = phase::busy;
      if (was_empty && !first_) header_limit = steady_clock::now() + limits.header_timeout;
    } else if (rules.draining && !has_unread()) {
      co_return reading::closed;  // also when stop() has closed it meanwhile
    }
    const bool between = scanned == 0 && !first_;
    const auto got = co_await read_more(between ? begun + limits.idle_timeout : header_limit);
    // Who has not said a word is not told that he was slow.
    if (got == reading::refused && scanned == 0) co_return reading::closed;
    if (got != reading::complete) co_return got;
  }
  phase_ = phase::busy;
  if (length > limits.header_bytes) co_return refuse_header();
  message_parser<true> parser(message, limits.header_count, limits.body_bytes);
  if (!parser.take_header(input_.unread().substr(0, length)))
    co_return refuse(parser.judged().status, parser.judged().detail);
  input_.consume(length);
  last_ = parser.close();
  message.peer = peer_;
  if (parser.is_done()) co_return reading::complete;
  co_return co_await read_body(parser);
}

task<session::reading> session::read_body(message_parser<true>& parser) {
  const auto& limits = home_->rules->limits;
  std::optional<steady_clock::time_point> limit;
  while (!parser.is_done()) {
    const bool begun = !input_.unread().empty();
    input_.consume(parser.take_body(input_.unread()));
    if (!parser.judged()) co_return refuse(parser.judged().status, parser.judged().detail);
    if (parser.is_done()) break;
    // What is left is the line of a chunk, or trailers, still without their end.
    if (input_.unread().size() >= limits.header_bytes)
      co_return refuse(400, "a chunk's extension or the trailers are too long");
    if (!limit) {
      limit = steady_clock::now() + limits.body_timeout;
      // A client that has begun its body does not wait for our leave.
      if (parser.expect_continue() && !begun && !co_await write_all(continue_answer, no_body))
        co_return reading::closed;
    }
    const auto got = co_await read_more(*limit);
    if (got != reading::complete) co_return got;
  }
  co_return reading::complete;
}

/// One read. `refused` means that the limit passed; 408 is prepared.
task<session::reading> session::read_more(steady_clock::time_point limit) {
  if (home_->rules->stopped) co_return reading::closed;
  watchdog_.expire_at(limit);
  const auto room = input_.prepare();
  const auto target = asio::buffer(room.data, room.size);
  error_code failed;
  std::size_t count = 0;
  if (tls_ == nullptr)
    count = co_await socket_.async_read_some(target, asio::redirect_error(use_task, failed));
  else
    count = co_await tls_->read_some(target, failed);
  if (!failed) {
    input_.commit(count);
    co_return reading::complete;
  }
  if (failed == asio::error::operation_aborted && watchdog_.expired())
    co_return refuse(408, "the request took too long to arrive");
  co_return reading::closed;
}

task<bool> session::await_answer() {
  waiting_ = true;
  while (kind_ == answer_kind::none) {
    error_code ignored;
    co_await answered_.async_wait(asio::redirect_error(use_task, ignored));
  }
  waiting_ = false;
  co_return kind_ != answer_kind::abort;
}

void session::on_answer(answer_kind kind, response&& answer) {
  pending_ = nullptr;
  if (kind_ != answer_kind::none) return;  // stop() was first
  kind_ = kind;
  answer_ = std::move(answer);
  if (waiting_) answered_.cancel();
}

/// Bytes have arrived that nobody has looked at. False when the socket is closed.
bool session::has_unread() noexcept {
  error_code closed;
  return socket_.available(closed) != 0 || (tls_ != nullptr && tls_->has_pending());
}

void session::drain() {
  if (phase_ != phase::idle || !input_.unread().empty() || has_unread()) return;
  // Cancelled, not closed: bytes that were read already still get their answer.
  error_code ignored;
  socket_.cancel(ignored);
}

void session::stop() {
  error_code ignored;
  socket_.close(ignored);
  phase_ = phase::over;
  if (pending_ != nullptr) pending_->answer(answer_kind::abort, {});
}

void session::format_head(const response& answer, bool close) {
  head_.assign("HTTP/1.1 ");
  append_number(head_, answer.status);
  head_.push_back(' ');
  const auto reason = boost::beast::http::obsolete_reason(static_cast<boost::beast::http::status>(answer.status));
  head_.append(reason.data(), reason.size());
  head_.append("\r\nDate: ");
  head_.append(home_->date());
  if (!has_no_body(answer.status)) {
    head_.append("\r\nContent-Length: ");
    append_number(head_, answer.body.size());
  }
  head_.append(close ? "\r\nConnection: close\r\n" : "\r\nConnection: keep-alive\r\n");
  for (const auto& [name, value] : answer.fields) {
    if (is_own_field(name)) continue;
    head_.append(name).append(": ").append(value).append("\r\n");
  }
  head_.append("\r\n");
}

task<bool> session::write_answer(bool head_only, bool close) {
  // A field that would split the answer is our own mistake; it must not reach the wire.
  if (!is_writable(answer_.fields) || answer_.status < 200 || answer_.status > 599) {
    answer_ = {};
    answer_.status = 500;
  }
  format_head(answer_, close);
  const bool bodiless = head_only || has_no_body(answer_.status);
  const auto body = bodiless ? std::string_view() : std::string_view(answer_.body);
  co_return co_await write_all(head_, body);
}

task<bool> session::write_all(std::string_view head, std::string_view body) {
  return tls_ == nullptr ? write_plain(head, body) : write_secure(head, body);
}

task<bool> session::write_secure(std::string_view head, std::string_view body) {
  error_code failed;
  watchdog_.expire_at(steady_clock::now() + home_->rules->limits.write_timeout);
  co_await tls_->write(head, body, failed);
  co_return !failed;
}

/// Most answers fit into the socket's buffer: tried at once, waited for only if not.
task<bool> session::write_plain(std::string_view head, std::string_view body) {
  std::array<asio::const_buffer, 2> rest{asio::buffer(head), asio::buffer(body)};
  error_code failed;
  auto written = socket_.write_some(rest, failed);
  if (failed == asio::error::would_block) {
    written = 0;
    failed = {};
  }
  std::optional<steady_clock::time_point> limit;
  while (!failed) {
    for (auto& part : rest) {
      const auto done = std::min(written, part.size());
      part += done;
      written -= done;
    }
    if (rest[0].size() + rest[1].size() == 0) co_return true;
    if (!limit) limit = steady_clock::now() + home_->rules->limits.write_timeout;
    watchdog_.expire_at(*limit);
    written = co_await socket_.async_write_some(rest, asio::redirect_error(use_task, failed));
  }
  co_return false;
}

task<void> session::linger() {
  error_code failed;
  if (tls_ != nullptr) tls_->say_goodbye();
  socket_.shutdown(tcp::socket::shutdown_send, failed);
  input_.consume(input_.unread().size());
  const auto limit = steady_clock::now() + linger_time;
  std::size_t dropped = 0;
  while (!failed && dropped < linger_bytes && !home_->rules->stopped) {
    watchdog_.expire_at(limit);
    const auto room = input_.prepare();
    const auto target = asio::buffer(room.data, room.size);
    const auto count = co_await socket_.async_read_some(target, asio::redirect_error(use_task, failed));
    input_.commit(count);
    input_.consume(count);
    dropped += count;
  }
}

}  // namespace turnout::net
