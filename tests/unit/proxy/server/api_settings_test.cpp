// rate_limits, merchants, card_testing and cors of turnout.yaml.
#include <catch2/catch.hpp>

#include "proxy/server/read_api_settings.hpp"
#include "settings/problem.hpp"

using namespace std::chrono_literals;
using namespace turnout;

namespace {

struct reading {
  api::api_settings settings;
  std::string problems;
};

reading read(const std::string& yaml) {
  reading result;
  settings::problems found;
  const settings::secret_source none{[](std::string_view) { return std::nullopt; },
                                     [](std::string_view) { return std::nullopt; }};
  const auto file = settings::parse("turnout.yaml", yaml, none, found);
  REQUIRE(file);
  server::read_api_settings(
      settings::fields(settings::root(*file, found), {"rate_limits", "merchants", "card_testing", "cors"}),
      result.settings);
  for (const auto& each : found) result.problems += each.to_string() + "\n";
  return result;
}

using Catch::Contains;
using Catch::StartsWith;

}  // namespace

TEST_CASE("nothing is limited unless it is configured") {
  const reading got = read("rate_limits: {}\ncard_testing: {}\nmerchants: {}\n");
  CHECK(got.problems.empty());
  CHECK(got.settings == api::api_settings{});
  CHECK_FALSE(got.settings.requests.on());
  CHECK_FALSE(got.settings.failed_authentications.on());
  CHECK_FALSE(got.settings.card_testing.on());
}

TEST_CASE("rate limits are read, for all and for a merchant") {
  const reading got = read(R"(
rate_limits:
  requests_per_second: 100
  burst: 250
  failed_authentications: {per_minute: 30, burst: 5}
merchants:
  demo: {unique_reference: true}
  big: {rate_limits: {requests_per_second: 1000}}
  free: {rate_limits: {requests_per_second: 0}}
)");
  CHECK(got.problems.empty());
  const api::api_settings& all = got.settings;
  CHECK(all.requests == api::rate_limit{100, 250});
  CHECK(all.failed_authentications == api::rate_limit{0.5, 5});
  CHECK(all.requests_of("demo") == all.requests);
  CHECK(all.requests_of("nobody") == all.requests);
  CHECK(all.requests_of("big") == api::rate_limit{1000, 1000});
  CHECK_FALSE(all.requests_of("free").on());
  CHECK(all.unique_reference("demo"));
  CHECK_FALSE(all.unique_reference("big"));
  CHECK_FALSE(all.unique_reference("nobody"));
}

TEST_CASE("card testing is read") {
  const reading got =
      read("card_testing: {window: 5m, per: {customer: {cards: 5, declines: 10}, key: {declines: 2000}}}\n");
  CHECK(got.problems.empty());
  api::card_testing_limits wanted;
  wanted.window = 5min;
  wanted.of(api::testing_subject::customer) = {5, 10};
  wanted.of(api::testing_subject::key) = {0, 2000};
  CHECK(got.settings.card_testing == wanted);
  CHECK(read("card_testing: {per: {ip: {cards: 5}}}\n").settings.card_testing.window == 10min);
}

TEST_CASE("mistakes have their position") {
  const auto wrong = [](const std::string& yaml) { return read(yaml).problems; };
  CHECK_THAT(wrong("rate_limits: {requests_per_second: -1}\n"), StartsWith("turnout.yaml:1:36: error:"));
  CHECK_THAT(wrong("rate_limits: {requests_per_second: 0.5}\n"), StartsWith("turnout.yaml:1:36: error:"));
  CHECK_THAT(wrong("rate_limits: {requests_per_second: 10, burst: 0}\n"), StartsWith("turnout.yaml:1:47: error:"));
  CHECK_THAT(wrong("rate_limits: {burst: 10}\n"), Contains("'requests_per_second'"));
  CHECK_THAT(wrong("rate_limits: {request_per_second: 10}\n"), Contains("did you mean 'requests_per_second'?"));
  CHECK_THAT(wrong("merchants:\n  Demo: {}\n"), StartsWith("turnout.yaml:2:3: error:"));
  CHECK_THAT(wrong("merchants:\n  demo: {unique_reference: 1}\n"), StartsWith("turnout.yaml:2:28: error:"));
  CHECK_THAT(wrong("merchants: [demo]\n"), StartsWith("turnout.yaml:1:12: error:"));
  CHECK_THAT(wrong("merchants:\n  demo: {rate_limit: {}}\n"), Contains("did you mean 'rate_limits'?"));
  CHECK_THAT(wrong("card_testing: {window: 1s}\n"), StartsWith("turnout.yaml:1:24: error:"));
  CHECK_THAT(wrong("card_testing: {per: {custommer: {cards: 5}}}\n"), Contains("did you mean 'customer'?"));
  CHECK_THAT(wrong("card_testing: {per: {ip: {cards: 10001}}}\n"), StartsWith("turnout.yaml:1:34: error:"));
}

TEST_CASE("no web page may use the API unless its origin is named") {
  CHECK_FALSE(read("cors: {}\n").settings.cors.on());
  CHECK_FALSE(read("cors: {origins: []}\n").settings.cors.on());
  const reading got = read("cors: {origins: [https://shop.example, 'http://[::1]:3000'], max_age: 90s}\n");
  CHECK(got.problems.empty());
  CHECK(got.settings.cors.origins == std::vector<std::string>{"https://shop.example", "http://[::1]:3000"});
  CHECK(got.settings.cors.max_age == 90s);
  CHECK(read("cors: {origins: [https://a.example]}\n").settings.cors.max_age == 10min);
  for (const char* wrong : {"'*'", "'null'", "shop.example", "https://shop.example/", "https://Shop.example",
                            "https://shop.example:443", "http://shop.example:80", "https://", "ftp://shop.example",
                            "https://a@shop.example", "'https://shop.example:'", "'https://shop.example:0'"}) {
    INFO(wrong);
    const reading refused = read(std::string("cors: {origins: [") + wrong + "]}\n");
    CHECK_THAT(refused.problems, StartsWith("turnout.yaml:1:18: error: an origin is"));
    CHECK_FALSE(refused.settings.cors.on());
  }
  CHECK_THAT(read("cors: {origins: https://shop.example}\n").problems, StartsWith("turnout.yaml:1:17: error:"));
  CHECK_THAT(read("cors: {max_age: 25h}\n").problems, StartsWith("turnout.yaml:1:17: error:"));
  CHECK_THAT(read("cors: {origin: [https://shop.example]}\n").problems, Contains("did you mean 'origins'?"));
}
