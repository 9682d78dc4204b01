#pragma once
// Where finished lines go: a file descriptor. While lines are waiting they are
// gathered into one write; as soon as nobody waits, everything is written.
#include <spdlog/sinks/sink.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

namespace turnout::telemetry {

/// Used by one thread only: the asynchronous logger's.
class batching_sink final : public spdlog::sinks::sink {
 public:
  /// An empty `file` is standard error. Null when the file cannot be opened.
  static std::shared_ptr<batching_sink> open(const std::string& file, std::string& error);
  ~batching_sink() override;

  /// Says whether more lines are waiting; unset: each line is written at once.
  std::function<bool()> more_waiting;

  void log(const spdlog::details::log_msg& line) override;
  void flush() override;
  void set_pattern(const std::string&) override {}
  void set_formatter(std::unique_ptr<spdlog::formatter>) override {}

 private:
  explicit batching_sink(int descriptor) : descriptor_(descriptor) {}

  int descriptor_;
  std::string batch_;
};

}  // namespace turnout::telemetry
