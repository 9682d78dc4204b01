#include "sandbox/random_stream.hpp"

#include <cmath>
#include <numbers>

namespace turnout::sandbox {

std::uint64_t random_stream::next() {
  state_ += 0x9e3779b97f4a7c15ULL;
  std::uint64_t mixed = state_;
  mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9ULL;
  mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebULL;
  return mixed ^ (mixed >> 31);
}

double random_stream::lognormal(double median, double sigma) {
  if (median <= 0.0 || sigma <= 0.0) return median;
  // Box-Muller, not std::normal_distribution: the same seed gives the same
  // latencies with every standard library.
  const double radius = std::sqrt(-2.0 * std::log(1.0 - uniform()));
  const double angle = 2.0 * std::numbers::pi * uniform();
  return median * std::exp(sigma * radius * std::cos(angle));
}

}  // namespace turnout::sandbox
