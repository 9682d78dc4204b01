#include "tests/simulation/proxy.hpp"

#include <algorithm>
#include <utility>

#include "payments/due.hpp"
#include "payments/modification_rules.hpp"
#include "routing/router.hpp"

namespace turnout::simulation {

namespace flow = payments::flow;

namespace {

std::string describe(const flow::event& event) {
  if (const auto* sent = std::get_if<flow::sent>(&event)) {
    const payments::send_result& result = sent->result;
    std::string line = "hears ";
    line += result.not_found ? "not found" : result.answered ? std::string(to_string(result.result)) : result.code;
    return result.reason == payments::decline_reason::none ? line : line + " " + std::string(to_string(result.reason));
  }
  if (const auto* chosen = std::get_if<flow::chosen>(&event)) return "chooses " + chosen->connector->name;
  if (const auto* nobody = std::get_if<flow::no_candidate>(&event)) return "has nobody left: " + nobody->code;
  if (const auto* back = std::get_if<flow::gateway_recovered>(&event)) return back->connector + " answers again";
  if (const auto* turn = std::get_if<flow::permitted>(&event)) return "has its turn at " + turn->connector;
  if (const auto* asked = std::get_if<flow::modify>(&event))
    return "takes on " + asked->planned.id + ", " + std::to_string(asked->planned.amount) + " EUR";
  if (std::holds_alternative<flow::start>(event)) return "begins";
  if (std::holds_alternative<flow::recovered>(event)) return "finds it after a restart";
  if (std::holds_alternative<flow::reopened>(event)) return "reads it back";
  if (std::holds_alternative<flow::cancel_requested>(event)) return "is to cancel";
  return "goes on";
}

std::string describe(const flow::action& action, const payments::payment& record, instant now) {
  if (const auto* sending = std::get_if<flow::send>(&action)) {
    const payments::attempt& to = record.attempts[sending->attempt];
    std::string what(to_string(sending->kind));
    if (sending->modification) what = "sends " + record.modifications[*sending->modification].id + " (" + what + ")";
    return what + " " + to.id + " at " + to.connector;
  }
  if (const auto* waiting = std::get_if<flow::wait>(&action)) {
    if (waiting->until == steady_time::max()) return "waits for news";
    const auto length = std::chrono::duration_cast<milliseconds>(waiting->until - now.steady);
    return "waits " + std::to_string(length.count()) + " ms";
  }
  if (std::holds_alternative<flow::choose>(action)) return "asks the router";
  if (std::holds_alternative<flow::answer>(action)) return "answers " + std::string(to_string(record.status));
  return std::holds_alternative<flow::finish>(action) ? "is done" : "goes on with what is under way";
}

}  // namespace

bool is_open(const payments::payment& record) {
  if (!is_final(record.status) || has_pending_modification(record)) return true;
  return std::any_of(record.attempts.begin(), record.attempts.end(), [](const payments::attempt& each) {
    return each.unresolved() || each.reversal == payments::reversal_state::wanted;
  });
}

/// Reads along, and checks what only the core knows.
class proxy::watcher final : public core::observer {
 public:
  watcher(const surroundings& around, const configuration& config) : around_(around), config_(config) {}

  void on_step(const payments::payment& record, payments::payment_status before, const flow::event& event,
               const flow::action& action) override {
    if (around_.reached != nullptr) around_.reached->step(before, event, action);
    if (around_.told == nullptr) return;
    around_.told->tell(record.id, "proxy", describe(event) + "; " + describe(action, record, around_.time.now()));
  }
  void on_decision(const payments::payment& record, const routing::decision& made) override {
    const bool first = record.attempts.empty() && !made.order.empty();
    if (first && config_->find(made.order.front().connector) == nullptr)
      around_.violations.push_back("reload: " + record.id + " is new and goes to " +
                                   std::string(made.order.front().connector) + ", which was removed");
  }
  void on_send(const payments::attempt&, payments::send_kind kind, const payments::send_result& result) override {
    around_.cards.read(result);
    if (around_.reached != nullptr) around_.reached->send(kind, result);
  }
  void on_modification_send(const payments::attempt&, payments::operation asked,
                            const payments::send_result& result) override {
    around_.cards.read(result);
    if (around_.reached != nullptr) around_.reached->modification_send(asked, result);
  }
  void on_attempt(const payments::payment&, const payments::attempt&) override {}
  void on_modification(const payments::payment&, const payments::modification&) override {}
  void on_failover(std::string_view, std::string_view, std::string_view) override {}
  void on_reversal(std::string_view, std::string_view) override {}
  void on_answer(const payments::payment&, milliseconds) override {}
  void on_final(const payments::payment&) override {}
  void on_resolution(const payments::payment&, const payments::resolution&) override {}
  void on_delayed(std::string_view) override {}
  void on_gateway_recovered(std::string_view) override {}
  void on_invariant_violation(std::string_view invariant, std::string_view) override {
    if (invariant == "late_approval") ++around_.late_approvals;
  }

 private:
  surroundings around_;
  const configuration& config_;
};

void proxy::deleter::operator()(watcher* what) const { delete what; }

proxy::proxy(const surroundings& around, scheduler::life whose, std::uint64_t seed, std::size_t engines,
             configuration config)
    : time_(around.time),
      disk_(around.journal),
      broken_(around.broken),
      life_(whose),
      clock_(around.time, whose),
      journal_(around.journal.open(whose)),
      transport_(around.gateways, around.time, whose, around.journal, around.broken, around.violations),
      random_(seed),
      watcher_(new watcher(around, config_)),
      routing_(routing::create_router(), policies::retry_budget(1.0, 100)),
      config_(std::move(config)) {
  for (std::size_t i = 0; i < engines; ++i) {
    engines_.push_back(std::make_unique<core::engine>(
        core::engine::ports{*journal_, transport_, clock_, random_}, routing_, *watcher_, config_,
        [](const routing::decision&, const core::decision_context&) { return std::string("{}"); },
        core::ownership{i, engines}));
    engines_.back()->on_gateway_recovered = [this](const std::string& name) {
      for (const auto& each : engines_)
        time_.after(0ms, life_, [engine = each.get(), name] { engine->gateway_recovered(name); });
    };
    engines_.back()->make_return_url = [](std::string_view payment, wall_time) {
      return "https://turnout.invalid/" + std::string(payment);
    };
  }
}

void proxy::recover() {
  std::vector<const payments::payment*> open;
  for (const auto& [id, record] : disk_.payments())
    if (is_open(record)) open.push_back(&record);
  std::sort(open.begin(), open.end(), [](const auto* a, const auto* b) { return a->id < b->id; });
  for (const payments::payment* each : open) owner_of(each->id).recover(*each);
}

void proxy::configure(configuration config) {
  config_ = std::move(config);
  for (const auto& each : engines_)
    if (broken_ == nullptr || !broken_->ignores_reload || each != engines_.front()) each->configure(config_);
}

void proxy::drain() {
  for (const auto& each : engines_) each->drain();
}

void proxy::look_at_due() {
  std::vector<std::string> due;
  for (const std::string& id : disk_.due()) {
    const auto at = due_at(*disk_.find(id));
    if (at && *at <= time_.now().wall) due.push_back(id);
  }
  for (const std::string& id : due) owner_of(id).look_at(id);
}

core::engine& proxy::owner_of(const std::string& payment) {
  if (broken_ != nullptr && broken_->anyone_modifies) return any(random_.next());
  return *engines_[core::ownership::of(payment, engines_.size())];
}

}  // namespace turnout::simulation
