// Lines are built on the caller's thread (redacted, escaped) and pass spdlog as
// finished text. Its asynchronous loggers wake their thread for each line; our
// sink hands over to a writer that gathers them.
#include "proxy/telemetry/log.hpp"

#include <spdlog/logger.h>
#include <spdlog/sinks/sink.h>

#include <chrono>

#include "payments/name_table.hpp"
#include "proxy/telemetry/json_line.hpp"
#include "proxy/telemetry/line_writer.hpp"

namespace turnout::telemetry {

namespace {

constexpr payments::name_table<log_level, 4> levels{{"debug", "info", "warn", "error"}};

spdlog::level::level_enum spdlog_level(log_level level) noexcept {
  switch (level) {
    case log_level::debug: return spdlog::level::debug;
    case log_level::info: return spdlog::level::info;
    case log_level::warn: return spdlog::level::warn;
    case log_level::error: return spdlog::level::err;
  }
  return spdlog::level::err;
}

/// Thread-safe, as the writer is.
class gathering_sink final : public spdlog::sinks::sink {
 public:
  explicit gathering_sink(std::unique_ptr<line_writer> writer) : writer_(std::move(writer)) {}
  void log(const spdlog::details::log_msg& line) override {
    writer_->append({line.payload.data(), line.payload.size()}, line.level >= spdlog::level::warn);
  }
  void flush() override { writer_->flush(); }
  void set_pattern(const std::string&) override {}
  void set_formatter(std::unique_ptr<spdlog::formatter>) override {}

 private:
  std::unique_ptr<line_writer> writer_;
};

// "declined:insufficient_funds", "not_sent:connect_timeout", "approved".
std::string_view outcome_code(const payments::attempt& attempt, std::string& into) {
  into = attempt.in_flight ? std::string_view("in_flight") : to_string(attempt.outcome);
  const std::string_view detail =
      attempt.reason != payments::decline_reason::none ? to_string(attempt.reason) : std::string_view(attempt.code);
  if (!detail.empty()) into.append(1, ':').append(detail);
  return into;
}

void describe(json_line& line, const payments::payment& record) {
  line.text("payment", record.id)
      .text("merchant", record.merchant)
      .flag("livemode", record.livemode)
      .text("status", to_string(record.status))
      .number("amount", record.amount.minor)
      .text("currency", record.amount.unit.code())
      .text_if_any("connector", record.connector)
      .number("attempts", static_cast<std::int64_t>(record.attempts.size()))
      .begin_list("outcomes");
  std::string code;
  for (const payments::attempt& each : record.attempts) line.element(outcome_code(each, code));
  line.end_list();
  if (record.error) line.text("error", record.error->code);
}

}  // namespace

std::string_view to_string(log_level level) noexcept { return levels[level]; }
std::optional<log_level> parse_log_level(std::string_view name) noexcept { return levels.find(name); }

struct log::implementation {
  line_writer* writer;  ///< the sink's
  spdlog::logger logger;

  explicit implementation(std::unique_ptr<line_writer> to)
      : writer(to.get()), logger("turnout", std::make_shared<gathering_sink>(std::move(to))) {}

  bool writes(log_level level) const noexcept { return logger.should_log(spdlog_level(level)); }

  template <class Fill>
  void write(log_level level, std::string_view event, Fill&& fill) {
    if (!writes(level)) return;
    thread_local std::string buffer;
    json_line line(buffer);
    line.time("time", std::chrono::system_clock::now()).text("level", to_string(level)).text("event", event);
    fill(line);
    const std::string_view finished = line.finish();
    logger.log(spdlog_level(level), spdlog::string_view_t(finished.data(), finished.size()));
  }
};

std::unique_ptr<log> log::open(const log_settings& settings, std::string& error) {
  auto writer = line_writer::open(settings.file, settings.buffer, error);
  if (!writer) return nullptr;
  auto made = std::make_unique<implementation>(std::move(writer));
  made->logger.set_level(spdlog_level(settings.level));
  return std::unique_ptr<log>(new log(std::move(made)));
}

log::log(std::unique_ptr<implementation> made) : implementation_(std::move(made)) {}
log::~log() = default;

void log::set_level(log_level level) noexcept { implementation_->logger.set_level(spdlog_level(level)); }
bool log::writes(log_level level) const noexcept { return implementation_->writes(level); }
void log::flush() { implementation_->logger.flush(); }
std::size_t log::dropped() const { return implementation_->writer->dropped(); }

void log::payment_answered(const payments::payment& record, payments::milliseconds taken, std::string_view request_id) {
  implementation_->write(log_level::info, "payment_answered", [&](json_line& line) {
    describe(line, record);
    line.number("duration_ms", taken.count()).text_if_any("request_id", request_id);
  });
}

void log::payment_settled(const payments::payment& record) {
  implementation_->write(log_level::info, "payment_settled", [&](json_line& line) { describe(line, record); });
}

void log::modification_settled(const payments::payment& record, const payments::modification& ended) {
  implementation_->write(log_level::info, "modification_settled", [&](json_line& line) {
    line.text("payment", record.id)
        .text("merchant", record.merchant)
        .text("modification", ended.id)
        .text("kind", to_string(ended.kind))
        .text("status", to_string(ended.status))
        .number("amount", ended.amount)
        .text("currency", record.amount.unit.code())
        .text("cause", ended.cause)
        .text_if_any("code", ended.code);
  });
}

void log::send_unclear(const payments::attempt& attempt, payments::send_kind kind,
                       const payments::send_result& result) {
  implementation_->write(log_level::warn, "send_unclear", [&](json_line& line) {
    line.text("attempt", attempt.id)
        .text("connector", attempt.connector)
        .text("send", to_string(kind))
        .text("outcome", to_string(result.result))
        .text_if_any("code", result.code)
        .flag("carried", result.carried)
        .number("latency_ms", result.latency.count());
  });
}

void log::reversal(std::string_view connector, std::string_view result) {
  implementation_->write(log_level::warn, "reversal",
                         [&](json_line& line) { line.text("connector", connector).text("result", result); });
}

void log::attention(const payments::payment& record) {
  implementation_->write(log_level::warn, "attention", [&](json_line& line) {
    describe(line, record);
    if (record.attention) line.text("reason", record.attention->reason).time("since", record.attention->since);
  });
}

void log::resolved_by_person(const payments::payment& record, const payments::resolution& word) {
  implementation_->write(log_level::warn, "resolved_by_person", [&](json_line& line) {
    line.text("payment", record.id)
        .text("merchant", record.merchant)
        .text("target", word.target)
        .text("as", to_string(word.as))
        .text("by", word.by)
        .text("reason", word.reason)
        .text_if_any("gateway_reference", word.gateway_reference)
        .text("before", word.before)
        .text("after", word.after)
        .text("status", to_string(record.status));
  });
}

void log::gateway_recovered(std::string_view connector) {
  implementation_->write(log_level::info, "gateway_recovered",
                         [&](json_line& line) { line.text("connector", connector); });
}

void log::invariant_violated(std::string_view invariant, std::string_view payment) {
  implementation_->write(log_level::error, "invariant_violated",
                         [&](json_line& line) { line.text("invariant", invariant).text_if_any("payment", payment); });
}

void log::started(std::string_view version, std::string_view listen, std::string_view admin, unsigned workers) {
  implementation_->write(log_level::info, "started", [&](json_line& line) {
    line.text("version", version).text("listen", listen).text("admin", admin).number("workers", workers);
  });
}

void log::stopping(std::string_view why) {
  implementation_->write(log_level::info, "stopping", [&](json_line& line) { line.text("why", why); });
}

void log::stopped(std::size_t unanswered) {
  implementation_->write(log_level::info, "stopped",
                         [&](json_line& line) { line.number("unanswered", static_cast<std::int64_t>(unanswered)); });
}

void log::recovered(std::size_t payments) {
  implementation_->write(log_level::info, "recovered",
                         [&](json_line& line) { line.number("payments", static_cast<std::int64_t>(payments)); });
}

void log::config_reloaded(std::string_view version) {
  implementation_->write(log_level::info, "config_reloaded",
                         [&](json_line& line) { line.text("config_version", version); });
}

void log::config_refused(std::string_view problem) {
  implementation_->write(log_level::error, "config_refused", [&](json_line& line) { line.text("problem", problem); });
}

void log::journal_unavailable(std::string_view why) {
  implementation_->write(log_level::error, "journal_unavailable", [&](json_line& line) { line.text("why", why); });
}

void log::journal_available() {
  implementation_->write(log_level::info, "journal_available", [](json_line&) {});
}

void log::http_request(const http_exchange& exchange) {
  const log_level level = exchange.status == 500 ? log_level::error : log_level::debug;
  implementation_->write(level, "http_request", [&](json_line& line) {
    line.text("method", exchange.method)
        .text("route", exchange.route)
        .number("status", exchange.status)
        .number("duration_ms", static_cast<std::int64_t>(exchange.seconds * 1000))
        .text_if_any("request_id", exchange.request_id)
        .text_if_any("failure", exchange.failure);
  });
}

void log::note(log_level level, std::string_view event, std::string_view detail) {
  implementation_->write(level, event, [&](json_line& line) { line.text_if_any("detail", detail); });
}

}  // namespace turnout::telemetry
