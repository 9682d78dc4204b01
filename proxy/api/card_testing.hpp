#pragma once
// Card testing: somebody tries many stolen card numbers in a shop to see which
// are good. It shows as many different cards, or many declines, for one shopper,
// address or API key in a short time.
//
// What is counted is exact over a sliding window, by 64-bit keyed digests of
// cards and subjects, never the number or the name. Memory is bounded: when a
// table is full the oldest sightings are forgotten early. So it may overlook,
// but it suspects nobody wrongly, except when two subjects have one digest: with
// 262,144 of them at once the probability is 2e-9. Time comes in.
#include <array>
#include <chrono>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <string_view>

#include <boost/unordered/unordered_flat_map.hpp>
#include <boost/unordered/unordered_flat_set.hpp>

#include "payments/instant.hpp"

namespace turnout::api {

enum class testing_subject : std::uint8_t { customer, ip, key };
inline constexpr testing_subject every_testing_subject[] = {testing_subject::customer, testing_subject::ip,
                                                            testing_subject::key};
std::string_view name_of(testing_subject per) noexcept;

struct card_testing_limits {
  struct most {
    std::uint32_t cards = 0;     ///< different cards; 0: any number, at most 10,000
    std::uint32_t declines = 0;  ///< likewise
    friend bool operator==(const most&, const most&) = default;
  };
  std::chrono::milliseconds window{600'000};  ///< 10 s to 24 h
  std::array<most, 3> per{};                  ///< by testing_subject

  most& of(testing_subject subject) noexcept { return per[static_cast<std::size_t>(subject)]; }
  const most& of(testing_subject subject) const noexcept { return per[static_cast<std::size_t>(subject)]; }
  bool on() const noexcept;
  friend bool operator==(const card_testing_limits&, const card_testing_limits&) = default;
};

/// Digests of a payment's subjects, by testing_subject; nullopt: not told.
using testing_subjects = std::array<std::optional<std::uint64_t>, 3>;

struct testing_suspicion {
  testing_subject per;
  bool declines;  ///< too many of these; else too many cards
};

/// What one kind of subject did in the window; a shard of the guard's. Not thread-safe.
class sightings {
 public:
  /// Cards and declines that are remembered: some 60 bytes each.
  static constexpr std::size_t capacity = 32'768;

  struct counts {
    std::uint32_t cards = 0, declines = 0;
  };
  /// Forgets what is older than `window`.
  void expire(payments::steady_time now, std::chrono::milliseconds window);
  counts of(std::uint64_t subject) const;
  bool has(std::uint64_t subject, std::uint64_t card) const;
  void add_card(std::uint64_t subject, std::uint64_t card, payments::steady_time now);
  void add_decline(std::uint64_t subject, payments::steady_time now);
  std::size_t size() const noexcept { return line_.size(); }

 private:
  struct sighting {
    payments::steady_time at;
    std::uint64_t subject;
    std::optional<std::uint64_t> pair;  ///< of subject and card; nullopt: a decline
  };
  static std::uint64_t pair_of(std::uint64_t subject, std::uint64_t card) noexcept;
  void add(const sighting& seen);
  void forget_oldest();

  std::deque<sighting> line_;  ///< oldest first
  boost::unordered_flat_set<std::uint64_t> pairs_;
  boost::unordered_flat_map<std::uint64_t, counts> counts_;
};

/// Thread-safe. At most about 50 MB, when all its tables are full.
class card_testing_guard {
 public:
  /// Whether this card may be tried now. If so it is counted; a card that was
  /// counted in the window is not counted again. If not, nothing is.
  std::optional<testing_suspicion> admit(const card_testing_limits& limits, const testing_subjects& who,
                                         std::uint64_t card, payments::steady_time now);
  /// The card was declined.
  void declined(const card_testing_limits& limits, const testing_subjects& who, payments::steady_time now);

 private:
  struct alignas(64) shard {
    std::mutex mutex;
    sightings seen;
  };
  static constexpr std::size_t shards_each = 8;
  shard& shard_of(testing_subject per, std::uint64_t subject) noexcept;

  std::array<std::array<shard, shards_each>, 3> shards_;
};

}  // namespace turnout::api
