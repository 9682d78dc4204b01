// Counts everything, logs what somebody would look for.
#include "proxy/telemetry/watcher.hpp"

namespace turnout::telemetry {

void watcher::on_decision(const payments::payment& record, const routing::decision& made) {
  counts_.on_decision(record, made);
}

void watcher::on_send(const payments::attempt& attempt, payments::send_kind kind, const payments::send_result& result) {
  counts_.on_send(attempt, kind, result);
  if (result.result == payments::outcome::unknown || result.result == payments::outcome::not_sent)
    lines_.send_unclear(attempt, kind, result);
}

void watcher::on_attempt(const payments::payment& record, const payments::attempt& attempt) {
  counts_.on_attempt(record, attempt);
}

void watcher::on_modification_send(const payments::attempt& attempt, payments::operation operation,
                                   const payments::send_result& result) {
  counts_.on_modification_send(attempt, operation, result);
  if (result.foreign) lines_.send_unclear(attempt, payments::send_kind::modify, result);
}

void watcher::on_modification(const payments::payment& record, const payments::modification& ended) {
  lines_.modification_settled(record, ended);
}

void watcher::on_failover(std::string_view from, std::string_view to, std::string_view reason) {
  counts_.on_failover(from, to, reason);
}

void watcher::on_reversal(std::string_view connector, std::string_view result) {
  counts_.on_reversal(connector, result);
  lines_.reversal(connector, result);
}

void watcher::on_answer(const payments::payment& record, payments::milliseconds taken) {
  counts_.on_answer(record, taken);
  lines_.payment_answered(record, taken);
  if (is_final(record.status)) return;
  const std::lock_guard lock(mutex_);
  answered_open_.insert(record.id);
}

void watcher::on_final(const payments::payment& record) {
  counts_.on_final(record);
  bool was_open = record.interrupted;  // answered, if at all, by an earlier run
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = answered_open_.find(record.id); found != answered_open_.end()) {
      answered_open_.erase(found);
      was_open = true;
    }
  }
  if (was_open) lines_.payment_settled(record);
}

void watcher::on_resolution(const payments::payment& record, const payments::resolution& word) {
  counts_.on_resolution(record, word);
  lines_.resolved_by_person(record, word);
}

void watcher::on_delayed(std::string_view connector) { counts_.on_delayed(connector); }

void watcher::on_gateway_recovered(std::string_view connector) {
  counts_.on_gateway_recovered(connector);
  lines_.gateway_recovered(connector);
}

void watcher::on_invariant_violation(std::string_view invariant, std::string_view payment) {
  counts_.on_invariant_violation(invariant, payment);
  lines_.invariant_violated(invariant, payment);
}

}  // namespace turnout::telemetry
