// See gateway_pacing.hpp.
#include "proxy/core/gateway_pacing.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace turnout::core {

using payments::steady_time;

namespace {

// What may be sent at once after a quiet time, in seconds of the rate.
constexpr double burst_seconds = 0.25;
// Tokens are sums of fractions: a hundred hundredths are one.
constexpr double rounding = 1e-9;

double burst(double per_second) noexcept { return std::max(1.0, per_second * burst_seconds); }

bool has_token(double tokens) noexcept { return tokens >= 1 - rounding; }

}  // namespace

gateway_pacing::gateway& gateway_pacing::known(std::string_view connector) {
  const auto found = gateways_.find(connector);
  return found != gateways_.end() ? found->second : gateways_.try_emplace(std::string(connector)).first->second;
}

void gateway_pacing::fill(gateway& of, steady_time now) noexcept {
  const double elapsed = std::max(0.0, std::chrono::duration<double>(now - of.filled).count());
  of.tokens = std::min(burst(of.per_second), of.tokens + elapsed * of.per_second);
  of.filled = std::max(of.filled, now);
}

void gateway_pacing::spend(gateway& of, steady_time now) noexcept {
  of.tokens = std::max(0.0, of.tokens - 1);
  if (of.failures > 0) of.next_probe = now + probe_interval;
}

void gateway_pacing::remove(gateway& of, std::set<place>::iterator gone) {
  of.places.erase(gone->number);
  if (--of.waiting[gone->engine] == 0) of.waiting.erase(gone->engine);
  of.line.erase(gone);
}

void gateway_pacing::grant(gateway& of, std::set<place>::iterator next, steady_time now) {
  spend(of, now);
  of.granted[next->engine].push_back(next->number);
  remove(of, next);
}

// Whoever looks gives out what is due to anybody: nobody waits for a thread that is busy.
void gateway_pacing::advance(gateway& of, steady_time now) {
  fill(of, now);
  while (!of.line.empty() && has_token(of.tokens) && (!of.silent || !of.line.begin()->patient))
    grant(of, of.line.begin(), now);
  if (of.line.empty() || !has_token(of.tokens) || now < of.next_probe) return;
  // A silent gateway is asked by each in turn: the oldest may be the one it chokes on.
  grant(of, of.line.find(of.places.begin()->second), now);
}

std::optional<gateway_pacing::ticket> gateway_pacing::ask(const request& wanted, steady_time now) {
  const std::lock_guard lock(mutex_);
  gateway& of = known(wanted.connector);
  if (of.per_second == 0) of.tokens = burst(wanted.per_second);
  of.per_second = wanted.per_second;
  advance(of, now);
  // With a token left, only those wait who wait for a silent gateway.
  const bool turn = wanted.urgent || !of.silent || (of.line.empty() && now >= of.next_probe);
  if (has_token(of.tokens) && turn) {
    spend(of, now);
    return std::nullopt;
  }
  const place made{!wanted.urgent, wanted.since, ++last_, wanted.engine};
  of.line.insert(made);
  of.places.emplace(made.number, made);
  ++of.waiting[made.engine];
  return made.number;
}

void gateway_pacing::give_up(std::string_view connector, ticket waiting) {
  const std::lock_guard lock(mutex_);
  gateway& of = known(connector);
  if (const auto found = of.places.find(waiting); found != of.places.end())
    return remove(of, of.line.find(found->second));
  for (auto& [engine, tickets] : of.granted) std::erase(tickets, waiting);
}

std::vector<gateway_pacing::ticket> gateway_pacing::collect(std::size_t engine, steady_time now) {
  const std::lock_guard lock(mutex_);
  std::vector<ticket> all;
  for (auto& [name, of] : gateways_) {
    advance(of, now);
    const auto own = of.granted.find(engine);
    if (own == of.granted.end()) continue;
    all.insert(all.end(), own->second.begin(), own->second.end());
    of.granted.erase(own);
  }
  return all;
}

steady_time gateway_pacing::next_grant(std::size_t engine, steady_time now) {
  const std::lock_guard lock(mutex_);
  steady_time next = steady_time::max();
  for (auto& [name, of] : gateways_) {
    if (const auto own = of.granted.find(engine); own != of.granted.end() && !own->second.empty()) return now;
    if (!of.waiting.contains(engine)) continue;
    fill(of, now);
    const std::chrono::duration<double> missing(std::max(0.0, 1 - of.tokens) / of.per_second);
    steady_time at = now + std::chrono::ceil<payments::milliseconds>(missing);
    if (of.silent && of.line.begin()->patient) at = std::max(at, of.next_probe);
    next = std::min(next, at);
  }
  return next;
}

void gateway_pacing::forget(std::size_t engine) {
  const std::lock_guard lock(mutex_);
  for (auto& [name, of] : gateways_) {
    for (auto next = of.line.begin(); next != of.line.end();) {
      const auto each = next++;
      if (each->engine == engine) remove(of, each);
    }
    of.granted.erase(engine);
  }
}

bool gateway_pacing::observe(std::string_view connector, bool definite, steady_time begun, steady_time now) {
  const std::lock_guard lock(mutex_);
  const auto found = gateways_.find(connector);
  if (definite && found == gateways_.end()) return false;
  gateway& of = found == gateways_.end() ? known(connector) : found->second;
  if (!definite) {
    if (begun < of.last_definite) return false;  // it tells of a time that is over
    if (of.failures++ == 0) of.next_probe = now + probe_interval;
    of.silent = of.failures >= silent_after;
    of.owes_wake = true;
    of.was_silent |= of.silent;
    return false;
  }
  of.failures = 0;
  of.silent = false;
  of.last_definite = now;
  if (!of.owes_wake) return false;
  const payments::milliseconds pause = of.was_silent ? wake_pause : hiccup_pause;
  if (of.last_wake != steady_time::min() && now < of.last_wake + pause) return false;
  of.owes_wake = of.was_silent = false;
  of.last_wake = now;
  return true;
}

std::vector<std::string> gateway_pacing::troubled() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> names;
  for (const auto& [name, of] : gateways_)
    if (of.failures > 0) names.push_back(name);
  return names;
}

bool gateway_pacing::probe_due(std::string_view connector, steady_time now) const {
  const std::lock_guard lock(mutex_);
  const auto found = gateways_.find(connector);
  return found != gateways_.end() && found->second.failures > 0 && found->second.line.empty() &&
         now >= found->second.next_probe;
}

std::vector<gateway_pacing::view> gateway_pacing::views() const {
  const std::lock_guard lock(mutex_);
  std::vector<view> all;
  for (const auto& [name, of] : gateways_) all.push_back({name, of.line.size(), of.silent});
  return all;
}

}  // namespace turnout::core
