// posix_fallocate takes real blocks, unlike a sparse file.
#include "proxy/journal/space_reserve.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

namespace turnout::journal {

bool space_reserve::restore() noexcept {
  if (present()) return true;
  const int file = ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0) return false;
  present_ = ::posix_fallocate(file, 0, static_cast<off_t>(bytes_)) == 0;
  ::close(file);
  if (!present_) ::unlink(path_.c_str());
  return present_;
}

bool space_reserve::release() noexcept {
  if (!present_) return false;
  if (::unlink(path_.c_str()) != 0 && errno != ENOENT) return false;
  present_ = false;
  return true;
}

}  // namespace turnout::journal
