#include "tests/simulation/world.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <utility>

#include "payments/due.hpp"
#include "tests/simulation/audit.hpp"
#include "tests/simulation/broken_promises.hpp"
#include "tests/simulation/card_watch.hpp"
#include "tests/simulation/disk.hpp"
#include "tests/simulation/gateway.hpp"
#include "tests/simulation/network.hpp"
#include "tests/simulation/profiles.hpp"
#include "tests/simulation/proxy.hpp"
#include "tests/simulation/scheduler.hpp"
#include "tests/simulation/shop.hpp"
#include "tests/simulation/story.hpp"

namespace turnout::simulation {

namespace {

constexpr milliseconds fault_phase = 30min;
constexpr milliseconds longest_healing = 72h;
constexpr milliseconds look_at_due_interval = 30s;
constexpr milliseconds healing_interval = 10min;
constexpr std::int64_t most_engines = 4;
constexpr std::uint64_t farthest_crash = 600;  // calls of the journal

class world {
 public:
  explicit world(const world_options& options)
      : options_(options),
        random_(options.seed),
        odds_(draw_odds(random_, options.without)),
        cards_(report_.violations),
        journal_(time_, random_, odds_, report_.faults,
                 options.broken != nullptr ? options.broken->disk : disk_habits{}, options.reached),
        shop_({time_, random_, odds_, report_.faults, journal_, cards_, options.reached,
               [this] { return proxy_.get(); }, [this](const std::string& url) { take_challenge(url); }}) {
    engines_ = static_cast<std::size_t>(random_.between(1, most_engines));
    const std::int64_t count = random_.chance(0.8) ? 3 : random_.between(1, 2);
    for (const char* name : {"alpha", "beta", "gamma"})
      if (static_cast<std::int64_t>(names_.size()) < count) make_gateway(name);
    policies_ = draw_policies(names_, random_);
    full_config_ = make_config({});
    config_ = full_config_;
    journal_.tell = [this](const core::journal_write& write) { read_along(write); };
    if (!options_.story_of.empty()) keep_story();
  }

  world_report run() {
    start();
    plan_faults();
    shop_.open(options_.payments, fault_phase);
    look_at_due();
    time_.run_until(time_.now().steady + fault_phase);
    heal();
    const steady_time end = time_.now().steady + longest_healing;
    while (time_.now().steady < end && !quiet()) {
      if (proxy_) proxy_->look_at_due();
      time_.run_until(time_.now().steady + healing_interval);
    }
    time_.run_until(time_.now().steady + 5min);
    audit();
    return std::move(report_);
  }

 private:
  void make_gateway(const char* name) {
    payments::connector_profile honest = draw_profile(name, random_);
    if (options_.broken_promises) honest.resolve.gateway_reference_is_charge = true;  // that one is kept
    connectors_.push_back(make_connector(honest, options_.broken));
    if (options_.broken != nullptr && options_.broken->reverse_does_not_block)
      honest.resolve.reverse_blocks_late = false;
    names_.push_back(name);
    gateway_habits habits = options_.broken != nullptr ? options_.broken->gateways : gateway_habits{};
    if (options_.broken_promises) habits.broken = draw_broken_promises(honest, random_);
    gateways_.emplace(
        name, std::make_unique<gateway>(time_, random_, odds_, report_.faults, std::move(honest), std::move(habits)));
  }

  configuration make_config(std::string_view without) const {
    auto made = std::make_shared<core::configuration>();
    for (const auto& each : connectors_)
      if (each->profile().name != without) made->connectors.push_back(each);
    made->policies = policies_;
    return made;
  }

  void start() {
    ++life_;
    const surroundings around{time_,        journal_, gateways_,          options_.broken,       options_.reached,
                              story_.get(), cards_,   report_.violations, report_.late_approvals};
    proxy_ = std::make_unique<proxy>(around, life_, random_.next(), engines_, config_);
    if (life_ > 1 && options_.broken != nullptr && options_.broken->resolver_stops) return;
    proxy_->recover();
  }

  void crash() {
    if (!proxy_) return;
    if (story_) story_->tell("all", "world", "the proxy crashes");
    proxy_.reset();
    journal_.crash();
    time_.end_life(life_);
    time_.after(random_.between(10ms, 60s), scheduler::world, [this] { start(); });
  }

  /// Half of the time it is told to stop first, as by SIGTERM.
  void stop() {
    if (!proxy_ || random_.chance(0.5)) return crash();
    proxy_->drain();
    time_.after(random_.between(1ms, 15s), life_, [this] { time_.interrupt([this] { crash(); }); });
  }

  /// `count` on average, each at a time of its own within the phase of faults.
  void scatter(fault which, const std::function<void()>& strike) {
    for (double left = odds_[which]; left > 0; left -= 1) {
      if (!random_.chance(std::min(left, 1.0))) continue;
      time_.after(random_.between(0ms, fault_phase), scheduler::world, [this, which, strike] {
        if (healing_) return;
        ++report_.faults[which];
        strike();
      });
    }
  }

  gateway& any_gateway() {
    auto at = gateways_.begin();
    std::advance(at, random_.between(0, static_cast<std::int64_t>(gateways_.size()) - 1));
    return *at->second;
  }

  void plan_faults() {
    scatter(fault::proxy_crash, [this] { stop(); });
    scatter(fault::crash_between_steps, [this] {
      journal_.strike_after(static_cast<std::uint64_t>(random_.between(1, farthest_crash)), [this] {
        if (!healing_) crash();
      });
    });
    scatter(fault::failed_sync, [this] { journal_.fail_sync([this] { crash(); }); });
    scatter(fault::gateway_down, [this] {
      any_gateway().go_down_soon(random_.between(5s, random_.chance(0.2) ? milliseconds(5h) : milliseconds(5min)));
    });
    scatter(fault::disk_full, [this] { journal_.fill(random_.between(1s, 60s)); });
    scatter(fault::slow_disk, [this] { journal_.slow_down(random_.between(1s, 60s)); });
    scatter(fault::clock_jump, [this] {
      const milliseconds most = random_.chance(0.2) ? milliseconds(3h) : milliseconds(10min);
      time_.jump(random_.between(-most, most));
    });
    scatter(fault::reload, [this] {
      configure(make_config(any_gateway().name()));
      time_.after(random_.between(1s, 2min), scheduler::world, [this] { configure(full_config_); });
    });
  }

  void configure(configuration config) {
    config_ = std::move(config);
    if (proxy_) proxy_->configure(config_);
  }

  void look_at_due() {
    if (proxy_) proxy_->look_at_due();
    if (!healing_) time_.after(look_at_due_interval, scheduler::world, [this] { look_at_due(); });
  }

  void take_challenge(const std::string& url) {
    const std::string_view scheme = "https://";
    const std::size_t dot = url.find('.'), slash = url.rfind('/');
    const auto at = gateways_.find(url.substr(scheme.size(), dot - scheme.size()));
    if (at == gateways_.end()) return;
    const std::string reference = url.substr(slash + 1);
    at->second->take_challenge(reference.substr(0, reference.find('?')));
  }

  void heal() {
    healing_ = true;
    odds_ = {};
    for (const auto& [name, each] : gateways_) each->heal();
    configure(full_config_);
  }

  bool quiet() const {
    if (!proxy_ || !shop_.idle()) return false;
    return std::none_of(journal_.payments().begin(), journal_.payments().end(), [](const auto& each) {
      const payments::payment& record = each.second;
      return (is_open(record) || due_at(record)) && !needs_person(record);
    });
  }

  /// Waiting longer changes nothing: a proof is missing, or a word of a gateway that cannot be true.
  static bool needs_person(const payments::payment& record) {
    if (!record.attention) return false;
    const std::string& reason = record.attention->reason;
    return reason != "unresolved_for_long" && reason != "reversal_unconfirmed";
  }

  void read_along(const core::journal_write& write) {
    cards_.read(write);
    if (!story_) return;
    const payments::payment& record = *write.record;
    for (const payments::attempt& each : record.attempts) payment_of_[each.id] = record.id;
    if (write.claim && write.create) story_->alias(write.claim->key, record.id);
    std::string line = "writes";
    for (const payments::payment_event& each : write.events) {
      line += (line == "writes" ? " " : ", ") + std::string(to_string(each.type));
      if (!each.attempt.empty()) line += " " + each.attempt;
      if (!each.code.empty()) line += " (" + each.code + ")";
    }
    story_->tell(record.id, "journal", line);
  }

  void keep_story() {
    story_ = std::make_unique<story>(time_);
    shop_.kept = story_.get();
    for (const auto& [name, each] : gateways_)
      each->tell = [this, from = each.get()](const std::string& reference, const std::string& line) {
        const std::string& payment = payment_of_[reference];
        story_->tell(payment, from->name(), reference + ": " + line);
        for (const charge& made : from->ledger())
          if (made.reference == reference) story_->ledger(payment, reference, from->name(), describe(made));
      };
  }

  void audit() {
    std::vector<const gateway*> all;
    for (const auto& [name, each] : gateways_) all.push_back(each.get());
    audit_world(journal_, all, shop_, !options_.broken_promises, report_);
    audit_doubled(journal_, all, report_);
    const bool kept = !options_.broken_promises && options_.broken == nullptr;
    if (kept && !journal_.late_approvals().empty())
      report_.violations.push_back(*journal_.late_approvals().begin() + " is said to have been charged twice");
    report_.steps = time_.steps();
    report_.virtual_hours =
        std::chrono::duration<double, std::ratio<3600>>(time_.now().steady - steady_time(1h)).count();
    if (story_) report_.story = story_->read(options_.story_of);
  }

  const world_options& options_;
  world_report report_;
  scheduler time_;
  seeded_random random_;
  per_fault<double> odds_;
  card_watch cards_;
  disk journal_;
  gateway_map gateways_;
  std::vector<std::string> names_;
  std::vector<std::shared_ptr<const connectors::definition>> connectors_;
  policies::policy_set policies_;
  configuration full_config_, config_;
  std::size_t engines_ = 1;
  std::unique_ptr<story> story_;
  std::map<std::string, std::string> payment_of_;
  shop shop_;
  scheduler::life life_ = 0;
  bool healing_ = false;
  std::unique_ptr<proxy> proxy_;
};

}  // namespace

world_report run_world(const world_options& options) { return world(options).run(); }

}  // namespace turnout::simulation
