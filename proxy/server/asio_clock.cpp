// See asio_clock.hpp. A binary heap whose entries know their place, so that a
// timer can be taken out from the middle.
#include "proxy/server/asio_clock.hpp"

#include <utility>

namespace turnout::server {

asio_clock::asio_clock(boost::asio::io_context& worker) : alarm_(worker) {}

core::instant asio_clock::now() { return {std::chrono::steady_clock::now(), std::chrono::system_clock::now()}; }

core::clock::timer_id asio_clock::call_at(core::steady_time when, std::function<void()> fire) {
  const std::uint32_t index = take_slot();
  slot& taken = slots_[index];
  taken.fire = std::move(fire);
  taken.when = when;
  if (when != core::steady_time::max()) {
    taken.place = static_cast<std::uint32_t>(heap_.size());
    heap_.push_back(index);
    sift_up(taken.place);
    arm();
  }
  return (static_cast<timer_id>(taken.generation) << 32) | index;
}

void asio_clock::cancel(timer_id id) {
  const auto index = static_cast<std::uint32_t>(id);
  if (index >= slots_.size() || !slots_[index].used || slots_[index].generation != id >> 32) return;
  if (slots_[index].place != not_in_heap) remove_from_heap(slots_[index].place);
  // The function may own what calls cancel: it dies after the bookkeeping.
  const std::function<void()> last = std::move(slots_[index].fire);
  release(index);
  // The alarm stays as it is: waking once for nothing is cheaper than arming
  // it anew for every timer that is cancelled.
}

std::uint32_t asio_clock::take_slot() {
  if (free_.empty()) {
    slots_.emplace_back();
    free_.push_back(static_cast<std::uint32_t>(slots_.size() - 1));
  }
  const std::uint32_t index = free_.back();
  free_.pop_back();
  slots_[index].used = true;
  return index;
}

void asio_clock::release(std::uint32_t index) {
  slot& freed = slots_[index];
  freed.fire = nullptr;
  freed.used = false;
  freed.place = not_in_heap;
  ++freed.generation;
  free_.push_back(index);
}

void asio_clock::swap_places(std::uint32_t a, std::uint32_t b) {
  std::swap(heap_[a], heap_[b]);
  slots_[heap_[a]].place = a;
  slots_[heap_[b]].place = b;
}

void asio_clock::sift_up(std::uint32_t place) {
  while (place > 0 && earlier(place, (place - 1) / 2)) {
    swap_places(place, (place - 1) / 2);
    place = (place - 1) / 2;
  }
}

void asio_clock::sift_down(std::uint32_t place) {
  const auto size = static_cast<std::uint32_t>(heap_.size());
  for (;;) {
    std::uint32_t first = place;
    if (2 * place + 1 < size && earlier(2 * place + 1, first)) first = 2 * place + 1;
    if (2 * place + 2 < size && earlier(2 * place + 2, first)) first = 2 * place + 2;
    if (first == place) return;
    swap_places(place, first);
    place = first;
  }
}

void asio_clock::remove_from_heap(std::uint32_t place) {
  const auto last = static_cast<std::uint32_t>(heap_.size() - 1);
  slots_[heap_[place]].place = not_in_heap;
  if (place != last) {
    heap_[place] = heap_[last];
    slots_[heap_[place]].place = place;
  }
  heap_.pop_back();
  if (place != last) {
    sift_up(place);
    sift_down(place);
  }
}

void asio_clock::arm() {
  if (heap_.empty()) return;
  const core::steady_time first = slots_[heap_.front()].when;
  if (first >= armed_for_) return;
  armed_for_ = first;
  alarm_.expires_at(first);
  alarm_.async_wait([this](const boost::system::error_code& aborted) {
    // Aborted: armed anew for an earlier time, or the clock is gone.
    if (!aborted) run_due();
  });
}

void asio_clock::run_due() {
  // A callback may set timers that are due at once; they wait for the next
  // round, so that sockets get their turn.
  armed_for_ = core::steady_time::min();
  const core::steady_time now = std::chrono::steady_clock::now();
  std::size_t rounds = heap_.size();
  while (rounds-- > 0 && !heap_.empty() && slots_[heap_.front()].when <= now) {
    const std::uint32_t index = heap_.front();
    remove_from_heap(0);
    const std::function<void()> fire = std::move(slots_[index].fire);
    release(index);
    fire();
  }
  armed_for_ = core::steady_time::max();
  arm();
}

}  // namespace turnout::server
