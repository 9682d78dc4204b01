#include "routing/exploration.hpp"

#include <algorithm>
#include <cmath>

namespace turnout::routing {
namespace {

constexpr double optimism = .5;
constexpr double allowance = .0005;  ///< of an approval, per first attempt
constexpr double at_once = .005;     ///< of what is saved, for one attempt
constexpr double one_probe_share = .25, all_probes_share = .3;
constexpr double hopeless = 4;           ///< deviations
constexpr double next_illness_s = 3600;  ///< T
constexpr double thin_least = .2;
constexpr double least_traffic = 1e-6;

}  // namespace

double explore_weight(double gap, double deviation) noexcept {
  if (gap <= 0) return 1;
  const double deviations = gap / (optimism * deviation);
  return deviations < hopeless ? std::erfc(deviations / std::sqrt(2.0)) : 0;
}

double exploration_budget::spend(double loss) noexcept {
  const double allowed = allowance + saved_ * at_once;
  const double spent = std::min(loss, allowed);
  saved_ = std::clamp(saved_ + allowance - spent, 0.0, most_saved);
  return loss > allowed ? allowed / loss : 1;
}

double probe_share(int probes) noexcept { return std::min(one_probe_share, all_probes_share / probes); }

bool probe_is_due(const recovery_outlook& of) noexcept {
  if (of.gain <= 0) return false;
  const double loss = std::max(of.loss, 0.0), traffic = std::max(of.traffic_per_s, least_traffic);
  const double scheduled = std::sqrt(of.recovery_per_s * loss / (2 * traffic * of.gain));
  const double alone = loss / (loss + of.gain * (1 + traffic * next_illness_s));
  return of.healthy >= std::min(scheduled, std::max(alone, thin_least));
}

}  // namespace turnout::routing
