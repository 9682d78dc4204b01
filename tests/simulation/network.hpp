#pragma once
// The transport port between one life of the proxy and the gateways. It checks
// that nothing is sent before its intent is durable, and it is where broken
// proxies are made to believe what is not so.
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "proxy/core/ports.hpp"
#include "tests/simulation/disk.hpp"
#include "tests/simulation/gateway.hpp"
#include "tests/simulation/variants.hpp"

namespace turnout::simulation {

using gateway_map = std::map<std::string, std::unique_ptr<gateway>>;

/// A connector as a broken proxy reads it; the honest one where `how` is null.
std::shared_ptr<const connectors::definition> make_connector(payments::connector_profile profile, const variant* how);

class network final : public core::transport {
 public:
  network(gateway_map& gateways, scheduler& time, scheduler::life whose, const disk& journal, const variant* broken,
          std::vector<std::string>& violations)
      : gateways_(gateways), time_(time), whose_(whose), journal_(journal), broken_(broken), violations_(violations) {}

  void send(const connectors::definition& connector, connectors::wire_request request, steady_time deadline,
            std::function<void(core::exchange)> done) override;

 private:
  struct question {
    std::string operation, reference;
    std::int64_t amount;
  };
  void check_durable(const asked& what);
  void misread(const question& what, core::exchange& came_back);

  gateway_map& gateways_;
  scheduler& time_;
  scheduler::life whose_;
  const disk& journal_;
  const variant* broken_;
  std::vector<std::string>& violations_;
  std::map<std::string, connectors::wire_reply> kept_;  ///< operation -> an answer that some other payment got
};

}  // namespace turnout::simulation
