#include "sandbox/ledger_file.hpp"

#include <cerrno>
#include <stdexcept>
#include <system_error>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

namespace turnout::sandbox {
namespace {

constexpr std::string_view first_bytes = R"({"kind":"sandbox")";

[[noreturn]] void fail(const std::string& what, const std::string& path) {
  throw std::system_error(errno, std::generic_category(), what + " " + path);
}

std::string read_all(int descriptor, const std::string& path) {
  std::string content;
  char block[65536];
  while (true) {
    const auto got = ::read(descriptor, block, sizeof block);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail("cannot read ledger", path);
    if (got == 0) return content;
    content.append(block, static_cast<std::size_t>(got));
  }
}

}  // namespace

ledger_file::ledger_file(std::string path, const std::function<bool(std::string_view)>& each) : path_(std::move(path)) {
  descriptor_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (descriptor_ < 0) fail("cannot open ledger", path_);
  try {
    if (::flock(descriptor_, LOCK_EX | LOCK_NB) != 0) {
      throw std::runtime_error("ledger " + path_ + " is in use by another sandbox");
    }
    read_back(each);
  } catch (...) {
    ::close(descriptor_);
    throw;
  }
}

ledger_file::~ledger_file() { ::close(descriptor_); }

void ledger_file::read_back(const std::function<bool(std::string_view)>& each) {
  const std::string content = read_all(descriptor_, path_);
  // Cutting a torn end must never empty a file that was named by mistake.
  const std::string_view begin = std::string_view(content).substr(0, first_bytes.size());
  if (begin != first_bytes.substr(0, begin.size())) throw std::runtime_error(path_ + " is not a sandbox ledger");
  std::size_t kept = 0;
  for (std::size_t line_number = 1; kept < content.size(); ++line_number) {
    const auto end = content.find('\n', kept);
    const bool whole = end != std::string::npos;
    if (!whole || !each(std::string_view(content).substr(kept, end - kept))) {
      const bool last = !whole || end + 1 == content.size();
      if (!last) {
        throw std::runtime_error("ledger " + path_ + ", line " + std::to_string(line_number) + " is not a ledger line");
      }
      break;
    }
    kept = end + 1;
  }
  if (kept == content.size()) return;
  if (::ftruncate(descriptor_, static_cast<off_t>(kept)) != 0 || ::fsync(descriptor_) != 0) {
    fail("cannot cut the torn end of ledger", path_);
  }
}

void ledger_file::append(std::string_view lines) {
  while (!lines.empty()) {
    const auto written = ::write(descriptor_, lines.data(), lines.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail("cannot write ledger", path_);
    lines.remove_prefix(static_cast<std::size_t>(written));
  }
  if (::fdatasync(descriptor_) != 0) fail("cannot sync ledger", path_);
}

void ledger_file::restart(std::string_view lines) {
  if (::ftruncate(descriptor_, 0) != 0) fail("cannot empty ledger", path_);
  append(lines);
}

}  // namespace turnout::sandbox
