// Algorithms that learn nothing: they know nothing, or the truth.
#include <algorithm>
#include <array>

#include "payments/assertion.hpp"
#include "routing/simulator/algorithms.hpp"
#include "routing/simulator/baseline.hpp"

namespace turnout::routing::simulator {
namespace {

class learns_nothing : public baseline {
 protected:
  void learn(std::size_t, bool, bool, instant) final {}
};

class uniform_router final : public learns_nothing {
  pick choose_arm(const std::vector<std::size_t>& open, bool, instant, random_source& random) override {
    return {open[static_cast<std::size_t>(random.uniform() * static_cast<double>(open.size()))]};
  }
};

class round_robin final : public learns_nothing {
  pick choose_arm(const std::vector<std::size_t>& open, bool, instant, random_source&) override {
    const auto next = std::find_if(open.begin(), open.end(), [this](std::size_t arm) { return arm >= turn_; });
    const std::size_t arm = next == open.end() ? open.front() : *next;
    turn_ = arm + 1;
    return {arm};
  }
  std::size_t turn_ = 0;
};

/// Those who know gateways by the scenario's numbers, not by when they were first seen.
class informed_router : public router {
 public:
  explicit informed_router(const stage& on) : on_(on) {}
  decision choose(const request&, const policies::route&, const std::vector<candidate>& candidates,
                  const std::vector<tried>& tried, instant, random_source&) final {
    open_.clear();
    const auto& gateways = on_.of.gateways();
    std::size_t place = 0;
    for (const candidate& each : candidates) {
      while (place < gateways.size() && gateways[place].name != each.connector) ++place;
      TURNOUT_ASSERT(place < gateways.size());
      if (std::none_of(tried.begin(), tried.end(), [&](const auto& t) { return t.connector == each.connector; }))
        open_.push_back(place);
    }
    decision made;
    if (open_.empty()) return made;
    const auto most = static_cast<std::size_t>(on_.of.description().retry.max_attempts);
    made.order.emplace_back().connector = gateways[best_of(open_, most - std::min(most - 1, tried.size()))].name;
    return made;
  }
  void on_sent(const request&, const decision&, instant) final {}
  void observe(const request&, const decision&, const payments::send_result&, instant) final {}
  void tick(instant) final {}
  std::vector<connector_view> view(instant) const final { return {}; }

 protected:
  /// `attempts` may still be made.
  virtual std::size_t best_of(const std::vector<std::size_t>& open, std::size_t attempts) = 0;
  const stage& on_;

 private:
  std::vector<std::size_t> open_;
};

class best_static final : public informed_router {
 public:
  using informed_router::informed_router;

 private:
  std::size_t best_of(const std::vector<std::size_t>& open, std::size_t) override {
    const std::vector<double>& mean = on_.all.mean_success;
    return *std::max_element(open.begin(), open.end(), [&](auto a, auto b) { return mean[a] < mean[b]; });
  }
};

// Attempts at a, b, … are worth S_a + R_a·(S_b + R_b·(…)), R the probability
// of a failure that may be retried. Two neighbours are in the better order when
// S/(1−R) falls (by exchange), so the best k gateways after the first are found
// among the subsets in that order, from the last: f(i, k) = max(f(i+1, k), S_i + R_i·f(i+1, k−1)).
//
// Where timeouts may be tried elsewhere it can be worth a tenth of a point to
// waste the first attempt on a gateway that hardly answers; nobody would, so
// of first gateways that are worth about the same the likeliest is taken.
class oracle final : public informed_router {
 public:
  using informed_router::informed_router;

 private:
  static constexpr double about_the_same = .002;
  struct one {
    prospect is;
    std::size_t gateway;
    double index;  ///< S/(1−R)
    double worth;  ///< when it is tried first
    bool in_best;  ///< among the best attempts
  };

  std::size_t best_of(const std::vector<std::size_t>& open, std::size_t attempts) override {
    known_.clear();
    for (std::size_t g : open) {
      const prospect is = on_.now.expect(on_.context, g);
      known_.push_back({is, g, is.success / std::max(1e-12, 1 - is.retryable), 0, false});
    }
    std::sort(known_.begin(), known_.end(), [](const one& a, const one& b) { return a.index > b.index; });
    const double beside = worth_without(nullptr, attempts - 1);
    mark_best(attempts - 1);
    double best = 0;
    for (one& first : known_) {
      const double rest = first.in_best ? worth_without(&first, attempts - 1) : beside;
      first.worth = first.is.success + first.is.retryable * rest;
      best = std::max(best, first.worth);
    }
    const one* chosen = nullptr;
    for (const one& each : known_)
      if (each.worth >= best - about_the_same && (chosen == nullptr || each.is.success > chosen->is.success))
        chosen = &each;
    return chosen->gateway;
  }

  /// The worth of up to `attempts` of the known but one; leaves in taken_ whether f(i, k) takes i.
  double worth_without(const one* first, std::size_t attempts) {
    values_.assign(attempts + 1, 0);
    taken_.assign(known_.size() * (attempts + 1), false);
    for (std::size_t i = known_.size(); i-- > 0;) {
      if (&known_[i] == first) continue;
      for (std::size_t left = attempts; left > 0; --left) {
        const double with = known_[i].is.success + known_[i].is.retryable * values_[left - 1];
        if (with <= values_[left]) continue;
        values_[left] = with;
        taken_[i * (attempts + 1) + left] = true;
      }
    }
    return values_[attempts];
  }

  // Only without one of these is the best of the others another one.
  void mark_best(std::size_t attempts) {
    std::size_t left = attempts;
    for (std::size_t i = 0; i < known_.size(); ++i) {
      known_[i].in_best = left > 0 && taken_[i * (attempts + 1) + left];
      left -= known_[i].in_best;
    }
  }

  std::vector<one> known_;
  std::vector<double> values_;  ///< by attempts left
  std::vector<char> taken_;
};

}  // namespace

std::unique_ptr<router> make_random(const stage&) { return std::make_unique<uniform_router>(); }
std::unique_ptr<router> make_round_robin(const stage&) { return std::make_unique<round_robin>(); }
std::unique_ptr<router> make_best_static(const stage& on) { return std::make_unique<best_static>(on); }
std::unique_ptr<router> make_oracle(const stage& on) { return std::make_unique<oracle>(on); }

}  // namespace turnout::routing::simulator
