// Limits, slow clients, pipelining, expectations, the responder, and the ends
// of a server: over real sockets, with limits small enough to be reached.
#include <catch2/catch.hpp>

#include <boost/asio/post.hpp>
#include <boost/system/system_error.hpp>

#include "serving.hpp"

using namespace std::chrono_literals;
using turnout::net::request;
using turnout::net::responder;
using turnout::net::response;
using turnout::net::server_limits;

namespace {

const std::string simple = "GET /a HTTP/1.1\r\nHost: a\r\n\r\n";

response text(std::string body) {
  response made;
  made.body = std::move(body);
  return made;
}

/// Keeps responders of requests until the test answers them, on the worker's thread.
struct keeper {
  std::mutex mutex;
  std::vector<responder> kept;
  serving::handler handler() {
    return [this](request&&, responder out) {
      const std::lock_guard hold(mutex);
      kept.push_back(std::move(out));
    };
  }
  std::size_t size() {
    const std::lock_guard hold(mutex);
    return kept.size();
  }
  void until(std::size_t wanted) {
    const auto limit = std::chrono::steady_clock::now() + 10s;
    while (size() < wanted) {
      if (std::chrono::steady_clock::now() > limit) throw std::runtime_error("the requests never came");
      std::this_thread::yield();
    }
  }
};

}  // namespace

TEST_CASE("limits of the header") {
  server_limits limits;
  limits.header_bytes = 512;
  limits.header_count = 4;
  serving house(limits);
  const std::string start = "GET / HTTP/1.1\r\nHost: a\r\n";
  CHECK(house.converse(start + "X: " + std::string(600, 'x') + "\r\n\r\n").starts_with("HTTP/1.1 431 "));
  CHECK(house.converse(start + "X: " + std::string(100000, 'x')).starts_with("HTTP/1.1 431 "));
  CHECK(house.converse("GET /" + std::string(600, 'x') + " HTTP/1.1\r\nHost: a\r\n\r\n").starts_with("HTTP/1.1 414 "));
  CHECK(house.converse(start + "A: 1\r\nB: 2\r\nC: 3\r\nD: 4\r\n\r\n").starts_with("HTTP/1.1 431 "));
  auto peer = house.connect();
  peer.send(start + "A: 1\r\nB: 2\r\nC: 3\r\n\r\n");
  CHECK(peer.read_answer().starts_with("HTTP/1.1 200 "));
  // Exactly as large as allowed.
  const std::string rest = "X: \r\n\r\n";
  peer.send(start + "X: " + std::string(512 - start.size() - rest.size(), 'x') + "\r\n\r\n");
  CHECK(peer.read_answer().starts_with("HTTP/1.1 200 "));
  CHECK(house.targets().size() == 2);
}

TEST_CASE("limits of the body") {
  server_limits limits;
  limits.body_bytes = 10000;
  serving house(limits);
  const std::string start = "POST / HTTP/1.1\r\nHost: a\r\n";
  // Judged by its announcement: no byte of the body was sent.
  CHECK(house.converse(start + "Content-Length: 10001\r\n\r\n").starts_with("HTTP/1.1 413 "));
  CHECK(house.converse(start + "Content-Length: 18446744073709551615\r\n\r\n").starts_with("HTTP/1.1 413 "));
  CHECK(house.converse(start + "Transfer-Encoding: chunked\r\n\r\n2711\r\n").starts_with("HTTP/1.1 413 "));
  CHECK(house
            .converse(start + "Transfer-Encoding: chunked\r\n\r\n2710\r\n" + std::string(10000, 'x') +
                      "\r\n1\r\nx\r\n0\r\n\r\n")
            .starts_with("HTTP/1.1 413 "));
  CHECK(house.converse(start + "Transfer-Encoding: chunked\r\n\r\n1;" + std::string(20000, 'x'))
            .starts_with("HTTP/1.1 400 "));
  CHECK(house.targets().empty());
  auto peer = house.connect();
  peer.send(start + "Content-Length: 10000\r\n\r\n" + std::string(10000, 'x'));
  CHECK(peer.read_answer().ends_with("[" + std::string(10000, 'x') + "]"));
  peer.send(start + "Transfer-Encoding: chunked\r\n\r\n2710\r\n" + std::string(10000, 'x') + "\r\n0\r\n\r\n");
  CHECK(peer.read_answer().ends_with("[" + std::string(10000, 'x') + "]"));
}

TEST_CASE("slow clients are told so and closed") {
  server_limits limits;
  limits.header_timeout = 50ms;
  limits.body_timeout = 50ms;
  limits.idle_timeout = 50ms;
  serving house(limits);
  SECTION("silent from the start: just closed") { CHECK(house.converse("").empty()); }
  SECTION("half a header") { CHECK(house.converse("GET / HT").starts_with("HTTP/1.1 408 ")); }
  SECTION("a drop now and then does not extend the limit") {
    auto peer = house.connect();
    peer.send("GET / HTTP/1.1\r\n");
    std::atomic<bool> over{false};
    std::thread drip([&] {
      while (!over) peer.send("X: y\r\n"), std::this_thread::yield();
    });
    const auto answer = peer.read_all();
    over = true;
    drip.join();
    // Either limit may be the first: time, or the header's size.
    CHECK(answer.starts_with("HTTP/1.1 4"));
  }
  SECTION("half a body") {
    const auto answer = house.converse("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n12");
    CHECK(answer.starts_with("HTTP/1.1 408 "));
  }
  SECTION("half a chunk") {
    const auto answer = house.converse("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n12");
    CHECK(answer.starts_with("HTTP/1.1 408 "));
  }
  SECTION("idle between requests: just closed") {
    auto peer = house.connect();
    peer.send(simple);
    CHECK(peer.read_answer().ends_with("GET /a []"));
    CHECK(peer.read_all().empty());
  }
  house.until_open(0);
}

TEST_CASE("a client that does not read its answer is dropped after the write timeout") {
  server_limits limits;
  limits.write_timeout = 50ms;
  serving house(limits, [](request&&, responder out) { out.send(text(std::string(64 << 20, 'x'))); });
  auto peer = house.connect();
  peer.send(simple);
  house.until_open(1);
  house.until_open(0);
  CHECK(peer.read_all().size() < (64u << 20));
}

TEST_CASE("pipelined requests are answered one after the other, in order") {
  serving house;
  auto peer = house.connect();
  std::string all;
  for (int i = 0; i < 500; ++i)
    all += "POST /" + std::to_string(i) + " HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc";
  std::thread writer([&] { peer.send(all); });
  bool in_order = true;
  for (int i = 0; i < 500; ++i)
    in_order = in_order && peer.read_answer().ends_with("POST /" + std::to_string(i) + " [abc]");
  writer.join();
  CHECK(in_order);
}

TEST_CASE("the second pipelined request waits for the first answer") {
  keeper held;
  serving house({}, held.handler());
  auto peer = house.connect();
  peer.send(simple + simple);
  held.until(1);
  boost::asio::post(house.context, [&] { held.kept[0].send(text("one")); });
  CHECK(peer.read_answer().ends_with("one"));
  held.until(2);
  boost::asio::post(house.context, [&] { held.kept[1].send(text("two")); });
  CHECK(peer.read_answer().ends_with("two"));
}

TEST_CASE("Expect: 100-continue") {
  serving house;
  const std::string head = "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\nContent-Length: 5\r\n\r\n";
  auto peer = house.connect();
  peer.send(head);
  CHECK(peer.read_until("\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n");
  peer.send("12345");
  CHECK(peer.read_answer().ends_with("POST / [12345]"));
  // A body that is there already needs no leave; a body that is too large gets none.
  peer.send(head + "12345");
  CHECK(peer.read_answer().starts_with("HTTP/1.1 200 "));
  peer.send("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 99999999\r\n\r\n");
  CHECK(peer.read_answer().starts_with("HTTP/1.1 413 "));
}

TEST_CASE("the answer's header") {
  serving house({}, [](request&& message, responder out) {
    auto answer = text("body");
    answer.fields = {{"Content-Type", "text/plain"}, {"content-length", "999"}, {"Transfer-Encoding", "chunked"}};
    if (message.target == "/split") answer.fields.emplace_back("X", "a\r\nY: b");
    if (message.target == "/204") answer.status = 204;
    out.send(std::move(answer));
  });
  auto peer = house.connect();
  SECTION("has a length, a date and the connection's fate") {
    peer.send(simple);
    const auto answer = peer.read_answer();
    CHECK(answer.starts_with("HTTP/1.1 200 OK\r\nDate: "));
    CHECK(answer.find(" GMT\r\n") != answer.npos);
    CHECK(answer.find("\r\nContent-Length: 4\r\n") != answer.npos);
    CHECK(answer.find("\r\nConnection: keep-alive\r\n") != answer.npos);
    CHECK(answer.find("\r\nContent-Type: text/plain\r\n") != answer.npos);
    CHECK(answer.find("999") == answer.npos);
    CHECK(answer.find("chunked") == answer.npos);
  }
  SECTION("HEAD has the length but no body") {
    peer.send("HEAD / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    const auto answer = peer.read_all();
    CHECK(answer.find("\r\nContent-Length: 4\r\n") != answer.npos);
    CHECK(answer.ends_with("\r\n\r\n"));
  }
  SECTION("204 has neither") {
    peer.send("GET /204 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    const auto answer = peer.read_all();
    CHECK(answer.starts_with("HTTP/1.1 204 No Content\r\n"));
    CHECK(answer.find("Content-Length") == answer.npos);
    CHECK(answer.ends_with("\r\n\r\n"));
  }
  SECTION("a field that would split it becomes a 500") {
    peer.send("GET /split HTTP/1.1\r\nHost: a\r\n\r\n");
    const auto answer = peer.read_answer();
    CHECK(answer.starts_with("HTTP/1.1 500 "));
    CHECK(answer.find("Y: b") == answer.npos);
  }
  SECTION("Connection: close among others closes") {
    peer.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: te, Close\r\n\r\n" + simple);
    CHECK(peer.read_answer().find("\r\nConnection: close\r\n") != std::string::npos);
    CHECK(peer.read_all().empty());
  }
}

TEST_CASE("the request is passed on as it came") {
  std::optional<request> seen;
  serving house({}, [&](request&& message, responder out) {
    seen = std::move(message);
    out.send_and_close(text(""));
  });
  house.converse("BREW /pot?x=%20 HTTP/1.1\r\nHost: a:80\r\nX-Y:  z \r\nContent-Length: 2\r\n\r\nhi");
  CHECK(seen->method == "BREW");
  CHECK(seen->target == "/pot?x=%20");
  CHECK(seen->body == "hi");
  CHECK(seen->peer == "127.0.0.1");
  CHECK(turnout::net::find_header(seen->fields, "x-y") == "z");
  CHECK(turnout::net::find_header(seen->fields, "host") == "a:80");
  CHECK(turnout::net::find_header(seen->fields, "nothing").data() == nullptr);
}

TEST_CASE("the responder: one chance") {
  keeper held;
  serving house({}, held.handler());
  auto peer = house.connect();
  peer.send(simple + simple);
  held.until(1);
  const auto on_worker = [&](std::function<void()> what) { boost::asio::post(house.context, std::move(what)); };
  SECTION("the first call wins") {
    on_worker([&] {
      const auto copy = held.kept[0];
      copy.send_and_close(text("first"));
      held.kept[0].send(text("second"));
      copy.abort();
    });
    const auto answer = peer.read_all();
    CHECK(answer.ends_with("first"));
    CHECK(answer.find("Connection: close") != answer.npos);
    CHECK(held.size() == 1);
  }
  SECTION("an old copy cannot answer the next request") {
    on_worker([&] { held.kept[0].send(text("one")); });
    CHECK(peer.read_answer().ends_with("one"));
    held.until(2);
    on_worker([&] {
      held.kept[0].send(text("again"));
      held.kept[1].send(text("two"));
    });
    CHECK(peer.read_answer().ends_with("two"));
  }
  SECTION("abort closes without a byte") {
    on_worker([&] { held.kept[0].abort(); });
    CHECK(peer.read_all().empty());
  }
  SECTION("dropping all copies closes without a byte") {
    on_worker([&] { held.kept.clear(); });
    CHECK(peer.read_all().empty());
  }
}

TEST_CASE("abort and drop inside the handler, and a handler that throws") {
  serving house({}, [](request&& message, responder out) {
    if (message.target == "/abort") out.abort();
    if (message.target == "/throw") throw std::runtime_error("a bug");
  });
  for (const std::string target : {"/abort", "/drop", "/throw"}) {
    INFO(target);
    CHECK(house.converse("GET " + target + " HTTP/1.1\r\nHost: a\r\n\r\n").empty());
  }
  house.until_open(0);
}

TEST_CASE("connections beyond the limit are told 503") {
  server_limits limits;
  limits.connections = 2;
  serving house(limits);
  auto first = house.connect();
  {
    auto second = house.connect();
    house.until_open(2);
    const auto answer = house.converse("");
    CHECK(answer.starts_with("HTTP/1.1 503 "));
    CHECK(answer.find("Connection: close") != answer.npos);
    CHECK(house.converse(simple).starts_with("HTTP/1.1 503 "));
  }
  house.until_open(1);
  auto third = house.connect();
  third.send(simple);
  CHECK(third.read_answer().starts_with("HTTP/1.1 200 "));
  CHECK(house.targets().size() == 1);
}

TEST_CASE("a taken port throws") {
  serving house;
  boost::asio::io_context context(1);
  turnout::net::server other(
      {&context}, {}, [](std::size_t, request&&, responder) {}, [](unsigned, std::string_view) { return response{}; });
  CHECK_THROWS_AS(other.listen("127.0.0.1", house.port), boost::system::system_error);
  CHECK_THROWS_AS(other.listen("not an address", 0), boost::system::system_error);
}

TEST_CASE("a limit of zero is a mistake that shows at once") {
  boost::asio::io_context context(1);
  server_limits limits;
  limits.idle_timeout = 0ms;
  CHECK_THROWS_AS(turnout::net::server(
                      {&context}, limits, [](std::size_t, request&&, responder) {},
                      [](unsigned, std::string_view) { return response{}; }),
                  std::invalid_argument);
}

TEST_CASE("drain: idle connections close, the others after their answer") {
  keeper held;
  serving house({}, held.handler());
  auto idle = house.connect();
  auto used = house.connect();
  used.send(simple);
  held.until(1);
  boost::asio::post(house.context, [&] { held.kept[0].send(text("before")); });
  CHECK(used.read_answer().ends_with("before"));
  auto busy = house.connect();
  busy.send(simple + simple);
  held.until(2);
  auto reading = house.connect();
  reading.send("POST /a HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n");
  CHECK(reading.read_until("\r\n\r\n").starts_with("HTTP/1.1 100 "));  // so the server is in the middle of it
  house.server->drain();
  house.server->drain();
  CHECK(idle.read_all().empty());
  CHECK(used.read_all().empty());
  CHECK_THROWS(house.connect());
  boost::asio::post(house.context, [&] { held.kept[1].send(text("after")); });
  const auto answer = busy.read_all();
  CHECK(answer.ends_with("after"));
  CHECK(answer.find("Connection: close\r\n") != answer.npos);
  reading.send("1");
  held.until(3);
  boost::asio::post(house.context, [&] { held.kept[2].send(text("last")); });
  CHECK(reading.read_all().ends_with("last"));
  house.until_open(0);
  CHECK(held.size() == 3);
}

TEST_CASE("stop closes everything now") {
  keeper held;
  serving house({}, held.handler());
  auto idle = house.connect();
  auto busy = house.connect();
  busy.send(simple);
  held.until(1);
  house.server->stop();
  CHECK(idle.read_all().empty());
  CHECK(busy.read_all().empty());
  house.until_open(0);
  boost::asio::post(house.context, [&] { held.kept[0].send(text("too late")); });
}

TEST_CASE("connections are dealt out over the workers, and stay there") {
  boost::asio::io_context first(1), second(1);
  std::atomic<unsigned> by_worker[2] = {};
  std::atomic<bool> strayed{false};
  std::thread::id ids[2];
  auto first_guard = boost::asio::make_work_guard(first);
  auto second_guard = boost::asio::make_work_guard(second);
  {
    turnout::net::server server(
        {&first, &second}, {},
        [&](std::size_t worker, request&&, responder out) {
          ++by_worker[worker];
          if (std::this_thread::get_id() != ids[worker]) strayed = true;
          out.send(text("x"));
        },
        [](unsigned, std::string_view) { return response{}; });
    const auto port = server.listen("127.0.0.1", 0);
    std::atomic<bool> go{false};
    const auto run = [&](boost::asio::io_context& context) {
      while (!go) std::this_thread::yield();
      context.run();
    };
    std::thread one([&] { run(first); }), two([&] { run(second); });
    ids[0] = one.get_id();
    ids[1] = two.get_id();
    go = true;
    for (int i = 0; i < 10; ++i) {
      auto peer = raw::connection::to(port);
      peer.send(simple + simple);
      CHECK(peer.read_answer().ends_with("x"));
      CHECK(peer.read_answer().ends_with("x"));
    }
    server.stop();
    first_guard.reset();
    second_guard.reset();
    one.join();  // stop() leaves nothing that would keep a worker busy
    two.join();
    CHECK(server.open_connections() == 0);
  }
  CHECK(by_worker[0] == 10);
  CHECK(by_worker[1] == 10);
  CHECK_FALSE(strayed);
}

TEST_CASE("a fault in a session comes out of the worker's run, and is never swallowed") {
  boost::asio::io_context context{1};
  turnout::net::server house(
      {&context}, {}, [](std::size_t, turnout::net::request&&, turnout::net::responder) {},
      [](unsigned, std::string_view) -> turnout::net::response { throw std::runtime_error("fault of ours"); });
  auto peer = raw::connection::to(house.listen("127.0.0.1", 0));
  peer.send("no HTTP\r\n\r\n");
  CHECK_THROWS_WITH(context.run_for(std::chrono::seconds(10)), "fault of ours");
}
