#include "routing/simulator/scenario.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

#include "payments/assertion.hpp"

namespace turnout::routing::simulator {
namespace {

constexpr std::array<std::string_view, most_countries> countries{
    "DE", "FR", "GB", "ES", "IT", "NL", "PL", "SE", "BE", "AT", "PT", "IE", "FI", "DK",
    "GR", "CZ", "RO", "HU", "SK", "BG", "HR", "SI", "LT", "LV", "EE", "LU", "CY", "MT",
    "NO", "CH", "US", "CA", "BR", "MX", "JP", "AU", "NZ", "IN", "SG", "ZA"};
constexpr std::array<std::string_view, most_methods> methods{"card", "wallet", "bank", "debit", "voucher", "invoice"};
constexpr int first_bin = 400'000;

double logit(double p) noexcept { return std::log(p / (1 - p)); }

constexpr double least_rate = 1e-4, most_rate = .999;

}  // namespace

payments::decline_reason draw_reason(const std::vector<reason_share>& shares, double uniform) noexcept {
  double total = 0;
  for (const reason_share& each : shares) total += each.weight;
  double left = uniform * total;
  for (const reason_share& each : shares) {
    left -= each.weight;
    if (left < 0) return each.reason;
  }
  return shares.back().reason;
}

std::uint16_t payer::of(feature which) const noexcept {
  switch (which) {
    case feature::issuer: return issuer;
    case feature::country: return country;
    case feature::brand: return brand;
    case feature::amount: return amount;
    case feature::method: return method;
  }
  TURNOUT_ASSERT(false);
}

std::size_t values_of(const context_distribution& of, feature which) noexcept {
  switch (which) {
    case feature::issuer: return of.issuers;
    case feature::country: return std::min(of.countries, of.issuers);
    case feature::brand: return of.brands.size();
    case feature::amount: return of.amounts.size();
    case feature::method: return of.methods.size();
  }
  TURNOUT_ASSERT(false);
}

std::size_t contexts_of(const context_distribution& of) noexcept {
  return of.issuers * of.brands.size() * of.amounts.size() * of.methods.size();
}

scenario::scenario(const world& of, std::uint64_t seed) : world_(of), seed_(seed), draws_(seed) {
  for (std::size_t i = 0; i < feature_count; ++i) cardinality_[i] = values_of(of.context, static_cast<feature>(i));
  for (std::size_t i = 0; i < of.context.issuers; ++i) bins_.push_back(std::to_string(first_bin + static_cast<int>(i)));
  draw_gateways();
  draw_contexts();
  draw_drift();
  draw_events();
}

void scenario::draw_gateways() {
  const double base = world_.declines.base.at(draws_.uniform(purpose::base_decline, 0));
  std::vector<std::size_t> open;  // without a gap of their own: one of them is the best
  for (const gateway_group& group : world_.gateways)
    for (std::size_t i = 0; i < group.count; ++i) {
      const std::size_t number = gateways_.size();
      simulated_gateway made;
      made.name = group.name.empty() ? "g" + std::to_string(number + 1) : group.name;
      const range gap = group.gap.value_or(world_.declines.gap);
      made.decline_rate = base + gap.at(draws_.uniform(purpose::gap, number));
      if (!group.gap) open.push_back(number);
      made.technical =
          group.technical.value_or(world_.technical.rate).at(draws_.uniform(purpose::technical_rate, number));
      const double factor = world_.latency.spread.at(draws_.uniform(purpose::median, number));
      made.median_s = group.median_s ? group.median_s->at(draws_.uniform(purpose::median, number))
                                     : world_.latency.median_s * factor;
      made.appears_s = group.appears_s;
      made.disappears_s = group.disappears_s;
      gateways_.push_back(std::move(made));
    }
  TURNOUT_ASSERT(!gateways_.empty() && gateways_.size() <= most_gateways);
  if (open.empty()) return;
  const auto best =
      static_cast<std::size_t>(draws_.uniform(purpose::gateway_order, 0) * static_cast<double>(open.size()));
  gateways_[open[best]].decline_rate = base;
}

std::uint32_t scenario::context_of(const payer& who) const noexcept {
  const context_distribution& of = world_.context;
  const std::size_t index =
      ((who.issuer * of.brands.size() + who.brand) * of.amounts.size() + who.amount) * of.methods.size() + who.method;
  return static_cast<std::uint32_t>(index);
}

payer scenario::payer_of(std::uint32_t context) const noexcept {
  const context_distribution& of = world_.context;
  std::size_t rest = context;
  const auto take = [&rest](std::size_t count) {
    const auto value = static_cast<std::uint16_t>(rest % count);
    rest /= count;
    return value;
  };
  payer who;
  who.method = take(of.methods.size());
  who.amount = take(of.amounts.size());
  who.brand = take(of.brands.size());
  who.issuer = static_cast<std::uint16_t>(rest);
  who.country = static_cast<std::uint16_t>(who.issuer % values_of(of, feature::country));
  return who;
}

std::size_t scenario::cell(const effect& of, const payer& who) const noexcept {
  std::size_t index = 0;
  for (feature each : of.over) index = index * cardinality_[static_cast<std::size_t>(each)] + who.of(each);
  return index;
}

std::vector<float> scenario::effect_cells(purpose what, std::uint64_t owner, const effect& of) const {
  if (!of.fixed.empty()) return {of.fixed.begin(), of.fixed.end()};
  std::size_t count = 1;
  for (feature each : of.over) count *= cardinality_[static_cast<std::size_t>(each)];
  std::vector<float> cells(count);
  for (std::size_t i = 0; i < count; ++i) cells[i] = static_cast<float>(of.deviation * draws_.normal(what, owner, i));
  return cells;
}

// The owner of an effect's draws: which effect, by its features, of which gateway.
std::uint64_t owner_of(const effect& of, std::size_t gateway) noexcept {
  std::uint64_t name = gateway;
  for (feature each : of.over) name = name * 16 + static_cast<std::uint64_t>(each) + 1;
  return name;
}

void scenario::draw_contexts() {
  const std::size_t count = contexts_of(world_.context), width = gateways_.size();
  std::vector<payer> payers(count);
  for (std::uint32_t i = 0; i < count; ++i) payers[i] = payer_of(i);

  intrinsic_.assign(count, static_cast<float>(world_.intrinsic.bias));
  for (const effect& each : world_.intrinsic.effects) {
    const std::vector<float> cells = effect_cells(purpose::intrinsic_effect, owner_of(each, 0), each);
    for (std::size_t i = 0; i < count; ++i) intrinsic_[i] += cells[cell(each, payers[i])];
  }
  for (float& value : intrinsic_) value = 1 / (1 + std::exp(-value));

  odds_.assign(count * width, 0);
  for (std::size_t g = 0; g < width; ++g) {
    const auto center = static_cast<float>(logit(std::clamp(gateways_[g].decline_rate, least_rate, most_rate)));
    for (std::size_t i = 0; i < count; ++i) odds_[i * width + g] = center;
    for (const effect& each : world_.declines.effects) {
      const std::vector<float> cells = effect_cells(purpose::gateway_effect, owner_of(each, g), each);
      for (std::size_t i = 0; i < count; ++i) odds_[i * width + g] += cells[cell(each, payers[i])];
    }
  }
  for (float& value : odds_) value = std::exp(value);
}

void scenario::draw_drift() {
  const drift_rule& rule = world_.drift;
  if (!rule.any()) return;
  drift_steps_ = static_cast<std::size_t>(world_.traffic.seconds / drift_step_s) + 2;
  drift_.resize(gateways_.size() * drift_steps_);
  const double keep = std::exp(-drift_step_s / rule.wander_s);
  for (std::size_t g = 0; g < gateways_.size(); ++g) {
    const double height = rule.amplitude * (.5 + .5 * draws_.uniform(purpose::drift_amplitude, g));
    const double phase = draws_.uniform(purpose::drift_phase, g);
    double wander = rule.wander * draws_.normal(purpose::drift_wander, g, 0);
    for (std::size_t step = 0; step < drift_steps_; ++step) {
      const double turn = static_cast<double>(step) * drift_step_s / rule.period_s + phase;
      drift_[g * drift_steps_ + step] =
          static_cast<float>(std::exp(height * std::sin(2 * std::numbers::pi * turn) + wander));
      wander =
          keep * wander + std::sqrt(1 - keep * keep) * rule.wander * draws_.normal(purpose::drift_wander, g, step + 1);
    }
  }
}

double scenario::drift(std::size_t gateway, double at_s) const noexcept {
  if (drift_steps_ == 0) return 1;
  const auto step = std::min(static_cast<std::size_t>(at_s / drift_step_s), drift_steps_ - 1);
  return drift_[gateway * drift_steps_ + step];
}

void scenario::draw_events() {
  std::vector<std::size_t> by_rate(gateways_.size());
  std::iota(by_rate.begin(), by_rate.end(), std::size_t{0});
  std::stable_sort(by_rate.begin(), by_rate.end(), [this](std::size_t a, std::size_t b) {
    return gateways_[a].decline_rate < gateways_[b].decline_rate;
  });
  std::uint64_t number = 0;
  for (const event_rule& rule : world_.events)
    for (std::size_t i = 0; i < rule.count; ++i) draw_event(rule, number++, by_rate);
  std::stable_sort(events_.begin(), events_.end(),
                   [](const event& a, const event& b) { return a.begins_s < b.begins_s; });
}

void scenario::draw_event(const event_rule& rule, std::uint64_t number, const std::vector<std::size_t>& by_rate) {
  std::vector<std::size_t> pool;
  for (std::size_t g : by_rate) {
    const auto& named = rule.gateways;
    if (named.empty() || std::find(named.begin(), named.end(), gateways_[g].name) != named.end()) pool.push_back(g);
  }
  event made{};
  made.kind = rule.kind;
  const double lasts = rule.duration_s.at(draws_.uniform(purpose::event_duration, number));
  const range starts = rule.starts_s.value_or(range{0, std::max(0.0, world_.traffic.seconds - lasts)});
  made.begins_s = starts.at(draws_.uniform(purpose::event_start, number));
  made.ends_s = made.begins_s + lasts;
  made.strength = rule.strength.at(draws_.uniform(purpose::event_strength, number));
  made.slow = draws_.uniform(purpose::event_slow, number) < rule.slow;
  made.disguised = rule.disguised;
  made.over = rule.over;
  made.reason = rule.reason;
  const std::size_t values = std::min(rule.top, values_of(world_.context, rule.over));
  made.value = static_cast<std::uint16_t>(draws_.uniform(purpose::event_segment, number) * static_cast<double>(values));
  if (rule.kind == event_kind::card_testing) {
    bursts_.push_back({made.begins_s, made.ends_s, made.strength * world_.traffic.tps, made.value});
    return;
  }
  for (std::size_t hit = 0; hit < rule.together && !pool.empty(); ++hit) {
    constexpr std::size_t best = 2;
    std::size_t low = 0, high = pool.size();
    if (rule.gateways.empty() && hit == 0 && pool.size() > best) {
      const bool at_best = draws_.uniform(purpose::event_gateway, number, 0) < rule.at_best;
      (at_best ? high : low) = best;
    }
    const double share = draws_.uniform(purpose::event_gateway, number, hit + 1);
    const std::size_t place = low + static_cast<std::size_t>(share * static_cast<double>(high - low));
    made.gateway = pool[place];
    pool.erase(pool.begin() + static_cast<std::ptrdiff_t>(place));
    events_.push_back(made);
  }
}

request scenario::request_of(std::uint32_t context, std::int64_t amount_minor) const {
  static const payments::currency euro = *payments::currency::find("EUR");
  const payer who = payer_of(context);
  return {.merchant = "shop",
          .method = methods[who.method],
          .brand = static_cast<payments::card_brand>(who.brand),
          .bin = bins_[who.issuer],
          .country = countries[who.country],
          .amount = {amount_minor, euro}};
}

}  // namespace turnout::routing::simulator
