// The watcher counts everything and logs each payment once, twice when its end came late.
#include "proxy/telemetry/watcher.hpp"

#include <catch2/catch.hpp>

#include <stdlib.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <filesystem>
#include <fstream>

#include "tests/unit/proxy/telemetry/sample_payment.hpp"

using namespace turnout;
using namespace turnout::telemetry;
using namespace std::chrono_literals;

namespace {

// The events that `use` makes the watcher log.
template <class Use>
std::vector<std::string> events_of(metrics& counts, Use&& use) {
  std::string name = (std::filesystem::temp_directory_path() / "turnout-watcher-XXXXXX").string();
  const int descriptor = ::mkstemp(name.data());
  REQUIRE(descriptor >= 0);
  ::close(descriptor);
  {
    std::string error;
    const auto lines = telemetry::log::open({.file = name}, error);
    REQUIRE(lines);
    watcher watching(counts, *lines);
    use(watching);
  }
  std::vector<std::string> events;
  std::ifstream in(name);
  for (std::string line; std::getline(in, line);) events.emplace_back(boost::json::parse(line).at("event").as_string());
  std::filesystem::remove(name);
  return events;
}

}  // namespace

TEST_CASE("a payment that ends before its answer is one line") {
  metrics counts("0.1.0");
  CHECK(events_of(counts, [](core::observer& watching) {
          const auto record = test::sample_payment();
          watching.on_final(record);
          watching.on_answer(record, 84ms);
        }) == std::vector<std::string>{"payment_answered"});
  CHECK(counts.render().find(R"(turnout_payments_total{currency="EUR",merchant="demo",status="succeeded"} 1)") !=
        std::string::npos);
}

TEST_CASE("a payment that ends after its answer is two lines, once") {
  metrics counts("0.1.0");
  CHECK(events_of(counts, [](core::observer& watching) {
          auto record = test::sample_payment();
          record.status = payments::payment_status::processing;
          watching.on_answer(record, 8000ms);
          record.status = payments::payment_status::failed;
          watching.on_final(record);
          watching.on_final(record);
        }) == std::vector<std::string>{"payment_answered", "payment_settled"});
}

TEST_CASE("a payment of an earlier run is told of when it ends") {
  metrics counts("0.1.0");
  CHECK(events_of(counts, [](core::observer& watching) {
          auto record = test::sample_payment();
          record.interrupted = true;
          watching.on_final(record);
        }) == std::vector<std::string>{"payment_settled"});
}

TEST_CASE("only unclear sends are logged") {
  metrics counts("0.1.0");
  CHECK(events_of(counts, [](core::observer& watching) {
          const auto record = test::sample_payment();
          payments::send_result result;
          result.result = payments::outcome::approved;
          result.carried = true;
          watching.on_send(record.attempts[1], payments::send_kind::charge, result);
          result.result = payments::outcome::unknown;
          watching.on_send(record.attempts[1], payments::send_kind::replay, result);
          watching.on_modification_send(record.attempts[1], payments::operation::refund, result);
          result.foreign = true;
          watching.on_modification_send(record.attempts[1], payments::operation::refund, result);
          watching.on_failover("alpha", "beta", "not_sent");
          watching.on_reversal("alpha", "wanted");
          watching.on_invariant_violation("late_approval", record.id);
        }) == std::vector<std::string>{"send_unclear", "send_unclear", "reversal", "invariant_violated"});
  CHECK(counts.render().find(R"(turnout_failovers_total{from="alpha",reason="not_sent",to="beta"} 1)") !=
        std::string::npos);
}
