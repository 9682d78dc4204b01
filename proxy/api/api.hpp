#pragma once
// The merchant API (v1): from an HTTP request to the engine or the journal's
// reader, and back.
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "net/http.hpp"
#include "net/server.hpp"
#include "payments/instant.hpp"
#include "proxy/api/api_key_ring.hpp"
#include "proxy/api/endpoint_call.hpp"
#include "proxy/api/gate.hpp"
#include "proxy/api/keyed_mac.hpp"
#include "proxy/api/payment_reading.hpp"
#include "proxy/api/query.hpp"
#include "proxy/api/reader.hpp"
#include "proxy/api/return_address.hpp"
#include "proxy/core/engine.hpp"

namespace turnout::api {

/// What one worker thread has for itself; used on that thread only.
struct worker {
  std::function<void(core::create_command, std::function<void(core::create_result)>)> create;
  /// To the engine that owns the payment, wherever it is; `done` is called on this worker.
  std::function<void(core::modify_command, std::function<void(core::modify_result)>)> modify;
  api::reader* reader = nullptr;
  /// "req_…", unguessable.
  std::function<std::string()> make_request_id;
  /// Whether the journal has an Idempotency-Key of this merchant and mode; may
  /// be empty. With it, a retry of a payment that was taken just before its
  /// card expired is answered with that payment, not with "expired".
  std::function<bool(const principal&, std::string_view key)> knows_key;
  /// core::engine::shopper_returned of the engine that owns the payment, wherever
  /// it runs; `done` is called on this worker's thread.
  std::function<void(std::string payment, std::function<void(std::optional<payments::payment>)> done)>
      shopper_returned = {};
  /// `engine` and `reader` must outlive the worker. `engine` is taken to own all payments.
  static worker with(core::engine& engine, api::reader& reader, std::function<std::string()> make_request_id,
                     std::function<bool(const principal&, std::string_view key)> knows_key = {});
};

struct dependencies {
  std::vector<worker> workers;
  api_key_ring* keys = nullptr;
  const keyed_mac* request_key = nullptr;  ///< for idempotency, and for cursors of lists
  const keyed_mac* card_key = nullptr;     ///< for card fingerprints: another key
  std::function<payments::instant()> now;
  request_hook on_request;                       ///< may be empty
  limit_hook on_limited;                         ///< may be empty
  std::shared_ptr<const api_settings> settings;  ///< null: the defaults
  std::function<bool()> draining;                ///< may be empty; only words a refusal
  bool tls = false;
  const return_address* returns = nullptr;  ///< null: no shopper can come back
};

class api {
 public:
  /// Throws std::invalid_argument when something is missing.
  explicit api(dependencies world);
  api(const api&) = delete;
  api& operator=(const api&) = delete;

  /// Thread-safe; requests that arrive from now on are under these settings.
  void configure(std::shared_ptr<const api_settings> settings) { gate_.configure(std::move(settings)); }

  /// Every endpoint that needs a key, and which scope.
  struct route {
    std::string_view method, path;
    scope needs;
    parameter_names parameters;  ///< of the query
  };
  static std::vector<route> routes();
  /// Every endpoint that needs none.
  struct open_route {
    std::string_view method, path;
    parameter_names parameters;
  };
  static std::vector<open_route> open_routes();

  /// A net::request_handler. Must outlive every engine that it gave work to.
  void handle(std::size_t worker, net::request&& message, net::responder reply);
  /// The same without a connection: `reply` is called once.
  void handle(std::size_t worker, net::request&& message, answer_function reply);
  /// A net::error_body: requests that break HTTP get the same shape of problem.
  net::response protocol_error(unsigned status, std::string_view detail, std::string_view request_id) const;

 private:
  struct exchange;  ///< one authenticated request
  struct endpoint {
    std::string_view method, path;
    scope needs;  ///< a key without it is refused
    void (api::*serve)(exchange&);
    parameter_names parameters = {};  ///< of the query
  };
  static const endpoint endpoints[];
  struct open_exchange;  ///< one that needs no API key
  struct open_endpoint {
    std::string_view method, path;
    void (api::*serve)(open_exchange&);
    parameter_names parameters = {};
  };
  static const open_endpoint open_endpoints[];

  static dependencies checked(dependencies world);
  /// nullopt: the call was answered.
  std::optional<principal> authenticate(const api_settings& settings, const net::request& message,
                                        const endpoint_call& call);
  void dispatch(std::size_t worker, net::request& message, endpoint_call& call);
  /// Adds what CORS adds to every answer; true: the browser only asked whether it may ask.
  static bool answered_preflight(const cors_settings& cors, const net::request& message, endpoint_call& call);
  bool dispatch_open(std::size_t worker, net::request& message, endpoint_call& call);
  void shopper_returned(open_exchange& at);
  void get_description(open_exchange& at);
  void get_docs(open_exchange& at);
  void get_docs_script(open_exchange& at);
  void create_payment(exchange& at);
  void list_payments(exchange& at);
  void get_payment(exchange& at);
  void modify(exchange& at, payments::modification_kind kind);
  void create_capture(exchange& at);
  void get_captures(exchange& at);
  void cancel_payment(exchange& at);
  void create_refund(exchange& at);
  void get_refunds(exchange& at);
  void get_attempts(exchange& at);
  void get_events(exchange& at);
  void get_decisions(exchange& at);
  void answer_created(const endpoint_call& call, core::create_result result) const;

  dependencies world_;
  call_context context_;
  gate gate_;
  payment_reading reading_;
};

}  // namespace turnout::api
