// Takes payments in and hands each to a run of its own. See ports.hpp for threading.
#include "proxy/core/engine.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "payments/identifier.hpp"
#include "proxy/core/candidates.hpp"
#include "proxy/core/idempotency.hpp"
#include "proxy/core/payment_run.hpp"
#include "proxy/core/routing_input.hpp"

namespace turnout::core {

namespace flow = payments::flow;
using payments::outcome;

namespace {

// How often it is looked at gateways that give no definite answers; with jitter, so that several proxies
// do not ask in step.
constexpr payments::milliseconds probe_look{500};
constexpr std::size_t most_in_line = 10'000;
// Those in line are served in steps of at least this length.
constexpr payments::milliseconds serve_interval{5};

/// An id of a payment that belongs to this engine: one in `owners` does.
std::string make_own_id(const ownership& own, wall_time now, random_source& random) {
  std::string id;
  do id = payments::make_identifier("pay", now, random);
  while (!own.has(id));
  return id;
}

payments::payment new_record(const create_command& command, const policies::policy& policy, const ownership& own,
                             random_source& random) {
  payments::payment record = record_of(command.request, command.card);
  record.id = make_own_id(own, command.arrival.wall, random);
  record.card.fingerprint = command.card_fingerprint;
  record.policy = policy.name;
  record.created_at = record.updated_at = command.arrival.wall;
  return record;
}

}  // namespace

void engine::implementation::note_health(const std::string& connector, const payments::send_result& result,
                                         instant now) {
  // Our own limits say nothing about the gateway.
  if (result.code == "too_many_connections" || result.code == "deadline_passed") return;
  const bool definite =
      result.not_found || (result.answered && result.result != outcome::unknown && result.result != outcome::not_sent);
  if (!definite && result.answered && result.result != outcome::unknown) return;
  const bool back = routing.pacing().observe(connector, definite, now.steady - result.latency, now.steady);
  if (!definite) watch_gateways();
  if (!back) return;
  watcher.on_gateway_recovered(connector);
  if (owner.on_gateway_recovered) owner.on_gateway_recovered(connector);
}

std::function<void()> engine::implementation::if_alive(void (implementation::*what)()) {
  return [home = std::weak_ptr(owner.implementation_), what] {
    if (const auto alive = home.lock()) ((*alive).*what)();
  };
}

void engine::implementation::watch_line() {
  const steady_time now = world.clock.now().steady;
  steady_time at = routing.pacing().next_grant(own.index, now);
  if (at != steady_time::max()) at = std::max(at, now + serve_interval);
  if (at >= pacing_at) return;  // it is looked at before
  if (pacing_at != steady_time::max()) world.clock.cancel(pacing_timer);
  pacing_at = at;
  pacing_timer = world.clock.call_at(at, if_alive(&implementation::serve_line));
}

void engine::implementation::serve_line() {
  pacing_at = steady_time::max();
  for (const gateway_pacing::ticket each : routing.pacing().collect(own.index, world.clock.now().steady)) {
    const auto found = in_line.extract(each);
    if (found.empty()) continue;
    if (const std::shared_ptr<payment_run> run = found.mapped().lock()) run->permit(each);
  }
  watch_line();
}

void engine::implementation::watch_gateways() {
  if (std::exchange(probing, true)) return;
  const auto pause =
      std::chrono::duration_cast<payments::milliseconds>(probe_look * (0.8 + 0.4 * world.random.uniform()));
  probe_timer = world.clock.call_at(world.clock.now().steady + pause, if_alive(&implementation::probe_gateways));
}

// Payments that wait sleep ever longer. A gateway is asked all the same, by the one that has not probed it for
// longest, then the oldest: the line lets one in.
void engine::implementation::probe_gateways() {
  probing = false;
  const std::vector<std::string> troubled = routing.pacing().troubled();
  for (const std::string& connector : troubled) {
    if (!routing.pacing().probe_due(connector, world.clock.now().steady)) continue;
    std::shared_ptr<payment_run> chosen;
    const auto rank = [](const payment_run& run) {
      return std::pair(run.last_probe(), run.flow().record().created_at);
    };
    for (const auto& [id, run] : live)
      if (run->flow().waits_for(connector) && (!chosen || rank(*run) < rank(*chosen))) chosen = run;
    if (chosen) chosen->probe(connector);
  }
  if (!troubled.empty() && !live.empty()) watch_gateways();
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

// Others go on: they must not wait for what this one asked for.
engine::~engine() { implementation_->routing.pacing().forget(implementation_->own.index); }

void engine::create(create_command command, std::function<void(create_result)> done) {
  implementation& home = *implementation_;
  const policies::match_input input = match_input_of(command.request, command.card);
  const policies::policy_choice choice = policies::select(home.config->policies, input, without_rates);
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

void engine::resolve(resolve_command command, std::function<void(resolve_result)> done) {
  if (implementation_->draining) return done({resolve_status::unavailable, "the proxy is stopping", {}});
  std::shared_ptr<payment_run> run;
  try {
    run = implementation_->open(command.payment_id);
  } catch (const std::exception&) {
    return done({resolve_status::unavailable, "the journal cannot be read now", {}});
  }
  if (!run) return done({resolve_status::not_found, "there is no payment " + command.payment_id, {}});
  run->resolve(std::move(command.word), std::move(done));
}

bool engine::look_at(const std::string& payment_id) {
  // Who is due stays due: while many wait for a gateway already, nobody is read back to wait with them.
  if (implementation_->draining || implementation_->in_line.size() >= most_in_line) return true;
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
  for (const auto& run : waiting) run->feed(flow::gateway_recovered{std::string(connector)});
  // Those in line may have waited for this.
  implementation_->watch_line();
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

// Ages are told by the wall clock: a restart does not make a payment younger.
std::vector<engine::unresolved_view> engine::unresolved(instant now) const {
  std::map<std::string, unresolved_view, std::less<>> views;
  for (const auto& [id, run] : implementation_->live) {
    const payments::payment& record = run->flow().record();
    // A shopper who takes their time is no gateway's trouble.
    if (!record.answered || record.status == payments::payment_status::requires_action) continue;
    std::map<std::string_view, wall_time> since;  // a payment counts once at each connector
    const auto count = [&](std::string_view connector, wall_time from) {
      const auto [known, first] = since.try_emplace(connector, from);
      if (!first) known->second = std::min(known->second, from);
    };
    for (const payments::attempt& each : record.attempts) {
      if (each.unresolved() || each.reversal == payments::reversal_state::wanted)
        count(each.connector, each.started_at);
      if (!each.stands()) continue;
      for (const payments::modification& change : record.modifications)
        if (change.doubtful) count(each.connector, change.first_sent_at.value_or(change.created_at));
    }
    for (const auto& [connector, from] : since) {
      const auto age =
          std::max(payments::milliseconds(0), std::chrono::duration_cast<payments::milliseconds>(now.wall - from));
      unresolved_view& view =
          views.try_emplace(std::string(connector), unresolved_view{std::string(connector), 0, age}).first->second;
      ++view.count;
      view.oldest = std::max(view.oldest, age);
    }
  }
  std::vector<unresolved_view> all;
  for (auto& [connector, view] : views) all.push_back(std::move(view));
  return all;
}

}  // namespace turnout::core
