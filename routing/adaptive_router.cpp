// The router: keeps what is known of each connector and asks selection.cpp who
// is next. Not synchronised: its owner calls it from one thread at a time.
// Connectors are known by the order in which they were first seen, and every
// loop runs in that order: the same calls give the same choices. A first
// attempt's choice allocates nothing once the vectors have grown, as long as it
// has at most eight candidates.
#include <algorithm>
#include <cmath>

#include "payments/assertion.hpp"
#include "routing/approval_model.hpp"
#include "routing/connector_state.hpp"
#include "routing/evidence.hpp"
#include "routing/expected_value.hpp"
#include "routing/exploration.hpp"
#include "routing/outstanding.hpp"
#include "routing/selection.hpp"
#include "routing/snapshot.hpp"

namespace turnout::routing {
namespace {

constexpr std::chrono::seconds result_expires{300};  ///< a result later than this is not waited for
constexpr double share_time_constant_s = 300;
constexpr double traffic_time_constant_s = 600;
constexpr double traffic_interval_s = 1;
constexpr double works_below = .5;  ///< failure probability
constexpr double least_gain = .03;  ///< for strategies that have other reasons than worth to use a connector
constexpr double least_doubt = .1;  ///< of its health, to be asked for that alone; in failure probability
constexpr double probe_deviations = 3;
constexpr double probe_least_ms = 1000, probe_most_ms = 60'000;
constexpr std::size_t connectors_most = 50'000;  ///< configuration bounds them long before

aftermath aftermath_of(const std::vector<tried>& attempts) noexcept {
  aftermath before = aftermath::none;
  for (const tried& each : attempts) {
    if (each.outcome == payments::outcome::rejected) before = std::max(before, aftermath::gateway_said);
    if (each.outcome != payments::outcome::soft_decline && each.outcome != payments::outcome::hard_decline) continue;
    switch (kind_of(each.reason)) {
      case decline_kind::technical: break;
      case decline_kind::gateway: before = before == aftermath::none ? aftermath::gateway_said : before; break;
      default: return aftermath::issuer_said;
    }
  }
  return before;
}

std::size_t place_in(const policies::route& route, std::string_view name, std::size_t otherwise) noexcept {
  for (std::size_t i = 0; i < route.connectors.size(); ++i)
    if (route.connectors[i] == name) return i;
  return route.connectors.size() + otherwise;
}

/// One candidate as it looks for one payment.
struct prospect {
  const candidate* offer = nullptr;
  outlook looks;
  price_list prices{};
  health_filter::reading health;
  segment_outage::reading segments;
  double approval = 0, deviation = 0;  ///< with all segments up
  double alone = 0, worth = 0;
};

class adaptive_router final : public router {
 public:
  decision choose(const request& payment, const policies::route& route, const std::vector<candidate>& candidates,
                  const std::vector<tried>& attempts, instant now, random_source& random) override;
  void on_sent(const request& payment, const decision& made, instant now) override;
  void observe(const request& payment, const decision& made, const payments::send_result& result, instant now) override;
  void tick(instant now) override;
  void declare(std::string_view connector) override { number_of(connector); }
  void retire(std::string_view connector) override;
  std::unique_ptr<router> copy() const override { return std::make_unique<adaptive_router>(*this); }
  std::string snapshot(instant now) const override;
  std::string restore(std::string_view bytes, instant now) override;
  std::vector<connector_view> view(instant now) const override;

 private:
  std::uint16_t number_of(std::string_view name);
  void gather(const request& payment, const policies::route& route, const std::vector<candidate>& candidates,
              const std::vector<tried>& attempts, steady_time now, decision& made);
  prospect look_at(const connector_state& state, const approval_model::estimate& known, const request& payment,
                   const candidate& offer, const policies::route& route, const segment_keys& keys,
                   steady_time now) const;
  void weigh_going_on(const request& payment);
  void weigh_exploration(const policies::route& route, steady_time now);
  void show(decision& made) const;
  void land(const outstanding_decision& gone) noexcept;
  void measure_traffic(steady_time now) noexcept;

  std::vector<connector_state> connectors_;
  approval_model approvals_;
  outstanding outstanding_;
  exploration_budget budget_;
  std::uint64_t last_id_ = 0, choices_ = 0;
  std::size_t hint_ = 0;  ///< where the next name is likely to be
  steady_time traffic_measured_{};
  bool traffic_begun_ = false;
  // Scratch of choose(), kept for its memory.
  std::vector<std::uint16_t> numbers_;  ///< of the candidates
  std::vector<option> options_;
  std::vector<prospect> prospects_;
};

std::uint16_t adaptive_router::number_of(std::string_view name) {
  // Candidates come in the configuration's order, and so do the numbers.
  for (std::size_t i = 0; i < connectors_.size(); ++i) {
    const std::size_t at = hint_ + i < connectors_.size() ? hint_ + i : hint_ + i - connectors_.size();
    if (connectors_[at].name != name) continue;
    hint_ = at + 1 < connectors_.size() ? at + 1 : 0;
    return static_cast<std::uint16_t>(at);
  }
  for (std::size_t i = 0; i < connectors_.size(); ++i)  // a place that was given up
    if (connectors_[i].name.empty()) {
      connectors_[i].name = name;
      return static_cast<std::uint16_t>(i);
    }
  TURNOUT_ASSERT(connectors_.size() < connectors_most);
  connectors_.emplace_back().name = name;
  approvals_.resize(connectors_.size());
  return static_cast<std::uint16_t>(connectors_.size() - 1);
}

prospect adaptive_router::look_at(const connector_state& state, const approval_model::estimate& known,
                                  const request& payment, const candidate& offer, const policies::route& route,
                                  const segment_keys& keys, steady_time now) const {
  prospect seen;
  seen.offer = &offer;
  seen.health = state.health.read(now);
  seen.segments = state.outages.read(keys, now);
  seen.approval = logistic(known.logit);
  seen.deviation = known.deviation * seen.approval * (1 - seen.approval);
  const double well = seen.health.healthy * seen.health.failure_healthy;
  const double sick = (1 - seen.health.healthy) * seen.health.failure_sick;
  seen.looks = {seen.approval * seen.segments.kept, seen.health.failure,
                well * state.unknown_well.mean() + sick * state.unknown_sick.mean(), state.latency.mean_ms()};
  seen.prices = prices_for(payment, offer.charged, route.objective);
  seen.alone = seen.worth = worth_alone(seen.looks, offer, seen.prices);
  return seen;
}

// Fills options_ and prospects_ (by the options' index) with the candidates that were not tried.
void adaptive_router::gather(const request& payment, const policies::route& route,
                             const std::vector<candidate>& candidates, const std::vector<tried>& attempts,
                             steady_time now, decision& made) {
  options_.clear();
  prospects_.clear();
  ++choices_;
  for (const tried& each : attempts) connectors_[number_of(each.connector)].seen_in = choices_;
  const segment_keys keys = keys_of(payment);
  numbers_.clear();
  for (const candidate& offer : candidates) {
    const std::uint16_t number = number_of(offer.connector);
    numbers_.push_back(number);
    approvals_.expect(number, keys);
    connectors_[number].outages.expect(keys);
  }
  const approval_model::prepared prepared = approvals_.prepare(keys, aftermath_of(attempts), now);
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    const candidate& offer = candidates[i];
    const std::uint16_t number = numbers_[i];
    connector_state& state = connectors_[number];
    if (state.seen_in == choices_) {
      const auto same = [&](const tried& each) { return each.connector == offer.connector; };
      if (std::any_of(attempts.begin(), attempts.end(), same))
        made.excluded.push_back({std::string(offer.connector), "already_tried"});
      continue;
    }
    state.seen_in = choices_;
    state.timeout_ms = static_cast<double>(offer.timeout.count());
    if (attempts.empty()) ++state.offered;
    prospects_.push_back(look_at(state, approvals_.predict(number, prepared), payment, offer, route, keys, now));
    option& added = options_.emplace_back();
    added.connector = number;
    added.index = static_cast<std::uint16_t>(prospects_.size() - 1);
    added.works = prospects_.back().looks.failure < works_below;
    added.cost = sane_share(offer.cost) + sane_share(offer.attempt_cost);
    added.position = place_in(route, offer.connector, options_.size());
    added.weight = added.position < route.weights.size() ? route.weights[added.position] : 0;
  }
}

// Adds what going on is worth: the best of the others, if the policy allows another attempt.
void adaptive_router::weigh_going_on(const request& payment) {
  double best = 0, second = 0;
  for (const prospect& each : prospects_) {
    if (each.alone > best) {
      second = best;
      best = each.alone;
    } else if (each.alone > second) {
      second = each.alone;
    }
  }
  for (option& each : options_) {
    prospect& seen = prospects_[each.index];
    if (payment.attempts_left > 1) seen.worth += goes_on(seen.looks) * (seen.alone == best ? second : best);
    each.worth = seen.worth;
  }
}

// First attempts only: who is worth a payment for what it would teach.
void adaptive_router::weigh_exploration(const policies::route& route, steady_time now) {
  const auto best = std::max_element(options_.begin(), options_.end(),
                                     [](const option& a, const option& b) { return a.worth < b.worth; });
  const double most = best->worth;
  const bool by_worth = route.strategy == policies::strategy::adaptive;
  const bool none_works = std::none_of(options_.begin(), options_.end(), [](const option& o) { return o.works; });
  for (option& each : options_) {
    const prospect& seen = prospects_[each.index];
    const connector_state& state = connectors_[each.connector];
    const double gap = most - each.worth;
    if (&each != &*best && each.works) {
      const double certain = (1 - seen.looks.failure) * seen.segments.kept;
      each.explore = explore_weight(gap, seen.deviation * certain);
      // An outage of its segment may be over: as likely as it is, it is tried.
      const double if_up = seen.alone + (1 - seen.looks.failure) * seen.approval * (1 - seen.segments.kept);
      if (seen.segments.up < .9 && if_up > most) each.explore += seen.segments.up;
    }
    const double doubt = seen.looks.failure - seen.health.failure_healthy;
    if (&each == &*best || none_works || doubt < least_doubt || state.probe.taken(now)) continue;
    outlook well = seen.looks, sick = seen.looks;
    well.failure = seen.health.failure_healthy;
    well.unknown = well.failure * state.unknown_well.mean();
    sick.failure = seen.health.failure_sick;
    sick.unknown = sick.failure * state.unknown_sick.mean();
    const auto worth_if = [&](const outlook& of) {
      return worth_alone(of, *seen.offer, seen.prices) + goes_on(of) * std::max(most, 0.0);
    };
    double gain = worth_if(well) - most;
    if (!by_worth) gain = each.works ? 0 : std::max(gain, least_gain);
    each.probe_due = probe_is_due(
        {seen.health.healthy, seen.health.recovery_per_s, gain, most - worth_if(sick), state.offered_per_s});
  }
}

void adaptive_router::show(decision& made) const {
  for (const option& each : options_) {
    const prospect& seen = prospects_[each.index];
    ranked& shown = made.order.emplace_back();
    shown.connector = seen.offer->connector;
    shown.score = std::clamp(seen.worth, 0.0, 1.0);
    shown.approval = seen.looks.approval;
    shown.approval_deviation = seen.deviation;
    shown.health = 1 - seen.looks.failure;
    shown.unknown = seen.looks.unknown;
    shown.latency_ms = seen.looks.latency_ms;
    shown.cost = each.cost;
    shown.probability = each.probability;
  }
  made.probability = made.order.front().probability;
}

decision adaptive_router::choose(const request& payment, const policies::route& route,
                                 const std::vector<candidate>& candidates, const std::vector<tried>& attempts,
                                 instant now, random_source& random) {
  decision made;
  gather(payment, route, candidates, attempts, now.steady, made);
  if (options_.empty()) return made;

  made.id = ++last_id_;
  const bool first = attempts.empty();
  weigh_going_on(payment);
  if (first) weigh_exploration(route, now.steady);
  made.why = select_first(options_, route.strategy, !first, budget_, random);
  show(made);

  connector_state& chosen = connectors_[options_.front().connector];
  if (made.why == choice_reason::probed) {
    const double wait = std::clamp(chosen.latency.quantile_ms(probe_deviations), probe_least_ms, probe_most_ms);
    chosen.probe.take(made.id, now.steady + std::chrono::milliseconds(static_cast<int>(wait)));
  }
  if (first) chosen.first_choices.add(1, share_time_constant_s, now.steady);
  land(outstanding_.add({made.id, now.steady, 0, options_.front().connector, false, aftermath_of(attempts)}));
  return made;
}

// A decision that will get no result any more is no longer in flight.
void adaptive_router::land(const outstanding_decision& gone) noexcept {
  if (gone.id == 0 || !gone.sent) return;
  connector_state& state = connectors_[gone.connector];
  TURNOUT_ASSERT(state.in_flight > 0);
  --state.in_flight;
  state.flights.forget(gone.flight);
}

void adaptive_router::on_sent(const request&, const decision& made, instant now) {
  outstanding_decision* found = outstanding_.find(made.id);
  if (!found || found->sent) return;
  connector_state& state = connectors_[found->connector];
  found->sent = true;
  found->since = std::max(found->since, now.steady);
  found->flight = state.flights.sent(found->since);
  ++state.in_flight;
}

void adaptive_router::observe(const request& payment, const decision& made, const payments::send_result& result,
                              instant now) {
  const outstanding_decision* found = outstanding_.find(made.id);
  if (!found) return;
  const outstanding_decision about = *found;
  outstanding_.remove(about.id);
  connector_state& state = connectors_[about.connector];
  state.probe.release(about.id);

  const evidence says = read_evidence(result);
  if (says.technical_failure) {
    const bool failed = *says.technical_failure;
    const double latency_ms =
        says.latency_counts ? std::max<double>(1, static_cast<double>(result.latency.count())) : 0;
    const bool written_off = state.flights.ended(about.flight, failed, latency_ms);
    if (written_off && !failed) state.health.take_back_failure(now.steady);
    if (!written_off) state.health.observe(failed, now.steady);
    if (failed) {
      const bool well = state.health.read(now.steady).healthy > .5;
      (well ? state.unknown_well : state.unknown_sick).add(result.result == payments::outcome::unknown ? 1 : 0);
    }
  }
  land(about);
  if (says.approved) {
    const segment_keys keys = keys_of(payment);
    const auto prepared = approvals_.prepare(keys, about.before, now.steady);
    const double expected = logistic(approvals_.predict(about.connector, prepared).logit);
    const double credence = state.outages.learn(keys, expected, *says.approved, now.steady);
    approvals_.learn(about.connector, keys, about.before, *says.approved, credence, now.steady);
  }
}

void adaptive_router::measure_traffic(steady_time now) noexcept {
  const double elapsed = seconds_between(traffic_measured_, now);
  if (traffic_begun_ && elapsed < traffic_interval_s) return;
  if (traffic_begun_)
    for (connector_state& state : connectors_) {
      const double kept = std::exp(-elapsed / traffic_time_constant_s);
      state.offered_per_s = kept * state.offered_per_s + (1 - kept) * state.offered / elapsed;
    }
  for (connector_state& state : connectors_) state.offered = 0;
  traffic_measured_ = now;
  traffic_begun_ = true;
}

void adaptive_router::tick(instant now) {
  measure_traffic(now.steady);
  for (connector_state& state : connectors_) {
    const bool healthy = state.health.read(now.steady).healthy > .5;
    for (auto lost = state.flights.settle(state.latency, state.timeout_ms, healthy, now.steady); lost > 0; --lost)
      state.health.observe(true, now.steady);
    state.health.weigh(state.flights.weigh(state.health, state.latency, now.steady));
  }
  for (;;) {
    const outstanding_decision gone = outstanding_.take_expired(now.steady, result_expires);
    if (gone.id == 0) return;
    land(gone);
  }
}

std::vector<connector_view> adaptive_router::view(instant now) const {
  double choices = 0;
  for (const connector_state& state : connectors_) choices += state.first_choices.at(share_time_constant_s, now.steady);
  std::vector<connector_view> shown;
  shown.reserve(connectors_.size());
  for (std::size_t i = 0; i < connectors_.size(); ++i) {
    const connector_state& state = connectors_[i];
    if (state.name.empty()) continue;
    connector_view seen;
    seen.connector = state.name;
    seen.approval = logistic(approvals_.overall(static_cast<std::uint16_t>(i), now.steady).logit) *
                    state.outages.overall(now.steady).kept;
    const double failure = state.health.read(now.steady).failure;
    seen.health = 1 - failure;
    seen.score = seen.approval * seen.health;
    seen.latency_ms = state.latency.mean_ms();
    seen.state = failure < works_below ? "closed" : state.probe.taken(now.steady) ? "half_open" : "open";
    seen.in_flight = state.in_flight;
    seen.share = choices > 0 ? state.first_choices.at(share_time_constant_s, now.steady) / choices : 0;
    shown.push_back(std::move(seen));
  }
  return shown;
}

void adaptive_router::retire(std::string_view connector) {
  if (connector.empty()) return;
  for (std::size_t i = 0; i < connectors_.size(); ++i) {
    if (connectors_[i].name != connector) continue;
    outstanding_.forget(static_cast<std::uint16_t>(i));
    approvals_.forget(static_cast<std::uint16_t>(i));
    connectors_[i] = connector_state{};
  }
}

std::string adaptive_router::snapshot(instant now) const {
  state_writer out;
  approvals_.save_shared(out, now.steady);
  for (std::size_t i = 0; i < connectors_.size(); ++i) {
    if (connectors_[i].name.empty()) continue;
    out.text(connectors_[i].name);
    connectors_[i].save(out, now.steady);
    approvals_.save_own(static_cast<std::uint16_t>(i), out, now.steady);
  }
  return seal(out.bytes(), now.wall);
}

std::string adaptive_router::restore(std::string_view bytes, instant now) {
  const opened_snapshot opened = unseal(bytes, now.wall);
  if (!opened.refused.empty()) return opened.refused;
  // Into copies, which take the place of what is here only when all of it made
  // sense. The last one takes what belongs to connectors that are gone.
  const std::size_t count = connectors_.size();
  approval_model approvals;
  approvals.resize(count + 1);
  std::vector<connector_state> connectors(count + 1);
  for (std::size_t i = 0; i < count; ++i) connectors[i].name = connectors_[i].name;
  state_reader from(opened.content);
  approvals.load_shared(from, opened.age_s, now.steady);
  while (from.good() && !from.at_end()) {
    const std::string_view name = from.text();
    const auto same = [name](const connector_state& each) { return !name.empty() && each.name == name; };
    const auto found = std::find_if(connectors.begin(), connectors.end() - 1, same);
    found->load(from, opened.age_s, now.steady);
    approvals.load_own(static_cast<std::uint16_t>(found - connectors.begin()), from, opened.age_s, now.steady);
  }
  if (!from.good()) return "its content makes no sense";
  connectors.pop_back();
  approvals.resize(count);
  connectors_ = std::move(connectors);
  approvals_ = std::move(approvals);
  outstanding_ = outstanding();
  return {};
}

}  // namespace

std::string_view to_string(choice_reason why) noexcept {
  switch (why) {
    case choice_reason::best_score: return "best_score";
    case choice_reason::explored: return "explored";
    case choice_reason::probed: return "probed";
    case choice_reason::priority: return "priority";
    case choice_reason::weighted: return "weighted";
    case choice_reason::least_cost: return "least_cost";
    case choice_reason::only_candidate: return "only_candidate";
    case choice_reason::least_sick: return "least_sick";
    case choice_reason::retry: return "retry";
  }
  return "best_score";
}

std::unique_ptr<router> create_router() { return std::make_unique<adaptive_router>(); }

}  // namespace turnout::routing
