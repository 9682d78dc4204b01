#pragma once
// The whole proxy: journal, workers with their engines, the two listeners, and
// the control thread that ticks, reloads and ends it. Constructing it opens
// everything; run() blocks until it has ended.
#include <atomic>
#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include "net/server.hpp"
#include "proxy/api/admin_api.hpp"
#include "proxy/api/api.hpp"
#include "proxy/core/shared_routing.hpp"
#include "proxy/journal/sqlite_journal.hpp"
#include "proxy/server/drain.hpp"
#include "proxy/server/every.hpp"
#include "proxy/server/routing_state.hpp"
#include "proxy/server/secret_keys.hpp"
#include "proxy/server/settings_file.hpp"
#include "proxy/server/system_random.hpp"
#include "proxy/server/worker.hpp"
#include "proxy/telemetry/log.hpp"
#include "proxy/telemetry/metrics.hpp"
#include "proxy/telemetry/watcher.hpp"

namespace turnout::server {

/// The proxy cannot start; the text is for the operator and says how to mend it.
class start_error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

class proxy {
 public:
  /// `conf` is read again on a reload. `files` have no errors. `descriptors` is
  /// how many files this process may have open. Throws start_error,
  /// journal::open_error, keys_error.
  proxy(std::string conf, loaded_files files, std::size_t descriptors);
  ~proxy();
  proxy(const proxy&) = delete;
  proxy& operator=(const proxy&) = delete;

  /// Until a signal asked it to end.
  void run();

 private:
  enum class phase { starting, ready, draining, stopped };

  // Start, in this order.
  std::unique_ptr<telemetry::log> open_log() const;
  void look_for_lost_journal() const;
  std::unique_ptr<journal::sqlite_journal> open_journal();
  secret_keys open_keys();
  void load_api_keys();
  void fit_connections(std::size_t descriptors);
  void make_workers();
  void make_merchant_api();
  void make_admin_api();
  worker& owner_of(std::string_view payment_id);
  void restore_routing();
  void recover();
  void listen();
  std::uint16_t listen_on(net::server& server, const listener_settings& where, const char* key, const char* variable);

  // The control thread.
  void wait_for_signal();
  void on_signal(int number);
  void start_timers();
  void tick();
  void refresh();
  void look_at_due();
  void save_key_usage(bool at_end);
  void save_routing() { routing_state_.begin(now()); }
  void refresh_metrics();
  void tell_gateway_recovered(const std::string& connector);
  std::string explain(const api::explain_request& asked);
  settings::problems reload();
  void apply(loaded_files files);
  void declare_connectors();
  void retire_connectors(const core::configuration& before);
  void begin_drain(int signal);
  void check_drained();
  void stop();

  api::readiness readiness() const;
  void on_request(const api::request_report& report);
  static payments::instant now();
  /// Where shoppers reach the merchants' listener.
  std::string public_url() const;
  static std::string request_id(payments::random_source& random);

  const std::string conf_;
  std::atomic<phase> phase_ = phase::starting;
  const server_settings started_with_;  ///< as the files said it; settings_ has what became of it
  server_settings settings_;
  std::shared_ptr<const core::configuration> configuration_;
  telemetry::metrics metrics_{TURNOUT_VERSION};
  std::unique_ptr<telemetry::log> log_;
  telemetry::watcher watcher_;
  std::unique_ptr<journal::sqlite_journal> journal_;
  secret_keys keys_;
  api::keyed_mac request_mac_, card_mac_;
  api::return_address returns_;
  api::api_key_ring key_ring_;
  api::key_usage key_usage_;
  core::shared_routing routing_;
  routing_state_saver routing_state_;
  std::vector<std::unique_ptr<worker>> workers_;

  boost::asio::io_context control_{1};
  boost::asio::signal_set signals_{control_};
  system_random control_random_;  ///< the control thread's own
  std::unique_ptr<api::api> api_;
  std::unique_ptr<api::admin_api> admin_api_;
  std::unique_ptr<net::server> merchants_, admin_;
  std::vector<std::unique_ptr<every>> timers_;
  std::unique_ptr<unanswered_count> unanswered_;
  std::chrono::steady_clock::time_point drain_until_{};
};

}  // namespace turnout::server
