// The transport against real sockets: which failure becomes which word, what
// counts as carried, and what happens to pools on a reload.
#include "proxy/server/gateway_transport.hpp"

#include <optional>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <catch2/catch.hpp>

#include "net/server.hpp"
#include "tests/unit/net/authority.hpp"

using namespace std::chrono_literals;
using namespace turnout;
using boost::asio::ip::tcp;

namespace {

/// Only what the transport reads of a connector.
struct fake_definition final : connectors::definition {
  payments::connector_profile about;
  std::string url;
  const payments::connector_profile& profile() const noexcept override { return about; }
  std::string_view base_url() const noexcept override { return url; }
  std::shared_ptr<const connectors::gateway_tls> security;
  const std::shared_ptr<const connectors::gateway_tls>& tls() const noexcept override { return security; }
  connectors::wire_request build_request(payments::operation, const connectors::request_context&) const override {
    return {};
  }
  payments::send_result parse_response(payments::operation, const connectors::wire_reply&,
                                       const payments::money&) const override {
    return {};
  }
};

std::shared_ptr<const core::configuration> configuration(std::uint16_t port,
                                                         std::chrono::milliseconds response = 5000ms) {
  auto gateway = std::make_shared<fake_definition>();
  gateway->about.name = "alpha";
  gateway->about.timeouts.response = response;
  gateway->url = "http://127.0.0.1:" + std::to_string(port);
  auto made = std::make_shared<core::configuration>();
  made->connectors.push_back(gateway);
  return made;
}

/// A gateway and a proxy's transport on one thread.
struct world {
  boost::asio::io_context context{1};
  net::request_handler handler;
  net::request seen;
  net::server gateway{{&context},
                      {},
                      [this](std::size_t, net::request&& request, net::responder reply) {
                        seen = request;
                        handler(0, std::move(request), std::move(reply));
                      },
                      [](unsigned status, std::string_view) {
                        return net::response{status, {}, {}};
                      }};
  std::uint16_t port = gateway.listen("127.0.0.1", 0);
  server::gateway_transport transport{context};

  /// What a payment under `config` sends to its only connector.
  core::exchange send(const std::shared_ptr<const core::configuration>& config,
                      std::chrono::milliseconds deadline = 5000ms, const std::string& credential = {}) {
    connectors::wire_request request;
    request.method = "POST";
    request.target = "/v1/charges?x=1";
    request.credential = payments::secret_string(credential);
    request.headers.emplace_back("Authorization", payments::secret_string("Bearer k"));
    request.body = payments::secret_string("card=1");
    std::optional<core::exchange> result;
    bool inside = true;
    transport.send(*config->connectors.front(), std::move(request), std::chrono::steady_clock::now() + deadline,
                   [&](core::exchange got) {
                     CHECK_FALSE(inside);
                     result = std::move(got);
                   });
    inside = false;
    run_until([&] { return result.has_value(); });
    return *result;
  }

  template <class Condition>
  void run_until(Condition is_met) {
    const auto patience = std::chrono::steady_clock::now() + 20s;
    while (!is_met() && std::chrono::steady_clock::now() < patience) context.run_one_for(100ms);
    REQUIRE(is_met());
  }
};

}  // namespace

TEST_CASE("a complete answer comes back whole, and the request arrives whole") {
  world w;
  w.handler = [](std::size_t, net::request&&, net::responder reply) {
    reply.send({402, {{"X-Trace", "t1"}}, R"({"error":1})"});
  };
  const auto config = configuration(w.port);
  w.transport.configure(config);
  const core::exchange got = w.send(config);
  CHECK(got.error.empty());
  CHECK(got.carried);
  CHECK(got.reply.status == 402);
  CHECK(got.reply.body == R"({"error":1})");
  CHECK(net::find_header(got.reply.headers, "x-trace") == "t1");
  CHECK(w.seen.method == "POST");
  CHECK(w.seen.target == "/v1/charges?x=1");
  CHECK(w.seen.body == "card=1");
  CHECK(net::find_header(w.seen.fields, "authorization") == "Bearer k");
  CHECK(net::find_header(w.seen.fields, "host") == "127.0.0.1:" + std::to_string(w.port));
}

TEST_CASE("a credential joins the query as the request leaves") {
  world w;
  w.handler = [](std::size_t, net::request&&, net::responder reply) { reply.send({200, {}, "{}"}); };
  const auto config = configuration(w.port);
  w.transport.configure(config);
  CHECK(w.send(config, 5000ms, "api_key=k%20").error.empty());
  CHECK(w.seen.target == "/v1/charges?x=1&api_key=k%20");
}

TEST_CASE("nobody listening is a refused connection that carried nothing") {
  world w;
  std::uint16_t closed = 0;
  {
    tcp::acceptor taken(w.context, tcp::endpoint(boost::asio::ip::address_v4::loopback(), 0));
    closed = taken.local_endpoint().port();
  }
  const auto config = configuration(closed);
  w.transport.configure(config);
  const core::exchange got = w.send(config);
  CHECK(got.error == "connect_refused");
  CHECK_FALSE(got.carried);
}

TEST_CASE("a gateway that closes instead of answering has been sent to") {
  world w;
  w.handler = [](std::size_t, net::request&&, net::responder reply) { reply.abort(); };
  const auto config = configuration(w.port);
  w.transport.configure(config);
  const core::exchange got = w.send(config);
  CHECK(got.error == "connection_lost");
  CHECK(got.carried);
}

TEST_CASE("silence is a response timeout that carried the request") {
  world w;
  std::vector<net::responder> kept;
  w.handler = [&](std::size_t, net::request&&, net::responder reply) { kept.push_back(std::move(reply)); };
  SECTION("by the connector's own limit") {
    const auto config = configuration(w.port, 60ms);
    w.transport.configure(config);
    const core::exchange got = w.send(config);
    CHECK(got.error == "response_timeout");
    CHECK(got.carried);
  }
  SECTION("by the payment's deadline") {
    const auto config = configuration(w.port);
    w.transport.configure(config);
    const core::exchange got = w.send(config, 60ms);
    CHECK(got.error == "response_timeout");
    CHECK(got.carried);
  }
}

TEST_CASE("a deadline that is over carries nothing") {
  world w;
  const auto config = configuration(w.port);
  w.transport.configure(config);
  const core::exchange got = w.send(config, -1ms);
  CHECK(got.error == "deadline_passed");
  CHECK_FALSE(got.carried);
}

TEST_CASE("an answer that breaks HTTP is malformed, never a success") {
  world w;
  tcp::acceptor acceptor(w.context, tcp::endpoint(boost::asio::ip::address_v4::loopback(), 0));
  tcp::socket peer(w.context);
  std::string answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}";
  acceptor.async_accept(peer, [&](boost::system::error_code failed) {
    if (!failed) boost::asio::async_write(peer, boost::asio::buffer(answer), [](auto, auto) {});
  });
  const auto config = configuration(acceptor.local_endpoint().port());
  w.transport.configure(config);
  const core::exchange got = w.send(config);
  CHECK(got.error == "response_malformed");
  CHECK(got.carried);
}

TEST_CASE("the idle connections to a gateway that is distrusted are closed, and no others") {
  world w;
  tcp::acceptor acceptor(w.context, tcp::endpoint(boost::asio::ip::address_v4::loopback(), 0));
  tcp::socket peer(w.context);
  const std::string answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";
  acceptor.async_accept(peer, [&](boost::system::error_code failed) {
    if (!failed) boost::asio::async_write(peer, boost::asio::buffer(answer), [](auto, auto) {});
  });
  const auto config = configuration(acceptor.local_endpoint().port()), other = configuration(w.port);
  w.transport.configure(config);
  REQUIRE(w.send(config).error.empty());
  bool ended = false;
  std::string request(4096, ' ');
  const std::function<void()> read = [&] {
    peer.async_read_some(boost::asio::buffer(request), [&](boost::system::error_code failed, std::size_t) {
      ended = failed == boost::asio::error::eof;
      if (!failed) read();
    });
  };
  read();
  w.transport.distrust(*other->connectors.front());
  while (w.context.poll_one() != 0) continue;
  CHECK_FALSE(ended);
  w.transport.distrust(*config->connectors.front());
  w.run_until([&] { return ended; });
}

namespace {

/// Answers every request with its own status.
struct other_gateway {
  net::server server;
  std::uint16_t port = server.listen("127.0.0.1", 0);
  other_gateway(boost::asio::io_context& context, unsigned status)
      : server(
            {&context}, {},
            [status](std::size_t, net::request&&, net::responder reply) {
              reply.send({status, {}, {}});
            },
            [](unsigned refused, std::string_view) {
              return net::response{refused, {}, {}};
            }) {}
};

}  // namespace

TEST_CASE("a reload moves a connector for new payments; those in flight stay with the address they began with") {
  world w;
  w.handler = [](std::size_t, net::request&&, net::responder reply) { reply.send({201, {}, {}}); };
  other_gateway moved(w.context, 204);
  const auto before = configuration(w.port);
  const auto after = configuration(moved.port);
  w.transport.configure(before);
  CHECK(w.send(before).reply.status == 201);
  w.transport.configure(after);
  CHECK(w.send(after).reply.status == 204);
  // Its inquiry or its replay, minutes and reloads later.
  CHECK(w.send(before).reply.status == 201);
  w.transport.configure(after);
  CHECK(w.send(before).reply.status == 201);
  CHECK(w.send(after).reply.status == 204);
}

TEST_CASE("a payment in flight keeps its limits over a reload, too") {
  world w;
  std::vector<net::responder> kept;
  w.handler = [&](std::size_t, net::request&&, net::responder reply) { kept.push_back(std::move(reply)); };
  const auto patient = configuration(w.port, 10s), hasty = configuration(w.port, 50ms);
  w.transport.configure(hasty);
  w.transport.configure(patient);
  CHECK(w.send(hasty, 10s).latency < 5s);
}

TEST_CASE("an exchange under way finishes at the old address") {
  world w;
  std::optional<net::responder> waiting;
  w.handler = [&](std::size_t, net::request&&, net::responder reply) { waiting = std::move(reply); };
  other_gateway moved(w.context, 204);
  const auto before = configuration(w.port);
  w.transport.configure(before);

  std::optional<core::exchange> first;
  connectors::wire_request request;
  request.method = "POST";
  request.target = "/";
  w.transport.send(*before->connectors.front(), std::move(request), std::chrono::steady_clock::now() + 10s,
                   [&](core::exchange got) { first = std::move(got); });
  w.run_until([&] { return waiting.has_value(); });

  const auto after = configuration(moved.port);
  w.transport.configure(after);
  CHECK(w.send(after).reply.status == 204);
  waiting->send({201, {}, {}});
  w.run_until([&] { return first.has_value(); });
  CHECK(first->reply.status == 201);
  // Its pool ends with it, and its connection with the pool.
  w.run_until([&] { return w.gateway.open_connections() == 0; });
}

TEST_CASE("a connector that is gone stays reachable for payments that know it; idle connections to it are closed") {
  world w;
  w.handler = [](std::size_t, net::request&&, net::responder reply) { reply.send({200, {}, {}}); };
  const auto before = configuration(w.port);
  w.transport.configure(before);
  CHECK(w.send(before).error.empty());
  CHECK(w.gateway.open_connections() == 1);
  const auto empty = std::make_shared<core::configuration>();
  w.transport.configure(empty);
  w.run_until([&] { return w.gateway.open_connections() == 0; });
  CHECK(w.send(before).error.empty());
  w.transport.configure(empty);
  w.run_until([&] { return w.gateway.open_connections() == 0; });
}

TEST_CASE("a reload that changes nothing keeps the open connections") {
  world w;
  w.handler = [](std::size_t, net::request&&, net::responder reply) { reply.send({200, {}, {}}); };
  const auto config = configuration(w.port);
  w.transport.configure(config);
  CHECK(w.send(config).error.empty());
  w.transport.configure(configuration(w.port));
  CHECK(w.send(configuration(w.port)).error.empty());
  CHECK(w.gateway.open_connections() == 1);
}

namespace {

std::shared_ptr<const core::configuration> secured(std::uint16_t port, connectors::gateway_tls tls) {
  auto gateway = std::make_shared<fake_definition>();
  gateway->about.name = "alpha";
  gateway->url = "https://127.0.0.1:" + std::to_string(port);
  gateway->security = std::make_shared<const connectors::gateway_tls>(std::move(tls));
  auto made = std::make_shared<core::configuration>();
  made->connectors.push_back(gateway);
  return made;
}

}  // namespace

TEST_CASE("a reload that changes TLS uses no connection from before, whatever was opened already") {
  world w;
  w.handler = [](std::size_t, net::request&&, net::responder reply) { reply.send({200, {}, {}}); };
  w.gateway.use_tls(net::make_server_tls(good_server()));
  w.run_until([&] { return w.context.poll() == 0; });
  connectors::gateway_tls tls;
  tls.ca = trusted().pem();
  w.transport.configure(secured(w.port, tls));
  CHECK(w.send(secured(w.port, tls)).reply.status == 200);
  // The same again, from files that were read again: the connection stays.
  w.transport.configure(secured(w.port, tls));
  CHECK(w.send(secured(w.port, tls)).reply.status == 200);
  CHECK(w.gateway.open_connections() == 1);
  auto pinned = tls, distrusting = tls, unsaid = connectors::gateway_tls();
  pinned.pins = {trusted().issue().pin};
  distrusting.ca = authority("Another CA").pem();
  const std::vector<std::pair<connectors::gateway_tls, std::string>> refused = {
      {pinned, "tls_pin_mismatch"}, {distrusting, "tls_untrusted_certificate"}, {unsaid, "tls_untrusted_certificate"}};
  for (const auto& [changed, why] : refused) {
    w.transport.configure(secured(w.port, changed));
    const core::exchange got = w.send(secured(w.port, changed));
    CHECK(got.error == why);
    CHECK_FALSE(got.carried);
  }
  // A payment that began before goes on as it began.
  CHECK(w.send(secured(w.port, tls)).reply.status == 200);
}
