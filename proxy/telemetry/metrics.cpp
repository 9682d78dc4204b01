// The families, and which observation moves which of them.
#include "proxy/telemetry/metrics.hpp"

#include <prometheus/text_serializer.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <mutex>
#include <set>
#include <sstream>

#include "proxy/telemetry/bounded_names.hpp"
#include "proxy/telemetry/series.hpp"

namespace turnout::telemetry {

namespace {

using counter = prometheus::Counter;
using gauge = prometheus::Gauge;
using histogram = prometheus::Histogram;

const std::vector<double> payment_seconds{.005, .01, .025, .05, .1, .25, .5, 1, 2, 4, 8, 15, 30};
const std::vector<double> attempt_seconds{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10};
const std::vector<double> http_seconds{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30};
const std::vector<double> decision_seconds{1e-6, 2e-6, 5e-6, 1e-5, 2e-5, 5e-5, 1e-4, 5e-4, 1e-3, 1e-2};
const std::vector<double> commit_seconds{1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, .01, .02, .05, .1, .25, 1};
const std::vector<double> batch_sizes{1, 2, 4, 8, 16, 32, 64, 128, 256, 512};

constexpr std::string_view breaker_states[] = {"closed", "open", "half_open"};
constexpr payments::send_kind resolving_kinds[] = {payments::send_kind::replay, payments::send_kind::inquire,
                                                   payments::send_kind::reverse};
constexpr std::string_view resolving_results[] = {"definite", "unclear"};
constexpr std::string_view reversal_results[] = {"wanted", "confirmed"};

double seconds(std::chrono::nanoseconds taken) noexcept { return std::chrono::duration<double>(taken).count(); }

}  // namespace

struct metrics::implementation {
  prometheus::Registry registry;
  bounded_names merchants{most_merchants};

  series<counter, 3> finished{registry,
                              "turnout_payments_total",
                              "Payments that became final, by their final status.",
                              {"merchant", "status", "currency"}};
  series<histogram, 0> payment_duration{
      registry, "turnout_payment_duration_seconds", "From a payment's arrival to its answer.", {}, payment_seconds};
  series<counter, 3> attempts{registry,
                              "turnout_attempts_total",
                              "Outcomes of attempts; an unknown one counts again when it is resolved.",
                              {"connector", "operation", "outcome"}};
  series<counter, 2> declines{registry, "turnout_declines_total", "Declines by reason.", {"connector", "reason"}};
  series<histogram, 2> attempt_duration{registry,
                                        "turnout_attempt_duration_seconds",
                                        "Exchanges with a gateway that carried a request.",
                                        {"connector", "operation"},
                                        attempt_seconds};
  series<counter, 3> failovers{
      registry, "turnout_failovers_total", "Payments that went on to another gateway.", {"from", "to", "reason"}};
  series<counter, 2> reversals{
      registry, "turnout_reversals_total", "Reversals wanted and confirmed.", {"connector", "result"}};
  series<counter, 1> violations{registry,
                                "turnout_invariant_violations_total",
                                "Broken promises found at run time: each one needs a person.",
                                {"invariant"}};
  series<counter, 3> resolving{registry,
                               "turnout_resolve_sends_total",
                               "Sends that asked for the truth about an attempt, by whether the answer was definite.",
                               {"connector", "kind", "result"}};
  series<counter, 1> resolutions{
      registry, "turnout_resolutions_total", "Doubts that a person ended, by what they said.", {"as"}};
  series<counter, 1> delayed{
      registry,
      "turnout_resolve_delayed_total",
      "Sends that asked for the truth and had to wait for their turn (resolve.sends_per_second).",
      {"connector"}};
  series<gauge, 1> in_line{registry,
                           "turnout_resolve_waiting",
                           "Payments that wait for their turn to ask a gateway for the truth.",
                           {"connector"}};
  series<gauge, 1> silent{registry,
                          "turnout_gateway_silent",
                          "1 while a gateway gives no definite answers and is asked by one payment at a time.",
                          {"connector"}};
  series<counter, 1> recoveries{registry,
                                "turnout_gateway_recoveries_total",
                                "Times that a gateway gave definite answers again and all that waits for it was woken.",
                                {"connector"}};
  series<counter, 1> foreign_answers{registry,
                                     "turnout_foreign_answers_total",
                                     "Answers of a gateway that echo another reference than the one asked about.",
                                     {"connector"}};
  series<gauge, 1> score{
      registry, "turnout_connector_score", "The router's score of a connector, 0 to 1.", {"connector"}};
  series<gauge, 2> state{registry,
                         "turnout_connector_state",
                         "1 for the state that the connector's breaker is in.",
                         {"connector", "state"}};
  series<counter, 3> decisions{
      registry, "turnout_routing_decisions_total", "Connectors placed first, and why.", {"policy", "connector", "why"}};
  series<histogram, 0> decision_duration{
      registry, "turnout_routing_decision_seconds", "Time taken to choose a connector.", {}, decision_seconds};
  series<gauge, 1> unresolved{registry,
                              "turnout_payments_unresolved",
                              "Payments whose outcome at a connector is not known yet.",
                              {"connector"}};
  series<gauge, 0> unresolved_age{
      registry, "turnout_unresolved_age_seconds", "Age of the oldest unresolved payment.", {}};
  series<gauge, 0> retry_budget{
      registry, "turnout_retry_budget_remaining", "Failovers that the retry budget still allows.", {}};
  series<histogram, 0> journal_commit{
      registry, "turnout_journal_commit_seconds", "Durable group commits.", {}, commit_seconds};
  series<histogram, 0> journal_batch{
      registry, "turnout_journal_batch_size", "Writes per group commit.", {}, batch_sizes};
  series<counter, 3> http_requests{
      registry, "turnout_http_requests_total", "Answered HTTP requests.", {"route", "method", "status"}};
  series<histogram, 2> http_duration{registry,
                                     "turnout_http_request_duration_seconds",
                                     "From a request's last byte to its answer.",
                                     {"route", "method"},
                                     http_seconds};
  series<counter, 1> limited{
      registry, "turnout_rate_limited_total", "Requests that were refused with 429, by reason.", {"reason"}};
  series<gauge, 0> reload_ok{registry,
                             "turnout_config_last_reload_successful",
                             "1 when the last reload of the configuration was taken over.",
                             {}};
  series<gauge, 0> reload_time{registry,
                               "turnout_config_last_reload_success_timestamp_seconds",
                               "When the running configuration was taken over.",
                               {}};
  series<gauge, 1> build_info{registry, "turnout_build_info", "Always 1; the version is in the label.", {"version"}};

  std::mutex looking;  // of the sets below, used by the setters only
  std::set<std::string, std::less<>> scored, ever_unresolved;
};

metrics::metrics(std::string_view version) : implementation_(std::make_unique<implementation>()) {
  auto& all = *implementation_;
  all.build_info.at({version}).Set(1);
  for (auto* each : {&all.payment_duration, &all.decision_duration, &all.journal_commit, &all.journal_batch})
    each->at({});
  for (auto* each : {&all.unresolved_age, &all.retry_budget, &all.reload_ok, &all.reload_time}) each->at({});
  // An alert on an increase needs the 0 before it.
  for (const char* each : {"late_approval", "wrong_amount"}) all.violations.at({each});
  for (const auto as : {payments::verdict::charged, payments::verdict::not_charged})
    all.resolutions.at({to_string(as)});
}

metrics::~metrics() = default;

void metrics::on_decision(const payments::payment& record, const routing::decision& made) {
  const std::string_view first = made.order.empty() ? std::string_view("none") : made.order.front().connector;
  implementation_->decisions.at({record.policy, first, to_string(made.why)}).Increment();
}

void metrics::on_send(const payments::attempt& attempt, payments::send_kind kind, const payments::send_result& result) {
  if (kind != payments::send_kind::charge) {
    const bool definite = result.not_found || (result.answered && result.result != payments::outcome::unknown &&
                                               result.result != payments::outcome::not_sent);
    implementation_->resolving.at({attempt.connector, to_string(kind), resolving_results[definite ? 0 : 1]})
        .Increment();
  }
  if (!result.carried) return;
  if (result.foreign) implementation_->foreign_answers.at({attempt.connector}).Increment();
  payments::operation asked = attempt.operation;
  if (kind == payments::send_kind::inquire) asked = payments::operation::inquire;
  if (kind == payments::send_kind::reverse) asked = payments::operation::reverse;
  implementation_->attempt_duration.at({attempt.connector, to_string(asked)}).Observe(seconds(result.latency));
}

void metrics::on_attempt(const payments::payment&, const payments::attempt& attempt) {
  auto& all = *implementation_;
  all.attempts.at({attempt.connector, to_string(attempt.operation), to_string(attempt.outcome)}).Increment();
  const bool declined =
      attempt.outcome == payments::outcome::soft_decline || attempt.outcome == payments::outcome::hard_decline;
  if (!declined) return;
  const std::string_view reason =
      attempt.reason == payments::decline_reason::none ? std::string_view("none") : to_string(attempt.reason);
  all.declines.at({attempt.connector, reason}).Increment();
}

void metrics::on_modification_send(const payments::attempt& attempt, payments::operation operation,
                                   const payments::send_result& result) {
  auto& all = *implementation_;
  if (result.foreign) all.foreign_answers.at({attempt.connector}).Increment();
  const bool asks = operation == payments::operation::inquire || operation == payments::operation::reverse;
  if (!asks) all.attempts.at({attempt.connector, to_string(operation), to_string(result.result)}).Increment();
  all.attempt_duration.at({attempt.connector, to_string(operation)})
      .Observe(std::chrono::duration<double>(result.latency).count());
}

void metrics::on_modification(const payments::payment&, const payments::modification&) {}

void metrics::on_failover(std::string_view from, std::string_view to, std::string_view reason) {
  implementation_->failovers.at({from, to, reason}).Increment();
}

void metrics::on_reversal(std::string_view connector, std::string_view result) {
  implementation_->reversals.at({connector, result}).Increment();
}

void metrics::on_answer(const payments::payment&, payments::milliseconds taken) {
  implementation_->payment_duration.at({}).Observe(seconds(taken));
}

void metrics::on_final(const payments::payment& record) {
  const std::string_view merchant = implementation_->merchants.admit(record.merchant);
  implementation_->finished.at({merchant, to_string(record.status), record.amount.unit.code()}).Increment();
}

void metrics::on_resolution(const payments::payment&, const payments::resolution& word) {
  implementation_->resolutions.at({to_string(word.as)}).Increment();
}

void metrics::on_delayed(std::string_view connector) { implementation_->delayed.at({connector}).Increment(); }

void metrics::on_gateway_recovered(std::string_view connector) {
  implementation_->recoveries.at({connector}).Increment();
}

void metrics::on_invariant_violation(std::string_view invariant, std::string_view) {
  implementation_->violations.at({invariant}).Increment();
}

void metrics::http_request(std::string_view route, std::string_view method, unsigned status, double taken) {
  char digits[12];
  const auto written = std::to_chars(digits, digits + sizeof digits, status);
  const std::string_view code(digits, static_cast<std::size_t>(written.ptr - digits));
  implementation_->http_requests.at({route, method, code}).Increment();
  implementation_->http_duration.at({route, method}).Observe(taken);
}

void metrics::limited(std::string_view reason) { implementation_->limited.at({reason}).Increment(); }

void metrics::journal_commit(std::chrono::nanoseconds taken, std::size_t writes) {
  implementation_->journal_commit.at({}).Observe(seconds(taken));
  implementation_->journal_batch.at({}).Observe(static_cast<double>(writes));
}

void metrics::routing_decision(std::chrono::nanoseconds taken) {
  implementation_->decision_duration.at({}).Observe(seconds(taken));
}

void metrics::declare_limits(std::span<const std::string_view> reasons) {
  for (const std::string_view reason : reasons) implementation_->limited.at({reason});
}

void metrics::declare_connectors(std::span<const std::string> names) {
  auto& all = *implementation_;
  for (const std::string& name : names) {
    for (const auto asked : {payments::operation::sale, payments::operation::authorize}) {
      for (std::size_t index = 0; index < payments::outcome_count; ++index)
        all.attempts.at({name, to_string(asked), to_string(static_cast<payments::outcome>(index))});
      all.attempt_duration.at({name, to_string(asked)});
    }
    for (const std::string_view result : reversal_results) all.reversals.at({name, result});
    for (const payments::send_kind kind : resolving_kinds)
      for (const std::string_view result : resolving_results) all.resolving.at({name, to_string(kind), result});
    for (auto* each : {&all.delayed, &all.recoveries}) each->at({name});
    for (auto* each : {&all.in_line, &all.silent}) each->at({name});
    all.foreign_answers.at({name});
  }
  const std::lock_guard lock(all.looking);
  for (const std::string& name : names) {
    all.unresolved.at({name});
    all.ever_unresolved.insert(name);
  }
}

void metrics::set_connectors(std::span<const routing::connector_view> views) {
  auto& all = *implementation_;
  const std::lock_guard lock(all.looking);
  std::set<std::string, std::less<>> now;
  for (const routing::connector_view& each : views) {
    now.insert(each.connector);
    all.score.at({each.connector}).Set(each.score);
    for (const std::string_view state : breaker_states)
      all.state.at({each.connector, state}).Set(state == each.state ? 1 : 0);
  }
  for (const std::string& gone : all.scored) {
    if (now.contains(gone)) continue;
    all.score.remove({gone});
    for (const std::string_view state : breaker_states) all.state.remove({gone, state});
  }
  all.scored = std::move(now);
}

void metrics::set_unresolved(std::span<const core::engine::unresolved_view> views) {
  auto& all = *implementation_;
  std::map<std::string_view, double> counts;
  payments::milliseconds oldest{0};
  for (const auto& each : views) {
    counts[each.connector] += static_cast<double>(each.count);
    oldest = std::max(oldest, each.oldest);
  }
  const std::lock_guard lock(all.looking);
  for (const auto& [connector, count] : counts) all.ever_unresolved.emplace(connector);
  for (const std::string& connector : all.ever_unresolved) {
    const auto found = counts.find(connector);
    all.unresolved.at({connector}).Set(found == counts.end() ? 0 : found->second);
  }
  all.unresolved_age.at({}).Set(seconds(oldest));
}

void metrics::set_pacing(std::span<const core::gateway_pacing::view> views) {
  auto& all = *implementation_;
  for (const auto& each : views) {
    all.in_line.at({each.connector}).Set(static_cast<double>(each.waiting));
    all.silent.at({each.connector}).Set(each.silent ? 1 : 0);
  }
}

void metrics::set_retry_budget_remaining(double failovers) { implementation_->retry_budget.at({}).Set(failovers); }

void metrics::set_config_reload(bool successful, payments::wall_time now) {
  implementation_->reload_ok.at({}).Set(successful ? 1 : 0);
  if (successful)
    implementation_->reload_time.at({}).Set(std::chrono::duration<double>(now.time_since_epoch()).count());
}

std::string metrics::render() const {
  std::ostringstream text;
  prometheus::TextSerializer{}.Serialize(text, implementation_->registry.Collect());
  return std::move(text).str();
}

}  // namespace turnout::telemetry
