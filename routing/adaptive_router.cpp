// The router: keeps what is known of each connector and asks selection.cpp who
// is next. Not synchronised: its owner calls it from one thread at a time.
// Connectors are known by the order in which they were first seen, and every
// loop runs in that order: the same calls give the same choices.
#include "payments/assertion.hpp"
#include "routing/approval_model.hpp"
#include "routing/breaker.hpp"
#include "routing/evidence.hpp"
#include "routing/expected_value.hpp"
#include "routing/health_filter.hpp"
#include "routing/latency_estimate.hpp"
#include "routing/outstanding.hpp"
#include "routing/selection.hpp"

namespace turnout::routing {
namespace {

constexpr std::chrono::seconds result_expires{300};  ///< a result later than this is not waited for
constexpr double share_time_constant_s = 300;
constexpr double unknown_time_constant_s = 3600;
constexpr double unknown_prior = .5, unknown_prior_weight = 4;
constexpr std::size_t connectors_most = 50'000;  ///< configuration bounds them long before

struct connector_state {
  std::string name;
  health_filter health;
  routing::breaker breaker;
  latency_estimate latency;
  decayed_mean unknown_share{unknown_time_constant_s};  ///< of its technical failures
  decayed_mean first_choices{share_time_constant_s};
  std::uint64_t in_flight = 0;
};

// A tried connector whose failure was not the issuer's word leaves the next result unbiased.
bool was_declined(const tried& attempt) noexcept {
  return attempt.outcome == payments::outcome::soft_decline || attempt.outcome == payments::outcome::hard_decline;
}

class adaptive_router final : public router {
 public:
  decision choose(const request& payment, const policies::route& route, const std::vector<candidate>& candidates,
                  const std::vector<tried>& attempts, instant now, random_source& random) override;
  void on_sent(const request& payment, const decision& made, instant now) override;
  void observe(const request& payment, const decision& made, const payments::send_result& result, instant now) override;
  void tick(instant now) override;
  void declare(std::string_view connector) override { number_of(connector); }
  std::vector<connector_view> view(instant now) const override;

 private:
  std::uint16_t number_of(std::string_view name);
  void gather(const request& payment, const policies::route& route, const std::vector<candidate>& candidates,
              const std::vector<tried>& attempts, steady_time now, decision& made);
  void exclude_blocked(decision& made, steady_time now) const;
  void land(const outstanding_decision& gone) noexcept;

  std::vector<connector_state> connectors_;
  approval_model approvals_;
  outstanding outstanding_;
  std::uint64_t last_id_ = 0;
  // Scratch of choose(), kept for its memory.
  std::vector<option> options_;
  std::vector<ranked> estimates_;
};

std::uint16_t adaptive_router::number_of(std::string_view name) {
  for (std::size_t i = 0; i < connectors_.size(); ++i)
    if (connectors_[i].name == name) return static_cast<std::uint16_t>(i);
  TURNOUT_ASSERT(connectors_.size() < connectors_most);
  connectors_.emplace_back().name = name;
  approvals_.grow(connectors_.size());
  return static_cast<std::uint16_t>(connectors_.size() - 1);
}

std::size_t place_in(const policies::route& route, std::string_view name, std::size_t otherwise) noexcept {
  for (std::size_t i = 0; i < route.connectors.size(); ++i)
    if (route.connectors[i] == name) return i;
  return route.connectors.size() + otherwise;
}

template <class List>
bool names(const List& list, std::string_view name) noexcept {
  for (const auto& entry : list)
    if (entry.connector == name) return true;
  return false;
}

double sane_share(double share) noexcept { return std::isfinite(share) ? std::clamp(share, 0.0, 1.0) : 1.0; }

// Fills options_ and estimates_ (at the same index) with the candidates that were not tried.
void adaptive_router::gather(const request& payment, const policies::route& route,
                             const std::vector<candidate>& candidates, const std::vector<tried>& attempts,
                             steady_time now, decision& made) {
  options_.clear();
  estimates_.clear();
  // Connectors are numbered first: numbering may grow what the estimates read.
  for (const candidate& c : candidates) number_of(c.connector);
  const approval_model::context about = approvals_.read(keys_of(payment), now);
  for (const candidate& c : candidates) {
    if (names(attempts, c.connector)) {
      if (!names(made.excluded, c.connector)) made.excluded.push_back({std::string(c.connector), "already_tried"});
      continue;
    }
    if (names(estimates_, c.connector)) continue;
    const std::uint16_t number = number_of(c.connector);
    const connector_state& state = connectors_[number];
    const approval_model::estimate approval = approvals_.predict(number, about, now);
    const double failure = state.health.failure_probability(now);
    const double unknown = failure * state.unknown_share.shrunk(now, unknown_prior, unknown_prior_weight);
    const outlook looks{approval.approval, 1 - failure, state.latency.mean_ms(now), sane_share(c.cost), unknown};
    const double worth = net_worth(looks, payment, c.charged, route.objective);

    const breaker_state lets = state.breaker.state(now);
    const standing stands = lets == breaker_state::closed  ? standing::closed
                            : state.breaker.may_probe(now) ? standing::probe
                                                           : standing::blocked;
    options_.push_back({number, stands, worth, approval.deviation, looks.health,
                        place_in(route, c.connector, options_.size()), 0, estimates_.size()});
    estimates_.push_back({std::string(c.connector), std::clamp(worth, 0.0, 1.0), looks.approval, looks.health,
                          looks.latency_ms, looks.cost, 0});
  }
}

void adaptive_router::exclude_blocked(decision& made, steady_time now) const {
  for (const option& o : options_) {
    if (o.standing != standing::blocked) continue;
    const connector_state& state = connectors_[o.connector];
    const bool open = state.breaker.state(now) == breaker_state::open;
    made.excluded.push_back({state.name, open ? "breaker_open" : "breaker_half_open"});
  }
}

decision adaptive_router::choose(const request& payment, const policies::route& route,
                                 const std::vector<candidate>& candidates, const std::vector<tried>& attempts,
                                 instant now, random_source& random) {
  decision made;
  made.segment = describe_segment(payment);
  gather(payment, route, candidates, attempts, now.steady, made);
  if (options_.empty()) return made;

  made.id = ++last_id_;
  const auto excluded_before = made.excluded.size();
  exclude_blocked(made, now.steady);
  made.why = select_first(options_, {route.strategy, !attempts.empty()}, random);
  if (made.why == choice_reason::least_sick) made.excluded.resize(excluded_before);  // they are ranked instead
  for (const option& o : options_) {
    made.order.push_back(std::move(estimates_[o.index]));
    made.order.back().probability = o.probability;
  }
  made.probability = made.order.front().probability;

  const option& first = options_.front();
  connector_state& chosen = connectors_[first.connector];
  if (first.standing == standing::probe) chosen.breaker.lease_probe(made.id, now.steady);
  if (attempts.empty()) chosen.first_choices.add(1, now.steady);
  const bool after_decline = std::any_of(attempts.begin(), attempts.end(), was_declined);
  land(outstanding_.add({made.id, now.steady, first.connector, false, after_decline}));
  return made;
}

// A decision that will get no result any more is no longer in flight.
void adaptive_router::land(const outstanding_decision& gone) noexcept {
  if (gone.id == 0 || !gone.sent) return;
  std::uint64_t& in_flight = connectors_[gone.connector].in_flight;
  TURNOUT_ASSERT(in_flight > 0);
  --in_flight;
}

void adaptive_router::on_sent(const request&, const decision& made, instant now) {
  outstanding_decision* found = outstanding_.find(made.id);
  if (!found || found->sent) return;
  found->sent = true;
  found->since = std::max(found->since, now.steady);
  ++connectors_[found->connector].in_flight;
}

void adaptive_router::observe(const request& payment, const decision& made, const payments::send_result& result,
                              instant now) {
  const outstanding_decision* found = outstanding_.find(made.id);
  if (!found) return;
  const outstanding_decision about = *found;
  outstanding_.remove(about.id);
  land(about);

  connector_state& state = connectors_[about.connector];
  const evidence says = read_evidence(result);
  if (says.technical_failure) {
    state.health.observe(*says.technical_failure, now.steady);
    state.breaker.observe(about.id, *says.technical_failure, state.health.failure_probability(now.steady), about.since,
                          now.steady);
  } else {
    state.breaker.release_probe(about.id);
  }
  if (says.technical_failure.value_or(false))
    state.unknown_share.add(result.result == payments::outcome::unknown ? 1 : 0, now.steady);
  if (says.latency_counts) state.latency.observe(result.latency, now.steady);
  if (says.approved && !about.after_decline)
    approvals_.learn(about.connector, keys_of(payment), *says.approved, now.steady);
}

void adaptive_router::tick(instant now) {
  for (;;) {
    const outstanding_decision gone = outstanding_.take_expired(now.steady, result_expires);
    if (gone.id == 0) return;
    land(gone);
  }
}

std::vector<connector_view> adaptive_router::view(instant now) const {
  double choices = 0;
  for (const connector_state& state : connectors_) choices += state.first_choices.weight(now.steady);
  std::vector<connector_view> shown;
  shown.reserve(connectors_.size());
  for (std::size_t i = 0; i < connectors_.size(); ++i) {
    const connector_state& state = connectors_[i];
    connector_view seen;
    seen.connector = state.name;
    seen.approval = approvals_.overall(static_cast<std::uint16_t>(i), now.steady);
    seen.health = 1 - state.health.failure_probability(now.steady);
    seen.score = seen.approval * seen.health;
    seen.latency_ms = state.latency.mean_ms(now.steady);
    seen.state = to_string(state.breaker.state(now.steady));
    seen.in_flight = state.in_flight;
    seen.share = choices > 0 ? state.first_choices.weight(now.steady) / choices : 0;
    shown.push_back(std::move(seen));
  }
  return shown;
}

}  // namespace

std::string_view to_string(choice_reason why) noexcept {
  switch (why) {
    case choice_reason::best_score: return "best_score";
    case choice_reason::explored: return "explored";
    case choice_reason::priority: return "priority";
    case choice_reason::only_candidate: return "only_candidate";
    case choice_reason::least_sick: return "least_sick";
    case choice_reason::retry: return "retry";
  }
  return "best_score";
}

std::unique_ptr<router> create_router() { return std::make_unique<adaptive_router>(); }

}  // namespace turnout::routing
