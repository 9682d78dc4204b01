// Takes payments in and hands each to a run of its own. See ports.hpp for threading.
#include "proxy/core/engine.hpp"

#include <algorithm>
#include <utility>

#include "payments/identifier.hpp"
#include "proxy/core/candidates.hpp"
#include "proxy/core/idempotency.hpp"
#include "proxy/core/payment_run.hpp"

namespace turnout::core {

namespace flow = payments::flow;
using payments::outcome;

namespace {

// Who waits for a gateway that recovers is woken in batches: a thousand
// inquiries at once would bring it down again.
constexpr std::size_t wake_batch = 200;
constexpr payments::milliseconds wake_interval{500};
constexpr payments::milliseconds wake_pause{2000};

/// An id of a payment that belongs to this engine: one in `owners` does.
std::string make_own_id(const ownership& own, wall_time now, random_source& random) {
  std::string id;
  do id = payments::make_identifier("pay", now, random);
  while (!own.has(id));
  return id;
}

payments::payment new_record(const create_command& command, const policies::policy& policy, const ownership& own,
                             random_source& random) {
  const payments::payment_request& wish = command.request;
  payments::payment record{.merchant = wish.merchant, .livemode = wish.livemode, .amount = wish.amount};
  record.id = make_own_id(own, command.arrival.wall, random);
  record.capture = wish.capture;
  record.method = wish.method;
  record.card = command.card.summary();
  record.card.fingerprint = command.card_fingerprint;
  record.reference = wish.reference;
  record.buyer = wish.buyer;
  record.return_url = wish.return_url;
  record.metadata = wish.metadata;
  record.authentication = wish.authentication;
  record.policy = policy.name;
  record.created_at = record.updated_at = command.arrival.wall;
  return record;
}

/// A capture, refund or void at this attempt's gateway may have been done.
bool in_doubt(const payment_run& run, const payments::attempt& at) {
  if (!at.stands()) return false;
  const auto& all = run.flow().record().modifications;
  return std::any_of(all.begin(), all.end(), [](const payments::modification& each) { return each.doubtful; });
}

}  // namespace

void engine::implementation::note_health(const std::string& connector, const payments::send_result& result,
                                         instant now) {
  // Our own limits say nothing about the gateway.
  if (result.code == "too_many_connections" || result.code == "deadline_passed") return;
  health& known = gateways[connector];
  const bool definite =
      result.not_found || (result.answered && result.result != outcome::unknown && result.result != outcome::not_sent);
  if (!definite) {
    known.troubled |= result.result == outcome::unknown || !result.answered;
    return;
  }
  // A gateway that flickers wakes everybody now and then, not each time.
  if (!std::exchange(known.troubled, false) || now.steady < known.last_wake + wake_pause) return;
  known.last_wake = now.steady;
  if (owner.on_gateway_recovered) owner.on_gateway_recovered(connector);
}

void engine::implementation::wake(const std::string& connector, std::vector<std::shared_ptr<payment_run>> waiting) {
  std::size_t woken = 0;
  while (!waiting.empty() && woken < wake_batch) {
    const std::shared_ptr<payment_run> next = std::move(waiting.back());
    waiting.pop_back();
    if (!next->flow().waits_for(connector)) continue;
    next->feed(flow::gateway_recovered{connector});
    ++woken;
  }
  if (waiting.empty()) return;
  world.clock.call_at(world.clock.now().steady + wake_interval,
                      [home = owner.implementation_, connector, rest = std::move(waiting)]() mutable {
                        home->wake(connector, std::move(rest));
                      });
}

std::shared_ptr<payment_run> engine::implementation::take_up(payments::payment record) {
  const std::string id = record.id;
  // Nobody else is tried for it: of a policy it needs only that there is one.
  static const policies::policy after_restart{.name = "", .retry = payments::default_retry_plan()};
  auto run =
      std::make_shared<payment_run>(*this, std::move(record), after_restart, world.clock.now(), payments::card{});
  live.emplace(id, run);
  return run;
}

std::shared_ptr<payment_run> engine::implementation::open(const std::string& payment_id) {
  if (const auto known = live.find(payment_id); known != live.end()) return known->second;
  std::optional<payments::payment> record = world.journal.find_payment(payment_id);
  if (!record) return nullptr;
  const bool settled = is_final(record->status);
  std::shared_ptr<payment_run> run = take_up(std::move(*record));
  settled ? run->reopen() : run->recover();
  return run;
}

engine::engine(ports world, shared_routing& routing, observer& watcher, std::shared_ptr<const configuration> config,
               decision_writer explain, ownership own)
    : implementation_(std::make_shared<implementation>(implementation{
          world, routing, watcher, std::move(config), std::move(explain), own, *this, false, 0, {}, {}})) {}

engine::~engine() = default;

void engine::create(create_command command, std::function<void(create_result)> done) {
  implementation& home = *implementation_;
  const policies::match_input input{.merchant = command.request.merchant,
                                    .method = command.request.method,
                                    .brand = command.card.brand(),
                                    .bin = command.card.reveal_number().substr(0, 6),
                                    .customer_country = command.request.buyer.country,
                                    .amount = command.request.amount,
                                    .capture = command.request.capture};
  // Rate feeds are not part of this version: amounts compare within one currency only.
  const policies::amount_lookup no_rates = [](const payments::money& amount, payments::currency to) {
    return amount.unit == to ? std::optional(amount) : std::nullopt;
  };
  const policies::policy_choice choice = policies::select(home.config->policies, input, no_rates);
  std::optional<create_result> refusal;
  std::optional<payments::payment> record;
  candidate_set found;
  if (home.draining) {
    refusal = create_result{.status = create_status::unavailable};
  } else if (choice.rate_unavailable) {
    refusal = create_result{.status = create_status::rate_unavailable};
  } else if (choice.chosen == nullptr) {
    refusal = create_result{.status = create_status::no_policy};
  } else {
    record = new_record(command, *choice.chosen, home.own, home.world.random);
    found = find_candidates(*home.config, choice.chosen->route, *record);
    if (found.candidates.empty())
      refusal = create_result{.status = create_status::no_candidate, .excluded = std::move(found.excluded)};
  }
  if (refusal) {
    // A key that was used before is answered from what it did then, even if
    // the same request would be refused today.
    std::optional<create_result> earlier;
    if (command.claim)
      earlier = find_answer(home.world.journal, command.request.merchant, command.request.livemode, *command.claim);
    return done(earlier ? std::move(*earlier) : std::move(*refusal));
  }
  ++home.unanswered;
  const std::string id = record->id;
  auto run =
      std::make_shared<payment_run>(home, std::move(*record), *choice.chosen, command.arrival, std::move(command.card));
  home.live.emplace(id, run);
  run->start(std::move(found), std::move(command.claim), command.unique_reference, std::move(command.render),
             std::move(done));
}

void engine::modify(modify_command command, std::function<void(modify_result)> done) {
  if (implementation_->draining) return done({.status = modify_status::unavailable});
  std::shared_ptr<payment_run> run;
  try {
    run = implementation_->open(command.payment_id);
  } catch (const std::exception&) {
    return done({.status = modify_status::unavailable});
  }
  const bool own =
      run && run->flow().record().merchant == command.merchant && run->flow().record().livemode == command.livemode;
  if (own)
    run->modify(std::move(command), std::move(done));
  else
    done({.status = modify_status::not_found});
  if (run) run->pump();
}

bool engine::look_at(const std::string& payment_id) {
  if (implementation_->draining) return true;
  std::shared_ptr<payment_run> run;
  try {
    run = implementation_->open(payment_id);
  } catch (const std::exception&) {
    return false;
  }
  if (run) run->feed(flow::timer{});  // one that is live may be waiting for something else
  return true;
}

void engine::recover(payments::payment record) { implementation_->take_up(std::move(record))->recover(); }

void engine::configure(std::shared_ptr<const configuration> config) {
  implementation_->config = std::move(config);
  std::vector<std::shared_ptr<payment_run>> runs;  // adopting may end a run
  for (const auto& [id, run] : implementation_->live) runs.push_back(run);
  for (const auto& run : runs) run->adopt(implementation_->config);
}

void engine::gateway_recovered(std::string_view connector) {
  std::vector<std::shared_ptr<payment_run>> waiting;
  for (const auto& [id, run] : implementation_->live)
    if (run->flow().waits_for(connector)) waiting.push_back(run);
  implementation_->wake(std::string(connector), std::move(waiting));
}

void engine::shopper_returned(std::string_view payment, std::function<void(std::optional<payments::payment>)> done) {
  implementation& home = *implementation_;
  const auto found = home.live.find(std::string(payment));
  if (found == home.live.end()) return done(read_durable(home.world.journal, payment));
  const std::shared_ptr<payment_run> run = found->second;
  run->shopper_returned(std::move(done));
}

void engine::drain() { implementation_->draining = true; }

std::size_t engine::unanswered() const noexcept { return implementation_->unanswered; }

std::vector<engine::unresolved_view> engine::unresolved(instant now) const {
  std::vector<unresolved_view> views;
  for (const auto& [id, run] : implementation_->live) {
    const auto since = run->flow().unresolved_since();
    if (!since || !run->flow().record().answered) continue;
    // A shopper who takes their time is no gateway's trouble.
    if (run->flow().record().status == payments::payment_status::requires_action) continue;
    for (const payments::attempt& each : run->flow().record().attempts) {
      if (!each.unresolved() && each.reversal != payments::reversal_state::wanted && !in_doubt(*run, each)) continue;
      const auto age = std::chrono::duration_cast<payments::milliseconds>(now.steady - *since);
      const auto known = std::find_if(views.begin(), views.end(),
                                      [&](const unresolved_view& view) { return view.connector == each.connector; });
      if (known == views.end()) {
        views.push_back({each.connector, 1, age});
      } else {
        ++known->count;
        known->oldest = std::max(known->oldest, age);
      }
    }
  }
  return views;
}

}  // namespace turnout::core
