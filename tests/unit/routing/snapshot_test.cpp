// What was learned survives a restart, and nonsense is refused.
#include "routing/snapshot.hpp"

#include "world.hpp"

using namespace turnout;
using namespace turnout::routing;
using namespace turnout::routing::test;

namespace {

world learned() {
  world w(31);
  for (int i = 0; i < 800; ++i) {
    w.payment.bin = i % 2 ? "424242" : "555555";
    w.teach("alpha", i % 20 ? approved() : do_not_honor());
    w.teach("beta", i % 5 ? approved() : do_not_honor());
    w.teach("gamma", i % 3 && i % 2 ? approved() : do_not_honor());
    w.pass(100ms);
  }
  for (int i = 0; i < 6; ++i) w.teach("beta", refused());
  return w;
}

world fresh(const world& before, std::chrono::seconds later = 5s) {
  world w(32);
  w.now.wall = before.now.wall + later;  // the steady clock starts anew with the machine
  for (const char* each : {"alpha", "beta", "gamma"}) w.gateway_router->declare(each);
  return w;
}

}  // namespace

TEST_CASE("a restart continues where the last one stopped") {
  const world before = learned();
  const std::string bytes = before.gateway_router->snapshot(before.now);
  world after = fresh(before);
  REQUIRE(after.gateway_router->restore(bytes, after.now) == "");
  for (const char* name : {"alpha", "beta", "gamma"}) {
    INFO(name);
    CHECK(after.seen(name).approval == Approx(before.seen(name).approval).margin(.01));
    CHECK(after.seen(name).health == Approx(before.seen(name).health).margin(.05));
    CHECK(after.seen(name).latency_ms == Approx(before.seen(name).latency_ms));
    CHECK(after.seen(name).in_flight == 0);
  }
  CHECK(after.seen("beta").state == "open");
  CHECK(after.choose().order.front().connector == "alpha");
  after.payment.bin = "555555";
  const double hard = find(after.choose(), "gamma")->approval;
  after.payment.bin = "424242";
  CHECK(hard < find(after.choose(), "gamma")->approval - .2);
  CHECK(after.gateway_router->snapshot(after.now).size() == Approx(bytes.size()).epsilon(.01));
}

TEST_CASE("what is older is believed less") {
  const world before = learned();
  const std::string bytes = before.gateway_router->snapshot(before.now);
  world after = fresh(before, 24h * 5);
  REQUIRE(after.gateway_router->restore(bytes, after.now) == "");
  CHECK(after.seen("beta").state == "closed");
  CHECK(after.seen("gamma").approval > before.seen("gamma").approval + .05);
}

TEST_CASE("connectors keep only their own") {
  const world before = learned();
  const std::string bytes = before.gateway_router->snapshot(before.now);
  world after(33);
  after.now.wall = before.now.wall;
  after.gateway_router->declare("newcomer");
  after.gateway_router->declare("gamma");
  REQUIRE(after.gateway_router->restore(bytes, after.now) == "");
  CHECK(after.gateway_router->view(after.now).size() == 2);
  CHECK(after.seen("gamma").approval == Approx(before.seen("gamma").approval).margin(.01));
  CHECK(after.seen("newcomer").approval > .7);
}

TEST_CASE("a damaged, foreign, old or newer snapshot is refused with its reason, and changes nothing") {
  const world before = learned();
  const std::string bytes = before.gateway_router->snapshot(before.now);
  const auto refusal = [&](std::string_view what, std::chrono::seconds later = 5s) {
    world after = fresh(before, later);
    const std::string why = after.gateway_router->restore(what, after.now);
    CHECK(after.seen("beta").state == "closed");
    return why;
  };
  CHECK(refusal("") == "it is not a snapshot of routing state");
  CHECK(refusal("hello") == "it is not a snapshot of routing state");
  CHECK(refusal(bytes, 24h * 31) == "it is older than thirty days");
  for (std::size_t at = 20; at < bytes.size(); at += bytes.size() / 37) {
    CHECK(refusal(bytes.substr(0, at)) == "it is damaged: the checksum does not match");
    std::string bent = bytes;
    bent[at] = static_cast<char>(bent[at] ^ 0x10);
    CHECK_FALSE(refusal(bent).empty());
  }
  std::string newer = bytes;
  newer[15] = 9;
  CHECK(refusal(newer) == "it is of version 9, this program reads version 1");
  for (const char* content : {"", "x", "\xff\xff\xff\xff\xff\xff\xff\xff"})  // sealed well, and senseless
    CHECK(refusal(seal(content, before.now.wall)) == "its content makes no sense");
}

TEST_CASE("a retired connector is forgotten, with what is in flight to it, and its place is used again") {
  world w = learned();
  const decision made =
      w.gateway_router->choose(w.payment, w.route, {{"gamma", w.payment.amount}}, {}, w.now, w.random);
  w.gateway_router->on_sent(w.payment, made, w.now);
  w.gateway_router->retire("gamma");
  w.gateway_router->retire("gamma");
  w.gateway_router->retire("never seen");
  CHECK(w.gateway_router->view(w.now).size() == 2);
  w.gateway_router->declare("delta");
  w.gateway_router->observe(w.payment, made, refused(), w.now);
  CHECK(w.gateway_router->view(w.now).size() == 3);
  CHECK(w.seen("delta").in_flight == 0);
  CHECK(w.seen("delta").health > .85);
  CHECK(w.seen("delta").approval > .7);
}
