// Plain writes: a line that cannot be written (full disk, closed pipe) is lost,
// and nothing else.
#include "proxy/telemetry/batching_sink.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string_view>

namespace turnout::telemetry {

namespace {
constexpr std::size_t largest_batch = 64 * 1024;
}

std::shared_ptr<batching_sink> batching_sink::open(const std::string& file, std::string& error) {
  int descriptor = STDERR_FILENO;
  if (!file.empty()) descriptor = ::open(file.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
  if (descriptor < 0) {
    error = file + ": " + std::strerror(errno);
    return nullptr;
  }
  return std::shared_ptr<batching_sink>(new batching_sink(descriptor));
}

batching_sink::~batching_sink() {
  flush();
  if (descriptor_ != STDERR_FILENO) ::close(descriptor_);
}

void batching_sink::log(const spdlog::details::log_msg& line) {
  batch_.append(line.payload.data(), line.payload.size());
  batch_.push_back('\n');
  if (batch_.size() >= largest_batch || !more_waiting || !more_waiting()) flush();
}

void batching_sink::flush() {
  std::string_view rest = batch_;
  while (!rest.empty()) {
    const ssize_t written = ::write(descriptor_, rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) break;
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
  batch_.clear();
}

}  // namespace turnout::telemetry
