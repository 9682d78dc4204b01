#include "proxy/api/private_file.hpp"

#include <cerrno>
#include <stdexcept>
#include <system_error>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace turnout::api {

namespace {

[[noreturn]] void fail(const std::string& what, const std::filesystem::path& path, int error) {
  throw std::runtime_error(what + " " + path.string() + ": " + std::system_category().message(error));
}

class descriptor {
 public:
  descriptor(const std::filesystem::path& path, int flags) : number_(::open(path.c_str(), flags | O_CLOEXEC, 0600)) {
    if (number_ < 0) fail("cannot open", path, errno);
  }
  ~descriptor() { ::close(number_); }
  descriptor(const descriptor&) = delete;
  descriptor& operator=(const descriptor&) = delete;
  int number() const noexcept { return number_; }

 private:
  int number_;
};

}  // namespace

void make_private_directory(const std::filesystem::path& directory) {
  std::error_code ec;
  if (std::filesystem::create_directories(directory, ec); ec) fail("cannot make", directory, ec.value());
  std::filesystem::permissions(directory, std::filesystem::perms::owner_all, ec);
}

std::optional<std::string> read_private_file(const std::filesystem::path& path) {
  const int number = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (number < 0) {
    if (errno == ENOENT) return std::nullopt;
    fail("cannot open", path, errno);
  }
  std::string text;
  char buffer[8192];
  ssize_t got = 0;
  while ((got = ::read(number, buffer, sizeof buffer)) > 0 || (got < 0 && errno == EINTR))
    if (got > 0) text.append(buffer, static_cast<std::size_t>(got));
  const int error = errno;
  ::close(number);
  if (got < 0) fail("cannot read", path, error);
  return text;
}

void replace_private_file(const std::filesystem::path& path, std::string_view text) {
  const std::filesystem::path fresh = path.string() + ".new";
  {
    const descriptor file(fresh, O_WRONLY | O_CREAT | O_TRUNC);
    if (::fchmod(file.number(), 0600) != 0) fail("cannot protect", fresh, errno);
    while (!text.empty()) {
      const ssize_t put = ::write(file.number(), text.data(), text.size());
      if (put < 0 && errno == EINTR) continue;
      if (put < 0) fail("cannot write", fresh, errno);
      text.remove_prefix(static_cast<std::size_t>(put));
    }
    if (::fsync(file.number()) != 0) fail("cannot write", fresh, errno);
  }
  if (::rename(fresh.c_str(), path.c_str()) != 0) fail("cannot replace", path, errno);
  const descriptor around(path.parent_path(), O_RDONLY | O_DIRECTORY);
  if (::fsync(around.number()) != 0) fail("cannot write", path.parent_path(), errno);
}

file_lock::file_lock(const std::filesystem::path& path)
    : descriptor_(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)) {
  if (descriptor_ < 0) fail("cannot open", path, errno);
  while (::flock(descriptor_, LOCK_EX) != 0) {
    if (errno == EINTR) continue;
    const int error = errno;
    ::close(descriptor_);
    fail("cannot lock", path, error);
  }
}

file_lock::~file_lock() { ::close(descriptor_); }

}  // namespace turnout::api
