#pragma once
// Randomness by counter: every draw is a hash of what it is for, so it does
// not depend on who drew before. Two algorithms that send the same payment to
// the same gateway get the same answer: their runs are paired.
#include <cmath>
#include <cstdint>
#include <numbers>

#include "payments/random_source.hpp"

namespace turnout::routing::simulator {

/// The finaliser of splitmix64 (Steele, Lea, Flood 2014).
constexpr std::uint64_t scramble(std::uint64_t z) noexcept {
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

constexpr std::uint64_t combine(std::uint64_t a, std::uint64_t b) noexcept {
  return scramble((a + 0x9e3779b97f4a7c15u) * 0xd1342543de82ef95u + b);
}

/// What a draw is for. The numbers are part of the results: never change one.
enum class purpose : std::uint64_t {
  gateway_order = 1,
  base_decline,
  gap,
  technical_rate,
  median,
  gateway_effect,
  intrinsic_effect,
  drift_amplitude,
  drift_phase,
  drift_wander,
  event_start,
  event_duration,
  event_gateway,
  event_strength,
  event_slow,
  event_segment,
  arrival,
  issuer,
  brand,
  amount,
  method,
  amount_minor,
  intrinsic,
  intrinsic_reason,
  technical,
  latency_a,
  latency_b,
  segment,
  decline,
  decline_reason,
  disguise,
  router,
  testing
};

/// One seed's source of draws.
class draws {
 public:
  explicit draws(std::uint64_t seed) noexcept : key_(combine(0x7475726e6f7574u, seed)) {}
  std::uint64_t bits(purpose what, std::uint64_t a, std::uint64_t b = 0) const noexcept {
    return combine(combine(combine(key_, static_cast<std::uint64_t>(what)), a), b);
  }
  /// In [0, 1).
  double uniform(purpose what, std::uint64_t a, std::uint64_t b = 0) const noexcept {
    return static_cast<double>(bits(what, a, b) >> 11) * 0x1.0p-53;
  }
  /// Box and Muller, from the two halves of the bits.
  double normal(purpose what, std::uint64_t a, std::uint64_t b = 0) const noexcept {
    const std::uint64_t drawn = bits(what, a, b);
    const double radius = (static_cast<double>(drawn >> 32) + .5) * 0x1.0p-32;
    const double angle = (static_cast<double>(drawn & 0xffffffffu) + .5) * 0x1.0p-32;
    return std::sqrt(-2 * std::log(radius)) * std::cos(2 * std::numbers::pi * angle);
  }

 private:
  std::uint64_t key_;
};

/// What a router draws from: splitmix64.
class router_random final : public payments::random_source {
 public:
  explicit router_random(std::uint64_t seed) noexcept : state_(seed) {}
  std::uint64_t next() override { return scramble(state_ += 0x9e3779b97f4a7c15u); }

 private:
  std::uint64_t state_;
};

}  // namespace turnout::routing::simulator
