#pragma once
// The core's transport over pooled HTTP connections: one pool per connector on
// each worker.
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

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

  /// Pools for the connectors of `config`. Those whose address and limits are
  /// as before stay; a replaced pool lives until its last exchange is over, and
  /// that of a connector which is gone until no payment uses the configuration
  /// that named it.
  void configure(const std::shared_ptr<const core::configuration>& config);

  void send(std::string_view connector, connectors::wire_request request, core::steady_time deadline,
            std::function<void(core::exchange)> done) override;

  /// Closes idle connections and fails what waits for one.
  void close();

 private:
  struct peer;
  boost::asio::io_context& worker_;
  std::map<std::string, std::shared_ptr<peer>, std::less<>> peers_;
};

}  // namespace turnout::server
