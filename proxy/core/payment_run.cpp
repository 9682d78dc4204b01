#include "proxy/core/payment_run.hpp"

#include <algorithm>
#include <exception>
#include <utility>

#include "payments/assertion.hpp"
#include "payments/identifier.hpp"
#include "proxy/core/card_echo.hpp"
#include "proxy/core/idempotency.hpp"
#include "proxy/core/routing_input.hpp"

namespace turnout::core {

namespace flow = payments::flow;
using payments::outcome;
using payments::send_kind;

namespace {

// A commit that the journal could not take is tried again after this long.
constexpr payments::milliseconds commit_retry{200};
// How long a shopper who is back waits for the result, and how often the
// gateway is asked meanwhile; no more of them than that at a time.
constexpr payments::milliseconds shopper_patience{4000};
constexpr payments::milliseconds shopper_interval{1000};
constexpr std::size_t most_shoppers = 16;

/// What may be said of a payment whose latest step is not durable yet.
payments::payment as_processing(const payments::payment& record) {
  payments::payment told = record;
  told.status = payments::payment_status::processing;
  told.amount_authorized = told.amount_captured = 0;
  told.connector.clear();
  told.error.reset();
  told.attempts.clear();
  return told;
}

}  // namespace

std::optional<payments::payment> read_durable(journal& records, std::string_view payment) {
  try {
    return records.find_payment(payment);
  } catch (const std::exception&) {
    return std::nullopt;
  }
}

void payment_run::feed(flow::event event) {
  inbox_.push_back(std::move(event));
  pump();
}

// Events wait while a commit is under way (the record is being written) and
// while another one is being handled.
void payment_run::pump() {
  if (pumping_) return;
  pumping_ = true;
  const auto self = shared_from_this();
  while (!inbox_.empty() && !committing_ && !ended_) {
    auto next = std::move(inbox_.front());
    inbox_.pop_front();
    if (auto* asked = std::get_if<modify_request>(&next)) {
      take_on(std::move(*asked));
      continue;
    }
    if (auto* asked = std::get_if<resolve_request>(&next)) {
      take_word(std::move(*asked));
      continue;
    }
    const auto& event = std::get<flow::event>(next);
    if (const auto* leave = std::get_if<flow::permitted>(&event)) leave_ = leave->connector;
    flow::action action = decide(event);
    leave_.clear();  // it is not kept for later
    perform(std::move(action));
  }
  pumping_ = false;
  if (flow_.finished() && inbox_.empty() && !committing_ && !ended_) end();
}

flow::action payment_run::decide(const flow::event& event) {
  const payments::payment_status before = flow_.record().status;
  flow::action action = flow_.resume(event, now(), home_.world.random);
  home_.watcher.on_step(flow_.record(), before, event, action);
  return action;
}

void payment_run::perform(flow::action action) {
  if (!flow_.needs_card()) card_.wipe();
  std::vector<payments::payment_event> events = flow_.take_events();
  std::move(events.begin(), events.end(), std::back_inserter(uncommitted_));
  // A choice needs no commit of its own: it becomes durable with the attempt it leads to.
  if ((uncommitted_.empty() && !claim_) || std::holds_alternative<flow::choose>(action)) return act(action);
  commit_then(std::move(action));
}

// Everything that led to the action is durable before the action is performed.
void payment_run::commit_then(flow::action action) {
  TURNOUT_ASSERT(!committing_);
  committing_ = true;
  const auto self = shared_from_this();
  const auto write = std::make_shared<journal_write>();
  // Shares ownership of the whole run: the flow's record lives inside it.
  write->record = std::shared_ptr<const payments::payment>(self, &flow_.record());
  write->events = std::exchange(uncommitted_, {});
  write->decisions = std::exchange(decisions_, {});
  write->create = create_;
  write->takes_on = before_.has_value();
  write->claim = std::exchange(claim_, std::nullopt);
  write->unique_reference = unique_reference_;
  if (std::holds_alternative<flow::answer>(action) && render_) {
    rendered_ = render_(flow_.record());
    if (has_key_ && is_final(flow_.record().status)) write->answers.push_back({{}, *rendered_});
  }
  render_settled(*write);
  commit({action, write});
}

void payment_run::commit(step taken) {
  auto write = taken.write;
  home_.world.journal.commit(std::move(write),
                             [self = shared_from_this(), taken = std::move(taken)](commit_result result) {
                               self->committed(taken, std::move(result));
                             });
}

void payment_run::committed(const step& taken, commit_result result) {
  const auto self = shared_from_this();
  if (result.status == commit_status::unavailable) return commit_refused(taken);
  if (result.status == commit_status::key_exists) {
    TURNOUT_ASSERT(taken.write->claim && result.existing);
    if (!create_) {
      const bool same = result.existing->mac == taken.write->claim->mac;
      return take_back({.status = same ? modify_status::in_progress : modify_status::key_reused});
    }
    reply(answer_from(home_.world.journal, *taken.write->claim, std::move(*result.existing)));
    return end();
  }
  if (result.status == commit_status::reference_taken) {
    TURNOUT_ASSERT(create_ && result.existing);
    create_result refused{.status = create_status::reference_taken};
    refused.existing = std::move(result.existing->payment_id);
    reply(std::move(refused));
    return end();
  }
  committing_ = false;
  create_ = false;
  before_.reset();
  // Whoever is told may ask for more at once: that comes after the action.
  pumping_ = true;
  tell_settled();
  observe_events(taken.write->events);
  if (resolver_) tell_resolver({resolve_status::resolved, resolver_->follows, flow_.record()});
  if (is_final(flow_.record().status)) tell_shoppers();
  act(taken.action);
  pumping_ = false;
  pump();
}

// Nothing was written. A new payment is refused whole: nothing was sent for
// it. A later step is tried again until it is durable; a merchant who waits
// is told what the journal has: processing.
void payment_run::commit_refused(const step& taken) {
  if (create_) {
    // The key may have been used before: then its payment must not be denied.
    std::optional<create_result> earlier;
    if (const auto& claim = taken.write->claim)
      earlier = find_answer(home_.world.journal, flow_.record().merchant, flow_.record().livemode, *claim);
    reply(earlier ? std::move(*earlier) : create_result{.status = create_status::unavailable});
    return end();
  }
  if (before_) return take_back({.status = modify_status::unavailable});
  refuse_waiting();
  tell_overdue();
  if (done_ && now().steady >= flow_.deadline()) {
    create_result told{.status = create_status::answered};
    told.answer = render_(as_processing(flow_.record()));
    reply(std::move(told));
  }
  home_.world.clock.call_at(now().steady + commit_retry, [self = shared_from_this(), taken] { self->commit(taken); });
}

void payment_run::act(const flow::action& action) {
  if (std::holds_alternative<flow::choose>(action)) return ask_router();
  if (const auto* sending = std::get_if<flow::send>(&action)) return send(*sending);
  if (const auto* waiting = std::get_if<flow::wait>(&action)) return wait(waiting->until);
  if (std::holds_alternative<flow::answer>(action)) {
    tell_merchant();
    return feed(flow::timer{});
  }
}

// A connector of the other mode has the name, and is another account: test
// payments never reach a live one, nor the other way.
const connectors::definition* payment_run::gateway(std::string_view name) const noexcept {
  const bool live = flow_.record().livemode;
  const connectors::definition* own = config_->find(name);
  if (own != nullptr && own->profile().live == live) return own;
  for (const auto& each : adopted_)
    if (const connectors::definition* found = each->find(name); found != nullptr && found->profile().live == live)
      return found;
  return nullptr;
}

void payment_run::adopt(const std::shared_ptr<const configuration>& config) {
  std::vector<std::string> back;
  for (const payments::attempt& each : flow_.record().attempts)
    if (const connectors::definition* offered = config->find(each.connector);
        offered != nullptr && offered->profile().live == flow_.record().livemode && flow_.waits_for(each.connector) &&
        gateway(each.connector) == nullptr)
      back.push_back(each.connector);
  if (back.empty()) return;
  adopted_.push_back(config);
  for (std::string& each : back) feed(flow::gateway_recovered{std::move(each)});
}

routing::request payment_run::routing_request() const { return routing_request_of(flow_.record(), policy_.retry); }

void payment_run::ask_router() {
  const payments::payment& record = flow_.record();
  const instant at = now();
  std::vector<routing::tried> tried;
  for (const payments::attempt& each : record.attempts) tried.push_back({each.connector, each.outcome, each.reason});
  const routing::request asked = routing_request();
  bool budget_spent = false;
  home_.routing.with([&](routing::router& router, policies::retry_budget&) {
    decision_ = router.choose(asked, policy_.route, candidates_.candidates, tried, at, home_.world.random);
    if (record.attempts.empty())
      home_.routing.on_payment(policy_, at.steady);
    else if (!decision_.order.empty())
      budget_spent = !home_.routing.withdraw(policy_, at.steady);
  });
  decision_.segment = routing::describe_segment(asked);
  decision_.excluded.insert(decision_.excluded.begin(), candidates_.excluded.begin(), candidates_.excluded.end());
  const decision_context on{policy_.name, config_->policies.version, config_->version, at.wall};
  decisions_.push_back(home_.explain(decision_, on));
  home_.watcher.on_decision(record, decision_);
  if (budget_spent) return feed(flow::no_candidate{"retry_budget_exhausted"});
  if (decision_.order.empty())
    return feed(flow::no_candidate{record.attempts.empty() ? "no_connector" : "no_gateway_available"});
  const connectors::definition* chosen = config_->find(decision_.order.front().connector);
  TURNOUT_ASSERT(chosen != nullptr);
  if (!record.attempts.empty()) {
    const payments::attempt& last = record.attempts.back();
    home_.watcher.on_failover(last.connector, chosen->profile().name, to_string(last.outcome));
  }
  const bool sale =
      record.capture == payments::capture_mode::automatic && chosen->profile().offers(payments::operation::sale);
  const auto operation = sale ? payments::operation::sale : payments::operation::authorize;
  feed(flow::chosen{&chosen->profile(), payments::make_identifier("att", at.wall, home_.world.random), operation,
                    record.amount});
}

payments::operation payment_run::operation_of(const flow::send& what) const {
  switch (what.kind) {
    case send_kind::inquire: return payments::operation::inquire;
    case send_kind::reverse: return what.undo.value_or(payments::operation::reverse);
    case send_kind::modify: return flow_.record().modifications[*what.modification].operation;
    case send_kind::charge:
    case send_kind::replay: break;
  }
  return flow_.record().attempts[what.attempt].operation;
}

std::string payment_run::sent_reference(const flow::send& what) const {
  // A reversal goes by the attempt's own reference, whoever asks for it.
  if (what.undo) {
    // A key that was refused may give back that refusal for as long as it lives.
    const std::string own = flow_.record().attempts[what.attempt].id + "-" + std::string(to_string(*what.undo));
    return what.undo_try == 0 ? own : own + "-" + std::to_string(what.undo_try);
  }
  if (what.kind != send_kind::modify || operation_of(what) == payments::operation::reverse)
    return flow_.record().attempts[what.attempt].id;
  const payments::modification& asked = flow_.record().modifications[*what.modification];
  // A void that stands for a refund is another request than the refund, should it come to that.
  const bool stands_in =
      asked.kind == payments::modification_kind::refund && asked.operation == payments::operation::void_payment;
  return stands_in ? asked.id + "-void" : asked.id;
}

void payment_run::send(const flow::send& what) {
  const payments::payment& record = flow_.record();
  const payments::attempt& attempt = record.attempts[what.attempt];
  const connectors::definition* peer = gateway(attempt.connector);
  TURNOUT_ASSERT(peer != nullptr);
  const auto self = shared_from_this();
  if (what.undo) return send_undo(*peer, what);
  if (what.modification) {
    const connectors::request_context context{record, attempt, nullptr, nullptr};
    payments::modification shown = record.modifications[*what.modification];
    const payments::operation operation = operation_of(what);
    shown.id = sent_reference(what);
    const bool modifies = what.kind == send_kind::modify && operation != payments::operation::reverse;
    const connectors::request_context with_it{record, attempt, nullptr, &shown};
    home_.world.transport.send(
        *peer, peer->build_request(operation, modifies ? with_it : context), what.deadline,
        [self, what](exchange came_back) { self->modification_sent(what, std::move(came_back)); });
    return;
  }
  const payments::operation operation = operation_of(what);
  const bool charges = what.kind == send_kind::charge || what.kind == send_kind::replay;
  std::string return_url;
  if (charges && !record.return_url.empty() && home_.owner.make_return_url) {
    // A replay builds the same bytes: the time is the attempt's own.
    const payments::retry_plan& plan = policy_.retry;
    return_url = home_.owner.make_return_url(record.id, attempt.started_at + plan.deadline + plan.action_expires_after);
  }
  const connectors::request_context context{record, attempt, charges ? &card_ : nullptr, nullptr, return_url};
  if (what.kind == send_kind::charge) {
    const routing::request asked = routing_request();
    home_.routing.with(
        [&](routing::router& router, policies::retry_budget&) { router.on_sent(asked, decision_, now()); });
  }
  home_.world.transport.send(*peer, peer->build_request(operation, context), what.deadline,
                             [self, what](exchange came_back) { self->sent(what, std::move(came_back)); });
}

// The void or full refund that gives back what may not stand. Its idempotency
// key is the attempt's with the operation, the same one until it is refused.
void payment_run::send_undo(const connectors::definition& peer, const flow::send& what) {
  const payments::payment& record = flow_.record();
  payments::attempt about = record.attempts[what.attempt];
  payments::modification undo{.kind = payments::modification_kind::refund,
                              .operation = *what.undo,
                              .amount = about.found_amount.value_or(about.amount.minor)};
  undo.id = sent_reference(what);
  undo.reason = about.reversal_reason;
  if (!about.twin_of.empty()) about.id = about.twin_of;  // the reference that the gateway knows
  const connectors::request_context context{record, about, nullptr, &undo};
  const auto self = shared_from_this();
  home_.world.transport.send(peer, peer.build_request(*what.undo, context), what.deadline,
                             [self, what](exchange came_back) { self->sent(what, std::move(came_back)); });
}

payments::send_result payment_run::read(const payments::attempt& attempt, payments::operation operation,
                                        const payments::money& amount, std::string_view reference, exchange came_back) {
  payments::send_result result;
  if (came_back.error.empty()) {
    const connectors::definition& peer = *gateway(attempt.connector);
    result = peer.parse_response(operation, came_back.reply, amount);
    if (result.echo && *result.echo != reference) {
      // Somebody else's answer proves nothing of this request, whatever it says.
      result = {};
      result.foreign = true;
      result.code = "foreign_answer";
      home_.world.transport.distrust(peer);
    }
    forget_card(result, operation, flow_.record().card, card_.reveal_cvc());
    result.answered = true;
    result.carried = true;
  } else {
    // Only "no byte left this process" proves that nothing was processed.
    result.result = came_back.carried ? outcome::unknown : outcome::not_sent;
    result.code = std::move(came_back.error);
    result.carried = came_back.carried;
  }
  result.latency = came_back.latency;
  return result;
}

void payment_run::sent(const flow::send& what, exchange came_back) {
  const payments::payment& record = flow_.record();
  const payments::attempt& attempt = record.attempts[what.attempt];
  const payments::operation operation = operation_of(what);
  const payments::money amount{what.undo ? attempt.found_amount.value_or(attempt.amount.minor) : attempt.amount.minor,
                               attempt.amount.unit};
  payments::send_result result = read(attempt, operation, amount, sent_reference(what), std::move(came_back));
  home_.watcher.on_send(attempt, what.kind, result);
  if (what.kind == send_kind::charge) {
    const routing::request asked = routing_request();
    home_.routing.with(
        [&](routing::router& router, policies::retry_budget&) { router.observe(asked, decision_, result, now()); });
  }
  const std::string connector = attempt.connector;
  feed(flow::sent{result});
  home_.note_health(connector, result, now());
}

void payment_run::wait(steady_time until) {
  if (std::exchange(timer_set_, false)) home_.world.clock.cancel(timer_);
  if (until == steady_time::max()) return;
  const auto self = shared_from_this();
  timer_set_ = true;
  timer_ = home_.world.clock.call_at(until, [self] {
    self->timer_set_ = false;
    self->feed(flow::timer{});
  });
}

// The line is kept by gateway_pacing; who waits in it again as urgent moves up.
bool payment_run::may_send(std::string_view connector) {
  if (leave_ == connector) {
    leave_.clear();
    return true;
  }
  gateway_pacing& pacing = home_.routing.pacing();
  const auto known = places_.find(connector);
  const bool urgent = somebody_waits();
  if (known != places_.end()) {
    if (known->second.urgent == urgent) return false;
    pacing.give_up(connector, known->second.ticket);
    home_.in_line.erase(known->second.ticket);
    places_.erase(known);
  }
  const double rate = gateway(connector)->profile().resolve.sends_per_second;
  const auto ticket = pacing.ask({connector, rate, home_.own.index, urgent, flow_.record().created_at}, now().steady);
  if (!ticket) return true;
  places_.emplace(connector, place_in_line{*ticket, urgent});
  home_.in_line.emplace(*ticket, weak_from_this());
  home_.watcher.on_delayed(connector);
  home_.watch_line();
  return false;
}

void payment_run::permit(gateway_pacing::ticket ticket) {
  const auto found =
      std::find_if(places_.begin(), places_.end(), [&](const auto& each) { return each.second.ticket == ticket; });
  if (found == places_.end()) return;
  std::string connector = found->first;
  places_.erase(found);
  feed(flow::permitted{std::move(connector)});
}

void payment_run::probe(const std::string& connector) {
  last_probe_ = now().steady;
  feed(flow::gateway_recovered{connector});
}

void payment_run::tell_merchant() {
  if (!done_) return;
  TURNOUT_ASSERT(rendered_.has_value());
  create_result told{.status = create_status::answered};
  told.answer = std::move(*rendered_);
  rendered_.reset();
  reply(std::move(told));
}

void payment_run::reply(create_result result) {
  if (!done_) return;
  if (result.status == create_status::answered) {
    const auto taken = std::chrono::duration_cast<payments::milliseconds>(now().steady - arrival_.steady);
    home_.watcher.on_answer(flow_.record(), taken);
  }
  --home_.unanswered;
  std::exchange(done_, nullptr)(std::move(result));
}

void payment_run::shopper_returned(std::function<void(std::optional<payments::payment>)> done) {
  if (shoppers_.size() == most_shoppers) return done(read_durable(home_.world.journal, flow_.record().id));
  shoppers_.push_back(std::move(done));
  if (shoppers_.size() > 1) return;  // somebody is back already: one asks for all
  shoppers_until_ = now().steady + shopper_patience;
  ask_for_shoppers();
}

// Many gateways know the result a moment after they sent the shopper back.
void payment_run::ask_for_shoppers() {
  if (shoppers_.empty()) return;
  const bool told = is_final(flow_.record().status) && !committing_ && uncommitted_.empty();
  if (told || now().steady >= shoppers_until_) return tell_shoppers();
  const auto self = shared_from_this();
  home_.world.clock.call_at(now().steady + shopper_interval, [self] { self->ask_for_shoppers(); });
  std::vector<std::string> waiting;
  for (const payments::attempt& each : flow_.record().attempts)
    if (flow_.waits_for(each.connector)) waiting.push_back(each.connector);
  for (std::string& connector : waiting) feed(flow::gateway_recovered{std::move(connector)});
}

// What is not durable is not told: while it is being written the journal is asked.
void payment_run::tell_shoppers() {
  if (shoppers_.empty()) return;
  const std::optional<payments::payment> known = known_durable();
  for (auto& done : std::exchange(shoppers_, {})) done(known);
}

std::optional<payments::payment> payment_run::known_durable() {
  if (!committing_ && uncommitted_.empty()) return flow_.record();
  return read_durable(home_.world.journal, flow_.record().id);
}

void payment_run::observe_events(const std::vector<payments::payment_event>& events) {
  using type = payments::payment_event_type;
  const payments::payment& record = flow_.record();
  for (const payments::payment_event& each : events) {
    const auto attempt = std::find_if(record.attempts.begin(), record.attempts.end(),
                                      [&](const payments::attempt& one) { return one.id == each.attempt; });
    const bool found = attempt != record.attempts.end();
    if (found && (each.type == type::attempt_ended || each.type == type::attempt_resolved))
      home_.watcher.on_attempt(record, *attempt);
    const auto ended =
        std::find_if(record.modifications.begin(), record.modifications.end(), [&](const payments::modification& one) {
          return one.id == each.attempt && one.status != payments::modification_status::pending;
        });
    if (each.type == type::modification_ended && ended != record.modifications.end())
      home_.watcher.on_modification(record, *ended);
    if (found && each.type == type::reversal_wanted) home_.watcher.on_reversal(attempt->connector, "wanted");
    if (found && each.type == type::reversal_confirmed) home_.watcher.on_reversal(attempt->connector, "confirmed");
    if (each.type == type::resolved_by_person)
      for (const payments::resolution& word : record.resolutions)
        if (word.target == each.attempt && word.at == each.at) home_.watcher.on_resolution(record, word);
    if (each.type == type::wrong_amount) home_.watcher.on_invariant_violation("wrong_amount", record.id);
    if (each.type == type::late_approval) home_.watcher.on_invariant_violation("late_approval", record.id);
    if (each.type == type::finished) home_.watcher.on_final(record);
  }
}

void payment_run::end() {
  ended_ = true;
  for (const auto& [connector, place] : std::exchange(places_, {})) {
    home_.routing.pacing().give_up(connector, place.ticket);
    home_.in_line.erase(place.ticket);
  }
  home_.live.erase(flow_.record().id);  // first: whoever is told may ask for more, and that needs a run that goes on
  while (!waiters_.empty()) tell(waiters_.begin(), {.status = modify_status::unavailable});
  refuse_waiting();
  if (resolver_) tell_resolver({resolve_status::unavailable, "the payment was given up", {}});
  inbox_.clear();
  card_.wipe();
  if (std::exchange(timer_set_, false)) home_.world.clock.cancel(timer_);
  tell_shoppers();
  if (done_) {
    --home_.unanswered;
    done_ = nullptr;
  }
}

}  // namespace turnout::core
