#pragma once
// One life of the proxy, from its start to its crash: several engines over one
// journal, as the real one has workers. Each payment has one owner among them.
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "proxy/core/engine.hpp"
#include "tests/simulation/card_watch.hpp"
#include "tests/simulation/coverage.hpp"
#include "tests/simulation/disk.hpp"
#include "tests/simulation/network.hpp"
#include "tests/simulation/scheduler.hpp"
#include "tests/simulation/story.hpp"
#include "tests/simulation/variants.hpp"

namespace turnout::simulation {

using configuration = std::shared_ptr<const core::configuration>;

/// What a proxy finds when it starts.
struct surroundings {
  scheduler& time;
  disk& journal;
  gateway_map& gateways;
  const variant* broken;  ///< null: it works as it should
  coverage* reached;      ///< null: not counted
  story* told;            ///< null: not kept
  card_watch& cards;
  std::vector<std::string>& violations;
  std::uint64_t& late_approvals;  ///< as the metric counts them
};

class proxy {
 public:
  proxy(const surroundings& around, scheduler::life whose, std::uint64_t seed, std::size_t engines,
        configuration config);

  /// Takes up what the journal holds as unfinished.
  void recover();
  void configure(configuration config);
  /// Takes no new payments from now on.
  void drain();
  /// Authorisations that expire, and gateways that are asked again.
  void look_at_due();
  core::engine& any(std::uint64_t drawn) { return *engines_[drawn % engines_.size()]; }
  core::engine& owner_of(const std::string& payment);

 private:
  class watcher;
  struct deleter {
    void operator()(watcher* what) const;
  };
  scheduler& time_;
  disk& disk_;
  const variant* broken_;
  scheduler::life life_;
  proxy_clock clock_;
  std::unique_ptr<core::journal> journal_;
  network transport_;
  seeded_random random_;
  std::unique_ptr<watcher, deleter> watcher_;
  core::shared_routing routing_;
  configuration config_;  ///< what new payments are to use
  std::vector<std::unique_ptr<core::engine>> engines_;
};

/// The journal holds something of it that is not over.
bool is_open(const payments::payment& record);

}  // namespace turnout::simulation
