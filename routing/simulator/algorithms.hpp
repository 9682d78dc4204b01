#pragma once
// What competes: each is a routing::router, ours is the very one that the proxy runs.
#include <functional>
#include <memory>
#include <span>
#include <string_view>

#include "routing/router.hpp"
#include "routing/simulator/run.hpp"

namespace turnout::routing::simulator {

struct algorithm {
  std::string_view name;   ///< as on the command line
  std::string_view title;  ///< as in tables
  std::unique_ptr<router> (*make)(const stage& on);
};

/// In the order of the tables: random first, ours and the oracle last.
std::span<const algorithm> algorithms() noexcept;
/// nullptr: there is none of that name.
const algorithm* find_algorithm(std::string_view name) noexcept;

// Uninformed, or knowing more than anybody can (fixed.cpp).
std::unique_ptr<router> make_random(const stage&);
std::unique_ptr<router> make_round_robin(const stage&);
/// One order for all payments, by the true mean success over the whole run.
std::unique_ptr<router> make_best_static(const stage& on);
/// The order with the greatest probability of approval, failovers included, by the truth of the moment.
std::unique_ptr<router> make_oracle(const stage& on);

// As they are run today (windowed.cpp).
/// The share approved among each gateway's last 125 answers, which start as all approved; 5 % go elsewhere.
std::unique_ptr<router> make_windowed_rate(const stage&);
/// Round robin; ejects after five consecutive technical failures or an outlying success rate, as Envoy does.
std::unique_ptr<router> make_outlier_ejection(const stage&);

// Bandits (bandits.cpp).
/// Garivier, Moulines 2011: discount .999, exploration .1.
std::unique_ptr<router> make_discounted_ucb(const stage&);
/// Garivier, Moulines 2011: window of 1000 plays, exploration .1.
std::unique_ptr<router> make_sliding_window_ucb(const stage&);
/// Liu, Lee, Shroff 2018.
std::unique_ptr<router> make_cusum_ucb(const stage&);
/// Raj, Kalyani 2017: discount .998.
std::unique_ptr<router> make_discounted_thompson(const stage&);

}  // namespace turnout::routing::simulator
