#include "proxy/api/rate_limit.hpp"

#include <algorithm>
#include <functional>
#include <utility>

namespace turnout::api {

rate_verdict take_token(bucket_level& level, const rate_limit& limit, payments::steady_time now) noexcept {
  const auto token = static_cast<std::int64_t>(1e9 / limit.per_second);  // how long one takes to come
  const std::int64_t capacity = token * limit.burst;
  const std::int64_t at = std::chrono::duration_cast<std::chrono::nanoseconds>(now.time_since_epoch()).count();
  // Past its time it is full, no more; a reload may have made it smaller.
  const std::int64_t before = std::clamp(level, at, at + capacity);
  const std::int64_t after = before + token;
  rate_verdict verdict{.allowed = after - at <= capacity};
  if (verdict.allowed)
    level = after;
  else
    verdict.retry_after = std::chrono::nanoseconds(after - at - capacity);
  const std::int64_t missing = (verdict.allowed ? after : before) - at;
  verdict.remaining = static_cast<std::uint32_t>((capacity - missing) / token);
  verdict.full_after = std::chrono::nanoseconds(missing);
  return verdict;
}

rate_verdict token_bucket::take(const rate_limit& limit, payments::steady_time now) noexcept {
  bucket_level seen = level_.load(std::memory_order_relaxed);
  for (;;) {
    bucket_level wanted = seen;
    const rate_verdict verdict = take_token(wanted, limit, now);
    if (!verdict.allowed || level_.compare_exchange_weak(seen, wanted, std::memory_order_relaxed)) return verdict;
  }
}

client_buckets::client_buckets(std::string seed) : seed_(std::move(seed)), table_(rows) {}

std::uint64_t client_buckets::hash(std::string_view client) const {
  std::string text = seed_;
  text.append(client);
  return std::max<std::uint64_t>(1, std::hash<std::string>{}(text));
}

rate_verdict client_buckets::look(std::string_view client, const rate_limit& limit, payments::steady_time now) const {
  const std::uint64_t name = hash(client);
  const std::size_t row = name % rows;
  bucket_level level = full_bucket;
  {
    const std::lock_guard guard(locks_[row % locks_.size()].mutex);
    for (const slot& each : table_[row])
      if (each.name == name) level = each.level;
  }
  return take_token(level, limit, now);  // out of a copy
}

rate_verdict client_buckets::take(std::string_view client, const rate_limit& limit, payments::steady_time now) {
  const std::uint64_t name = hash(client);
  const std::size_t row = name % rows;
  const std::lock_guard guard(locks_[row % locks_.size()].mutex);
  auto& slots = table_[row];
  auto found = std::find_if(slots.begin(), slots.end(), [name](const slot& each) { return each.name == name; });
  if (found == slots.end()) {
    found =
        std::min_element(slots.begin(), slots.end(), [](const slot& a, const slot& b) { return a.level < b.level; });
    *found = slot{name, full_bucket};
  }
  return take_token(found->level, limit, now);
}

}  // namespace turnout::api
