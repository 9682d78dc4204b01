// The exposition: exact names and labels, bounds on what a label may be.
#include "proxy/telemetry/metrics.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <sstream>
#include <thread>

#include "proxy/telemetry/series.hpp"
#include "proxy/telemetry/watcher.hpp"
#include "tests/unit/proxy/telemetry/sample_payment.hpp"

using namespace turnout;
using namespace turnout::telemetry;
using namespace std::chrono_literals;

namespace {

bool has_line(const metrics& counts, const std::string& wanted) {
  std::istringstream text(counts.render());
  for (std::string line; std::getline(text, line);)
    if (line == wanted) return true;
  UNSCOPED_INFO(counts.render());
  return false;
}

std::size_t lines_with(const metrics& counts, const std::string& prefix) {
  std::size_t found = 0;
  std::istringstream text(counts.render());
  for (std::string line; std::getline(text, line);) found += line.starts_with(prefix);
  return found;
}

routing::decision decision_for(std::string_view connector) {
  routing::decision made;
  if (!connector.empty()) made.order.push_back({.connector = connector});
  made.why = routing::choice_reason::best_score;
  return made;
}

routing::connector_view view_of(std::string connector, double score, std::string_view state) {
  routing::connector_view view;
  view.connector = connector;
  view.score = score;
  view.state = state;
  return view;
}

}  // namespace

TEST_CASE("what exists before anything happened") {
  const metrics counts("0.1.0");
  CHECK(has_line(counts, R"(turnout_build_info{version="0.1.0"} 1)"));
  CHECK(has_line(counts, "turnout_payment_duration_seconds_count 0"));
  CHECK(has_line(counts, "turnout_journal_commit_seconds_count 0"));
  CHECK(has_line(counts, "turnout_journal_batch_size_count 0"));
  CHECK(has_line(counts, "turnout_routing_decision_seconds_count 0"));
  CHECK(has_line(counts, "turnout_unresolved_age_seconds 0"));
  CHECK(has_line(counts, "turnout_retry_budget_remaining 0"));
  CHECK(has_line(counts, "turnout_config_last_reload_successful 0"));
  CHECK(has_line(counts, R"(turnout_invariant_violations_total{invariant="late_approval"} 0)"));
  CHECK(has_line(counts, "# TYPE turnout_payment_duration_seconds histogram"));
}

TEST_CASE("refusals are counted by reason, from 0") {
  metrics counts("0.1.0");
  counts.declare_limits(std::vector<std::string_view>{"requests", "ip_cards"});
  counts.limited("ip_cards");
  CHECK(has_line(counts, R"(turnout_rate_limited_total{reason="requests"} 0)"));
  CHECK(has_line(counts, R"(turnout_rate_limited_total{reason="ip_cards"} 1)"));
}

TEST_CASE("declared connectors have their counters at 0") {
  metrics counts("0.1.0");
  const std::vector<std::string> names{"alpha", "beta"};
  counts.declare_connectors(names);
  CHECK(has_line(counts, R"(turnout_attempts_total{connector="alpha",operation="sale",outcome="unknown"} 0)"));
  CHECK(has_line(counts, R"(turnout_reversals_total{connector="beta",result="confirmed"} 0)"));
  CHECK(has_line(counts, R"(turnout_payments_unresolved{connector="alpha"} 0)"));
  CHECK(has_line(counts, R"(turnout_attempt_duration_seconds_count{connector="beta",operation="authorize"} 0)"));
}

TEST_CASE("answers that were another's are counted, from 0") {
  metrics counts("0.1.0");
  const std::vector<std::string> names{"alpha", "beta"};
  counts.declare_connectors(names);
  CHECK(has_line(counts, R"(turnout_foreign_answers_total{connector="alpha"} 0)"));
  const payments::payment record = test::sample_payment();
  payments::send_result result;
  result.answered = result.carried = result.foreign = true;
  counts.on_send(record.attempts[1], payments::send_kind::charge, result);
  counts.on_modification_send(record.attempts[1], payments::operation::refund, result);
  CHECK(has_line(counts, R"(turnout_foreign_answers_total{connector="alpha"} 0)"));
  CHECK(has_line(counts, R"(turnout_foreign_answers_total{connector="beta"} 2)"));
}

TEST_CASE("each observation moves its series") {
  metrics counts("0.1.0");
  payments::payment record = test::sample_payment();
  payments::attempt declined = record.attempts[1];
  declined.outcome = payments::outcome::soft_decline;
  declined.reason = payments::decline_reason::insufficient_funds;
  payments::send_result result;
  result.carried = true;
  result.latency = 84ms;

  counts.on_decision(record, decision_for("alpha"));
  counts.on_decision(record, decision_for(""));
  counts.on_send(record.attempts[1], payments::send_kind::charge, result);
  counts.on_send(record.attempts[1], payments::send_kind::inquire, result);
  result.carried = false;
  counts.on_send(record.attempts[0], payments::send_kind::charge, result);
  counts.on_attempt(record, record.attempts[0]);
  counts.on_attempt(record, record.attempts[1]);
  counts.on_attempt(record, declined);
  declined.reason = payments::decline_reason::none;
  counts.on_attempt(record, declined);
  counts.on_failover("alpha", "beta", "not_sent");
  counts.on_reversal("alpha", "wanted");
  counts.on_delayed("alpha");
  counts.on_gateway_recovered("alpha");
  const std::vector<core::gateway_pacing::view> lines{{"alpha", 7, true}, {"beta", 0, false}};
  counts.set_pacing(lines);
  result.answered = result.carried = true;
  result.result = payments::outcome::approved;
  counts.on_send(record.attempts[1], payments::send_kind::replay, result);
  result.result = payments::outcome::not_sent;  // a 503: no answer to the question
  counts.on_send(record.attempts[1], payments::send_kind::replay, result);
  counts.on_answer(record, 1084ms);
  counts.on_final(record);
  counts.on_invariant_violation("late_approval", record.id);

  const std::string why(to_string(routing::choice_reason::best_score));
  for (const std::string& line : {
           R"(turnout_routing_decisions_total{connector="alpha",policy="cards-eu",why=")" + why + R"("} 1)",
           R"(turnout_routing_decisions_total{connector="none",policy="cards-eu",why=")" + why + R"("} 1)",
           std::string(R"(turnout_attempt_duration_seconds_count{connector="beta",operation="sale"} 3)"),
           std::string(R"(turnout_attempt_duration_seconds_count{connector="beta",operation="inquire"} 1)"),
           std::string(R"(turnout_attempts_total{connector="alpha",operation="sale",outcome="not_sent"} 1)"),
           std::string(R"(turnout_attempts_total{connector="beta",operation="sale",outcome="approved"} 1)"),
           std::string(R"(turnout_attempts_total{connector="beta",operation="sale",outcome="soft_decline"} 2)"),
           std::string(R"(turnout_declines_total{connector="beta",reason="insufficient_funds"} 1)"),
           std::string(R"(turnout_declines_total{connector="beta",reason="none"} 1)"),
           std::string(R"(turnout_failovers_total{from="alpha",reason="not_sent",to="beta"} 1)"),
           std::string(R"(turnout_reversals_total{connector="alpha",result="wanted"} 1)"),
           std::string(R"(turnout_resolve_sends_total{connector="beta",kind="replay",result="definite"} 1)"),
           std::string(R"(turnout_resolve_sends_total{connector="beta",kind="replay",result="unclear"} 1)"),
           std::string(R"(turnout_resolve_delayed_total{connector="alpha"} 1)"),
           std::string(R"(turnout_resolve_waiting{connector="alpha"} 7)"),
           std::string(R"(turnout_gateway_silent{connector="alpha"} 1)"),
           std::string(R"(turnout_gateway_silent{connector="beta"} 0)"),
           std::string(R"(turnout_gateway_recoveries_total{connector="alpha"} 1)"),
           std::string("turnout_payment_duration_seconds_sum 1.084"),
           std::string(R"(turnout_payment_duration_seconds_bucket{le="1"} 0)"),
           std::string(R"(turnout_payment_duration_seconds_bucket{le="2"} 1)"),
           std::string(R"(turnout_payments_total{currency="EUR",merchant="demo",status="succeeded"} 1)"),
           std::string(R"(turnout_invariant_violations_total{invariant="late_approval"} 1)"),
       })
    CHECK(has_line(counts, line));
  CHECK(lines_with(counts, R"(turnout_attempt_duration_seconds_count{connector="alpha")") == 0);
  CHECK(counts.render().find(record.id) == std::string::npos);
}

TEST_CASE("what the adapters tell") {
  metrics counts("0.1.0");
  counts.http_request("/v1/payments/{id}", "GET", 404, 0.002);
  counts.journal_commit(200us, 17);
  counts.routing_decision(3us);
  counts.set_retry_budget_remaining(12.5);
  counts.set_config_reload(true, payments::wall_time{1'700'000'000s});
  CHECK(has_line(counts, R"(turnout_http_requests_total{method="GET",route="/v1/payments/{id}",status="404"} 1)"));
  CHECK(has_line(counts, R"(turnout_http_request_duration_seconds_count{method="GET",route="/v1/payments/{id}"} 1)"));
  CHECK(has_line(counts, "turnout_journal_batch_size_sum 17"));
  CHECK(has_line(counts, R"(turnout_journal_commit_seconds_bucket{le="0.0005"} 1)"));
  CHECK(has_line(counts, R"(turnout_routing_decision_seconds_bucket{le="5e-06"} 1)"));
  CHECK(has_line(counts, "turnout_retry_budget_remaining 12.5"));
  CHECK(has_line(counts, "turnout_config_last_reload_successful 1"));
  CHECK(has_line(counts, "turnout_config_last_reload_success_timestamp_seconds 1700000000"));

  counts.set_config_reload(false, payments::wall_time{1'800'000'000s});
  CHECK(has_line(counts, "turnout_config_last_reload_successful 0"));
  CHECK(has_line(counts, "turnout_config_last_reload_success_timestamp_seconds 1700000000"));
}

TEST_CASE("connectors have a score and one state, and go with their configuration") {
  metrics counts("0.1.0");
  std::vector views{view_of("alpha", 0.5, "closed"), view_of("beta", 0.25, "open")};
  counts.set_connectors(views);
  CHECK(has_line(counts, R"(turnout_connector_score{connector="alpha"} 0.5)"));
  CHECK(has_line(counts, R"(turnout_connector_state{connector="beta",state="open"} 1)"));
  CHECK(has_line(counts, R"(turnout_connector_state{connector="beta",state="closed"} 0)"));

  views.pop_back();
  views[0].state = "half_open";
  counts.set_connectors(views);
  CHECK(has_line(counts, R"(turnout_connector_state{connector="alpha",state="half_open"} 1)"));
  CHECK(has_line(counts, R"(turnout_connector_state{connector="alpha",state="closed"} 0)"));
  CHECK(counts.render().find("beta") == std::string::npos);

  views.push_back(view_of("beta", 1, "closed"));
  counts.set_connectors(views);
  CHECK(has_line(counts, R"(turnout_connector_score{connector="beta"} 1)"));
}

TEST_CASE("unresolved payments are summed over engines and fall back to 0") {
  metrics counts("0.1.0");
  const std::vector<core::engine::unresolved_view> views{
      {"alpha", 2, 3000ms}, {"beta", 1, 500ms}, {"alpha", 1, 9000ms}};
  counts.set_unresolved(views);
  CHECK(has_line(counts, R"(turnout_payments_unresolved{connector="alpha"} 3)"));
  CHECK(has_line(counts, R"(turnout_payments_unresolved{connector="beta"} 1)"));
  CHECK(has_line(counts, "turnout_unresolved_age_seconds 9"));
  counts.set_unresolved({});
  CHECK(has_line(counts, R"(turnout_payments_unresolved{connector="alpha"} 0)"));
  CHECK(has_line(counts, "turnout_unresolved_age_seconds 0"));
}

TEST_CASE("merchants beyond the first hundred are other") {
  metrics counts("0.1.0");
  payments::payment record = test::sample_payment();
  for (int number = 0; number < 150; ++number) {
    record.merchant = "merchant-" + std::to_string(number);
    counts.on_final(record);
    counts.on_final(record);
  }
  CHECK(lines_with(counts, "turnout_payments_total{") == most_merchants + 1);
  CHECK(has_line(counts, R"(turnout_payments_total{currency="EUR",merchant="merchant-99",status="succeeded"} 2)"));
  CHECK(has_line(counts, R"(turnout_payments_total{currency="EUR",merchant="other",status="succeeded"} 100)"));
}

TEST_CASE("a family is bounded whatever its labels are") {
  prometheus::Registry registry;
  series<prometheus::Counter, 2> some{registry, "some_total", "help", {"a", "b"}, {}, 10};
  for (int number = 0; number < 1000; ++number) some.at({std::to_string(number % 200), "x"}).Increment();
  const auto families = registry.Collect();
  REQUIRE(families.size() == 1);
  CHECK(families[0].metric.size() == 11);
  double sum = 0;
  for (const auto& metric : families[0].metric) sum += metric.counter.value;
  CHECK(sum == 1000);
}

TEST_CASE("hostile label values can forge nothing") {
  metrics counts("0.1.0");
  payments::payment record = test::sample_payment();
  record.merchant = "evil\"} 1\nturnout_forged_total{x=\"\\";
  counts.on_final(record);
  counts.on_failover("4242424242424242", "5555 5555 5555 4444", std::string(5000, 'x'));
  counts.on_reversal("\xFF\xFE\0bytes", "caf\xC3\xA9");
  const std::string text = counts.render();
  CHECK(lines_with(counts, "turnout_forged_total") == 0);
  CHECK(has_line(
      counts,
      R"(turnout_payments_total{currency="EUR",merchant="evil\"} 1 turnout_forged_total{x=\"\\",status="succeeded"} 1)"));
  CHECK(text.find("4242") == std::string::npos);
  CHECK(text.find("5555") == std::string::npos);
  CHECK(text.find(std::string(200, 'x')) == std::string::npos);
  CHECK(text.find('\xFF') == std::string::npos);
  CHECK(text.find("caf\xC3\xA9") != std::string::npos);
}

TEST_CASE("label values are cut between characters") {
  CHECK(clean_label(std::string(127, 'a') + "\xC3\xA9") == std::string(127, 'a'));
  CHECK(clean_label("a\x01"
                    "b") == "a b");
  CHECK(clean_label("").empty());
}

TEST_CASE("threads count together, while somebody reads") {
  metrics counts("0.1.0");
  const payments::payment record = test::sample_payment();
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread)
    threads.emplace_back([&] {
      for (int count = 0; count < 2000; ++count) {
        counts.on_attempt(record, record.attempts[1]);
        counts.on_final(record);
        counts.on_answer(record, 3ms);
      }
    });
  for (int count = 0; count < 20; ++count) static_cast<void>(counts.render());
  for (auto& each : threads) each.join();
  CHECK(has_line(counts, R"(turnout_attempts_total{connector="beta",operation="sale",outcome="approved"} 8000)"));
  CHECK(has_line(counts, R"(turnout_payments_total{currency="EUR",merchant="demo",status="succeeded"} 8000)"));
  CHECK(has_line(counts, "turnout_payment_duration_seconds_count 8000"));
}
