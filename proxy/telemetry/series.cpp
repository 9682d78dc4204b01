// What all series share: clean label values, and which shard a thread uses.
#include "proxy/telemetry/series.hpp"

#include <algorithm>

#include "proxy/telemetry/redaction.hpp"
#include "proxy/telemetry/utf8.hpp"

namespace turnout::telemetry {

namespace {
constexpr std::size_t longest_label = 128;
}

std::string clean_label(std::string_view value) {
  const std::string text = redacted(value);
  std::string clean;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = utf8_sequence_length(text, at);
    const std::string_view next = length == 0 ? replacement_character : std::string_view(text).substr(at, length);
    if (clean.size() + next.size() > longest_label) break;
    // A scraper reads lines: one control character could forge one.
    if (next.size() == 1 && static_cast<unsigned char>(next[0]) < 0x20)
      clean.push_back(' ');
    else
      clean.append(next);
    at += std::max<std::size_t>(length, 1);
  }
  return clean;
}

std::size_t this_threads_shard() noexcept {
  static std::atomic<std::size_t> threads{0};
  thread_local const std::size_t shard = threads.fetch_add(1, std::memory_order_relaxed);
  return shard;
}

}  // namespace turnout::telemetry
