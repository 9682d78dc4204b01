// What GET …/decisions shows is valid JSON, whole, and escaped.
#include "proxy/server/decision_text.hpp"

#include <boost/json.hpp>
#include <catch2/catch.hpp>

using namespace turnout;

TEST_CASE("a decision is written down with its candidates, features and exclusions") {
  routing::decision made;
  made.order.push_back({"alpha", 0.9, 0.95, 0.99, 80, 0.014, 0.97, 0.01, 0.002});
  made.order.push_back({"beta", 0.8, 0.85, 0.98, 90, 0.012, 0.03});
  made.excluded.push_back({"ga\"mma", "breaker_open"});
  made.why = routing::choice_reason::explored;
  made.segment = "card/visa";
  made.probability = 0.97;
  const auto shown =
      boost::json::parse(server::decision_text(made, {"cards", "0123456789ab", "ba9876543210", {}})).as_object();
  CHECK(shown.at("at") == "1970-01-01T00:00:00Z");
  CHECK(shown.at("chosen") == "alpha");
  CHECK(shown.at("why") == "explored");
  CHECK(shown.at("segment") == "card/visa");
  CHECK(shown.at("probability").to_number<double>() == Approx(0.97));
  CHECK(shown.at("candidates").as_array().size() == 2);
  CHECK(shown.at("candidates").at(1).at("connector") == "beta");
  CHECK(shown.at("candidates").at(1).at("latency_ms").to_number<double>() == Approx(90));
  CHECK(shown.at("candidates").at(0).at("approval_deviation").to_number<double>() == Approx(0.01));
  CHECK(shown.at("candidates").at(0).at("unknown").to_number<double>() == Approx(0.002));
  CHECK(shown.at("excluded").at(0).at("connector") == "ga\"mma");
  CHECK(shown.at("excluded").at(0).at("reason") == "breaker_open");
  CHECK(shown.at("explored") == true);
  CHECK(shown.at("policy") == "cards");
  CHECK(shown.at("policy_version") == "0123456789ab");
  CHECK(shown.at("configuration_version") == "ba9876543210");
}

TEST_CASE("a decision without a candidate says that nobody was chosen") {
  const auto shown = boost::json::parse(server::decision_text({}, {})).as_object();
  CHECK(shown.at("chosen").is_null());
  CHECK(shown.at("why").is_null());
  CHECK(shown.at("explored") == false);
  CHECK(shown.at("candidates").as_array().empty());
}
