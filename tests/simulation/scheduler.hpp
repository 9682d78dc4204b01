#pragma once
// Virtual time: what is due next runs next, and time is where it was due. What
// belongs to one life of the proxy does not run in the next one.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "payments/instant.hpp"
#include "payments/random_source.hpp"
#include "proxy/core/ports.hpp"

namespace turnout::simulation {

using namespace std::chrono_literals;
using payments::instant;
using payments::milliseconds;
using payments::steady_time;
using payments::wall_time;

/// splitmix64: small, and the same everywhere.
class seeded_random final : public payments::random_source {
 public:
  explicit seeded_random(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() override {
    std::uint64_t z = (state_ += 0x9E3779B97F4A7C15ull);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
    return z ^ (z >> 31);
  }
  bool chance(double probability) { return probability > 0 && uniform() < probability; }
  /// least..most, both included.
  std::int64_t between(std::int64_t least, std::int64_t most) {
    return least + static_cast<std::int64_t>(next() % static_cast<std::uint64_t>(most - least + 1));
  }
  milliseconds between(milliseconds least, milliseconds most) {
    return milliseconds(between(least.count(), most.count()));
  }

 private:
  std::uint64_t state_;
};

class scheduler {
 public:
  using task = std::function<void()>;
  using life = std::uint64_t;
  static constexpr life world = 0;  ///< of gateways and merchants: goes on over crashes

  instant now() const noexcept { return now_; }
  /// The id is for cancel(); 0 is nobody's.
  std::uint64_t at(steady_time when, life whose, task what) {
    if (when == steady_time::max() || (whose != world && whose <= ended_)) return 0;
    if (free_.empty()) {
      free_.push_back(static_cast<std::uint32_t>(slots_.size()));
      slots_.emplace_back();
    }
    const std::uint32_t slot = free_.back();
    free_.pop_back();
    slots_[slot].whose = whose;
    slots_[slot].what = std::move(what);
    heap_.push_back({std::max(when, now_.steady), ++last_, slot, slots_[slot].use});
    std::push_heap(heap_.begin(), heap_.end(), later);
    return (std::uint64_t(slots_[slot].use) << 32) | slot;
  }
  std::uint64_t after(milliseconds delay, life whose, task what) {
    return at(now_.steady + delay, whose, std::move(what));
  }
  void cancel(std::uint64_t id) {
    const auto slot = static_cast<std::uint32_t>(id);
    if (slot < slots_.size() && slots_[slot].use == id >> 32) release(slot);
  }
  /// Runs before anything else does, once what runs now has ended.
  void interrupt(task what) { interrupt_ = std::move(what); }
  /// Lives are counted up: those before it have ended too.
  void end_life(life whose) {
    ended_ = whose;
    for (std::uint32_t slot = 0; slot < slots_.size(); ++slot)
      if (slots_[slot].what && slots_[slot].whose == whose) release(slot);
  }
  /// Runs what is due until `end`; false when nothing is left at all.
  bool step(steady_time end) {
    if (interrupt_) {
      std::exchange(interrupt_, nullptr)();
      return true;
    }
    while (!heap_.empty()) {
      const due next = heap_.front();
      const bool canceled = slots_[next.slot].use != next.use;
      if (!canceled && next.when > end) return false;
      std::pop_heap(heap_.begin(), heap_.end(), later);
      heap_.pop_back();
      if (canceled) continue;
      move_to(next.when);
      const task what = std::move(slots_[next.slot].what);
      release(next.slot);
      ++steps_;
      what();
      return true;
    }
    return false;
  }
  void run_until(steady_time end) {
    while (step(end)) {
    }
    move_to(std::max(end, now_.steady));
  }
  /// The wall clock is set; time does not pass.
  void jump(milliseconds by) { now_.wall += by; }
  std::uint64_t steps() const noexcept { return steps_; }

 private:
  struct due {
    steady_time when;
    std::uint64_t order;
    std::uint32_t slot, use;
  };
  /// What is due; used again and again, and `use` says how often it was.
  struct entry {
    life whose = world;
    std::uint32_t use = 1;
    task what;
  };
  static bool later(const due& a, const due& b) noexcept {
    return a.when != b.when ? a.when > b.when : a.order > b.order;
  }
  void release(std::uint32_t slot) {
    ++slots_[slot].use;
    const task forgotten = std::exchange(slots_[slot].what, nullptr);  // may itself come back here
    free_.push_back(slot);
  }
  void move_to(steady_time when) {
    now_.wall += std::chrono::duration_cast<wall_time::duration>(when - now_.steady);
    now_.steady = when;
  }

  instant now_{steady_time(1h), wall_time(500000h)};
  life ended_ = 0;
  std::uint64_t last_ = 0, steps_ = 0;
  std::vector<due> heap_;
  std::vector<entry> slots_;
  std::vector<std::uint32_t> free_;
  task interrupt_;
};

/// The proxy's clock in one of its lives.
class proxy_clock final : public core::clock {
 public:
  proxy_clock(scheduler& time, scheduler::life whose) : time_(time), whose_(whose) {}
  instant now() override { return time_.now(); }
  timer_id call_at(steady_time when, std::function<void()> fire) override {
    return time_.at(when, whose_, std::move(fire));
  }
  void cancel(timer_id id) override { time_.cancel(id); }

 private:
  scheduler& time_;
  scheduler::life whose_;
};

}  // namespace turnout::simulation
