#pragma once
// What Turnout tells Prometheus. Labels are bounded: no ids, no card data, and
// merchants beyond the first hundred are "other".
#include <chrono>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "proxy/core/engine.hpp"
#include "proxy/core/observer.hpp"
#include "routing/router.hpp"

namespace turnout::telemetry {

/// Merchants with series of their own.
inline constexpr std::size_t most_merchants = 100;

/// Everything here may be called from any thread at any time.
class metrics final : public core::observer {
 public:
  explicit metrics(std::string_view version);
  ~metrics() override;
  metrics(const metrics&) = delete;
  metrics& operator=(const metrics&) = delete;

  // ---- from the engines ----
  void on_decision(const payments::payment& record, const routing::decision& made) override;
  void on_send(const payments::attempt& attempt, payments::send_kind kind,
               const payments::send_result& result) override;
  void on_attempt(const payments::payment& record, const payments::attempt& attempt) override;
  void on_modification_send(const payments::attempt& attempt, payments::operation operation,
                            const payments::send_result& result) override;
  void on_modification(const payments::payment& record, const payments::modification& ended) override;
  void on_failover(std::string_view from, std::string_view to, std::string_view reason) override;
  void on_reversal(std::string_view connector, std::string_view result) override;
  void on_answer(const payments::payment& record, payments::milliseconds taken) override;
  void on_final(const payments::payment& record) override;
  void on_resolution(const payments::payment& record, const payments::resolution& word) override;
  void on_delayed(std::string_view connector) override;
  void on_gateway_recovered(std::string_view connector) override;
  void on_invariant_violation(std::string_view invariant, std::string_view payment) override;

  // ---- from the adapters ----
  /// `route` is the endpoint's template ("/v1/payments/{id}"), `method` one of a few.
  void http_request(std::string_view route, std::string_view method, unsigned status, double seconds);
  /// A request was refused with 429.
  void limited(std::string_view reason);
  /// One group commit of `writes` writes, as long as the disk took.
  void journal_commit(std::chrono::nanoseconds taken, std::size_t writes);
  void routing_decision(std::chrono::nanoseconds taken);

  // ---- set by whoever looks from time to time ----
  /// The reasons that limited() will be told: their series exist from now on, at 0.
  void declare_limits(std::span<const std::string_view> reasons);
  /// The connectors of the running configuration: their series exist from now on, at 0.
  void declare_connectors(std::span<const std::string> names);
  /// Every connector there is: series of others are removed.
  void set_connectors(std::span<const routing::connector_view> views);
  /// Of all engines together; a connector that is not listed has none.
  void set_unresolved(std::span<const core::engine::unresolved_view> views);
  /// Who waits for leave to ask a gateway for the truth.
  void set_pacing(std::span<const core::gateway_pacing::view> views);
  void set_retry_budget_remaining(double failovers);
  void set_config_reload(bool successful, payments::wall_time now);

  /// The exposition, in Prometheus' text format 0.0.4.
  std::string render() const;

 private:
  struct implementation;
  std::unique_ptr<implementation> implementation_;
};

}  // namespace turnout::telemetry
