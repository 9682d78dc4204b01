#pragma once
// How much of the traffic is spent on learning, and on whom. Two questions are
// worth payments:
//
// Does it approve more than is known?  A candidate whose worth lies `gap` below
// the best, with standard deviation s, is explored with a weight against the
// best's 1 of
//   2·Φ(−gap/(c·s)),  c = .5
// (twice the chance that optimism of half a deviation lifts it to the best:
// a closed form of one-sided Thompson sampling). All weights together are cut
// to what the budget allows of their expected loss, Σ p·gap: .0005 of an approval
// for each first attempt, saved up to 20 approvals while it is not needed (that
// is also the credit to start with, for then nothing is known), of which one
// attempt may take .5 %. However many candidates there are: exploration is
// shared out.
//
// Does it work again?  A sick gateway, that would gain B over the best if it
// were healthy and loses c if it is not, recovers at rate μ, and λ payments/s
// would use it. A probe every Δ seconds costs c/Δ and finds the recovery Δ/2
// late on average, at λ·B·μ per second: the cheapest Δ is √(2c/(λ·B·μ)), by
// which time P(healthy) has grown to about μ·Δ. So a probe is due when
//   P(healthy) ≥ min( √(μ·c/(2·λ·B)) … , c/(c + B·(1 + λ·T)) ),   T = 3600 s
// the second for traffic so thin that no schedule pays: one probe then has only
// to pay by what its recovery brings until the next illness. A gateway that
// fails fast costs little (the payment goes on) and is asked often, one that
// times out loses the payment and is asked rarely. One probe at a time.
namespace turnout::routing {

/// What exploration may cost: an allowance per first attempt, that is saved up while it is not needed.
class exploration_budget {
 public:
  /// How much of an exploration that is expected to lose `loss` approvals is allowed: in [0, 1]. Spends that.
  double spend(double loss) noexcept;
  static constexpr double most_saved = 20;  ///< approvals; where it starts

 private:
  double saved_ = most_saved;
};

/// Of first attempts, for each of `probes` (> 0) that are due.
double probe_share(int probes) noexcept;

double explore_weight(double gap, double deviation) noexcept;

struct recovery_outlook {
  double healthy = 0;         ///< P(healthy)
  double recovery_per_s = 0;  ///< μ
  double gain = 0, loss = 0;  ///< B, c
  double traffic_per_s = 0;   ///< λ
};
bool probe_is_due(const recovery_outlook& of) noexcept;

}  // namespace turnout::routing
