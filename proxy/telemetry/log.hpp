#pragma once
// The log: JSON, one object a line, one function per kind of line. Lines are
// written by a thread of their own: within 20 ms, warnings and errors at once.
// When it cannot keep up lines are dropped, so that a slow disk or pipe never
// holds up a payment.
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "payments/payment.hpp"
#include "payments/payment_flow.hpp"

namespace turnout::telemetry {

enum class log_level : std::uint8_t { debug, info, warn, error };
std::string_view to_string(log_level) noexcept;
std::optional<log_level> parse_log_level(std::string_view) noexcept;

struct log_settings {
  log_level level = log_level::info;
  std::string file;               ///< appended to; empty is standard error
  std::size_t buffer = 4u << 20;  ///< bytes of lines that may wait to be written; > 0
};

/// Of one answered HTTP request. Views are good during the call only.
struct http_exchange {
  std::string_view route, method;
  unsigned status = 0;
  double seconds = 0;
  std::string_view request_id;
  std::string_view failure;  ///< what went wrong inside, where status is 500
};

class log {
 public:
  /// Null when the file cannot be opened; `error` says why.
  static std::unique_ptr<log> open(const log_settings& settings, std::string& error);
  /// Writes what still waits.
  ~log();
  log(const log&) = delete;
  log& operator=(const log&) = delete;

  /// From any thread, at any time.
  void set_level(log_level level) noexcept;
  bool writes(log_level level) const noexcept;
  /// Asks for everything so far to be written; does not wait for it.
  void flush();
  /// Lines lost because the writer could not keep up.
  std::size_t dropped() const;

  // ---- payments ----
  /// info. `request_id` may be empty.
  void payment_answered(const payments::payment& record, payments::milliseconds taken,
                        std::string_view request_id = {});
  /// info: a payment that was answered as processing has become final.
  void payment_settled(const payments::payment& record);
  /// warn: no definite answer came from a gateway.
  void modification_settled(const payments::payment& record, const payments::modification& ended);
  void send_unclear(const payments::attempt& attempt, payments::send_kind kind, const payments::send_result& result);
  /// warn
  void reversal(std::string_view connector, std::string_view result);
  /// warn: somebody should look at it.
  void attention(const payments::payment& record);
  /// error
  /// The audit line: who said what of which payment, why, and what changed.
  void resolved_by_person(const payments::payment& record, const payments::resolution& word);
  void gateway_recovered(std::string_view connector);
  void invariant_violated(std::string_view invariant, std::string_view payment);

  // ---- the proxy ----
  /// info
  void started(std::string_view version, std::string_view listen, std::string_view admin, unsigned workers);
  /// info. `why`: SIGTERM | SIGINT | …
  void stopping(std::string_view why);
  void stopped(std::size_t unanswered);
  /// info: payments that a previous run left unfinished.
  void recovered(std::size_t payments);
  /// info
  void config_reloaded(std::string_view version);
  /// error: nothing was changed.
  void config_refused(std::string_view problem);
  /// error: payments are refused (503) until the journal takes writes again.
  void journal_unavailable(std::string_view why);
  /// info
  void journal_available();
  /// debug; error where status is 500.
  void http_request(const http_exchange& exchange);
  /// For what happens so rarely that it has no line of its own. `event` is a
  /// machine word, `detail` a sentence.
  void note(log_level level, std::string_view event, std::string_view detail);

 private:
  struct implementation;
  explicit log(std::unique_ptr<implementation> made);
  std::unique_ptr<implementation> implementation_;
};

}  // namespace turnout::telemetry
