#pragma once
// What the engines' observer is in the running proxy: metrics and the log.
#include <mutex>
#include <set>
#include <string>

#include "proxy/core/observer.hpp"
#include "proxy/telemetry/log.hpp"
#include "proxy/telemetry/metrics.hpp"

namespace turnout::telemetry {

/// Both must outlive the watcher. One serves all engines of all threads.
class watcher final : public core::observer {
 public:
  watcher(metrics& counts, log& lines) : counts_(counts), lines_(lines) {}

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

 private:
  metrics& counts_;
  log& lines_;
  std::mutex mutex_;
  std::set<std::string, std::less<>> answered_open_;  ///< payments whose merchant waits for the truth
};

}  // namespace turnout::telemetry
