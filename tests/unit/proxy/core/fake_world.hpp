#pragma once
// The four ports as fakes in virtual time, without Asio: a journal that keeps
// only what was made durable, gateways with ledgers, and a clock that jumps
// from one event to the next. crash() loses everything else.
#include <catch2/catch.hpp>
#include <deque>
#include <map>
#include <set>

#include "payments/identifier.hpp"
#include "payments/modification_rules.hpp"
#include "payments/payment_story.hpp"
#include "proxy/core/engine.hpp"

namespace turnout::core {

using namespace std::chrono_literals;

class seeded_random final : public random_source {
 public:
  explicit seeded_random(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() override {  // splitmix64
    std::uint64_t z = (state_ += 0x9E3779B97F4A7C15ull);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
    return z ^ (z >> 31);
  }

 private:
  std::uint64_t state_;
};

class virtual_clock final : public clock {
 public:
  instant now() override { return now_; }
  timer_id call_at(steady_time when, std::function<void()> fire) override {
    if (when != steady_time::max()) due_.emplace(std::pair(std::max(when, now_.steady), ++last_), std::move(fire));
    return last_;
  }
  void cancel(timer_id id) override {
    for (auto it = due_.begin(); it != due_.end(); ++it)
      if (it->first.second == id) {
        due_.erase(it);
        return;
      }
  }
  /// Runs the next thing that is due; false when nothing is.
  bool step() {
    if (due_.empty()) return false;
    auto first = due_.extract(due_.begin());
    const auto passed = first.key().first - now_.steady;
    now_.steady += passed;
    now_.wall += std::chrono::duration_cast<wall_time::duration>(passed);
    first.mapped()();
    return true;
  }
  void run_for(payments::milliseconds time) {
    const steady_time end = now_.steady + time;
    while (!due_.empty() && due_.begin()->first.first <= end) step();
    now_.wall += std::chrono::duration_cast<wall_time::duration>(end - now_.steady);
    now_.steady = end;
  }
  void forget_all() { due_.clear(); }

 private:
  instant now_{steady_time(1h), wall_time(500000h)};
  timer_id last_ = 0;
  std::map<std::pair<steady_time, timer_id>, std::function<void()>> due_;
};

class fake_journal final : public journal {
 public:
  explicit fake_journal(virtual_clock& clock) : clock_(clock) {}

  std::map<std::string, payments::payment> durable;
  std::vector<std::string> story;  ///< "pay_…: attempt_started"
  bool full = false;
  payments::milliseconds takes = 1ms;

  void commit(std::shared_ptr<const journal_write> write, std::function<void(commit_result)> done) override {
    clock_.call_at(clock_.now().steady + takes, [this, write = std::move(write), done = std::move(done)] {
      // Apart from each other: a crash may come between what is durable and who hears of it.
      clock_.call_at(clock_.now().steady, [result = apply(*write), done] { done(result); });
    });
  }
  std::optional<key_entry> find_key(std::string_view merchant, bool, std::string_view key) override {
    const auto found = keys_.find(std::string(merchant) + "/" + std::string(key));
    return found == keys_.end() ? std::nullopt : std::optional(found->second);
  }
  std::optional<payments::payment> find_payment(std::string_view id) override {
    const auto found = durable.find(std::string(id));
    return found == durable.end() ? std::nullopt : std::optional(found->second);
  }
  void restarted() {
    for (auto& [name, entry] : keys_) entry.running = false;
  }

 private:
  commit_result apply(const journal_write& write) {
    if (full) return {commit_status::unavailable, {}};
    const payments::payment& record = *write.record;
    if (write.claim) {
      const std::string& object = write.claim->object;
      auto [at, fresh] = keys_.try_emplace(record.merchant + "/" + write.claim->key,
                                           key_entry{record.id, object, write.claim->mac, object.empty(), {}});
      if (!fresh) return {commit_status::key_exists, at->second};
      key_of_[object.empty() ? record.id : object] = at->first;
    }
    REQUIRE(write.create != durable.contains(record.id));
    durable.insert_or_assign(record.id, record);
    for (const auto& each : write.events) {
      story.push_back(std::string(to_string(each.type)));
      told_[record.id].add(each);
    }
    // Whatever the test: the events alone say what the record says.
    REQUIRE(told_[record.id].differences(record) == std::vector<std::string>());
    REQUIRE(payments::broken_rules(record) == std::vector<std::string>());
    if (const auto key = key_of_.find(record.id); key != key_of_.end() && record.answered)
      keys_.at(key->second).running = false;
    for (const object_answer& each : write.answers)
      if (const auto key = key_of_.find(each.object.empty() ? record.id : each.object); key != key_of_.end())
        keys_.at(key->second).answer = each.answer;
    return {commit_status::committed, {}};
  }

  virtual_clock& clock_;
  std::map<std::string, key_entry> keys_;
  std::map<std::string, std::string> key_of_;
  std::map<std::string, payments::payment_story> told_;
};

/// A gateway definition whose "wire format" is the operation and our reference.
class fake_gateway final : public connectors::definition {
 public:
  explicit fake_gateway(payments::connector_profile profile) : profile_(std::move(profile)) {}
  const payments::connector_profile& profile() const noexcept override { return profile_; }
  std::string_view base_url() const noexcept override { return "http://gateway.invalid"; }
  connectors::wire_request build_request(payments::operation wanted,
                                         const connectors::request_context& context) const override {
    connectors::wire_request made;
    made.method = std::string(to_string(wanted));
    made.target = context.attempt.id;
    made.body = payments::secret_string(context.return_url);
    const payments::modification* about = context.modification;
    made.headers.emplace_back("Key", payments::secret_string(about != nullptr ? about->id : context.attempt.id));
    const std::int64_t amount = about != nullptr ? about->amount : context.attempt.amount.minor;
    made.headers.emplace_back("Amount", payments::secret_string(std::to_string(amount)));
    const bool modifies = wanted == payments::operation::capture || wanted == payments::operation::refund ||
                          wanted == payments::operation::void_payment;
    REQUIRE(modifies == (about != nullptr));
    const bool charges = wanted == payments::operation::sale || wanted == payments::operation::authorize;
    REQUIRE((context.card != nullptr) == charges);
    if (charges) REQUIRE(context.card->present());
    return made;
  }
  payments::send_result parse_response(payments::operation, const connectors::wire_reply& reply,
                                       const payments::money&) const override {
    payments::send_result result;
    result.answered = true;
    if (reply.body == "approved") result.result = payments::outcome::approved;
    if (reply.body == "refused") result.result = payments::outcome::rejected;
    for (const auto& [name, content] : reply.headers) {
      if (name == "Captured") result.captured_total = std::stoll(content);
      if (name == "Refunded") result.refunded_total = std::stoll(content);
      if (name == "Voided") result.voided = content == "yes";
      if (name == "Amount") result.amount_minor = std::stoll(content);
      if (name == "Currency") result.currency = content;
      if (name == "Reference") result.echo = content;
      if (name == "Charge") result.gateway_reference = content;
      if (name == "Kept") result.captured = content == "yes";
    }
    if (reply.body == "declined") {
      result.result = payments::outcome::soft_decline;
      result.reason = payments::decline_reason::do_not_honor;
    }
    if (reply.body == "challenge") {
      result.result = payments::outcome::requires_action;
      result.action.url = "https://issuer.example/3ds";
    }
    if (reply.body == "pending") result.result = payments::outcome::pending;
    if (reply.body == "not_authenticated") {
      result.result = payments::outcome::soft_decline;
      result.reason = payments::decline_reason::authentication_failed;
    }
    if (reply.body == "not_found") result.not_found = true;
    if (!reply.headers.empty() && reply.headers.front().first == "X-Message") {
      result.gateway_code = reply.headers.front().second;
      result.kept = {{"echo", reply.headers.front().second}};
    }
    return result;
  }

 private:
  payments::connector_profile profile_;
};

/// The gateways' side: true ledgers, scripted behaviour.
class fake_transport final : public transport {
 public:
  enum class behaviour {
    approve,
    decline,
    refuse,
    charge_then_stall,
    drop,
    challenge,
    late,          ///< of a capture, refund or void: applied, but 12 s later, and never answered
    wrong_amount,  ///< likewise: one unit less is done, and told
  };
  /// The truth about one charge.
  struct charge {
    std::int64_t authorized = 0, captured = 0, refunded = 0;
    bool voided = false, closed = false;
  };
  struct applied {
    std::string operation, key;
    std::int64_t amount;
  };
  fake_transport(virtual_clock& clock, fake_journal& records) : clock_(clock), records_(records) {}

  std::map<std::string, std::deque<behaviour>, std::less<>> script;  ///< per connector
  std::string echo;                                                  ///< written back by every gateway
  behaviour otherwise = behaviour::approve;                          ///< when the script is empty
  std::map<std::string, std::string> standing;                       ///< reference -> connector
  std::map<std::string, charge> charges;                             ///< by reference
  std::vector<applied> ledger;                                       ///< captures, refunds and voids, once each
  std::map<std::string, std::deque<behaviour>, std::less<>> modification_script;  ///< likewise; else: approve
  bool honours_keys = true;                                                       ///< of captures, refunds and voids
  std::int64_t out_of_band = 0;                                                   ///< added to every total that is told
  std::map<std::string, std::string> challenged;                                  ///< reference -> what an inquiry says
  std::vector<std::string> return_urls;                                           ///< of charges
  std::vector<std::string> sent;                                                  ///< "alpha sale"
  int foreign = 0;                      ///< so many answers from now on echo the reference of something else
  std::vector<std::string> distrusted;  ///< whose connections were dropped for it
  bool tells_reference = false;         ///< its own, of each charge

  void send(const connectors::definition& to, connectors::wire_request request, steady_time deadline,
            std::function<void(exchange)> done) override {
    const std::string& connector = to.profile().name;
    const std::string reference = request.target;
    sent.push_back(connector + " " + request.method);
    // The order that all safety rests on: the intent is durable before the first byte.
    bool durable = false;
    for (const auto& [id, record] : records_.durable)
      for (const auto& each : record.attempts) durable |= each.id == reference;
    REQUIRE(durable);
    exchange came_back;
    came_back.carried = true;
    came_back.reply.status = 200;
    if (!echo.empty()) came_back.reply.headers.emplace_back("X-Message", echo);
    if (tells_reference) came_back.reply.headers.emplace_back("Charge", "ch_" + reference);
    const bool modifies = request.method == "capture" || request.method == "refund" || request.method == "void";
    auto& plan = modifies ? modification_script[connector] : script[connector];
    const behaviour next = plan.empty() ? (modifies ? behaviour::approve : otherwise) : plan.front();
    const std::string key(request.headers.at(0).second.reveal());
    const std::int64_t amount = std::stoll(std::string(request.headers.at(1).second.reveal()));
    if (modifies) require_durable_intent(key);
    if (!plan.empty()) plan.pop_front();
    steady_time when = std::min(clock_.now().steady + 20ms, deadline);
    const bool stall = next == behaviour::charge_then_stall || next == behaviour::drop || next == behaviour::late;
    if (next == behaviour::refuse) {
      came_back.carried = false;
      came_back.error = "connect_refused";
    } else if (modifies) {
      if (next == behaviour::late)
        come_later([this, reference, key, amount, method = request.method] { apply(method, reference, key, amount); });
      else if (next == behaviour::decline)
        came_back.reply.body = done_before(key) ? "approved" : "refused";
      else if (next == behaviour::wrong_amount) {
        apply(request.method, reference, key, amount - 1);
        came_back.reply.body = "approved";
        came_back.reply.headers.emplace_back("Amount", std::to_string(amount - 1));
      } else if (next != behaviour::drop) {
        came_back.reply.body = apply(request.method, reference, key, amount) ? "approved" : "refused";
      }
    } else if (request.method == "sale" || request.method == "authorize") {
      if (request.method == "authorize") came_back.reply.headers.emplace_back("Kept", "no");
      return_urls.emplace_back(request.body.reveal());
      if (next == behaviour::challenge) {
        challenged.emplace(reference, "pending");
        came_back.reply.body = "challenge";
      } else if (next == behaviour::decline && !standing.contains(reference))
        came_back.reply.body = "declined";
      else if (next != behaviour::drop) {
        standing.emplace(reference, connector);
        charges.emplace(reference, charge{amount, request.method == "sale" ? amount : 0});
        came_back.reply.body = "approved";
      }
    } else if (request.method == "inquire") {
      if (const auto known = charges.find(reference); known != charges.end()) {
        auto& told = came_back.reply.headers;
        told.emplace_back("Captured", std::to_string(known->second.captured + out_of_band));
        told.emplace_back("Refunded", std::to_string(known->second.refunded + out_of_band));
        told.emplace_back("Voided", known->second.voided ? "yes" : "no");
        told.emplace_back("Kept", known->second.captured > 0 ? "yes" : "no");
      }
      const auto challenge = challenged.find(reference);
      came_back.reply.body = standing.contains(reference)    ? "approved"
                             : challenge != challenged.end() ? challenge->second
                                                             : "not_found";
    } else if (request.method == "reverse") {
      if (const auto known = charges.find(reference); known != charges.end()) {
        known->second.refunded = known->second.captured;
        known->second.closed = true;
        known->second.voided = known->second.captured == 0;
      }
      standing.erase(reference);
      challenged.erase(reference);
      came_back.reply.body = "approved";
    }
    came_back.reply.headers.emplace_back("Reference", foreign > 0 ? (--foreign, "att_other") : key);
    if (stall) {
      came_back.error = "response_timeout";
      when = deadline;
    }
    clock_.call_at(when, [came_back = std::move(came_back), done = std::move(done)] { done(came_back); });
  }

  void distrust(const connectors::definition& to) override { distrusted.push_back(to.profile().name); }

  /// A crash of ours does not stop what is on its way to a gateway.
  void crashed() {
    for (auto& [when, what] : std::exchange(coming_, {}))
      if (when > clock_.now().steady) come_at(when, what);
  }

 private:
  void come_later(std::function<void()> what) { come_at(clock_.now().steady + 12s, std::move(what)); }
  void come_at(steady_time when, std::function<void()> what) {
    coming_.emplace_back(when, what);
    clock_.call_at(when, std::move(what));
  }
  /// Before a capture, refund or void is sent: pending, and in flight or in doubt.
  void require_durable_intent(const std::string& key) const {
    bool durable = false;
    for (const auto& [id, record] : records_.durable)
      for (const auto& each : record.attempts)
        durable |= (each.id + "-void" == key || each.id + "-refund" == key) &&
                   each.reversal == payments::reversal_state::wanted;
    for (const auto& [id, record] : records_.durable)
      for (const auto& each : record.modifications)
        durable |= (each.id == key || each.id + "-void" == key) && (each.in_flight || each.doubtful) &&
                   each.status == payments::modification_status::pending;
    REQUIRE(durable);
  }
  /// A key gives back the original result.
  bool done_before(const std::string& key) const {
    return honours_keys &&
           std::any_of(ledger.begin(), ledger.end(), [&](const applied& each) { return each.key == key; });
  }
  /// False: refused. The limits are the gateway's own; whoever runs into them has lost count.
  bool apply(const std::string& method, const std::string& reference, const std::string& key, std::int64_t amount) {
    if (done_before(key)) return true;
    charge& about = charges.at(reference);
    ledger.push_back({method, key, amount});
    if (about.closed) return ledger.pop_back(), false;
    if (method == "capture") about.captured += amount;
    if (method == "refund") about.refunded += amount;
    if (method == "void") {
      about.voided = true;
      about.closed = about.captured == 0 || key.ends_with("-void");
      if (about.captured == 0) standing.erase(reference);
    }
    REQUIRE(about.captured <= about.authorized);
    REQUIRE(about.refunded <= about.captured);
    return true;
  }

  virtual_clock& clock_;
  fake_journal& records_;
  std::vector<std::pair<steady_time, std::function<void()>>> coming_;
};

class silent_observer final : public observer {
 public:
  int violations = 0, finals = 0, failovers = 0, delayed = 0, recoveries = 0;
  std::vector<payments::resolution> words;
  void on_decision(const payments::payment&, const routing::decision&) override {}
  void on_send(const payments::attempt&, payments::send_kind, const payments::send_result&) override {}
  void on_attempt(const payments::payment&, const payments::attempt&) override {}
  void on_modification_send(const payments::attempt&, payments::operation, const payments::send_result&) override {}
  void on_modification(const payments::payment&, const payments::modification&) override {}
  void on_failover(std::string_view, std::string_view, std::string_view) override { ++failovers; }
  void on_reversal(std::string_view, std::string_view) override {}
  void on_answer(const payments::payment&, payments::milliseconds) override {}
  void on_final(const payments::payment&) override { ++finals; }
  void on_resolution(const payments::payment&, const payments::resolution& word) override { words.push_back(word); }
  void on_delayed(std::string_view) override { ++delayed; }
  void on_gateway_recovered(std::string_view) override { ++recoveries; }
  void on_invariant_violation(std::string_view, std::string_view) override { ++violations; }
};

/// Ranks candidates by name: what is tested here is the engine.
class alphabetical_router final : public routing::router {
 public:
  routing::decision choose(const routing::request&, const policies::route&,
                           const std::vector<routing::candidate>& candidates, const std::vector<routing::tried>& tried,
                           instant, random_source&) override {
    routing::decision made;
    made.id = ++last_;
    for (const auto& each : candidates) {
      const auto same = [&](const routing::tried& earlier) { return earlier.connector == each.connector; };
      if (std::none_of(tried.begin(), tried.end(), same)) made.order.push_back({each.connector});
    }
    return made;
  }
  void on_sent(const routing::request&, const routing::decision&, instant) override {}
  void observe(const routing::request&, const routing::decision&, const payments::send_result&, instant) override {}
  void tick(instant) override {}
  std::vector<routing::connector_view> view(instant) const override { return {}; }

 private:
  std::uint64_t last_ = 0;
};

class match_all final : public policies::matcher {
 public:
  policies::match_result matches(const policies::match_input&, const policies::amount_lookup&) const override {
    return policies::match_result::yes;
  }
  std::string describe() const override { return "anything"; }
};

struct fake_world {
  virtual_clock clock;
  fake_journal records{clock};
  fake_transport gateways{clock, records};
  seeded_random random{42};
  silent_observer watcher;
  shared_routing routing{std::make_unique<alphabetical_router>(), policies::retry_budget(1.0, 100)};
  std::shared_ptr<configuration> config = std::make_shared<configuration>();
  std::unique_ptr<core::engine> engine;
  int keys = 0;

  fake_world() {
    for (const char* name : {"alpha", "beta"})
      config->connectors.push_back(std::make_shared<fake_gateway>(profile(name)));
    config->policies.policies.push_back({"all", std::make_shared<match_all>(), {}, payments::default_retry_plan()});
    start();
  }
  static payments::connector_profile profile(std::string name) {
    payments::connector_profile made;
    made.name = std::move(name);
    made.merchants = {"demo"};
    made.methods = {"card"};
    made.currencies = {*payments::currency::find("EUR")};
    made.brands = {payments::card_brand::visa};
    made.capture_automatic = true;
    made.operations = {payments::operation::sale, payments::operation::inquire, payments::operation::reverse};
    made.idempotency = {payments::key_caches::all, payments::key_in_flight::conflict, 24h};
    made.resolve.replay = made.resolve.inquire = made.resolve.reverse = true;
    made.resolve.not_found_final_after = 30s;
    made.resolve.replay_for = 10min;
    made.resolve.reverse_blocks_late = true;
    return made;
  }
  void start() {
    engine = std::make_unique<core::engine>(
        core::engine::ports{records, gateways, clock, random}, routing, watcher, config,
        [](const routing::decision&, const decision_context&) { return std::string("{}"); });
    engine->on_gateway_recovered = [this](const std::string& name) { engine->gateway_recovered(name); };
  }
  /// Everything that is not durable is gone; the process starts again.
  void crash() {
    engine.reset();
    clock.forget_all();
    gateways.crashed();
    records.restarted();
    start();
    for (const auto& [id, record] : records.durable) {
      bool open = !is_final(record.status) || has_pending_modification(record);
      for (const auto& each : record.attempts)
        open |= each.unresolved() || each.reversal == payments::reversal_state::wanted;
      if (open) engine->recover(record);
    }
  }

  create_command command(std::optional<std::string> key = {}, std::string mac = "mac") {
    create_command made{.request = {.merchant = "demo", .amount = {1250, *payments::currency::find("EUR")}},
                        .arrival = clock.now()};
    REQUIRE(payments::card::parse("4242424242424242", 12, 2099, "123", "", made.card) == payments::card_errc::ok);
    if (key) made.claim = idempotency_claim{*key, std::move(mac)};
    made.render = [](const payments::payment& record) {
      return stored_answer{is_final(record.status) ? 201u : 202u,
                           record.id + " " + std::string(to_string(record.status))};
    };
    return made;
  }
  /// Sends a payment; the slot is filled when it is answered.
  std::shared_ptr<std::optional<create_result>> pay(create_command wish) {
    auto slot = std::make_shared<std::optional<create_result>>();
    engine->create(std::move(wish), [slot](create_result result) { *slot = std::move(result); });
    return slot;
  }
  std::shared_ptr<std::optional<create_result>> pay() { return pay(command()); }
  modify_command modification(payments::modification_kind kind, std::optional<std::int64_t> amount = {},
                              std::optional<std::string> key = {}, std::string mac = "mac") const {
    modify_command made{.payment_id = only().id, .merchant = "demo", .wish = {.kind = kind, .amount = amount}};
    if (key) made.claim = idempotency_claim{*key, std::move(mac), {}};
    made.render = [](const payments::payment& record, std::string_view object) {
      for (const payments::modification& each : record.modifications)
        if (each.id == object)
          return stored_answer{each.status == payments::modification_status::pending ? 202u : 201u,
                               each.id + " " + std::string(to_string(each.status))};
      if (!object.starts_with("can_")) return stored_answer{};
      return stored_answer{is_final(record.status) ? 201u : 202u,
                           record.id + " " + std::string(to_string(record.status))};
    };
    return made;
  }
  std::shared_ptr<std::optional<modify_result>> modify(modify_command wish) {
    auto slot = std::make_shared<std::optional<modify_result>>();
    engine->modify(std::move(wish), [slot](modify_result result) { *slot = std::move(result); });
    return slot;
  }
  const payments::payment& only() const {
    REQUIRE(records.durable.size() == 1);
    return records.durable.begin()->second;
  }
};

}  // namespace turnout::core
