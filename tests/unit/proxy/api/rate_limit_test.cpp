#include <catch2/catch.hpp>

#include <thread>

#include "proxy/api/ip_address.hpp"
#include "proxy/api/rate_limit.hpp"

namespace turnout::api {
namespace {

using namespace std::chrono_literals;

payments::steady_time at(std::chrono::nanoseconds since) { return payments::steady_time(1h) + since; }

TEST_CASE("a bucket gives its burst at once, then what comes in time") {
  const rate_limit limit{.per_second = 10, .burst = 3};
  token_bucket bucket;
  for (std::uint32_t left : {2u, 1u, 0u}) {
    const rate_verdict verdict = bucket.take(limit, at(0s));
    CHECK(verdict.allowed);
    CHECK(verdict.remaining == left);
    CHECK(verdict.full_after == (3 - left) * 100ms);
    CHECK(verdict.retry_after == 0ms);
  }
  for (int i = 0; i < 100; ++i) {
    const rate_verdict refused = bucket.take(limit, at(40ms));
    CHECK_FALSE(refused.allowed);
    CHECK(refused.remaining == 0);
    CHECK(refused.retry_after == 60ms);
    CHECK(refused.full_after == 260ms);
  }
  CHECK_FALSE(bucket.take(limit, at(100ms - 1ns)).allowed);
  CHECK(bucket.take(limit, at(100ms)).allowed);  // what was refused was not charged for
  CHECK_FALSE(bucket.take(limit, at(100ms)).allowed);
}

TEST_CASE("a bucket is never more than full, and takes over another size") {
  token_bucket bucket;
  const rate_limit large{.per_second = 1, .burst = 100}, small{.per_second = 1, .burst = 2};
  for (int i = 0; i < 100; ++i) CHECK(bucket.take(large, at(0s)).allowed);
  CHECK_FALSE(bucket.take(large, at(0s)).allowed);
  // A smaller one is empty, not a hundred seconds in debt.
  CHECK(bucket.take(small, at(0s)).retry_after == 1s);
  token_bucket idle;
  CHECK(idle.take(small, at(0s)).remaining == 1);
  CHECK(idle.take(small, at(24h)).remaining == 1);
  // A clock that is read a little earlier on another thread gives nothing away.
  CHECK(idle.take(small, at(24h - 1ms)).remaining == 0);
  CHECK_FALSE(idle.take(small, at(24h - 1ms)).allowed);
}

TEST_CASE("slow and very fast limits are exact") {
  token_bucket slow, fast;
  const rate_limit hourly{.per_second = 1.0 / 3600, .burst = 1};
  CHECK(slow.take(hourly, at(0s)).allowed);
  CHECK_FALSE(slow.take(hourly, at(3599s)).allowed);
  CHECK(slow.take(hourly, at(3600s)).allowed);
  const rate_limit most{.per_second = 1e6, .burst = 1'000'000};
  for (int i = 0; i < 1'000'000; ++i) fast.take(most, at(0s));
  CHECK_FALSE(fast.take(most, at(999ns)).allowed);
  CHECK(fast.take(most, at(1us)).allowed);
}

TEST_CASE("threads together get what one would") {
  const rate_limit limit{.per_second = 1, .burst = 1000};
  token_bucket bucket;
  std::atomic<int> allowed = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&] {
      for (int j = 0; j < 1000; ++j)
        if (bucket.take(limit, at(0s)).allowed) ++allowed;
    });
  for (std::thread& each : threads) each.join();
  CHECK(allowed == 1000);
}

TEST_CASE("each client has a bucket, and a look takes nothing") {
  client_buckets buckets("seed");
  const rate_limit limit{.per_second = 1, .burst = 2};
  for (int i = 0; i < 10; ++i) CHECK(buckets.look("192.0.2.1", limit, at(0s)).allowed);
  buckets.take("192.0.2.1", limit, at(0s));
  CHECK(buckets.look("192.0.2.1", limit, at(0s)).allowed);
  buckets.take("192.0.2.1", limit, at(0s));
  CHECK(buckets.look("192.0.2.1", limit, at(0s)).retry_after == 1s);
  CHECK(buckets.look("192.0.2.2", limit, at(0s)).allowed);
  CHECK(buckets.look("192.0.2.1", limit, at(1s)).allowed);
}

TEST_CASE("a flood of clients forgets those that did least") {
  client_buckets buckets("seed");
  const rate_limit limit{.per_second = 1, .burst = 100};
  for (int i = 0; i < 100; ++i) buckets.take("192.0.2.1", limit, at(0s));
  for (int i = 0; i < 200'000; ++i) buckets.take("client " + std::to_string(i), limit, at(0s));
  CHECK_FALSE(buckets.look("192.0.2.1", limit, at(0s)).allowed);
}

TEST_CASE("addresses have one name each") {
  CHECK(network_of("192.0.2.1") == "192.0.2.1");
  CHECK(network_of("::ffff:192.0.2.1") == "192.0.2.1");
  CHECK(network_of("2001:DB8:0:1::5") == "2001:db8:0:1::/64");
  CHECK(network_of("2001:db8:0:1:ffff:ffff:ffff:ffff") == "2001:db8:0:1::/64");
  CHECK(network_of("2001:db8:0:2::5") != network_of("2001:db8:0:1::5"));
  for (const char* none : {"", "localhost", "192.0.2", "192.0.2.256", "192.0.2.1 ", "192.0.2.1:80", "[::1]",
                           "fe80::1%eth0", "192.0.2.1/24", "010.0.0.1", "1.2.3.4.5", "::g"}) {
    INFO(none);
    CHECK_FALSE(network_of(none).has_value());
  }
}

}  // namespace
}  // namespace turnout::api
