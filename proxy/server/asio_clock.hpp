#pragma once
// The core's clock on one worker's io_context. A payment sets a handful of
// timers and cancels nearly all of them, so they live in one heap behind one
// Asio timer: setting and cancelling touch no queue of the kernel or of Asio.
#include <cstdint>
#include <functional>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "proxy/core/ports.hpp"

namespace turnout::server {

class asio_clock final : public core::clock {
 public:
  /// Use on the thread that runs `worker` only.
  explicit asio_clock(boost::asio::io_context& worker);
  asio_clock(const asio_clock&) = delete;
  asio_clock& operator=(const asio_clock&) = delete;

  core::instant now() override;
  timer_id call_at(core::steady_time when, std::function<void()> fire) override;
  void cancel(timer_id id) override;

  /// Timers that are set, those that never fire included.
  std::size_t pending() const noexcept { return slots_.size() - free_.size(); }

 private:
  static constexpr std::uint32_t not_in_heap = UINT32_MAX;

  struct slot {
    std::function<void()> fire;
    core::steady_time when;
    std::uint32_t generation = 0;  ///< tells a reused slot from the timer that an old id meant
    std::uint32_t place = not_in_heap;
    bool used = false;
  };

  std::uint32_t take_slot();
  void release(std::uint32_t index);
  bool earlier(std::uint32_t a, std::uint32_t b) const { return slots_[heap_[a]].when < slots_[heap_[b]].when; }
  void swap_places(std::uint32_t a, std::uint32_t b);
  void sift_up(std::uint32_t place);
  void sift_down(std::uint32_t place);
  void remove_from_heap(std::uint32_t place);
  void arm();
  void run_due();

  boost::asio::steady_timer alarm_;
  core::steady_time armed_for_ = core::steady_time::max();
  std::vector<slot> slots_;
  std::vector<std::uint32_t> free_;
  std::vector<std::uint32_t> heap_;  ///< indexes into slots_, the earliest first
};

}  // namespace turnout::server
