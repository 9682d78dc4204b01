#include "routing/simulator/traffic.hpp"

#include <algorithm>
#include <cmath>

namespace turnout::routing::simulator {

using payments::decline_reason;

namespace {

/// Draws one of the weighted values.
class weighted {
 public:
  explicit weighted(std::vector<double> weights) : sums_(std::move(weights)) {
    for (std::size_t i = 1; i < sums_.size(); ++i) sums_[i] += sums_[i - 1];
  }
  std::uint16_t at(double uniform) const noexcept {
    const auto found = std::upper_bound(sums_.begin(), sums_.end(), uniform * sums_.back());
    return static_cast<std::uint16_t>(std::min<std::ptrdiff_t>(found - sums_.begin(), std::ssize(sums_) - 1));
  }

 private:
  std::vector<double> sums_;
};

std::vector<double> issuer_weights(const context_distribution& of) {
  std::vector<double> weights(of.issuers);
  for (std::size_t i = 0; i < weights.size(); ++i)
    weights[i] = std::pow(static_cast<double>(i + 1), -of.issuer_exponent);
  return weights;
}

// Hourly weights around a mean of 1, joined by straight lines between the middles of the hours.
double rate_at(const traffic_rule& rule, double at_s) noexcept {
  if (rule.daily.empty()) return rule.tps;
  double total = 0;
  for (double each : rule.daily) total += each;
  const std::size_t hours = rule.daily.size();
  const double place = at_s / 3600 + static_cast<double>(hours) - .5;
  const auto before = static_cast<std::size_t>(place);
  const double part = place - static_cast<double>(before);
  const double weight = rule.daily[before % hours] * (1 - part) + rule.daily[(before + 1) % hours] * part;
  return rule.tps * weight * static_cast<double>(hours) / total;
}

std::int64_t amount_within(std::uint16_t band, double uniform) noexcept {
  std::int64_t least = 100;  // the bands are powers of ten of major units
  for (int i = 0; i < band; ++i) least *= 10;
  return least + static_cast<std::int64_t>(uniform * 9 * static_cast<double>(least));
}

}  // namespace

namespace {

/// Draws the payments, one after the other.
class generator {
 public:
  explicit generator(const scenario& of)
      : of_(of),
        random_(of.random()),
        issuers_(issuer_weights(of.description().context)),
        brands_(of.description().context.brands),
        amounts_(of.description().context.amounts),
        methods_(of.description().context.methods) {}

  /// The payment after the one at `before_s`; its `best` is not known yet.
  payment_case next(double before_s) {
    payment_case made;
    made.at_s = arrival_after(before_s);
    const burst* testing = burst_at(made.at_s);
    if (testing != nullptr) {
      const double genuine = rate_at(of_.description().traffic, made.at_s);
      made.genuine = random_.uniform(purpose::testing, number_) * (genuine + testing->tps) < genuine;
    }
    payer who;
    who.issuer = made.genuine ? issuers_.at(random_.uniform(purpose::issuer, number_)) : testing->issuer;
    who.brand = brands_.at(random_.uniform(purpose::brand, number_));
    who.amount = made.genuine ? amounts_.at(random_.uniform(purpose::amount, number_)) : std::uint16_t{0};
    who.method = made.genuine ? methods_.at(random_.uniform(purpose::method, number_)) : std::uint16_t{0};
    made.context = of_.context_of(who);
    made.amount_minor = amount_within(who.amount, random_.uniform(purpose::amount_minor, number_));
    const double why = random_.uniform(purpose::intrinsic_reason, number_);
    if (!made.genuine)
      made.intrinsic = draw_reason(card_testing_reasons, why);
    else if (random_.uniform(purpose::intrinsic, number_) < of_.intrinsic(made.context))
      made.intrinsic = draw_reason(of_.description().intrinsic.reasons, why);
    ++number_;
    return made;
  }

 private:
  // The time at which the rate's integral has grown by an exponential draw; the
  // rate is taken as constant for a step.
  double arrival_after(double before_s) const {
    double left = -std::log(1 - random_.uniform(purpose::arrival, number_));
    const traffic_rule& rule = of_.description().traffic;
    const double step_s = !of_.bursts().empty() ? 1 : !rule.daily.empty() ? 60 : rule.seconds;
    for (double at_s = before_s;; at_s += step_s) {
      const burst* testing = burst_at(at_s);
      const double rate = rate_at(rule, at_s) + (testing != nullptr ? testing->tps : 0);
      if (left <= rate * step_s) return at_s + left / rate;
      if (at_s >= rule.seconds) return at_s;
      left -= rate * step_s;
    }
  }

  const burst* burst_at(double at_s) const noexcept {
    for (const burst& each : of_.bursts())
      if (at_s >= each.begins_s && at_s < each.ends_s) return &each;
    return nullptr;
  }

  const scenario& of_;
  const draws& random_;
  weighted issuers_, brands_, amounts_, methods_;
  std::uint64_t number_ = 0;
};

}  // namespace

traffic::traffic(const scenario& of) : mean_success(of.gateways().size()) {
  const traffic_rule& rule = of.description().traffic;
  payments.reserve(static_cast<std::size_t>(rule.tps * rule.seconds * 1.05) + 16);
  generator from(of);
  truth now(of);
  for (payment_case made = from.next(0); made.at_s < rule.seconds; made = from.next(made.at_s)) {
    now.advance(made.at_s);
    double best = 0;
    for (std::size_t g = 0; g < mean_success.size(); ++g) {
      const double success = now.success(made.context, g);
      mean_success[g] += success;
      best = std::max(best, success);
    }
    made.best = static_cast<float>(best);
    payments.push_back(made);
  }
  for (double& each : mean_success) each /= std::max<double>(1, static_cast<double>(payments.size()));
}

}  // namespace turnout::routing::simulator
