#include "routing/approval_model.hpp"

namespace turnout::routing {
namespace {

constexpr double day = 86'400;
constexpr double slow_time_constant_s = 20 * day, fast_time_constant_s = 1800;
constexpr double segment_time_constant_s = 10 * day;
constexpr std::size_t shared_cells = 16'384, own_cells = 8'192;
constexpr double most_logit = 8;

// Prior means and variances, in logits. Features in the order of `feature`.
constexpr double bias_mean = 2.0, bias_slow = 1.0, bias_fast = .05;
constexpr double base_slow = .20, base_fast = .05;
constexpr std::array<double, feature_count> shared_variance{.15, .10, .10, .05, .25, .25, .05, 0};
constexpr std::array<double, feature_count> own_variance{.06, .08, .03, .06, .03, .08, .02, .04};
constexpr double after_mean[2] = {-2.0, -.5}, after_variance[2] = {1.0, .5};
constexpr double after_issuer_variance = .25;
constexpr double retry_credence = .5;

std::uint64_t after_key(std::uint64_t issuer) noexcept { return mix(issuer, 0xaf7e); }

}  // namespace

double logistic(double logit) noexcept { return 1 / (1 + std::exp(-std::clamp(logit, -most_logit, most_logit))); }

approval_model::approval_model() : shared_(shared_cells, segment_time_constant_s) {}

void approval_model::resize(std::size_t count) {
  if (count < connectors_.size())
    connectors_.erase(connectors_.begin() + static_cast<std::ptrdiff_t>(count), connectors_.end());
  while (connectors_.size() < count) connectors_.push_back({{}, weight_table(own_cells, segment_time_constant_s)});
}

approval_model::dense approval_model::at(const dense& before, stamp now) noexcept {
  const double elapsed = seconds_since(before.last, now);
  return {drifted(before.slow, elapsed, slow_time_constant_s), drifted(before.fast, elapsed, fast_time_constant_s),
          std::max(before.last, now)};
}

approval_model::prepared approval_model::prepare(const segment_keys& keys, aftermath before,
                                                 steady_time now) const noexcept {
  prepared payment{keys, bias_mean, stamp_of(now)};
  const dense bias = at(bias_, payment.now);
  payment.logit += bias.slow.mean + bias.fast.mean;
  for (std::size_t i = 0; i < feature_count; ++i)
    if (keys[i] != 0 && shared_variance[i] > 0) payment.logit += shared_.read(keys[i], payment.now).mean;
  if (before != aftermath::none) {
    const std::size_t kind = static_cast<std::size_t>(before) - 1;
    payment.logit += after_mean[kind] + after_[kind].mean;
    const std::uint64_t issuer = keys[static_cast<std::size_t>(feature::issuer)];
    if (issuer != 0) payment.logit += shared_.read(after_key(issuer), payment.now).mean;
  }
  return payment;
}

void approval_model::expect(std::uint16_t connector, const segment_keys& keys) const noexcept {
  for (std::uint64_t key : keys) connectors_[connector].segments.expect(key);
}

approval_model::estimate approval_model::predict(std::uint16_t connector, const prepared& payment) const noexcept {
  const connector_weights& own = connectors_[connector];
  const dense base = at(own.base, payment.now);
  double logit = payment.logit + base.slow.mean + base.fast.mean;
  double variance = base_slow * base.slow.open + base_fast * base.fast.open;
  for (std::size_t i = 0; i < feature_count; ++i) {
    if (payment.keys[i] == 0) continue;
    const weight known = own.segments.read(payment.keys[i], payment.now);
    logit += known.mean;
    variance += own_variance[i] * known.open;
  }
  return {logit, std::sqrt(variance)};
}

approval_model::estimate approval_model::overall(std::uint16_t connector, steady_time now) const noexcept {
  return predict(connector, prepare({}, aftermath::none, now));
}

// All weights of one outcome, read once, so that the update is two plain loops.
struct approval_model::gathered {
  static constexpr std::size_t most = 2 + feature_count + 2 + feature_count + 2;
  std::array<weight, most> weights;
  std::array<double, most> variances;  ///< prior ones
  std::size_t count = 0;

  void add(weight known, double prior_variance) noexcept {
    weights[count] = known;
    variances[count++] = prior_variance;
  }
  void update(double predicted, bool approved, double credence) noexcept {
    const double information = predicted * (1 - predicted) * credence;
    double total = 0;
    for (std::size_t i = 0; i < count; ++i) total += variances[i] * weights[i].open;
    const double shrink = 1 / (1 + total * information);
    const double surprise = credence * ((approved ? 1 : 0) - predicted) * shrink;
    for (std::size_t i = 0; i < count; ++i) {
      const double variance = variances[i] * weights[i].open;
      weights[i].mean += variance * surprise;
      weights[i].open *= 1 - variance * information * shrink;
    }
  }
};

void approval_model::learn(std::uint16_t connector, const segment_keys& keys, aftermath before, bool approved,
                           double credence, steady_time at_time) noexcept {
  if (before != aftermath::none) credence *= retry_credence;
  if (!(credence > 0)) return;
  const prepared payment = prepare(keys, before, at_time);
  const double predicted = logistic(predict(connector, payment).logit);
  const stamp now = payment.now;
  connector_weights& own = connectors_[connector];
  bias_ = at(bias_, now);
  own.base = at(own.base, now);

  gathered all;
  all.add(bias_.slow, bias_slow);
  all.add(bias_.fast, bias_fast);
  all.add(own.base.slow, base_slow);
  all.add(own.base.fast, base_fast);
  for (std::size_t i = 0; i < feature_count; ++i) {
    if (keys[i] == 0) continue;
    if (shared_variance[i] > 0) all.add(shared_.read(keys[i], now), shared_variance[i]);
    all.add(own.segments.read(keys[i], now), own_variance[i]);
  }
  const std::uint64_t issuer = keys[static_cast<std::size_t>(feature::issuer)];
  const std::size_t kind = before == aftermath::none ? 0 : static_cast<std::size_t>(before) - 1;
  if (before != aftermath::none) {
    all.add(after_[kind], after_variance[kind]);
    if (issuer != 0) all.add(shared_.read(after_key(issuer), now), after_issuer_variance);
  }

  all.update(predicted, approved, credence);

  std::size_t next = 0;
  bias_.slow = all.weights[next++];
  bias_.fast = all.weights[next++];
  own.base.slow = all.weights[next++];
  own.base.fast = all.weights[next++];
  for (std::size_t i = 0; i < feature_count; ++i) {
    if (keys[i] == 0) continue;
    if (shared_variance[i] > 0) shared_.write(keys[i], all.weights[next++], now);
    own.segments.write(keys[i], all.weights[next++], now);
  }
  if (before != aftermath::none) {
    after_[kind] = all.weights[next++];
    if (issuer != 0) shared_.write(after_key(issuer), all.weights[next++], now);
  }
}

void approval_model::save(const dense& known, state_writer& into, stamp now) {
  const dense current = at(known, now);
  routing::save(current.slow, into);
  routing::save(current.fast, into);
}

approval_model::dense approval_model::load_dense(state_reader& from, double elapsed_s, stamp now) {
  dense known;
  known.slow = drifted(load_weight(from), elapsed_s, slow_time_constant_s);
  known.fast = drifted(load_weight(from), elapsed_s, fast_time_constant_s);
  known.last = now;
  return known;
}

void approval_model::save_shared(state_writer& into, steady_time now) const {
  save(bias_, into, stamp_of(now));
  for (const weight& each : after_) routing::save(each, into);
  shared_.save(into, stamp_of(now));
}

void approval_model::load_shared(state_reader& from, double elapsed_s, steady_time now) {
  bias_ = load_dense(from, elapsed_s, stamp_of(now));
  for (weight& each : after_) each = load_weight(from);
  shared_.load(from, elapsed_s, stamp_of(now));
}

void approval_model::save_own(std::uint16_t connector, state_writer& into, steady_time now) const {
  save(connectors_[connector].base, into, stamp_of(now));
  connectors_[connector].segments.save(into, stamp_of(now));
}

void approval_model::load_own(std::uint16_t connector, state_reader& from, double elapsed_s, steady_time now) {
  connectors_[connector].base = load_dense(from, elapsed_s, stamp_of(now));
  connectors_[connector].segments.load(from, elapsed_s, stamp_of(now));
}

void approval_model::forget(std::uint16_t connector) {
  connectors_[connector] = {{}, weight_table(own_cells, segment_time_constant_s)};
}

}  // namespace turnout::routing
