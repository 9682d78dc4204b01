#pragma once
// The core's transport over pooled HTTP connections: one pool per connector and
// address on each worker.
#include <functional>
#include <memory>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "net/client.hpp"
#include "proxy/core/configuration.hpp"
#include "proxy/core/ports.hpp"

namespace turnout::server {

class gateway_transport final : public core::transport {
 public:
  /// Use on the thread that runs `worker` only.
  explicit gateway_transport(boost::asio::io_context& worker);
  ~gateway_transport() override;

  /// Pools for the connectors of `config`. Those whose address, TLS and limits
  /// are as before stay; any other is forgotten, and lives until its last exchange
  /// is over.
  void configure(const std::shared_ptr<const core::configuration>& config);

  /// To the address that `connector` itself has, not to what a newer
  /// configuration knows under its name: asking another host about a payment
  /// could charge it twice, or "prove" that it was never charged. A pool that
  /// was forgotten meanwhile is made anew.
  void send(const connectors::definition& connector, connectors::wire_request request, core::steady_time deadline,
            std::function<void(core::exchange)> done) override;

  void distrust(const connectors::definition& connector) override;

  /// Closes idle connections and fails what waits for one.
  void close();

 private:
  struct peer;
  std::shared_ptr<peer> peer_of(const connectors::definition& connector);

  boost::asio::io_context& worker_;
  std::vector<std::shared_ptr<peer>> peers_;  ///< by connector, address and limits; a handful
};

}  // namespace turnout::server
