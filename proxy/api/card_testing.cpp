#include "proxy/api/card_testing.hpp"

#include <algorithm>

namespace turnout::api {

std::string_view name_of(testing_subject per) noexcept {
  switch (per) {
    case testing_subject::customer: return "customer";
    case testing_subject::ip: return "ip";
    case testing_subject::key: return "key";
  }
  return "unknown";
}

bool card_testing_limits::on() const noexcept {
  return std::any_of(per.begin(), per.end(), [](const most& each) { return each.cards != 0 || each.declines != 0; });
}

// ---- one table ----------------------------------------------------------------

std::uint64_t sightings::pair_of(std::uint64_t subject, std::uint64_t card) noexcept {
  std::uint64_t mixed = (subject * 0xBF58476D1CE4E5B9 + card) * 0x9E3779B97F4A7C15;
  mixed = (mixed ^ (mixed >> 32)) * 0xD6E8FEB86659FD93;
  return mixed ^ (mixed >> 32);
}

void sightings::forget_oldest() {
  const sighting& oldest = line_.front();
  if (const auto found = counts_.find(oldest.subject); found != counts_.end()) {
    --(oldest.pair ? found->second.cards : found->second.declines);
    if (found->second.cards == 0 && found->second.declines == 0) counts_.erase(found);
  }
  if (oldest.pair) pairs_.erase(*oldest.pair);
  line_.pop_front();
}

void sightings::expire(payments::steady_time now, std::chrono::milliseconds window) {
  while (!line_.empty() && line_.front().at + window <= now) forget_oldest();
}

sightings::counts sightings::of(std::uint64_t subject) const {
  const auto found = counts_.find(subject);
  return found == counts_.end() ? counts{} : found->second;
}

bool sightings::has(std::uint64_t subject, std::uint64_t card) const { return pairs_.contains(pair_of(subject, card)); }

void sightings::add(const sighting& seen) {
  if (line_.size() >= capacity) forget_oldest();
  line_.push_back(seen);
  counts& of = counts_[seen.subject];
  ++(seen.pair ? of.cards : of.declines);
}

void sightings::add_card(std::uint64_t subject, std::uint64_t card, payments::steady_time now) {
  const std::uint64_t pair = pair_of(subject, card);
  // The first sighting counts, and for one window: it is the one that is remembered.
  if (pairs_.insert(pair).second) add({now, subject, pair});
}

void sightings::add_decline(std::uint64_t subject, payments::steady_time now) { add({now, subject, std::nullopt}); }

// ---- all of them --------------------------------------------------------------

card_testing_guard::shard& card_testing_guard::shard_of(testing_subject per, std::uint64_t subject) noexcept {
  return shards_[static_cast<std::size_t>(per)][subject % shards_each];
}

std::optional<testing_suspicion> card_testing_guard::admit(const card_testing_limits& limits,
                                                           const testing_subjects& who, std::uint64_t card,
                                                           payments::steady_time now) {
  for (const testing_subject per : every_testing_subject) {
    const auto subject = who[static_cast<std::size_t>(per)];
    const card_testing_limits::most& most = limits.of(per);
    if (!subject || (most.cards == 0 && most.declines == 0)) continue;
    shard& own = shard_of(per, *subject);
    const std::lock_guard lock(own.mutex);
    own.seen.expire(now, limits.window);
    const sightings::counts counted = own.seen.of(*subject);
    if (most.declines != 0 && counted.declines >= most.declines) return testing_suspicion{per, true};
    if (most.cards != 0 && counted.cards >= most.cards && !own.seen.has(*subject, card))
      return testing_suspicion{per, false};
  }
  // Only when no subject stands in the way: a refused card is not a tried one.
  for (const testing_subject per : every_testing_subject) {
    const auto subject = who[static_cast<std::size_t>(per)];
    if (!subject || limits.of(per).cards == 0) continue;
    shard& own = shard_of(per, *subject);
    const std::lock_guard lock(own.mutex);
    own.seen.add_card(*subject, card, now);
  }
  return std::nullopt;
}

void card_testing_guard::declined(const card_testing_limits& limits, const testing_subjects& who,
                                  payments::steady_time now) {
  for (const testing_subject per : every_testing_subject) {
    const auto subject = who[static_cast<std::size_t>(per)];
    if (!subject || limits.of(per).declines == 0) continue;
    shard& own = shard_of(per, *subject);
    const std::lock_guard lock(own.mutex);
    own.seen.expire(now, limits.window);
    own.seen.add_decline(*subject, now);
  }
}

}  // namespace turnout::api
