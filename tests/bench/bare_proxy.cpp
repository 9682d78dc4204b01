// The yardstick of the benchmark: what a reverse proxy costs that only
// forwards. Beast coroutines on one thread, JSON parsed and written again in
// both directions, keep-alive to the clients and to the upstream, a time limit
// on every operation. No journal, no routing, no authentication.
// Usage: bare_proxy PORT UPSTREAM_HOST UPSTREAM_PORT UPSTREAM_PATH (port 0 takes a free one; it is printed)
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <boost/json.hpp>

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
namespace json = boost::json;
using tcp = asio::ip::tcp;
using executor = asio::io_context::executor_type;
using stream = beast::basic_stream<tcp, executor>;
using acceptor_type = asio::basic_socket_acceptor<tcp, executor>;
using error_code = boost::system::error_code;
template <class T>
using task = asio::awaitable<T, executor>;
constexpr asio::use_awaitable_t<executor> use_task{};

namespace {

constexpr std::chrono::seconds time_limit{10};
constexpr std::size_t body_limit = 1024 * 1024;
constexpr std::size_t idle_limit = 256;

struct upstream_connection {
  explicit upstream_connection(executor where) : wire(where) {}
  stream wire;
  beast::flat_buffer buffer{64 * 1024};
};

struct upstream {
  tcp::endpoint address;
  std::string host;
  std::string path;
  std::vector<std::unique_ptr<upstream_connection>> idle;
};

/// Parsed and written again, as any proxy must that looks into a body.
bool rewrite(const std::string& from, std::string& into) {
  unsigned char memory[4096];
  json::monotonic_resource arena(memory, sizeof memory);
  error_code failed;
  const auto value = json::parse(from, failed, &arena);
  if (failed) return false;
  thread_local json::serializer writer;
  writer.reset(&value);
  into.clear();
  char part[4096];
  while (!writer.done()) {
    const auto text = writer.read(part);
    into.append(text.data(), text.size());
  }
  return true;
}

task<std::unique_ptr<upstream_connection>> connect(upstream& target, executor where) {
  if (!target.idle.empty()) {
    auto taken = std::move(target.idle.back());
    target.idle.pop_back();
    co_return taken;
  }
  auto made = std::make_unique<upstream_connection>(where);
  error_code failed;
  made->wire.expires_after(time_limit);
  co_await made->wire.async_connect(target.address, asio::redirect_error(use_task, failed));
  if (failed) co_return nullptr;
  made->wire.socket().set_option(tcp::no_delay(true), failed);
  co_return made;
}

/// Sends the body on and fills `answer`; false when the upstream failed.
task<bool> forward(upstream& target, executor where, const http::request<http::string_body>& from,
                   http::response<http::string_body>& answer) {
  http::request<http::string_body> onward(http::verb::post, target.path, 11);
  onward.set(http::field::host, target.host);
  onward.set(http::field::content_type, "application/json");
  if (const auto key = from.find(http::field::authorization); key != from.end())
    onward.set(http::field::authorization, key->value());
  if (!rewrite(from.body(), onward.body())) {
    answer.result(http::status::bad_request);
    co_return true;
  }
  onward.prepare_payload();
  auto connection = co_await connect(target, where);
  if (connection == nullptr) co_return false;
  error_code failed;
  connection->wire.expires_after(time_limit);
  co_await http::async_write(connection->wire, onward, asio::redirect_error(use_task, failed));
  if (failed) co_return false;
  http::response_parser<http::string_body> parser;
  parser.body_limit(body_limit);
  connection->wire.expires_after(time_limit);
  co_await http::async_read(connection->wire, connection->buffer, parser, asio::redirect_error(use_task, failed));
  if (failed) co_return false;
  answer.result(parser.get().result());
  if (!rewrite(parser.get().body(), answer.body())) co_return false;
  if (parser.get().keep_alive() && target.idle.size() < idle_limit) target.idle.push_back(std::move(connection));
  co_return true;
}

task<void> serve(stream wire, upstream& target) {
  const auto where = wire.get_executor();
  beast::flat_buffer buffer(64 * 1024);
  for (;;) {
    error_code failed;
    http::request_parser<http::string_body> parser;
    parser.body_limit(body_limit);
    wire.expires_after(time_limit);
    co_await http::async_read(wire, buffer, parser, asio::redirect_error(use_task, failed));
    if (failed) break;
    http::response<http::string_body> answer(http::status::ok, 11);
    const bool arrived = co_await forward(target, where, parser.get(), answer);
    if (!arrived) answer.result(http::status::bad_gateway);
    answer.set(http::field::content_type, "application/json");
    answer.keep_alive(parser.get().keep_alive());
    answer.prepare_payload();
    wire.expires_after(time_limit);
    co_await http::async_write(wire, answer, asio::redirect_error(use_task, failed));
    if (failed || !answer.keep_alive()) break;
  }
  error_code ignored;
  wire.socket().shutdown(tcp::socket::shutdown_send, ignored);
}

task<void> accept_all(acceptor_type& listener, upstream& target) {
  for (;;) {
    stream wire(listener.get_executor());
    error_code failed;
    co_await listener.async_accept(wire.socket(), asio::redirect_error(use_task, failed));
    if (failed) co_return;
    wire.socket().set_option(tcp::no_delay(true), failed);
    asio::co_spawn(listener.get_executor(), serve(std::move(wire), target), asio::detached);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) {
    std::cerr << "usage: bare_proxy PORT UPSTREAM_HOST UPSTREAM_PORT UPSTREAM_PATH\n";
    return 2;
  }
  try {
    asio::io_context context(1);
    tcp::resolver resolver(context);
    upstream target;
    target.address = *resolver.resolve(argv[2], argv[3]).begin();
    target.host = std::string(argv[2]) + ":" + argv[3];
    target.path = argv[4];
    const auto port = static_cast<std::uint16_t>(std::stoul(argv[1]));
    acceptor_type listener(context.get_executor(), tcp::endpoint(asio::ip::address_v4::loopback(), port));
    asio::signal_set ended(context, SIGINT, SIGTERM);
    ended.async_wait([&](const error_code&, int) { context.stop(); });
    asio::co_spawn(context.get_executor(), accept_all(listener, target), asio::detached);
    std::cout << listener.local_endpoint().port() << std::endl;
    context.run();
  } catch (const std::exception& failed) {
    std::cerr << "bare_proxy: " << failed.what() << '\n';
    return 1;
  }
}
