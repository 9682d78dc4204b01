#include "routing/simulator/read_world.hpp"

#include <algorithm>

#include "policies/reading.hpp"
#include "routing/simulator/reading.hpp"
#include "routing/simulator/scenario.hpp"

namespace turnout::routing::simulator {
namespace {

using settings::fields;
using settings::value;

constexpr int deepest_extension = 8;
constexpr std::size_t hours_a_day = 24;
constexpr double largest_bias = 20;

template <class T>
void set(T& into, const std::optional<T>& read) {
  if (read) into = *read;
}

void set_count(std::size_t& into, const value& from, std::size_t most) {
  if (const auto read = from.integer(1, static_cast<std::int64_t>(most))) into = static_cast<std::size_t>(*read);
}

/// Weights of a feature's values.
void read_weights(const value& from, std::size_t most, std::vector<double>& into) {
  if (!from.present()) return;
  into.clear();
  double total = 0;
  for (const value& each : from.items()) {
    into.push_back(each.number(0, 1e6).value_or(0));
    total += into.back();
  }
  if (into.empty() || into.size() > most || total <= 0) {
    from.error("'" + from.name() + "' must list 1 to " + std::to_string(most) + " weights, not all 0");
    into = {1};
  }
}

void read_traffic(const value& from, traffic_rule& into) {
  const fields keys(from, {"tps", "duration", "daily"});
  set(into.tps, keys.optional("tps").number(.001, most_tps));
  set(into.seconds, read_seconds(keys.optional("duration")));
  if (into.seconds <= 0) keys.optional("duration").error("'duration' must be longer than 0");
  if (const value daily = keys.optional("daily")) {
    read_weights(daily, hours_a_day, into.daily);
    if (into.daily.size() != hours_a_day) daily.error("'daily' must list the weights of 24 hours");
  }
  if (from.present() && into.tps * into.seconds > most_payments)
    from.error("more than 50 million payments: lower 'tps' or 'duration'");
}

void read_context(const value& from, context_distribution& into) {
  const fields keys(from, {"issuers", "issuer_exponent", "countries", "brands", "amounts", "methods"});
  set_count(into.issuers, keys.optional("issuers"), most_issuers);
  set(into.issuer_exponent, keys.optional("issuer_exponent").number(0, 5));
  set_count(into.countries, keys.optional("countries"), most_countries);
  read_weights(keys.optional("brands"), most_brands, into.brands);
  read_weights(keys.optional("amounts"), most_amounts, into.amounts);
  read_weights(keys.optional("methods"), most_methods, into.methods);
}

// Listed values must be as many as the feature has; combinations must fit in memory.
void check_effects(const value& from, const std::vector<effect>& effects, const world& about) {
  for (const effect& each : effects) {
    if (!each.fixed.empty() && each.fixed.size() != values_of(about.context, each.over.front()))
      from.error("'effects' must list one value for each value of the feature");
    std::size_t cells = 1;
    for (feature one : each.over) cells *= values_of(about.context, one);
    if (cells > most_cells) from.error("an effect over too many combinations");
  }
}

void read_declines(const fields& top, world& into) {
  const value own = top.optional("intrinsic_declines"), theirs = top.optional("gateway_declines");
  const fields card(own, {"bias", "effects", "reasons"});
  set(into.intrinsic.bias, card.optional("bias").number(-largest_bias, largest_bias));
  read_effects(card.optional("effects"), into.intrinsic.effects);
  read_reasons(card.optional("reasons"), into.intrinsic.reasons);
  check_effects(own.present() ? own : top.map(), into.intrinsic.effects, into);
  const fields gateway(theirs, {"base", "gap", "effects", "reasons"});
  set(into.declines.base, read_percents(gateway.optional("base")));
  set(into.declines.gap, read_percents(gateway.optional("gap")));
  read_effects(gateway.optional("effects"), into.declines.effects);
  read_reasons(gateway.optional("reasons"), into.declines.reasons);
  check_effects(theirs.present() ? theirs : top.map(), into.declines.effects, into);
}

void read_technical(const value& from, technical_failures& into) {
  const fields keys(from, {"rate", "answers_after", "disguised", "disguise"});
  set(into.rate, read_percents(keys.optional("rate")));
  set(into.fast_s, read_durations(keys.optional("answers_after")));
  set(into.disguised, keys.optional("disguised").percent());
  if (const value word = keys.optional("disguise")) into.disguise = read_reason(word).value_or(into.disguise);
}

void read_latency(const value& from, latency_distribution& into) {
  const fields keys(from, {"median", "spread", "sigma", "timeout"});
  set(into.median_s, read_seconds(keys.optional("median")));
  set(into.spread, read_numbers(keys.optional("spread"), .01, 100));
  set(into.sigma, keys.optional("sigma").number(.01, 5));
  set(into.timeout_s, read_seconds(keys.optional("timeout")));
  if (into.median_s <= 0) keys.optional("median").error("'median' must be longer than 0");
  if (into.timeout_s <= 0) keys.optional("timeout").error("'timeout' must be longer than 0");
}

void read_drift(const value& from, drift_rule& into) {
  const fields keys(from, {"amplitude", "period", "wander", "wander_time"});
  set(into.amplitude, keys.optional("amplitude").number(0, 10));
  set(into.period_s, read_seconds(keys.optional("period")));
  set(into.wander, keys.optional("wander").number(0, 10));
  set(into.wander_s, read_seconds(keys.optional("wander_time")));
  if (into.period_s <= 0) keys.optional("period").error("'period' must be longer than 0");
  if (into.wander_s <= 0) keys.optional("wander_time").error("'wander_time' must be longer than 0");
}

void read_keys(const fields& top, world& into) {
  top.required("version").integer(1, 1);
  set(into.name, top.required("world").text());
  set(into.title, top.optional("title").text());
  if (const value part = top.optional("traffic")) read_traffic(part, into.traffic);
  if (const value part = top.optional("context")) read_context(part, into.context);
  read_gateways(top.optional("gateways"), into);
  read_declines(top, into);
  if (const value part = top.optional("technical")) read_technical(part, into.technical);
  if (const value part = top.optional("latency")) read_latency(part, into.latency);
  if (const value part = top.optional("drift")) read_drift(part, into.drift);
  read_events(top.optional("events"), into);
  if (const value part = top.optional("retry")) into.retry = policies::read_retry(part).plan;
  set(into.retry_share, top.optional("retry_share").percent());
  set(into.timeouts_are_final, top.optional("timeouts_are_final").boolean());
  if (into.gateways.empty()) top.map().error("'gateways' is missing");
  std::size_t gateways = 0;
  for (const gateway_group& each : into.gateways) gateways += each.count;
  if (gateways * contexts_of(into.context) > most_cells)
    top.map().error("too many combinations of issuers, brands, amounts, methods and gateways: at most 8 million");
}

std::string beside(const std::string& file, const std::string& path) {
  const std::size_t slash = file.rfind('/');
  return slash == std::string::npos || path.starts_with('/') ? path : file.substr(0, slash + 1) + path;
}

bool read_file(const std::string& file, const file_reader& read, int depth, world& into, settings::problems& found) {
  const auto text = read(file);
  if (!text) {
    settings::problem missing;
    missing.file = file;
    missing.message = "cannot be read";
    found.push_back(std::move(missing));
    return false;
  }
  const auto document = settings::parse(file, *text, {}, found);
  if (!document) return false;
  const fields top(
      settings::root(*document, found),
      {"version", "world", "title", "extends", "traffic", "context", "gateways", "intrinsic_declines",
       "gateway_declines", "technical", "latency", "drift", "events", "retry", "retry_share", "timeouts_are_final"});
  if (const value base = top.optional("extends")) {
    if (depth >= deepest_extension) {
      base.error("files extend each other more than 8 deep, or in a circle");
      return false;
    }
    const auto path = base.text();
    if (path && !read_file(beside(file, *path), read, depth + 1, into, found)) {
      base.error("'" + *path + "', which this extends, cannot be used");
      return false;
    }
  }
  read_keys(top, into);
  return true;
}

}  // namespace

std::optional<world> read_world(const std::string& file, const file_reader& read, settings::problems& found) {
  world into;
  into.retry = payments::default_retry_plan();
  if (!read_file(file, read, 0, into, found) || settings::has_errors(found)) return std::nullopt;
  return into;
}

}  // namespace turnout::routing::simulator
