#pragma once
// One connection of the server: a coroutine that reads a request, hands it to
// the handler, waits for the answer, writes it, and starts over. Private to
// the server; session.cpp is the conversation, server.cpp the house around it.
#include <atomic>
#include <cstddef>
#include <ctime>
#include <memory>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "net/input_buffer.hpp"
#include "net/message_parser.hpp"
#include "net/server.hpp"
#include "net/tls_channel.hpp"
#include "net/wire.hpp"

namespace turnout::net {

class session;

/// What all connections of a server share. Holds nothing of Asio, so that it
/// may outlive any context.
struct server_rules {
  server_limits limits;
  request_handler handler;
  error_body on_protocol_error;
  std::atomic<std::size_t> open{0};
  std::atomic<std::size_t> refused{0};  ///< being told 503; not part of open
  std::atomic<bool> draining{false};
  std::atomic<bool> stopped{false};
};

/// What the connections of one worker share; touched on its thread only.
struct shard {
  shard(asio::io_context& where, std::size_t index_, std::shared_ptr<server_rules> rules_)
      : worker(where), index(index_), rules(std::move(rules_)) {}

  /// The Date header's value, made once per second.
  std::string_view date();

  asio::io_context& worker;
  std::size_t index;
  std::shared_ptr<server_rules> rules;
  std::shared_ptr<const server_tls_context> tls;  ///< null: connections are plain
  std::unordered_set<session*> sessions;
  std::unordered_set<tcp_acceptor*> acceptors;

 private:
  std::time_t date_second_ = 0;
  char date_text_[32] = {};
};

class session {
 public:
  /// A refused connection is told 503 and closed.
  session(std::shared_ptr<shard> home, tcp_socket socket, bool refused);
  ~session();
  session(const session&) = delete;
  session& operator=(const session&) = delete;

  /// The whole life; the coroutine keeps `self` alive.
  static task<void> run(std::shared_ptr<session> self);

  /// Ends the connection now if no request is under way.
  void drain();
  void stop();

  enum class answer_kind : std::uint8_t {
    none,   ///< the handler has not answered
    keep,   ///< write it; the connection may go on
    close,  ///< write it, then close
    abort   ///< close without a byte
  };
  void on_answer(answer_kind kind, response&& answer);

 private:
  enum class phase : std::uint8_t {
    idle,  ///< no byte of a request
    busy,  ///< a request is being read, handled or answered
    over   ///< closing
  };
  enum class reading : std::uint8_t {
    complete,  ///< there is a request to handle
    refused,   ///< answer_ says why; then close
    closed     ///< nothing can or should be said
  };

  task<bool> secure();
  task<void> converse();
  task<reading> read_request(request& message);
  task<reading> read_body(message_parser<true>& parser);
  task<reading> read_more(steady_clock::time_point limit);
  task<bool> await_answer();
  task<bool> write_answer(bool head_only, bool close);
  task<bool> write_all(std::string_view head, std::string_view body);
  task<bool> write_plain(std::string_view head, std::string_view body);
  task<bool> write_secure(std::string_view head, std::string_view body);
  bool has_unread() noexcept;
  task<void> linger();
  reading refuse(unsigned status, std::string_view detail);
  reading refuse_header();
  void format_head(const response& answer, bool close);
  bool must_close() const noexcept;

  friend struct responder::state;

  std::shared_ptr<shard> home_;
  tcp_socket socket_;
  std::unique_ptr<tls_channel> tls_;  ///< null: plain
  watchdog watchdog_;
  tcp_timer answered_;  ///< never expires; cancelled to wake the conversation
  input_buffer input_;
  std::string peer_;
  std::string head_;  ///< the answer's header, reused
  response answer_;
  responder::state* pending_ = nullptr;
  steady_clock::time_point started_;
  answer_kind kind_ = answer_kind::none;
  phase phase_ = phase::idle;
  bool waiting_ = false;
  bool first_ = true;
  bool last_ = false;  ///< the client said that no request follows this one
  bool refused_;
};

/// Lives as long as any copy of the responder. Forgets the session when either ends.
struct responder::state {
  explicit state(session& who) noexcept : owner(&who) { who.pending_ = this; }
  ~state() { answer(session::answer_kind::abort, {}); }
  state(const state&) = delete;
  state& operator=(const state&) = delete;

  void answer(session::answer_kind kind, response&& what) {
    if (owner != nullptr) std::exchange(owner, nullptr)->on_answer(kind, std::move(what));
  }
  session* owner;
};

}  // namespace turnout::net
