#include "routing/breaker.hpp"

#include <bit>

namespace turnout::routing {
namespace {

using std::chrono::seconds;

constexpr double sick_at = .5;
constexpr int failures_to_open = 3;
constexpr int successes_to_close = 3;
constexpr seconds first_open{2}, longest_open{60};
constexpr int most_doublings = 5;  // 2 s · 2^5 is past the cap
constexpr seconds calm_period{60};
constexpr seconds probe_lease{30};

}  // namespace

std::string_view to_string(breaker_state state) noexcept {
  switch (state) {
    case breaker_state::closed: return "closed";
    case breaker_state::open: return "open";
    case breaker_state::half_open: return "half_open";
  }
  return "closed";
}

breaker_state breaker::state(steady_time now) const noexcept {
  if (!tripped_) return breaker_state::closed;
  return now < until_ ? breaker_state::open : breaker_state::half_open;
}

bool breaker::may_probe(steady_time now) const noexcept {
  return state(now) == breaker_state::half_open && (probe_ == 0 || now >= probe_until_);
}

void breaker::lease_probe(std::uint64_t decision, steady_time now) noexcept {
  if (state(now) != breaker_state::half_open) return;
  probe_ = decision;
  probe_until_ = now + probe_lease;
}

void breaker::release_probe(std::uint64_t decision) noexcept {
  if (probe_ == decision) probe_ = 0;
}

void breaker::open(steady_time now) noexcept {
  const bool relapse = tripped_ || (ever_closed_again_ && now - closed_at_ < calm_period);
  level_ = relapse ? std::min(level_ + 1, most_doublings) : 0;
  tripped_ = true;
  opened_at_ = now;
  until_ = now + std::min(longest_open, first_open * (1 << level_));
  successes_ = 0;
  probe_ = 0;
}

void breaker::close(steady_time now) noexcept {
  tripped_ = false;
  recent_ = 0;
  closed_at_ = now;
  ever_closed_again_ = true;
  probe_ = 0;
}

void breaker::observe(std::uint64_t decision, bool technical_failure, double failure_probability, steady_time sent_at,
                      steady_time now) noexcept {
  recent_ = static_cast<std::uint8_t>((recent_ << 1) | (technical_failure ? 1 : 0));
  release_probe(decision);
  if (!tripped_) {
    if (technical_failure && failure_probability >= sick_at && std::popcount(recent_) >= failures_to_open) open(now);
    return;
  }
  if (sent_at < opened_at_) return;
  if (technical_failure) {
    successes_ = 0;
    if (sent_at >= until_) open(now);
  } else if (++successes_ >= successes_to_close) {
    close(now);
  }
}

}  // namespace turnout::routing
