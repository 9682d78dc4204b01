// The two ways in which payments and requests are routed today.
#include <algorithm>
#include <array>
#include <cmath>

#include "routing/simulator/algorithms.hpp"
#include "routing/simulator/baseline.hpp"

namespace turnout::routing::simulator {
namespace {

using namespace std::chrono_literals;

class windowed_rate final : public baseline {
  static constexpr std::size_t bucket = 125;
  static constexpr double hedging = .05;
  struct window {
    std::array<bool, bucket> answers;
    std::size_t next = 0, approved = bucket;
    window() { answers.fill(true); }
  };

  void grow(std::size_t count) override { windows_.resize(count); }
  pick choose_arm(const std::vector<std::size_t>& open, bool retry, instant, random_source& random) override {
    const std::size_t best =
        best_arm(open, random, [this](std::size_t arm) { return static_cast<double>(windows_[arm].approved); });
    if (retry || open.size() < 2 || random.uniform() >= hedging) return {best};
    const auto other = static_cast<std::size_t>(random.uniform() * static_cast<double>(open.size() - 1));
    return {open[other] == best ? open.back() : open[other], true};
  }
  void learn(std::size_t arm, bool approved, bool, instant) override {
    window& of = windows_[arm];
    bool& oldest = of.answers[of.next];
    of.approved = of.approved - oldest + approved;
    oldest = approved;
    of.next = (of.next + 1) % bucket;
  }
  std::vector<window> windows_;
};

// Envoy's defaults: consecutive_5xx 5, interval 10 s, base_ejection_time 30 s, max_ejection_time 300 s,
// max_ejection_percent 10 (but always one), success_rate_stdev_factor 1.9 over hosts with at least 100
// requests in the interval, if there are at least five such hosts.
class outlier_ejection final : public baseline {
  static constexpr int consecutive_most = 5;
  static constexpr std::chrono::seconds interval{10}, base_ejection{30}, longest_ejection{300};
  static constexpr double ejected_most = .1, deviations = 1.9;
  static constexpr std::uint64_t least_requests = 100;
  static constexpr std::size_t least_hosts = 5;
  struct host {
    int consecutive = 0;
    int ejections = 0;  ///< falls again while it stays in
    bool ejected = false;
    payments::steady_time ejected_at{};
    std::uint64_t requests = 0, good = 0;  ///< in this interval
    std::chrono::seconds lasts() const noexcept { return std::min(base_ejection * ejections, longest_ejection); }
  };

  void grow(std::size_t count) override { hosts_.resize(count); }
  bool judged_sick(std::size_t arm, instant) const override { return hosts_[arm].ejected; }

  pick choose_arm(const std::vector<std::size_t>& open, bool, instant now, random_source&) override {
    pass(now);
    for (std::size_t step = 0; step < hosts_.size(); ++step) {
      const std::size_t arm = (turn_ + step) % hosts_.size();
      if (hosts_[arm].ejected || std::find(open.begin(), open.end(), arm) == open.end()) continue;
      turn_ = arm + 1;
      return {arm};
    }
    return {open[turn_++ % open.size()]};  // everybody is out: all are in
  }

  void learn(std::size_t arm, bool, bool technical, instant now) override {
    pass(now);
    host& of = hosts_[arm];
    ++of.requests;
    of.good += !technical;
    of.consecutive = technical ? of.consecutive + 1 : 0;
    if (of.consecutive >= consecutive_most) eject(of, now);
  }

  void eject(host& of, instant now) {
    of.consecutive = 0;
    const auto out =
        static_cast<double>(std::count_if(hosts_.begin(), hosts_.end(), [](auto& h) { return h.ejected; }));
    if (of.ejected || (out > 0 && (out + 1) / static_cast<double>(hosts_.size()) > ejected_most)) return;
    of.ejected = true;
    of.ejected_at = now.steady;
    ++of.ejections;
  }

  void pass(instant now) {
    if (now.steady < next_) return;
    next_ = now.steady + interval;
    for (host& each : hosts_) {
      if (each.ejected && now.steady >= each.ejected_at + each.lasts()) {
        each.ejected = false;
      } else if (!each.ejected && each.ejections > 0) {
        --each.ejections;
      }
    }
    eject_outliers(now);
    for (host& each : hosts_) each.requests = each.good = 0;
  }

  void eject_outliers(instant now) {
    double sum = 0, squares = 0;
    std::size_t count = 0;
    const auto rate = [](const host& of) { return static_cast<double>(of.good) / static_cast<double>(of.requests); };
    for (const host& each : hosts_) {
      if (each.requests < least_requests) continue;
      ++count;
      sum += rate(each);
      squares += rate(each) * rate(each);
    }
    if (count < least_hosts) return;
    const double mean = sum / static_cast<double>(count);
    const double deviation = std::sqrt(std::max(0.0, squares / static_cast<double>(count) - mean * mean));
    for (host& each : hosts_)
      if (each.requests >= least_requests && rate(each) < mean - deviations * deviation) eject(each, now);
  }

  std::vector<host> hosts_;
  std::size_t turn_ = 0;
  payments::steady_time next_{};
};

}  // namespace

std::unique_ptr<router> make_windowed_rate(const stage&) { return std::make_unique<windowed_rate>(); }
std::unique_ptr<router> make_outlier_ejection(const stage&) { return std::make_unique<outlier_ejection>(); }

}  // namespace turnout::routing::simulator
