// The client against a peer that is scripted byte by byte: every error it can
// report, when it may say that nothing was carried, and what its pool keeps.
#include <catch2/catch.hpp>

#include <future>
#include <optional>
#include <thread>

#include <boost/asio/io_context.hpp>

#include "calling.hpp"

using namespace turnout::net::testing;
using turnout::net::client_error;
using turnout::net::client_limits;
using turnout::net::exchange_result;
using turnout::net::request;

namespace {

/// One exchange on a fresh connection that is answered by `answer`, then ended.
exchange_result answered(std::string_view answer, bool end = true, client_limits limits = {},
                         request message = asking()) {
  raw::listener house;
  calling caller(house.port, limits);
  auto pending = caller.send(std::move(message));
  auto peer = house.accept();
  peer.read_until("\r\n\r\n");
  peer.send(answer);
  if (end) peer.end();
  return pending.get();
}

}  // namespace

TEST_CASE("an exchange, and the request's bytes") {
  raw::listener house;
  calling caller(house.port);
  auto message = asking("/charges?x=1", "{\"a\":1}");
  message.fields = {{"Authorization", "Bearer t"},
                    {"content-length", "99"},
                    {"Host", "evil"},
                    {"Connection", "close"},
                    {"Transfer-Encoding", "chunked"}};
  auto pending = caller.send(message);
  auto peer = house.accept();
  CHECK(peer.read_until("{\"a\":1}") ==
        "POST /charges?x=1 HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(house.port) +
            "\r\nContent-Length: 7\r\nConnection: keep-alive\r\nAuthorization: Bearer t\r\n\r\n{\"a\":1}");
  peer.send(ok("hello", "X-Id: 7\r\n"));
  const auto got = pending.get();
  CHECK(got.error == client_error::none);
  CHECK(got.carried);
  CHECK(got.reply.status == 200);
  CHECK(got.reply.body == "hello");
  CHECK(turnout::net::find_header(got.reply.fields, "x-id") == "7");
}

TEST_CASE("large bodies both ways, and the answer's ways to say its length") {
  const std::string large(900000, 'x');
  raw::listener house;
  calling caller(house.port);
  auto pending = caller.send(asking("/", large));
  auto peer = house.accept();
  peer.read_until("\r\n\r\n");
  CHECK(peer.read_until(std::string(1000, 'x')).size() == 1000);
  for (std::size_t left = large.size() - 1000; left > 0; left -= 1000) peer.read_until(std::string(1000, 'x'));
  peer.send(ok(large));
  CHECK(pending.get().reply.body == large);

  CHECK(answered("HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n3;x\r\nabc\r\n2\r\nde\r\n0\r\nT: r\r\n\r\n")
            .reply.body == "abcde");
  CHECK(answered("HTTP/1.1 200\r\nConnection: close\r\n\r\nto the end").reply.body == "to the end");
  CHECK(answered("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nA: b\r\n\r\n" + ok("late")).reply.body == "late");
  const auto empty = answered("HTTP/1.1 204 No Content\r\n\r\n", false);
  CHECK(empty.error == client_error::none);
  CHECK(empty.reply.status == 204);
  auto head = asking();
  head.method = "HEAD";
  const auto headed = answered("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", false, {}, head);
  CHECK(headed.error == client_error::none);
  CHECK(headed.reply.body.empty());
}

TEST_CASE("nothing carried: deadline, refusal, name, our own mistakes") {
  raw::listener house;
  SECTION("the deadline is over") {
    calling caller(house.port);
    const auto got = caller.send(asking(), 0ms).get();
    CHECK(got.error == client_error::deadline_passed);
    CHECK_FALSE(got.carried);
    CHECK_FALSE(house.someone_waits());
  }
  SECTION("refused") {
    house.close();
    calling caller(house.port);
    const auto got = caller.send(asking()).get();
    CHECK(got.error == client_error::connect_refused);
    CHECK_FALSE(got.carried);
  }
  SECTION("a name without an address") {
    calling caller(house.port, {}, "no-such-host.invalid");
    const auto got = caller.send(asking()).get();
    CHECK(got.error == client_error::resolve_failed);
    CHECK_FALSE(got.carried);
  }
  SECTION("injection") {
    calling caller(house.port);
    for (int which = 0; which < 6; ++which) {
      INFO(which);
      auto message = asking();
      if (which == 0) message.target = "/a b";
      if (which == 1) message.target = "/a\r\nX: y";
      if (which == 2) message.target = "http://other/";
      if (which == 3) message.fields = {{"X", "a\r\nY: b"}};
      if (which == 4) message.fields = {{"X\r\nY", "a"}};
      if (which == 5) message.method = "GET /\r\n";
      const auto got = caller.send(message).get();
      CHECK(got.error == client_error::write_failed);
      CHECK_FALSE(got.carried);
    }
    CHECK_FALSE(house.someone_waits());
  }
  SECTION("a closed pool") {
    calling caller(house.port);
    caller.close();
    const auto got = caller.send(asking()).get();
    CHECK(got.error == client_error::connect_failed);
    CHECK_FALSE(got.carried);
  }
}

TEST_CASE("a name is resolved, and the first request waits for it") {
  raw::listener house;
  calling caller(house.port, {}, "localhost");
  auto pending = caller.send(asking());
  auto peer = house.accept();
  CHECK(peer.read_until("\r\n\r\n").find("Host: localhost:" + std::to_string(house.port)) != std::string::npos);
  peer.send(ok("x"));
  CHECK(pending.get().error == client_error::none);
}

TEST_CASE("answers that the guards refuse") {
  const std::vector<std::pair<const char*, std::string>> refused = {
      {"both", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"},
      {"two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc"},
      {"list", "HTTP/1.1 200 OK\r\nContent-Length: 3, 3\r\n\r\nabc"},
      {"plus", "HTTP/1.1 200 OK\r\nContent-Length: +3\r\n\r\nabc"},
      {"identity", "HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\n\r\nabc"},
      {"gzip, chunked", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"},
      {"xchunked", "HTTP/1.1 200 OK\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"},
      {"no length", "HTTP/1.1 200 OK\r\n\r\nabc"},
      {"obs-fold", "HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 0\r\n\r\n"},
      {"HTTP/1.0", "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n"},
      {"bad status", "HTTP/1.1 2x0 OK\r\nContent-Length: 0\r\n\r\n"},
      {"status 099", "HTTP/1.1 099 OK\r\nContent-Length: 0\r\n\r\n"},
      {"four digits", "HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n"},
      {"not HTTP", "SSH-2.0-OpenSSH\r\n\r\n"},
      {"bare LF", "HTTP/1.1 200 OK\r\nX: a\nY: b\r\nContent-Length: 0\r\n\r\n"},
      {"bad chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n"},
      {"switching protocols", "HTTP/1.1 101 Switching\r\n\r\n"},
      {"204 with a body", "HTTP/1.1 204 No Content\r\nContent-Length: 3\r\n\r\nabc"},
      {"interim answers for ever",
       [] {
         std::string all;
         for (int i = 0; i < 20; ++i) all += "HTTP/1.1 102 Processing\r\n\r\n";
         return all;
       }()},
  };
  for (const auto& [name, answer] : refused) {
    INFO(name);
    const auto got = answered(answer);
    CHECK(got.error == client_error::response_malformed);
    CHECK(got.carried);
    CHECK(got.reply.body.empty());
  }
}

TEST_CASE("answers that end early, come late or are too large") {
  CHECK(answered("").error == client_error::connection_lost);
  CHECK(answered("HTTP/1.1 20").error == client_error::response_truncated);
  CHECK(answered("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n1234").error == client_error::response_truncated);
  CHECK(answered("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n").error ==
        client_error::response_truncated);
  CHECK(answered("HTTP/1.1 100 Continue\r\n\r\n").error == client_error::response_truncated);
  client_limits limits;
  limits.header_bytes = 1024;
  limits.body_bytes = 10;
  CHECK(answered("HTTP/1.1 200 OK\r\nX: " + std::string(5000, 'x'), true, limits).error ==
        client_error::response_too_large);
  CHECK(answered("HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n", true, limits).error ==
        client_error::response_too_large);
  CHECK(answered("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nb\r\n", true, limits).error ==
        client_error::response_too_large);
  CHECK(answered("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n12345678901", true, limits).error ==
        client_error::response_too_large);
  CHECK(answered(ok("1234567890"), true, limits).error == client_error::none);
  limits.response_timeout = 50ms;
  for (const auto* part : {"", "HTTP/1.1 200 O", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n1234"}) {
    const auto got = answered(part, false, limits);
    CHECK(got.error == client_error::response_timeout);
    CHECK(got.carried);
    CHECK(got.latency >= 50ms);
  }
}

TEST_CASE("a reset instead of an answer, and in the middle of one") {
  raw::listener house;
  calling caller(house.port);
  auto pending = caller.send(asking());
  auto peer = house.accept();
  peer.read_until("\r\n\r\n");
  peer.reset();
  const auto got = pending.get();
  CHECK(got.error == client_error::connection_lost);
  CHECK(got.carried);

  // "Until the connection ends" is complete only after an orderly end.
  pending = caller.send(asking());
  auto next = house.accept();
  next.read_until("\r\n\r\n");
  next.send("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhalf");
  next.reset();
  const auto error = pending.get().error;
  CHECK((error == client_error::response_truncated || error == client_error::connection_lost));
}

TEST_CASE("the deadline ends an exchange, whatever its limits say") {
  raw::listener house;
  calling caller(house.port);
  auto pending = caller.send(asking(), 60ms);
  auto peer = house.accept();
  CHECK(pending.get().error == client_error::response_timeout);
  CHECK(peer.read_all().ends_with("\r\n\r\n"));  // the connection was closed
}

TEST_CASE("a peer that does not read: write timeout") {
  raw::listener house;
  client_limits limits;
  limits.response_timeout = 50ms;
  calling caller(house.port, limits);
  auto pending = caller.send(asking("/", std::string(64 << 20, 'x')));
  auto peer = house.accept();
  const auto got = pending.get();
  CHECK(got.error == client_error::write_timeout);
  CHECK(got.carried);
}

TEST_CASE("a peer that resets while the request is written") {
  raw::listener house;
  calling caller(house.port);
  auto pending = caller.send(asking("/", std::string(64 << 20, 'x')));
  auto peer = house.accept();
  peer.read_until("\r\n\r\n");
  peer.reset();
  const auto got = pending.get();
  CHECK(got.error == client_error::write_failed);
  CHECK(got.carried);
}

TEST_CASE("a connection is used again after a complete answer") {
  raw::listener house;
  calling caller(house.port);
  auto pending = caller.send(asking());
  auto peer = house.accept();
  for (int i = 0; i < 5; ++i) {
    peer.read_until("\r\n\r\n");
    peer.send(ok("again"));
    CHECK(pending.get().reply.body == "again");
    if (i < 4) pending = caller.send(asking());
  }
  CHECK_FALSE(house.someone_waits());
}

TEST_CASE("a connection is not used again when it should not be") {
  raw::listener house;
  client_limits limits;
  SECTION("Connection: close was sent") {
    calling caller(house.port, limits);
    auto pending = caller.send(asking());
    auto peer = house.accept();
    peer.read_until("\r\n\r\n");
    peer.send(ok("x", "Connection: Close\r\n"));
    CHECK(pending.get().error == client_error::none);
    CHECK(peer.read_all().empty());
  }
  SECTION("bytes follow the answer") {
    calling caller(house.port, limits);
    auto pending = caller.send(asking());
    auto peer = house.accept();
    peer.read_until("\r\n\r\n");
    peer.send(ok("x") + ok("smuggled"));
    CHECK(pending.get().reply.body == "x");
    CHECK(peer.read_all().empty());
    pending = caller.send(asking());
    auto next = house.accept();
    next.read_until("\r\n\r\n");
    next.send(ok("true"));
    CHECK(pending.get().reply.body == "true");
  }
  SECTION("bytes come while it is idle") {
    calling caller(house.port, limits);
    auto pending = caller.send(asking());
    auto peer = house.accept();
    peer.read_until("\r\n\r\n");
    peer.send(ok("x"));
    CHECK(pending.get().reply.body == "x");
    peer.send(ok("smuggled"));
    pending = caller.send(asking());
    auto next = house.accept();
    next.read_until("\r\n\r\n");
    next.send(ok("true"));
    CHECK(pending.get().reply.body == "true");
  }
  SECTION("the peer closed it: replaced without a word") {
    calling caller(house.port, limits);
    auto pending = caller.send(asking());
    {
      auto peer = house.accept();
      peer.read_until("\r\n\r\n");
      peer.send(ok("x"));
      CHECK(pending.get().reply.body == "x");
    }
    pending = caller.send(asking("/again"));
    auto next = house.accept();
    CHECK(next.read_until("\r\n\r\n").starts_with("GET /again "));
    next.send(ok("y"));
    CHECK(pending.get().reply.body == "y");
  }
  SECTION("it was idle for too long") {
    limits.idle_timeout = 20ms;
    calling caller(house.port, limits);
    auto pending = caller.send(asking());
    auto peer = house.accept();
    peer.read_until("\r\n\r\n");
    peer.send(ok("x"));
    CHECK(pending.get().error == client_error::none);
    CHECK(peer.read_all().empty());
  }
  SECTION("no more may be idle") {
    limits.idle_connections = 0;
    calling caller(house.port, limits);
    auto pending = caller.send(asking());
    auto peer = house.accept();
    peer.read_until("\r\n\r\n");
    peer.send(ok("x"));
    CHECK(pending.get().error == client_error::none);
    CHECK(peer.read_all().empty());
  }
  SECTION("the pool was closed") {
    calling caller(house.port, limits);
    auto pending = caller.send(asking());
    auto peer = house.accept();
    peer.read_until("\r\n\r\n");
    caller.close();
    peer.send(ok("x"));
    CHECK(pending.get().reply.body == "x");  // what is under way finishes
    CHECK(peer.read_all().empty());
  }
}

TEST_CASE("the pool's limit: waiting, being served in order, and giving up") {
  raw::listener house;
  client_limits limits;
  limits.connections = 1;
  calling caller(house.port, limits);
  auto first = caller.send(asking("/1"));
  auto second = caller.send(asking("/2"));
  auto third = caller.send(asking("/3"), 50ms);
  auto fourth = caller.send(asking("/4"));
  auto peer = house.accept();
  CHECK(peer.read_until("\r\n\r\n").starts_with("GET /1 "));
  const auto given_up = third.get();
  CHECK(given_up.error == client_error::too_many_connections);
  CHECK_FALSE(given_up.carried);
  peer.send(ok("one"));
  CHECK(first.get().reply.body == "one");
  CHECK(peer.read_until("\r\n\r\n").starts_with("GET /2 "));
  peer.send("garbage\r\n\r\n");  // the connection goes, its place passes on
  CHECK(second.get().error == client_error::response_malformed);
  auto next = house.accept();
  CHECK(next.read_until("\r\n\r\n").starts_with("GET /4 "));
  auto fifth = caller.send(asking("/5"));
  caller.close();
  CHECK(fifth.get().error == client_error::too_many_connections);
  next.send(ok("four"));
  CHECK(fourth.get().reply.body == "four");
}

TEST_CASE("done is never called from inside send, and may send itself") {
  raw::listener house;
  calling caller(house.port);
  std::promise<client_error> finished;
  bool inside = false;  // touched on the worker only
  bool called_inside = false;
  const auto past = std::chrono::steady_clock::now();
  const auto send = [&](std::function<void(exchange_result)> done) {
    inside = true;
    caller.pool().send(asking(), past, std::move(done));
    inside = false;
  };
  caller.on_worker([&] {
    send([&](exchange_result) {
      called_inside = called_inside || inside;
      send([&](exchange_result got) {
        called_inside = called_inside || inside;
        finished.set_value(got.error);
      });
    });
  });
  CHECK(finished.get_future().get() == client_error::deadline_passed);
  CHECK_FALSE(called_inside);
}

TEST_CASE("addresses") {
  using turnout::net::parse_endpoint;
  const auto plain = parse_endpoint("http://gateway.example");
  CHECK(plain.host == "gateway.example");
  CHECK(plain.port == 80);
  CHECK(plain.host_header == "gateway.example");
  const auto with_port = parse_endpoint("http://127.0.0.1:8080");
  CHECK(with_port.host == "127.0.0.1");
  CHECK(with_port.port == 8080);
  CHECK(with_port.host_header == "127.0.0.1:8080");
  const auto six = parse_endpoint("http://[::1]:81");
  CHECK(six.host == "::1");
  CHECK(six.port == 81);
  CHECK(six.host_header == "[::1]:81");
  CHECK_FALSE(six.tls);
  const auto secure = parse_endpoint("https://gateway.example");
  CHECK(secure.tls);
  CHECK(secure.port == 443);
  CHECK(parse_endpoint("https://gateway.example:443").host_header == "gateway.example");
  CHECK(parse_endpoint("https://[::1]:443").host_header == "[::1]");
  CHECK(parse_endpoint("https://gateway.example:8443").host_header == "gateway.example:8443");
  for (const auto* bad :
       {"",           "gateway",       "https://",       "http://",     "http://a/",     "http://a/b",  "http://a?b",
        "http://a:",  "http://a:0",    "http://a:65536", "http://a:8x", "http://a:-1",   "http://a:+1", "http://u:p@a",
        "http://a b", "http://a\r\nb", "http://[::1",    "http://[]",   "http://[::1]x", "ftp://a"}) {
    INFO(bad);
    CHECK_THROWS_AS(parse_endpoint(bad), std::invalid_argument);
  }
}

TEST_CASE("what a completion throws comes out of the worker's run, and is never swallowed") {
  raw::listener house;
  boost::asio::io_context context{1};
  turnout::net::client_pool pool(context,
                                 turnout::net::parse_endpoint("http://127.0.0.1:" + std::to_string(house.port)), {});
  const auto fault = [](exchange_result) { throw std::runtime_error("fault of ours"); };
  const auto now = std::chrono::steady_clock::now();
  SECTION("before anything was tried") { pool.send(asking(), now - 1s, fault); }
  SECTION("after a refused connection") {
    house.close();
    pool.send(asking(), now + 10s, fault);
  }
  SECTION("after an exchange") {
    pool.send(asking(), now + 10s, fault);
    context.run_one_for(10s);
    auto peer = house.accept();
    peer.send(ok("x"));
    CHECK_THROWS_WITH(context.run(), "fault of ours");
    return;
  }
  CHECK_THROWS_WITH(context.run(), "fault of ours");
}

TEST_CASE("a context may end while exchanges wait, and their frames die in any order") {
  // A frame that dies last closes the pool, which must not reach for those that died before.
  raw::listener house;
  auto context = std::make_unique<boost::asio::io_context>(1);
  client_limits limits;
  limits.connections = 1;
  const std::string host = GENERATE("127.0.0.1", "localhost");
  auto pool = std::make_shared<turnout::net::client_pool>(
      *context, turnout::net::parse_endpoint("http://" + host + ":" + std::to_string(house.port)), limits);
  bool called = false;
  for (int i = 0; i < 4; ++i)
    pool->send(asking(), std::chrono::steady_clock::now() + 10s, [&called, pool](exchange_result) { called = true; });
  context->poll();
  std::weak_ptr<turnout::net::client_pool> gone = pool;
  pool.reset();
  CHECK_FALSE(gone.expired());
  context.reset();
  CHECK(gone.expired());
  CHECK_FALSE(called);
}
