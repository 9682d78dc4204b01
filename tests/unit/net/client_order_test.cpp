// An answer belongs to a request by its place on the connection alone: what the
// client does about answers that are out of place.
#include <catch2/catch.hpp>

#include "calling.hpp"

using namespace turnout::net::testing;
using turnout::net::client_error;

TEST_CASE("what comes before the peer has the whole request is no answer to it") {
  // A peer that takes a few thousand bytes and reads no more: it cannot have understood the request.
  SECTION("a surplus answer that passed the check of the idle connection") {
    raw::listener house(4096);
    calling caller(house.port);
    auto pending = caller.send(asking());
    auto peer = house.accept();
    peer.read_until("\r\n\r\n");
    peer.send(ok("mine"));
    CHECK(pending.get().reply.body == "mine");
    pending = caller.send(asking("/", std::string(100'000, 'x')));
    peer.wait_for_input();  // written: the check is over
    peer.send(ok("of another"));
    const auto got = pending.get();
    CHECK(got.error == client_error::response_premature);
    CHECK(got.carried);
    CHECK(got.reply.body.empty());
    CHECK(peer.read_until("nothing more").ends_with("x"));  // closed
    pending = caller.send(asking());
    auto next = house.accept();
    next.read_until("\r\n\r\n");
    next.send(ok("true"));
    CHECK(pending.get().reply.body == "true");
  }
  SECTION("in the middle of a request that goes out in parts") {
    raw::listener house;
    calling caller(house.port);
    auto pending = caller.send(asking("/", std::string(64 << 20, 'x')));
    auto peer = house.accept();
    peer.read_until("\r\n\r\n");
    peer.send(ok("early"));
    try {
      peer.read_all();
    } catch (const std::runtime_error&) {
      FAIL("the connection was kept");
    }
    const auto got = pending.get();
    CHECK(got.error == client_error::response_premature);
    CHECK(got.carried);
  }
}

TEST_CASE("what is idle can be dropped, and what is under way goes on") {
  raw::listener house;
  calling caller(house.port);
  auto first = caller.send(asking("/first"));
  auto idle = house.accept();
  idle.read_until("\r\n\r\n");
  auto second = caller.send(asking("/second"));
  auto busy = house.accept();
  busy.read_until("\r\n\r\n");
  idle.send(ok("a"));
  CHECK(first.get().reply.body == "a");
  caller.on_worker([&] { caller.pool().drop_idle(); });
  CHECK(idle.read_all().empty());
  busy.send(ok("b"));
  CHECK(second.get().reply.body == "b");
  second = caller.send(asking("/third"));
  CHECK(busy.read_until("\r\n\r\n").starts_with("GET /third "));
  busy.send(ok("c"));
  CHECK(second.get().reply.body == "c");
}
