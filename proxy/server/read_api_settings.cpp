#include "proxy/server/read_api_settings.hpp"

#include <algorithm>
#include <cmath>

#include "proxy/api/api_key_store.hpp"
#include "settings/problem.hpp"

namespace turnout::server {

namespace {

using namespace std::chrono_literals;
using turnout::settings::fields;
using turnout::settings::value;

constexpr std::int64_t most_requests = 1'000'000, most_sightings = 10'000;
constexpr std::size_t most_origins = 100;  // each request looks through them

/// `rate` and `burst` of one mapping; a burst that is not given is what comes in
/// a second. Untouched when `rate` is not given.
void read_limit(const fields& keys, const char* rate, double seconds, std::optional<api::rate_limit>& into) {
  const auto count = keys.optional(rate).integer(0, most_requests);
  const value burst = keys.optional("burst");
  const auto tokens = burst.integer(1, most_requests);
  if (!keys.has(rate)) {
    burst.error(std::string("'burst' means nothing without '") + rate + "'");
    return;
  }
  if (!count) return;
  api::rate_limit limit{.per_second = static_cast<double>(*count) / seconds, .burst = 1};
  limit.burst = tokens ? static_cast<std::uint32_t>(*tokens)
                       : static_cast<std::uint32_t>(std::max(1.0, std::ceil(limit.per_second)));
  into = limit;
}

void read_rate_limits(const value& given, api::api_settings& into) {
  const fields keys(given, {"requests_per_second", "burst", "failed_authentications"});
  std::optional<api::rate_limit> requests, failures;
  read_limit(keys, "requests_per_second", 1, requests);
  read_limit(fields(keys.optional("failed_authentications"), {"per_minute", "burst"}), "per_minute", 60, failures);
  into.requests = requests.value_or(api::rate_limit{});
  into.failed_authentications = failures.value_or(api::rate_limit{});
}

void read_merchants(const value& given, api::api_settings& into) {
  if (!given.present()) return;
  for (const auto& [name, key, item] : given.entries()) {
    if (!api::is_merchant_name(name)) {
      key.error("a merchant's name is 1 to 40 of the characters a-z, 0-9, _ and -, not '" + name + "'");
      continue;
    }
    const fields keys(item, {"unique_reference", "rate_limits"});
    api::merchant_settings& merchant = into.merchants[name];
    merchant.unique_reference = keys.optional("unique_reference").boolean().value_or(false);
    read_limit(fields(keys.optional("rate_limits"), {"requests_per_second", "burst"}), "requests_per_second", 1,
               merchant.requests);
  }
}

void read_card_testing(const value& given, api::card_testing_limits& into) {
  const fields keys(given, {"window", "per"});
  if (const auto window = keys.optional("window").duration(10s, 24h)) into.window = *window;
  const fields per(keys.optional("per"), {"customer", "ip", "key"});
  for (const api::testing_subject each : api::every_testing_subject) {
    const fields most(per.optional(api::name_of(each)), {"cards", "declines"});
    const auto cards = most.optional("cards").integer(0, most_sightings);
    const auto declines = most.optional("declines").integer(0, most_sightings);
    into.of(each) = {static_cast<std::uint32_t>(cards.value_or(0)), static_cast<std::uint32_t>(declines.value_or(0))};
  }
}

void read_cors(const value& given, api::cors_settings& into) {
  const fields keys(given, {"origins", "max_age"});
  if (const auto age = keys.optional("max_age").duration(0s, 24h))
    into.max_age = std::chrono::floor<std::chrono::seconds>(*age);
  const value origins = keys.optional("origins");
  if (!origins.present()) return;
  for (const value& each : origins.items()) {
    const auto origin = each.text();
    if (!origin) continue;
    if (into.origins.size() == most_origins)
      return each.error("at most " + std::to_string(most_origins) + " origins are possible");
    if (api::is_origin(*origin))
      into.origins.push_back(*origin);
    else
      each.error(
          "an origin is a scheme, a host and a port unless it is the usual one, in lower case and without a path, such "
          "as https://shop.example; each one is named, '*' is not possible");
  }
}

}  // namespace

void read_api_settings(const fields& top, api::api_settings& into) {
  read_rate_limits(top.optional("rate_limits"), into);
  read_merchants(top.optional("merchants"), into);
  read_card_testing(top.optional("card_testing"), into.card_testing);
  read_cors(top.optional("cors"), into.cors);
}

void warn_of_strangers(const value& merchants, const std::vector<std::string_view>& known) {
  if (!merchants.is_map()) return;
  for (const auto& [name, key, item] : merchants.entries()) {
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    const std::string_view near = turnout::settings::nearest(name, known);
    key.warning("no connector takes payments of the merchant '" + name + "'" +
                (near.empty() ? std::string() : "; did you mean '" + std::string(near) + "'?"));
  }
}

}  // namespace turnout::server
