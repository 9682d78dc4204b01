#pragma once
// What operators and their tools ask a running proxy: health, metrics,
// connectors, explanations, a person's word on a payment in doubt, reload. Its own listener, on loopback unless it has a token.
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "net/http.hpp"
#include "net/server.hpp"
#include "proxy/api/api_key_store.hpp"
#include "proxy/api/endpoint_call.hpp"
#include "proxy/api/explain_request.hpp"
#include "proxy/core/engine.hpp"
#include "routing/router.hpp"
#include "settings/problem.hpp"

namespace turnout::api {

struct readiness {
  bool ready = false;
  std::string state;   ///< starting | ready | unavailable | draining | …
  std::string reason;  ///< journal_unavailable; empty where the state says it all
};

struct admin_dependencies {
  std::function<readiness()> ready;
  std::function<std::string()> metrics;  ///< Prometheus text
  std::function<std::vector<routing::connector_view>()> connectors;
  std::function<settings::problems()> reload;           ///< errors: nothing was changed
  std::function<std::vector<std::string>()> merchants;  ///< whom connectors list
  /// What would become of it now, as JSON; changes nothing.
  std::function<std::string(const explain_request&)> explain;
  /// `done` is called later, on the thread of this call.
  std::function<void(core::resolve_command, std::function<void(core::resolve_result)> done)> resolve;
  std::function<std::string()> make_request_id;
  std::function<payments::instant()> now;
  request_hook on_request;  ///< may be empty
  std::string token;        ///< empty: no token is asked for
  bool tls = false;
  /// Where it listens, an address. Without a token only requests to it, or to a
  /// loopback address or name, are answered; empty: only those to loopback.
  std::string address;
};

class admin_api {
 public:
  /// Throws std::invalid_argument when something is missing.
  explicit admin_api(admin_dependencies world);
  admin_api(const admin_api&) = delete;
  admin_api& operator=(const admin_api&) = delete;

  /// A net::request_handler.
  void handle(std::size_t worker, net::request&& message, net::responder reply);
  /// The same without a connection: `reply` is called once.
  void handle(net::request&& message, answer_function reply);

 private:
  struct endpoint {
    std::string_view method, path;
    bool open;  ///< needs no token: probes carry none
    void (admin_api::*serve)(const net::request&, const endpoint_call&);
  };
  static const endpoint endpoints[7];

  void dispatch(const net::request& message, endpoint_call& call);
  void live(const net::request&, const endpoint_call& call);
  void ready(const net::request&, const endpoint_call& call);
  void metrics(const net::request&, const endpoint_call& call);
  void connectors(const net::request&, const endpoint_call& call);
  void explain(const net::request& message, const endpoint_call& call);
  void reload(const net::request&, const endpoint_call& call);
  void resolve(const net::request& message, const endpoint_call& call);

  admin_dependencies world_;
  call_context context_;
  std::optional<secret_hash> token_;
};

/// Whether a Host ("name", "name:port", "[v6]:port") means this machine: localhost
/// or a name under it, a loopback address, or `address` itself.
bool is_local_host(std::string_view host, std::string_view address);

/// {"object":"list","data":[…],"next_cursor":null}
std::string render_connectors(const std::vector<routing::connector_view>& connectors);

}  // namespace turnout::api
