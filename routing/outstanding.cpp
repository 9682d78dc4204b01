#include "routing/outstanding.hpp"

#include <algorithm>
#include <utility>

namespace turnout::routing {

outstanding::outstanding() : ring_(capacity) {}

outstanding_decision outstanding::add(outstanding_decision added) {
  outstanding_decision& place = ring_[added.id % capacity];
  newest_ = added.id;
  if (newest_ >= capacity) oldest_ = std::max(oldest_, newest_ - capacity + 1);
  return std::exchange(place, added);
}

outstanding_decision* outstanding::find(std::uint64_t id) noexcept {
  outstanding_decision& place = ring_[id % capacity];
  return id != 0 && place.id == id ? &place : nullptr;
}

void outstanding::remove(std::uint64_t id) noexcept {
  if (outstanding_decision* place = find(id)) *place = {};
}

void outstanding::forget(std::uint16_t connector) noexcept {
  for (outstanding_decision& each : ring_)
    if (each.connector == connector) each = {};
}

outstanding_decision outstanding::take_expired(steady_time now, std::chrono::seconds limit) noexcept {
  for (; oldest_ <= newest_; ++oldest_) {
    outstanding_decision& place = ring_[oldest_ % capacity];
    if (place.id != oldest_) continue;
    if (now - place.since <= limit) return {};
    ++oldest_;
    return std::exchange(place, {});
  }
  return {};
}

}  // namespace turnout::routing
