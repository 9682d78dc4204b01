#pragma once
// What the algorithms that we compare with share: they are routers like ours,
// see a gateway as a number, and learn 1 for an approval and 0 for all else.
#include <string>
#include <vector>

#include "routing/router.hpp"

namespace turnout::routing::simulator {

class baseline : public router {
 public:
  decision choose(const request& payment, const policies::route& route, const std::vector<candidate>& candidates,
                  const std::vector<tried>& tried, instant now, random_source& random) final;
  void on_sent(const request&, const decision&, instant) final {}
  void observe(const request& payment, const decision& made, const payments::send_result& result, instant now) final;
  void tick(instant) final {}
  void declare(std::string_view connector) final { number_of(connector, names_.size()); }
  std::vector<connector_view> view(instant now) const final;

 protected:
  struct pick {
    std::size_t arm;
    bool explored = false;
  };
  /// One of `open`, which is not empty. `retry`: the payment was tried elsewhere.
  virtual pick choose_arm(const std::vector<std::size_t>& open, bool retry, instant now, random_source& random) = 0;
  /// `technical`: the gateway failed rather than declined.
  virtual void learn(std::size_t arm, bool approved, bool technical, instant now) = 0;
  virtual bool judged_sick(std::size_t, instant) const { return false; }
  /// More arms are known from now on.
  virtual void grow(std::size_t) {}

 private:
  std::size_t number_of(std::string_view connector, std::size_t guess);

  std::vector<std::string> names_;
  std::vector<std::string_view> spelled_;  ///< as the candidates of this choice spell them
  std::vector<std::size_t> open_;
  std::uint64_t decisions_ = 0;
};

/// The arm of `open` with the greatest index; equal ones are drawn from.
template <class Index>
std::size_t best_arm(const std::vector<std::size_t>& open, random_source& random, Index&& index) {
  std::size_t best = open.front(), equals = 1;
  double highest = index(best);
  for (std::size_t i = 1; i < open.size(); ++i) {
    const double here = index(open[i]);
    if (here < highest) continue;
    if (here > highest) {
      equals = 1;
    } else if (random.uniform() * static_cast<double>(++equals) >= 1) {
      continue;
    }
    highest = here;
    best = open[i];
  }
  return best;
}

}  // namespace turnout::routing::simulator
