#pragma once
// Virtual time: what is due next runs next, and time is where it was due. What
// belongs to one life of the proxy does not run in the next one.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <unordered_map>
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
  std::uint64_t at(steady_time when, life whose, task what) {
    if (when == steady_time::max() || (whose != world && whose <= ended_)) return 0;
    const std::uint64_t id = ++last_;
    heap_.push_back({std::max(when, now_.steady), id});
    std::push_heap(heap_.begin(), heap_.end(), later);
    tasks_.emplace(id, entry{whose, std::move(what)});
    return id;
  }
  std::uint64_t after(milliseconds delay, life whose, task what) {
    return at(now_.steady + delay, whose, std::move(what));
  }
  void cancel(std::uint64_t id) { tasks_.erase(id); }
  /// Lives are counted up: those before it have ended too.
  void end_life(life whose) {
    ended_ = whose;
    std::erase_if(tasks_, [&](const auto& each) { return each.second.whose == whose; });
  }
  /// Runs what is due until `end`; false when nothing is left at all.
  bool step(steady_time end) {
    while (!heap_.empty()) {
      const due next = heap_.front();
      const auto found = tasks_.find(next.id);
      if (found != tasks_.end() && next.when > end) return false;
      std::pop_heap(heap_.begin(), heap_.end(), later);
      heap_.pop_back();
      if (found == tasks_.end()) continue;
      move_to(next.when);
      const task what = std::move(found->second.what);
      tasks_.erase(found);
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
    std::uint64_t id;
  };
  struct entry {
    life whose;
    task what;
  };
  static bool later(const due& a, const due& b) noexcept { return a.when != b.when ? a.when > b.when : a.id > b.id; }
  void move_to(steady_time when) {
    now_.wall += std::chrono::duration_cast<wall_time::duration>(when - now_.steady);
    now_.steady = when;
  }

  instant now_{steady_time(1h), wall_time(500000h)};
  life ended_ = 0;
  std::uint64_t last_ = 0, steps_ = 0;
  std::vector<due> heap_;
  std::unordered_map<std::uint64_t, entry> tasks_;
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
