#include "routing/simulator/run.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <queue>

#include "payments/assertion.hpp"

namespace turnout::routing::simulator {
namespace {

using namespace std::chrono_literals;

constexpr double tick_s = .1;
constexpr double watch_s = 1, long_watch_s = 10, long_run_s = 100'000;
constexpr double never_s = std::numeric_limits<double>::infinity();

/// Virtual time starts somewhere: on both clocks, at a Monday's midnight.
instant instant_of(double at_s) noexcept {
  const auto since = std::chrono::nanoseconds(static_cast<std::int64_t>(at_s * 1e9));
  constexpr payments::wall_time monday{std::chrono::hours(24 * 20'580)};
  return {payments::steady_time(1h) + std::chrono::duration_cast<payments::steady_time::duration>(since),
          monday + std::chrono::duration_cast<payments::wall_time::duration>(since)};
}

/// A payment that is under way.
struct passage {
  std::size_t payment = 0;
  request about{{}, {}, payments::card_brand::unknown, {}, {}, {0, *payments::currency::find("EUR")}};
  std::vector<tried> attempts;
  decision made;
  std::size_t gateway = 0;
  simulator::answer answer;
};

struct arrival_of_answer {
  double at_s;
  std::uint64_t order;
  std::size_t slot;
  bool operator>(const arrival_of_answer& other) const noexcept {
    return at_s != other.at_s ? at_s > other.at_s : order > other.order;
  }
};

class runner {
 public:
  runner(stage& on, router& uses) : on_(on), router_(uses), random_(on.of.random().bits(purpose::router, 0)) {
    const world& about = on_.of.description();
    retry_until_s_ = std::chrono::duration<double>(about.retry.deadline).count() * about.retry_share;
    watch_every_s_ = about.traffic.seconds > long_run_s ? long_watch_s : watch_s;
    const std::size_t gateways = on_.of.gateways().size();
    alarmed_.resize(gateways);
    quiet_from_s_.assign(gateways, 0);
    present_.resize(gateways);
  }

  run_log live() {
    const std::vector<payment_case>& all = on_.all.payments;
    log_.payments.resize(all.size());
    meet_gateways(0);
    std::size_t next = 0;
    double next_tick_s = tick_s, next_watch_s = watch_every_s_;
    while (next < all.size() || !answers_.empty()) {
      const double arrival_s = next < all.size() ? all[next].at_s : never_s;
      const double answer_s = answers_.empty() ? never_s : answers_.top().at_s;
      const double at_s = std::min({arrival_s, answer_s, next_tick_s});
      on_.now.advance(at_s);
      if (at_s == next_tick_s) {
        next_tick_s += tick_s;
        meet_gateways(at_s);
        router_.tick(instant_of(at_s));
        if (at_s >= next_watch_s) {
          watch(at_s);
          next_watch_s += watch_every_s_;
        }
      } else if (at_s == arrival_s) {
        arrive(next++, at_s);
      } else {
        const std::size_t slot = answers_.top().slot;
        answers_.pop();
        take_answer(slot, at_s);
      }
    }
    return std::move(log_);
  }

 private:
  // The candidates are those that exist; the router hears of a new one as it would at a reload.
  void meet_gateways(double at_s) {
    const auto& gateways = on_.of.gateways();
    bool changed = false;
    for (std::size_t g = 0; g < gateways.size(); ++g) {
      const bool exists = gateways[g].exists(at_s);
      if (exists == present_[g]) continue;
      changed = true;
      present_[g] = exists;
      if (exists) router_.declare(gateways[g].name);
    }
    if (!changed) return;
    candidates_.clear();
    numbers_.clear();
    for (std::size_t g = 0; g < gateways.size(); ++g) {
      if (!present_[g]) continue;
      const std::chrono::duration<double> timeout(on_.of.description().latency.timeout_s);
      candidates_.push_back({.connector = gateways[g].name,
                             .charged = {0, *payments::currency::find("EUR")},
                             .timeout = std::chrono::duration_cast<payments::milliseconds>(timeout)});
      numbers_.push_back(g);
    }
  }

  std::size_t free_slot() {
    if (free_.empty()) {
      passages_.emplace_back();
      return passages_.size() - 1;
    }
    const std::size_t slot = free_.back();
    free_.pop_back();
    return slot;
  }

  void arrive(std::size_t number, double at_s) {
    const std::size_t slot = free_slot();
    passage& it = passages_[slot];
    const payment_case& what = on_.all.payments[number];
    it.payment = number;
    it.about = on_.of.request_of(what.context, what.amount_minor);
    it.attempts.clear();
    send(slot, at_s);
  }

  std::size_t number_of(std::string_view connector) const {
    for (std::size_t i = 0; i < candidates_.size(); ++i)
      if (candidates_[i].connector == connector) return numbers_[i];
    TURNOUT_ASSERT(false);
  }

  // Chooses and sends; the payment is over when the router names nobody.
  void send(std::size_t slot, double at_s) {
    passage& it = passages_[slot];
    const payment_case& what = on_.all.payments[it.payment];
    for (candidate& each : candidates_) each.charged.minor = what.amount_minor;
    on_.context = what.context;
    const instant now = instant_of(at_s);
    it.about.attempts_left = on_.of.description().retry.max_attempts - static_cast<int>(it.attempts.size());
    it.made = router_.choose(it.about, route_, candidates_, it.attempts, now, random_);
    if (it.made.order.empty()) {
      free_.push_back(slot);
      return;
    }
    it.gateway = number_of(it.made.order.front().connector);
    payment_log& log = log_.payments[it.payment];
    if (it.attempts.empty()) {
      log.first = static_cast<std::uint8_t>(it.gateway);
      log.explored = it.made.why == choice_reason::explored || it.made.why == choice_reason::probed;
      const double regret = what.best - on_.now.success(what.context, it.gateway);
      log.first_regret = static_cast<float>((1 - on_.of.intrinsic(what.context)) * std::max(regret, 0.0));
    }
    router_.on_sent(it.about, it.made, now);
    ++log_.attempts;
    it.answer = on_.now.ask(it.payment, what, it.gateway);
    it.answer.result.latency =
        std::chrono::duration_cast<payments::milliseconds>(std::chrono::duration<double>(it.answer.latency_s));
    answers_.push({at_s + it.answer.latency_s, ++order_, slot});
  }

  void take_answer(std::size_t slot, double at_s) {
    passage& it = passages_[slot];
    router_.observe(it.about, it.made, it.answer.result, instant_of(at_s));
    payment_log& log = log_.payments[it.payment];
    const bool approved = it.answer.result.result == payments::outcome::approved;
    if (it.attempts.empty()) {
      log.approved_first = approved;
      log.technical = it.answer.technical;
    }
    log.approved = approved;
    it.attempts.push_back({on_.of.gateways()[it.gateway].name, it.answer.result.result, it.answer.result.reason});
    if (!approved && may_go_on(it, at_s)) {
      send(slot, at_s);
      return;
    }
    free_.push_back(slot);
  }

  bool may_go_on(const passage& it, double at_s) const {
    const world& about = on_.of.description();
    if (it.attempts.size() >= static_cast<std::size_t>(about.retry.max_attempts)) return false;
    if (it.attempts.size() >= candidates_.size()) return false;
    if (at_s - on_.all.payments[it.payment].at_s >= retry_until_s_) return false;
    return may_fail_over(about.retry, it.answer.result.result, it.answer.result.reason);
  }

  // Alarms at gateways where nothing happens.
  void watch(double at_s) {
    for (const event& each : on_.of.events()) {
      if (each.begins_s > at_s) break;
      quiet_from_s_[each.gateway] = std::max(quiet_from_s_[each.gateway], each.ends_s + alarm_grace_s);
    }
    for (const connector_view& seen : router_.view(instant_of(at_s))) {
      const auto& gateways = on_.of.gateways();
      const auto found = std::find_if(gateways.begin(), gateways.end(),
                                      [&](const simulated_gateway& each) { return each.name == seen.connector; });
      if (found == gateways.end()) continue;
      const auto g = static_cast<std::size_t>(found - gateways.begin());
      const bool alarm = seen.state != "closed" || seen.health < alarm_health;
      const bool rises = alarm && !alarmed_[g];
      alarmed_[g] = alarm;
      if (!present_[g] || at_s < quiet_from_s_[g] || gateways[g].technical >= sick_rate) continue;
      log_.watched_gateway_s += watch_every_s_;
      if (rises) ++log_.false_alarms;
    }
  }

  stage& on_;
  router& router_;
  router_random random_;
  policies::route route_;
  run_log log_;
  double retry_until_s_ = 0, watch_every_s_ = watch_s;
  std::vector<candidate> candidates_;
  std::vector<std::size_t> numbers_;  ///< of the gateway, by place among the candidates
  std::vector<bool> present_, alarmed_;
  std::vector<double> quiet_from_s_;
  std::vector<passage> passages_;
  std::vector<std::size_t> free_;
  std::priority_queue<arrival_of_answer, std::vector<arrival_of_answer>, std::greater<>> answers_;
  std::uint64_t order_ = 0;
};

}  // namespace

run_log run(stage& on, router& uses) { return runner(on, uses).live(); }

}  // namespace turnout::routing::simulator
