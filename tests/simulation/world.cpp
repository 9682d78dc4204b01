#include "tests/simulation/world.hpp"

#include <algorithm>
#include <map>
#include <memory>
#include <optional>

#include "payments/identifier.hpp"
#include "proxy/core/engine.hpp"
#include "routing/router.hpp"
#include "tests/simulation/audit.hpp"
#include "tests/simulation/disk.hpp"
#include "tests/simulation/gateway.hpp"
#include "tests/simulation/scheduler.hpp"
#include "tests/simulation/shop.hpp"

namespace turnout::simulation {

namespace {

using payments::operation;

constexpr milliseconds fault_phase = 20min;
constexpr milliseconds longest_healing = 72h;

per_fault<double> draw_odds(seeded_random& random, const std::vector<fault>& without) {
  per_fault<double> odds;
  // Each request: a fault of a kind is rare in one world and common in another.
  for (const fault each : {fault::refused_connection, fault::drop_before, fault::drop_after, fault::late, fault::stall,
                           fault::error_after, fault::rate_limited})
    odds[each] = random.chance(0.6) ? 0.002 + 0.12 * random.uniform() * random.uniform() : 0;
  odds[fault::wrong_amount] = random.chance(0.3) ? 0.05 * random.uniform() : 0;
  odds[fault::inquiry_lag] = random.chance(0.6) ? random.uniform() : 0;
  odds[fault::inquiry_error] = random.chance(0.5) ? 0.3 * random.uniform() : 0;
  odds[fault::undecided] = random.chance(0.4) ? 0.1 * random.uniform() : 0;
  odds[fault::lost_client] = random.chance(0.5) ? 0.2 * random.uniform() : 0;
  // Each world: how many times, on average.
  odds[fault::proxy_crash] = random.chance(0.7) ? 6 * random.uniform() : 0;
  odds[fault::failed_sync] = random.chance(0.3) ? 2 * random.uniform() : 0;
  odds[fault::gateway_down] = random.chance(0.6) ? 3 * random.uniform() : 0;
  odds[fault::disk_full] = random.chance(0.3) ? 2 * random.uniform() : 0;
  odds[fault::slow_disk] = random.chance(0.3) ? 2 * random.uniform() : 0;
  odds[fault::clock_jump] = random.chance(0.3) ? 3 * random.uniform() : 0;
  odds[fault::reload] = random.chance(0.4) ? 3 * random.uniform() : 0;
  for (const fault each : without) odds[each] = 0;
  return odds;
}

payments::connector_profile base_profile(std::string name) {
  payments::connector_profile made;
  made.name = std::move(name);
  made.merchants = {"demo"};
  made.methods = {"card"};
  made.currencies = {*payments::currency::find("EUR")};
  made.brands = {payments::card_brand::visa};
  made.capture_automatic = made.capture_manual = true;
  made.operations = {operation::sale,         operation::authorize, operation::capture, operation::refund,
                     operation::void_payment, operation::reverse,   operation::inquire};
  made.resolve.inquire = made.resolve.reverse = true;
  made.resolve.not_found_final_after = 20s;
  made.resolve.reverse_blocks_late = true;
  made.timeouts = {1000ms, 4000ms};
  return made;
}

/// Kinds of gateways there are; each declares what it then does.
payments::connector_profile draw_profile(std::string name, seeded_random& random) {
  payments::connector_profile made = base_profile(std::move(name));
  const auto keys = [&](payments::key_caches caches, payments::key_in_flight in_flight) {
    made.idempotency = {caches, in_flight, 24h};
    made.resolve.replay = true;
    made.resolve.replay_for = 10min;
  };
  switch (random.between(0, 6)) {
    case 0: keys(payments::key_caches::all, payments::key_in_flight::conflict); break;
    case 1: keys(payments::key_caches::success, payments::key_in_flight::wait); break;
    case 2: break;  // no keys at all
    case 3:         // nothing but a slow inquiry
      made.resolve.reverse = made.resolve.reverse_blocks_late = false;
      std::erase(made.operations, operation::reverse);
      break;
    case 4:  // a reversal is the only proof
      made.resolve.inquire = false;
      std::erase(made.operations, operation::inquire);
      break;
    case 5:  // authorise and capture in two steps, several captures
      keys(payments::key_caches::all, payments::key_in_flight::wait);
      std::erase(made.operations, operation::sale);
      made.multiple_captures = true;
      break;
    case 6:  // keys only: after a crash there is no proof
      keys(payments::key_caches::all, payments::key_in_flight::conflict);
      made.resolve.inquire = made.resolve.reverse = made.resolve.reverse_blocks_late = false;
      std::erase(made.operations, operation::inquire);
      std::erase(made.operations, operation::reverse);
      break;
    default: break;
  }
  return made;
}

class match_all final : public policies::matcher {
 public:
  policies::match_result matches(const policies::match_input&, const policies::amount_lookup&) const override {
    return policies::match_result::yes;
  }
};

class counting_observer final : public core::observer {
 public:
  void on_decision(const payments::payment&, const routing::decision&) override {}
  void on_send(const payments::attempt&, payments::send_kind, const payments::send_result&) override {}
  void on_attempt(const payments::payment&, const payments::attempt&) override {}
  void on_modification_send(const payments::attempt&, operation, const payments::send_result&) override {}
  void on_modification(const payments::payment&, const payments::modification&) override {}
  void on_failover(std::string_view, std::string_view, std::string_view) override {}
  void on_reversal(std::string_view, std::string_view) override {}
  void on_answer(const payments::payment&, milliseconds) override {}
  void on_final(const payments::payment&) override {}
  void on_delayed(std::string_view) override {}
  void on_gateway_recovered(std::string_view) override {}
  void on_invariant_violation(std::string_view, std::string_view) override {}
};

/// What a broken proxy reads into an answer.
class misread_connector final : public connectors::definition {
 public:
  misread_connector(payments::connector_profile profile, const variant& how) : real_(std::move(profile)), how_(how) {}
  const payments::connector_profile& profile() const noexcept override { return real_.profile(); }
  std::string_view base_url() const noexcept override { return real_.base_url(); }
  connectors::wire_request build_request(operation wanted, const connectors::request_context& context) const override {
    return real_.build_request(wanted, context);
  }
  payments::send_result parse_response(operation asked, const connectors::wire_reply& answer,
                                       const payments::money& charged) const override {
    payments::send_result result = real_.parse_response(asked, answer, charged);
    if (how_.any_amount) result.amount_minor.reset();
    const bool charges = asked == operation::sale || asked == operation::authorize;
    if (how_.limited_replay_is_decline && charges && result.result == payments::outcome::not_sent)
      result.result = payments::outcome::soft_decline;
    return result;
  }

 private:
  simulated_connector real_;
  const variant& how_;
};

class network final : public core::transport {
 public:
  network(std::map<std::string, std::unique_ptr<gateway>>& gateways, scheduler& time, scheduler::life whose,
          const disk& journal, const variant* broken, std::vector<std::string>& violations)
      : gateways_(gateways), time_(time), whose_(whose), journal_(journal), broken_(broken), violations_(violations) {}

  void send(const connectors::definition& connector, connectors::wire_request request, steady_time deadline,
            std::function<void(core::exchange)> done) override {
    check_durable(request);
    if (broken_ != nullptr && broken_->reversals_are_forgotten && request.method == "reverse") {
      core::exchange faked;
      faked.carried = true;
      faked.reply = write_reply({.word = "approved"});
      time_.after(1ms, whose_, [done, faked] { done(faked); });
      return;
    }
    const std::string operation = request.method;
    const std::string asked = request.target;
    gateways_.at(connector.profile().name)
        ->receive(request, deadline, whose_, [this, operation, asked, done](core::exchange came_back) {
          misread(operation, asked, came_back);
          done(std::move(came_back));
        });
  }

 private:
  // The order that all safety rests on: the intent is durable before the first byte.
  void check_durable(const connectors::wire_request& request) {
    const std::string reference = request.target.substr(0, request.target.find(';'));
    const std::string rest = request.target.substr(reference.size() + 1);
    const std::string id = rest.substr(0, rest.find(';'));
    const std::string plain = id.ends_with("-void") ? id.substr(0, id.size() - 5) : id;
    if (!journal_.has_intent(reference) || !journal_.has_intent(plain))
      violations_.push_back(request.method + " of " + request.target + " was sent before its intent was durable");
  }

  void misread(const std::string& operation, const std::string& asked, core::exchange& came_back) const {
    if (broken_ == nullptr || came_back.error.empty()) return;
    const bool charges = operation == "sale" || operation == "authorize";
    const bool modifies = operation == "capture" || operation == "refund" || operation == "void";
    if (charges && broken_->unknown_is_not_sent) came_back.carried = false;
    if (!modifies || !came_back.carried) return;
    if (broken_->lost_modification_failed) came_back = answered("rejected", asked);
    if (broken_->lost_modification_done) came_back = answered("approved", asked);
  }
  static core::exchange answered(std::string_view word, const std::string& asked) {
    const std::size_t amount = asked.find(';', asked.find(';') + 1) + 1;
    core::exchange made;
    made.carried = true;
    made.reply = write_reply({.word = word, .amount = std::stoll(asked.substr(amount))});
    return made;
  }

  std::map<std::string, std::unique_ptr<gateway>>& gateways_;
  scheduler& time_;
  scheduler::life whose_;
  const disk& journal_;
  const variant* broken_;
  std::vector<std::string>& violations_;
};

bool is_open(const payments::payment& record) {
  if (!is_final(record.status) || has_pending_modification(record)) return true;
  return std::any_of(record.attempts.begin(), record.attempts.end(), [](const payments::attempt& each) {
    return each.unresolved() || each.reversal == payments::reversal_state::wanted;
  });
}

class world {
 public:
  explicit world(const world_options& options)
      : options_(options),
        random_(options.seed),
        odds_(draw_odds(random_, options.without)),
        journal_(time_, random_, odds_, report_.faults,
                 options.broken != nullptr ? options.broken->disk : disk_habits{}),
        shop_(time_, random_, odds_, report_.faults,
              [this]() -> core::engine* { return proxy_ ? &proxy_->engine : nullptr; }) {
    for (const char* name : {"alpha", "beta", "gamma"}) make_gateway(name);
    full_config_ = make_config({});
    config_ = full_config_;
    if (!options_.story_of.empty()) keep_story();
  }

  world_report run() {
    start();
    plan_faults();
    shop_.open(options_.payments, fault_phase);
    time_.run_until(time_.now().steady + fault_phase);
    heal();
    const steady_time end = time_.now().steady + longest_healing;
    while (time_.now().steady < end && !quiet()) time_.run_until(time_.now().steady + 10min);
    time_.run_until(time_.now().steady + 5min);
    audit();
    return std::move(report_);
  }

 private:
  struct proxy {
    proxy(world& home, scheduler::life whose, std::uint64_t seed)
        : clock(home.time_, whose),
          journal(home.journal_.open(whose)),
          transport(home.gateways_, home.time_, whose, home.journal_, home.options_.broken, home.report_.violations),
          random(seed),
          routing(routing::create_router(), policies::retry_budget(1.0, 100)),
          engine({*journal, transport, clock, random}, routing, watcher, home.config_,
                 [](const routing::decision&, std::string_view, wall_time) { return std::string("{}"); }) {
      engine.on_gateway_recovered = [this](const std::string& name) { engine.gateway_recovered(name); };
    }
    proxy_clock clock;
    std::unique_ptr<core::journal> journal;
    network transport;
    seeded_random random;
    counting_observer watcher;
    core::shared_routing routing;
    core::engine engine;
  };

  void make_gateway(const char* name) {
    payments::connector_profile honest = draw_profile(name, random_);
    payments::connector_profile declared = honest;
    if (const variant* broken = options_.broken) {
      if (broken->trusts_early_not_found && declared.resolve.not_found_final_after)
        declared.resolve.not_found_final_after = 0ms;
      if (broken->reverse_does_not_block) honest.resolve.reverse_blocks_late = false;
    }
    gateways_.emplace(
        name, std::make_unique<gateway>(time_, random_, odds_, report_.faults, std::move(honest),
                                        options_.broken != nullptr ? options_.broken->gateways : gateway_habits{}));
    if (options_.broken != nullptr)
      connectors_.push_back(std::make_shared<misread_connector>(std::move(declared), *options_.broken));
    else
      connectors_.push_back(std::make_shared<simulated_connector>(std::move(declared)));
  }

  std::shared_ptr<const core::configuration> make_config(std::string_view without) const {
    auto made = std::make_shared<core::configuration>();
    for (const auto& each : connectors_)
      if (each->profile().name != without) made->connectors.push_back(each);
    policies::policy all{"all", std::make_shared<match_all>(), {}, payments::default_retry_plan()};
    made->policies.policies.push_back(std::move(all));
    return made;
  }

  void start() {
    proxy_ = std::make_unique<proxy>(*this, ++life_, random_.next());
    if (life_ > 1 && options_.broken != nullptr && options_.broken->resolver_stops) return;
    std::vector<const payments::payment*> open;
    for (const auto& [id, record] : journal_.payments())
      if (is_open(record)) open.push_back(&record);
    std::sort(open.begin(), open.end(), [](const auto* a, const auto* b) { return a->id < b->id; });
    for (const payments::payment* each : open) proxy_->engine.recover(*each);
  }

  void crash() {
    if (!proxy_) return;
    proxy_.reset();
    journal_.crash();
    time_.end_life(life_);
    time_.after(random_.between(10ms, 60s), scheduler::world, [this] { start(); });
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

  void plan_faults() {
    scatter(fault::proxy_crash, [this] { crash(); });
    scatter(fault::failed_sync, [this] { crash(); });
    scatter(fault::gateway_down, [this] {
      auto at = gateways_.begin();
      std::advance(at, random_.between(0, 2));
      at->second->go_down(random_.between(5s, random_.chance(0.2) ? milliseconds(5h) : milliseconds(5min)));
    });
    scatter(fault::disk_full, [this] { journal_.fill(random_.between(1s, 60s)); });
    scatter(fault::slow_disk, [this] { journal_.slow_down(random_.between(1s, 60s)); });
    scatter(fault::clock_jump, [this] { time_.jump(random_.between(-10min, 10min)); });
    scatter(fault::reload, [this] {
      auto at = gateways_.begin();
      std::advance(at, random_.between(0, 2));
      configure(make_config(at->first));
      time_.after(random_.between(1s, 2min), scheduler::world, [this] { configure(full_config_); });
    });
  }

  void configure(std::shared_ptr<const core::configuration> config) {
    config_ = std::move(config);
    if (proxy_) proxy_->engine.configure(config_);
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
      return is_open(each.second) && !(each.second.attention && each.second.attention->reason == "no_proof_available");
    });
  }

  void keep_story() {
    journal_.tell = [this](const payments::payment& record, const payments::payment_event& event) {
      for (const payments::attempt& each : record.attempts) payment_of_[each.id] = record.id;
      tell(record.id, "journal " + std::string(to_string(event.type)) + " " + event.attempt + " " + event.code);
    };
    for (const auto& [name, each] : gateways_)
      each->tell = [this](const std::string& reference, const std::string& line) {
        tell(payment_of_[reference], line);
      };
    shop_.tell = [this](const std::string& payment, const std::string& line) { tell(payment, "merchant " + line); };
  }

  void tell(const std::string& payment, const std::string& line) {
    if (options_.story_of != "all" && options_.story_of != payment) return;
    const auto since = std::chrono::duration_cast<milliseconds>(time_.now().steady - steady_time(1h)).count();
    report_.story.push_back(std::to_string(since) + " ms  " + payment + "  " + line);
  }

  void audit() {
    std::vector<const gateway*> all;
    for (const auto& [name, each] : gateways_) all.push_back(each.get());
    audit_world(journal_, all, shop_, report_);
    report_.steps = time_.steps();
    report_.virtual_hours =
        std::chrono::duration<double, std::ratio<3600>>(time_.now().steady - steady_time(1h)).count();
  }

  const world_options& options_;
  world_report report_;
  scheduler time_;
  seeded_random random_;
  per_fault<double> odds_;
  disk journal_;
  std::map<std::string, std::unique_ptr<gateway>> gateways_;
  std::vector<std::shared_ptr<const connectors::definition>> connectors_;
  std::shared_ptr<const core::configuration> full_config_, config_;
  shop shop_;
  scheduler::life life_ = 0;
  bool healing_ = false;
  std::map<std::string, std::string> payment_of_;
  std::unique_ptr<proxy> proxy_;
};

}  // namespace

world_report run_world(const world_options& options) { return world(options).run(); }

}  // namespace turnout::simulation
