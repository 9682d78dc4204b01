// Plain writes: a line that cannot be written (full disk, closed pipe) is lost,
// and nothing else.
#include "proxy/telemetry/line_writer.hpp"

#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <utility>

namespace turnout::telemetry {

namespace {

constexpr std::chrono::milliseconds gathering{20};
/// As much as this is written without waiting for more.
constexpr std::size_t large_batch = 64 * 1024;

void write_all(int descriptor, std::string_view rest) noexcept {
  while (!rest.empty()) {
    const ssize_t written = ::write(descriptor, rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
}

}  // namespace

std::unique_ptr<line_writer> line_writer::open(const std::string& file, std::size_t limit, std::string& error) {
  int descriptor = STDERR_FILENO;
  if (!file.empty()) descriptor = ::open(file.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
  if (descriptor < 0) {
    error = file + ": " + std::strerror(errno);
    return nullptr;
  }
  return std::unique_ptr<line_writer>(new line_writer(descriptor, limit));
}

line_writer::line_writer(int descriptor, std::size_t limit)
    : descriptor_(descriptor), limit_(limit), thread_([this] { run(); }) {}

line_writer::~line_writer() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
  if (descriptor_ != STDERR_FILENO) ::close(descriptor_);
}

void line_writer::append(std::string_view line, bool urgent) {
  bool wake = false;
  {
    std::lock_guard lock(mutex_);
    if (waiting_.size() + line.size() + 1 > limit_) {
      dropped_.fetch_add(1, std::memory_order_relaxed);
      return;
    }
    waiting_.append(line).push_back('\n');
    wake = std::exchange(asleep_, false);
    if (urgent || waiting_.size() >= large_batch) wake = !std::exchange(hurry_, true) || wake;
  }
  if (wake) wake_.notify_one();
}

void line_writer::flush() {
  {
    std::lock_guard lock(mutex_);
    hurry_ = !waiting_.empty();
  }
  wake_.notify_one();
}

void line_writer::run() {
  pthread_setname_np(pthread_self(), "log");
  std::string batch;
  std::unique_lock lock(mutex_);
  for (;;) {
    asleep_ = true;
    wake_.wait(lock, [this] { return !waiting_.empty() || stopping_; });
    asleep_ = false;
    wake_.wait_for(lock, gathering, [this] { return hurry_ || stopping_; });
    if (waiting_.empty()) return;
    hurry_ = false;
    batch.swap(waiting_);
    lock.unlock();
    write_all(descriptor_, batch);
    batch.clear();
    lock.lock();
  }
}

}  // namespace turnout::telemetry
