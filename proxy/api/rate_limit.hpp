#pragma once
// Token buckets: how many requests in a burst, how many a second in the long
// run. The time comes in, so that tests run in virtual time.
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <limits>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "payments/instant.hpp"

namespace turnout::api {

struct rate_limit {
  double per_second = 0;    ///< up to 1,000,000; 0: no limit
  std::uint32_t burst = 1;  ///< tokens that a bucket holds: 1..1,000,000
  bool on() const noexcept { return per_second > 0; }
  friend bool operator==(const rate_limit&, const rate_limit&) = default;
};

struct rate_verdict {
  bool allowed = true;
  std::uint32_t remaining = 0;              ///< tokens left
  std::chrono::nanoseconds full_after{0};   ///< until the bucket is full again
  std::chrono::nanoseconds retry_after{0};  ///< until there is a token; 0 when there is one
};

/// What a bucket is: the steady time, in nanoseconds, at which it will be full.
using bucket_level = std::int64_t;
inline constexpr bucket_level full_bucket = std::numeric_limits<bucket_level>::min();

/// Takes a token out of `level`, where there is one. `limit` must be on.
rate_verdict take_token(bucket_level& level, const rate_limit& limit, payments::steady_time now) noexcept;

/// One bucket for all threads, in one word and without a lock.
class token_bucket {
 public:
  rate_verdict take(const rate_limit& limit, payments::steady_time now) noexcept;

 private:
  std::atomic<bucket_level> level_{full_bucket};
};

/// Buckets of clients, by name, in a table of fixed size: where a row is full
/// the bucket that is nearest to full makes room, so that a flood of clients
/// forgets the harmless ones first. Two names share a bucket with a probability
/// of 2^-64. Thread-safe.
class client_buckets {
 public:
  static constexpr std::size_t rows = 2048, row_size = 8;  ///< 16,384 clients in 256 KiB

  /// `seed`: random, so that nobody can aim at another's bucket.
  explicit client_buckets(std::string seed);
  /// Whether there is a token; takes none.
  rate_verdict look(std::string_view client, const rate_limit& limit, payments::steady_time now) const;
  rate_verdict take(std::string_view client, const rate_limit& limit, payments::steady_time now);

 private:
  struct slot {
    std::uint64_t name = 0;  ///< 0: empty
    bucket_level level = full_bucket;
  };
  struct alignas(64) lock {
    std::mutex mutex;
  };
  std::uint64_t hash(std::string_view client) const;

  std::string seed_;
  std::vector<std::array<slot, row_size>> table_;
  mutable std::array<lock, 16> locks_;  ///< a row's is its index modulo 16
};

}  // namespace turnout::api
