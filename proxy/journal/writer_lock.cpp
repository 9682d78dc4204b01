// flock on <journal>.lock. The file is never removed: removing it would let two
// processes lock two different files of the same name.
#include "proxy/journal/writer_lock.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <stdexcept>
#include <system_error>

namespace turnout::journal {

writer_lock::writer_lock(const std::string& journal_path) {
  const std::string path = journal_path + ".lock";
  file_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (file_ < 0)
    throw std::runtime_error("cannot write the journal " + journal_path + ": " + path + ": " +
                             std::generic_category().message(errno));
  int failed;
  do failed = ::flock(file_, LOCK_EX | LOCK_NB);
  while (failed != 0 && errno == EINTR);
  if (failed == 0) return;
  const int why = errno;
  ::close(file_);
  if (why == EWOULDBLOCK)
    throw std::runtime_error(journal_path + " is in use by another turnout (lock file " + path + ")");
  throw std::runtime_error("cannot lock the journal " + journal_path + ": " + std::generic_category().message(why));
}

writer_lock::~writer_lock() { ::close(file_); }

}  // namespace turnout::journal
