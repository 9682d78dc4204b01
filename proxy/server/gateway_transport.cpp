// See gateway_transport.hpp. Translates between the words of connectors and
// those of the wire; card data is moved or wiped on the way.
#include "proxy/server/gateway_transport.hpp"

#include <utility>
#include <vector>

#include <boost/asio/post.hpp>

namespace turnout::server {

struct gateway_transport::peer {
  std::string url;
  payments::connector_timeouts timeouts;
  net::client_pool pool;
  /// The newest configuration that named this connector.
  std::weak_ptr<const core::configuration> used_by;
  bool retired = false;

  peer(boost::asio::io_context& worker, std::string address, const payments::connector_timeouts& limits)
      : url(std::move(address)), timeouts(limits), pool(worker, net::parse_endpoint(url), client_limits(limits)) {}

  static net::client_limits client_limits(const payments::connector_timeouts& timeouts) {
    net::client_limits limits;
    limits.connect_timeout = timeouts.connect;
    limits.response_timeout = timeouts.response;
    return limits;
  }

  bool same_as(std::string_view address, const payments::connector_timeouts& limits) const {
    return url == address && timeouts.connect == limits.connect && timeouts.response == limits.response;
  }
};

namespace {

net::request to_wire(connectors::wire_request& from) {
  net::request message;
  message.method = std::move(from.method);
  message.target = std::move(from.target);
  message.fields.reserve(from.headers.size());
  for (const auto& [name, value] : from.headers) message.fields.emplace_back(name, value.reveal());
  message.body = std::string(from.body.reveal());
  return message;  // `from` wipes its own copy when it dies
}

core::exchange from_wire(net::exchange_result&& from) {
  core::exchange result;
  if (from.error != net::client_error::none) result.error = net::to_string(from.error);
  result.carried = from.carried;
  result.reply.status = from.reply.status;
  result.reply.headers = std::move(from.reply.fields);
  result.reply.body = std::move(from.reply.body);
  result.latency = from.latency;
  return result;
}

}  // namespace

gateway_transport::gateway_transport(boost::asio::io_context& worker) : worker_(worker) {}
gateway_transport::~gateway_transport() = default;

void gateway_transport::configure(const std::shared_ptr<const core::configuration>& config) {
  for (const auto& connector : config->connectors) {
    const payments::connector_profile& profile = connector->profile();
    std::shared_ptr<peer>& known = peers_[profile.name];
    if (!known || !known->same_as(connector->base_url(), profile.timeouts)) {
      if (known) known->retired = true;
      known = std::make_shared<peer>(worker_, std::string(connector->base_url()), profile.timeouts);
    }
    known->used_by = config;
  }
  std::erase_if(peers_, [](const auto& entry) {
    entry.second->retired |= entry.second->used_by.expired();
    return entry.second->used_by.expired();
  });
}

void gateway_transport::send(std::string_view connector, connectors::wire_request request, core::steady_time deadline,
                             std::function<void(core::exchange)> done) {
  const auto found = peers_.find(connector);
  if (found == peers_.end()) {
    boost::asio::post(worker_, [done = std::move(done)] {
      core::exchange nowhere;
      nowhere.error = "resolve_failed";
      done(std::move(nowhere));
    });
    return;
  }
  std::shared_ptr<peer> to = found->second;
  net::client_pool& pool = to->pool;
  pool.send(to_wire(request), deadline,
            [this, to = std::move(to), done = std::move(done)](net::exchange_result result) mutable {
              done(from_wire(std::move(result)));
              // A pool must not die inside its own callback.
              if (to->retired) boost::asio::post(worker_, [last = std::move(to)] {});
            });
}

void gateway_transport::close() {
  for (const auto& [name, each] : peers_) each->pool.close();
}

}  // namespace turnout::server
