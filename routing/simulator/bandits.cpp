// Bandits for rewards that change. An arm that was never played is played first.
#include <cmath>
#include <deque>
#include <limits>
#include <numbers>

#include "routing/simulator/algorithms.hpp"
#include "routing/simulator/baseline.hpp"

namespace turnout::routing::simulator {
namespace {

constexpr double exploration = .1;
constexpr double unplayed = std::numeric_limits<double>::infinity();

struct arm_sums {
  double plays = 0, reward = 0;
};

// mean + c·√(ln n / N), all counts discounted.
class discounted_ucb final : public baseline {
  static constexpr double discount = .999;

  void grow(std::size_t count) override { arms_.resize(count); }
  pick choose_arm(const std::vector<std::size_t>& open, bool, instant, random_source& random) override {
    const double root = exploration * std::sqrt(std::log(std::max(total_, 1.0)));
    return {best_arm(open, random, [&](std::size_t arm) {
      const arm_sums& of = arms_[arm];
      return of.plays > 0 ? of.reward / of.plays + root / std::sqrt(of.plays) : unplayed;
    })};
  }
  void learn(std::size_t arm, bool approved, bool, instant) override {
    total_ = total_ * discount + 1;
    for (arm_sums& each : arms_) {
      each.plays *= discount;
      each.reward *= discount;
    }
    arms_[arm].plays += 1;
    arms_[arm].reward += approved;
  }
  std::vector<arm_sums> arms_;
  double total_ = 0;
};

class sliding_window_ucb final : public baseline {
  static constexpr std::size_t window = 1000;
  struct play {
    std::size_t arm;
    bool approved;
  };

  void grow(std::size_t count) override { arms_.resize(count); }
  pick choose_arm(const std::vector<std::size_t>& open, bool, instant, random_source& random) override {
    const double root = exploration * std::sqrt(std::log(std::max<double>(static_cast<double>(plays_.size()), 1)));
    return {best_arm(open, random, [&](std::size_t arm) {
      const arm_sums& of = arms_[arm];
      return of.plays > .5 ? of.reward / of.plays + root / std::sqrt(of.plays) : unplayed;
    })};
  }
  void learn(std::size_t arm, bool approved, bool, instant) override {
    plays_.push_back({arm, approved});
    arms_[arm].plays += 1;
    arms_[arm].reward += approved;
    if (plays_.size() <= window) return;
    const play oldest = plays_.front();
    plays_.pop_front();
    arms_[oldest.arm].plays -= 1;
    arms_[oldest.arm].reward -= oldest.approved;
  }
  std::vector<arm_sums> arms_;
  std::deque<play> plays_;
};

// UCB whose arms forget everything when a two-sided CUSUM test says that they
// changed; a small share of uniform plays keeps the tests fed.
class cusum_ucb final : public baseline {
  static constexpr double warm_up = 100;  ///< plays that the test's mean is taken from
  static constexpr double tolerance = .05, threshold = 10;
  static constexpr double uniform_share = .02;
  struct tested_arm {
    arm_sums sums;
    double up = 0, down = 0;
    double mean = 0;  ///< of the warm-up
  };

  void grow(std::size_t count) override { arms_.resize(count); }
  pick choose_arm(const std::vector<std::size_t>& open, bool retry, instant, random_source& random) override {
    if (!retry && random.uniform() < uniform_share)
      return {open[static_cast<std::size_t>(random.uniform() * static_cast<double>(open.size()))], true};
    double total = 0;
    for (const tested_arm& each : arms_) total += each.sums.plays;
    const double root = exploration * std::sqrt(std::log(std::max(total, 1.0)));
    return {best_arm(open, random, [&](std::size_t arm) {
      const arm_sums& of = arms_[arm].sums;
      return of.plays > 0 ? of.reward / of.plays + root / std::sqrt(of.plays) : unplayed;
    })};
  }
  void learn(std::size_t arm, bool approved, bool, instant) override {
    tested_arm& of = arms_[arm];
    of.sums.plays += 1;
    of.sums.reward += approved;
    if (of.sums.plays <= warm_up) {
      of.mean = of.sums.reward / of.sums.plays;
      return;
    }
    const double reward = approved;
    of.up = std::max(0.0, of.up + reward - of.mean - tolerance);
    of.down = std::max(0.0, of.down + of.mean - reward - tolerance);
    if (of.up > threshold || of.down > threshold) of = {};
  }
  std::vector<tested_arm> arms_;
};

// A draw from each arm's Beta(1 + approved, 1 + not), as a ratio of two gammas.
class discounted_thompson final : public baseline {
  static constexpr double discount = .998;

  void grow(std::size_t count) override { arms_.resize(count); }
  pick choose_arm(const std::vector<std::size_t>& open, bool, instant, random_source& random) override {
    return {best_arm(open, random, [&](std::size_t arm) {
      const arm_sums& of = arms_[arm];
      const double good = gamma(1 + of.reward, random), bad = gamma(1 + of.plays - of.reward, random);
      return good / (good + bad);
    })};
  }
  void learn(std::size_t arm, bool approved, bool, instant) override {
    for (arm_sums& each : arms_) {
      each.plays *= discount;
      each.reward *= discount;
    }
    arms_[arm].plays += 1;
    arms_[arm].reward += approved;
  }

  static double normal(random_source& random) {
    const double radius = 1 - random.uniform(), angle = random.uniform();
    return std::sqrt(-2 * std::log(radius)) * std::cos(2 * std::numbers::pi * angle);
  }
  // Marsaglia, Tsang 2000; shape >= 1.
  static double gamma(double shape, random_source& random) {
    const double d = shape - 1.0 / 3, c = 1 / std::sqrt(9 * d);
    for (;;) {
      const double x = normal(random), root = 1 + c * x;
      if (root <= 0) continue;
      const double v = root * root * root;
      if (std::log(1 - random.uniform()) < .5 * x * x + d - d * v + d * std::log(v)) return d * v;
    }
  }
  std::vector<arm_sums> arms_;
};

}  // namespace

std::unique_ptr<router> make_discounted_ucb(const stage&) { return std::make_unique<discounted_ucb>(); }
std::unique_ptr<router> make_sliding_window_ucb(const stage&) { return std::make_unique<sliding_window_ucb>(); }
std::unique_ptr<router> make_cusum_ucb(const stage&) { return std::make_unique<cusum_ucb>(); }
std::unique_ptr<router> make_discounted_thompson(const stage&) { return std::make_unique<discounted_thompson>(); }

}  // namespace turnout::routing::simulator
