// See gateway_transport.hpp. Translates between the words of connectors and
// those of the wire; card data is moved or wiped on the way.
#include "proxy/server/gateway_transport.hpp"

#include <algorithm>
#include <utility>

#include "proxy/server/read_tls.hpp"

namespace turnout::server {

struct gateway_transport::peer {
  const std::string connector, url;
  const payments::connector_timeouts timeouts;
  const std::shared_ptr<const connectors::gateway_tls> tls;
  net::client_pool pool;

  peer(boost::asio::io_context& worker, const connectors::definition& who)
      : connector(who.profile().name),
        url(who.base_url()),
        timeouts(who.profile().timeouts),
        tls(who.tls()),
        pool(worker, net::parse_endpoint(url), client_limits(timeouts),
             tls ? server::to_wire(*tls) : net::client_tls()) {}

  static net::client_limits client_limits(const payments::connector_timeouts& timeouts) {
    net::client_limits limits;
    limits.connect_timeout = timeouts.connect;
    limits.response_timeout = timeouts.response;
    return limits;
  }

  bool serves(const connectors::definition& who) const noexcept {
    const payments::connector_profile& profile = who.profile();
    return connector == profile.name && url == who.base_url() && timeouts.connect == profile.timeouts.connect &&
           timeouts.response == profile.timeouts.response &&
           (tls == who.tls() || (tls && who.tls() && *tls == *who.tls()));
  }
};

namespace {

net::request to_wire(connectors::wire_request& from) {
  net::request message;
  message.method = std::move(from.method);
  message.target = std::move(from.target);
  // Only here, behind everything that may log a target, the credential joins it.
  if (!from.credential.empty())
    message.target.append(message.target.find('?') == std::string::npos ? "?" : "&").append(from.credential.reveal());
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

std::shared_ptr<gateway_transport::peer> gateway_transport::peer_of(const connectors::definition& connector) {
  const auto known =
      std::find_if(peers_.begin(), peers_.end(), [&](const auto& each) { return each->serves(connector); });
  if (known != peers_.end()) return *known;
  return peers_.emplace_back(std::make_shared<peer>(worker_, connector));
}

void gateway_transport::configure(const std::shared_ptr<const core::configuration>& config) {
  std::vector<std::shared_ptr<peer>> named;
  named.reserve(config->connectors.size());
  for (const auto& connector : config->connectors) named.push_back(peer_of(*connector));
  peers_ = std::move(named);
}

void gateway_transport::send(const connectors::definition& connector, connectors::wire_request request,
                             core::steady_time deadline, std::function<void(core::exchange)> done) {
  std::shared_ptr<peer> to = peer_of(connector);
  net::client_pool& pool = to->pool;
  // The exchange holds its pool: one that is not in the list any more ends with its last exchange.
  pool.send(to_wire(request), deadline, [to = std::move(to), done = std::move(done)](net::exchange_result result) {
    done(from_wire(std::move(result)));
  });
}

void gateway_transport::distrust(const connectors::definition& connector) { peer_of(connector)->pool.drop_idle(); }

void gateway_transport::close() {
  for (const auto& each : peers_) each->pool.close();
}

}  // namespace turnout::server
