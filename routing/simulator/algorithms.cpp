#include "routing/simulator/algorithms.hpp"

#include <array>

namespace turnout::routing::simulator {
namespace {

std::unique_ptr<router> make_ours(const stage&) { return create_router(); }

constexpr std::array all{
    algorithm{"random", "random", make_random},
    algorithm{"round_robin", "round robin", make_round_robin},
    algorithm{"best_static", "best static, in hindsight", make_best_static},
    algorithm{"outlier_ejection", "outlier ejection (Envoy-like)", make_outlier_ejection},
    algorithm{"windowed_rate", "windowed success rate, 5 % hedging", make_windowed_rate},
    algorithm{"d_ucb", "D-UCB .999 c .1", make_discounted_ucb},
    algorithm{"sw_ucb", "SW-UCB 1000 c .1", make_sliding_window_ucb},
    algorithm{"cusum_ucb", "CUSUM-UCB", make_cusum_ucb},
    algorithm{"d_thompson", "discounted Thompson .998", make_discounted_thompson},
    algorithm{"ours", "Turnout", make_ours},
    algorithm{"oracle", "oracle", make_oracle},
};

}  // namespace

std::span<const algorithm> algorithms() noexcept { return all; }

const algorithm* find_algorithm(std::string_view name) noexcept {
  for (const algorithm& each : all)
    if (each.name == name) return &each;
  return nullptr;
}

}  // namespace turnout::routing::simulator
