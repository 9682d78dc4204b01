// The clock's promises: order, cancellation, never from inside a call.
#include "proxy/server/asio_clock.hpp"

#include <algorithm>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

using namespace std::chrono_literals;
using turnout::core::steady_time;
using turnout::server::asio_clock;

namespace {

/// Runs until nothing is left to wait for.
struct world {
  boost::asio::io_context context{1};
  asio_clock clock{context};
};

}  // namespace

TEST_CASE("timers fire in the order of their time, not of their setting") {
  world w;
  std::string order;
  const steady_time now = w.clock.now().steady;
  w.clock.call_at(now + 3ms, [&] { order += 'c'; });
  w.clock.call_at(now + 1ms, [&] { order += 'a'; });
  w.clock.call_at(now + 2ms, [&] { order += 'b'; });
  w.context.run();
  CHECK(order == "abc");
  CHECK(w.clock.pending() == 0);
}

TEST_CASE("a timer never fires early and never inside call_at") {
  world w;
  bool inside = true;
  int fired = 0;
  const steady_time past = w.clock.now().steady - 1s;
  w.clock.call_at(past, [&] {
    CHECK_FALSE(inside);
    ++fired;
  });
  const steady_time due = w.clock.now().steady + 5ms;
  w.clock.call_at(due, [&] {
    CHECK(std::chrono::steady_clock::now() >= due);
    ++fired;
  });
  inside = false;
  w.context.run();
  CHECK(fired == 2);
}

TEST_CASE("a cancelled timer's function is destroyed and never called") {
  world w;
  auto owned = std::make_shared<int>(1);
  const std::weak_ptr<int> watched = owned;
  const steady_time now = w.clock.now().steady;
  const auto id = w.clock.call_at(now + 1ms, [owned = std::move(owned)] { FAIL("called"); });
  REQUIRE_FALSE(watched.expired());
  w.clock.cancel(id);
  CHECK(watched.expired());
  CHECK(w.clock.pending() == 0);
  w.context.run();
}

TEST_CASE("an old id does not cancel the timer that took its place") {
  world w;
  int fired = 0;
  const steady_time now = w.clock.now().steady;
  const auto first = w.clock.call_at(now + 1ms, [] { FAIL("called"); });
  w.clock.cancel(first);
  w.clock.call_at(now + 1ms, [&] { ++fired; });
  w.clock.cancel(first);
  w.clock.cancel(12345678);
  w.context.run();
  CHECK(fired == 1);
}

TEST_CASE("the end of time is accepted, never fires, and can be cancelled") {
  world w;
  const auto id = w.clock.call_at(steady_time::max(), [] { FAIL("called"); });
  w.context.run();
  CHECK(w.clock.pending() == 1);
  w.clock.cancel(id);
  CHECK(w.clock.pending() == 0);
}

TEST_CASE("a callback may set and cancel timers, its neighbours included") {
  world w;
  std::string order;
  const steady_time now = w.clock.now().steady;
  asio_clock::timer_id victim = 0;
  w.clock.call_at(now, [&] {
    order += '1';
    w.clock.cancel(victim);
    w.clock.call_at(now, [&] { order += '2'; });
  });
  victim = w.clock.call_at(now + 1us, [] { FAIL("called"); });
  w.context.run();
  CHECK(order == "12");
}

TEST_CASE("the heap keeps its order under random setting and cancelling") {
  world w;
  std::mt19937 random(20261120);
  const steady_time now = w.clock.now().steady;
  std::vector<asio_clock::timer_id> ids;
  std::vector<steady_time> fired;
  std::size_t wanted = 0;
  for (int i = 0; i < 2000; ++i) {
    const steady_time when = now + std::chrono::microseconds(random() % 20000);
    ids.push_back(w.clock.call_at(when, [&fired, when] { fired.push_back(when); }));
    ++wanted;
    if (random() % 2 == 0) {
      const std::size_t before = w.clock.pending();
      w.clock.cancel(ids[random() % ids.size()]);
      wanted -= before - w.clock.pending();
    }
  }
  w.context.run();
  CHECK(fired.size() == wanted);
  CHECK(std::is_sorted(fired.begin(), fired.end()));
}
