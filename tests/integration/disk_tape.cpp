// Preloaded into a process, this records on a tape what the process does to the
// files of one directory and what it sends over TCP, in one order. Whoever has the
// tape knows what a power cut at any of its moments would have left (see
// power.py): what was written and not yet synced may be lost.
//
//   TURNOUT_TAPE            the tape, a file that is made anew and mapped: it survives a SIGKILL
//   TURNOUT_TAPE_DIRECTORY  an absolute path without links; what happens below it is recorded
//   TURNOUT_TAPE_LIES       a disk that lies: syncs succeed and do nothing. `all`, `wal` (only those of write-ahead
//                           logs, which is SQLite's synchronous=NORMAL), or `late` (each happens with the next one)
//   TURNOUT_TAPE_FAIL_SYNC  the number of the sync that fails with EIO, counted from 1
//
// A write is on the tape once the system has taken it; a sync that has begun
// covers what was on the tape before, once it is on the tape as done. A byte is
// sent after its record. So the tape never shows more as durable than was.
#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include <arpa/inet.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

namespace {

enum class kind : std::uint32_t {
  opened = 1,
  created,
  written,
  truncated,
  sync_begun,
  synced,
  unlinked,
  renamed,
  sent
};

struct entry {
  kind what;
  std::uint32_t size;   ///< of the data that follow, without the padding to eight bytes
  std::uint64_t node;   ///< a file or directory, whatever its name is; of sent: local port << 16 | peer's port
  std::uint64_t value;  ///< offset, new size, the number of a sync; of opened: 1 for a directory
};

constexpr std::size_t tape_bytes = std::size_t{2} << 30;  // sparse: only what is recorded takes room
constexpr std::size_t longest_sent = 16384;

template <class Function>
Function next(Function& found, const char* name) {
  if (!found) found = reinterpret_cast<Function>(::dlsym(RTLD_NEXT, name));
  return found;
}
#define SYSTEM(name) next(system_##name, #name)

int (*system_open)(const char*, int, ...);
int (*system_open64)(const char*, int, ...);
int (*system_close)(int);
ssize_t (*system_write)(int, const void*, size_t);
ssize_t (*system_pwrite)(int, const void*, size_t, off_t);
ssize_t (*system_pwrite64)(int, const void*, size_t, off_t);
int (*system_ftruncate)(int, off_t);
int (*system_ftruncate64)(int, off_t);
int (*system_fsync)(int);
int (*system_fdatasync)(int);
int (*system_unlink)(const char*);
int (*system_rename)(const char*, const char*);
ssize_t (*system_send)(int, const void*, size_t, int);
ssize_t (*system_sendmsg)(int, const msghdr*, int);

[[noreturn]] void give_up(const char* why) {
  std::fprintf(stderr, "disk_tape: %s\n", why);
  std::abort();
}

class recorder {
 public:
  recorder() {
    const char* const path = std::getenv("TURNOUT_TAPE");
    const char* const directory = std::getenv("TURNOUT_TAPE_DIRECTORY");
    if (!path || !directory) return;
    directory_ = directory;
    if (const char* const lies = std::getenv("TURNOUT_TAPE_LIES")) lies_ = lies;
    if (const char* const fails = std::getenv("TURNOUT_TAPE_FAIL_SYNC"))
      failing_sync_ = std::strtoull(fails, nullptr, 10);
    const int file = SYSTEM(open)(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (file < 0 || SYSTEM(ftruncate)(file, tape_bytes) != 0) give_up("cannot make the tape");
    void* const mapped = ::mmap(nullptr, tape_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (mapped == MAP_FAILED) give_up("cannot map the tape");
    SYSTEM(close)(file);
    tape_ = static_cast<char*>(mapped);
    used_ = sizeof(std::uint64_t);
    publish();
  }

  /// Nothing for files elsewhere, and for SQLite's index of the log, which is no more than memory.
  std::string name_of(const char* path) const {
    if (!tape_ || !path) return {};
    std::string name = std::filesystem::path(path).lexically_normal().string();
    if (!name.starts_with(directory_) || name.ends_with("-shm")) return {};
    if (name.size() == directory_.size()) return ".";
    return name[directory_.size()] == '/' ? name.substr(directory_.size() + 1) : std::string();
  }

  void opened(int file, const std::string& name, bool made) {
    struct stat status {};
    if (file < 0 || static_cast<std::size_t>(file) >= most_files || ::fstat(file, &status) != 0) return;
    const std::lock_guard lock(mutex_);
    std::uint64_t& node = nodes_[{status.st_dev, status.st_ino}];
    if (made || node == 0) {
      node = ++last_node_;
      names_[node] = name;
      append(made ? kind::created : kind::opened, node, S_ISDIR(status.st_mode) ? 1 : 0, name);
    }
    files_[file] = node;
  }

  bool follows(int file) const {
    return tape_ && file >= 0 && static_cast<std::size_t>(file) < most_files && files_[file] != 0;
  }
  void closed(int file) {
    if (follows(file)) files_[file] = 0;
  }
  void written(int file, const void* data, ssize_t size, off_t offset) {
    if (size <= 0 || !follows(file)) return;
    const std::lock_guard lock(mutex_);
    append(kind::written, files_[file], static_cast<std::uint64_t>(offset),
           {static_cast<const char*>(data), static_cast<std::size_t>(size)});
  }
  void truncated(int file, off_t size) {
    if (!follows(file)) return;
    const std::lock_guard lock(mutex_);
    append(kind::truncated, files_[file], static_cast<std::uint64_t>(size), {});
  }
  void renamed(const std::string& from, const std::string& to) {
    const std::lock_guard lock(mutex_);
    append(kind::renamed, 0, 0, from + '\n' + to);
  }
  void unlinked(const std::string& name) {
    const std::lock_guard lock(mutex_);
    append(kind::unlinked, 0, 0, name);
  }

  template <class Sync>
  int sync(int file, Sync system) {
    if (!follows(file)) return system(file);
    const std::uint64_t node = files_[file];
    std::uint64_t number = 0;
    {
      const std::lock_guard lock(mutex_);
      number = ++last_sync_;
      if (number == failing_sync_) return errno = EIO, -1;
      if (lies_ == "all" || (lies_ == "wal" && names_[node].ends_with("-wal"))) return 0;
      if (lies_ == "late") {
        const auto before = std::exchange(postponed_, {node, number});
        append(kind::sync_begun, node, number, {});
        if (before.second != 0) append(kind::synced, before.first, before.second, {});
        return 0;
      }
      append(kind::sync_begun, node, number, {});
    }
    const int result = system(file);
    if (result != 0) return result;
    const std::lock_guard lock(mutex_);
    append(kind::synced, node, number, {});
    return 0;
  }

  void sent(int socket, std::string_view data) {
    const std::uint64_t ports = ports_of(socket);
    if (ports == 0) return;
    const std::lock_guard lock(mutex_);
    append(kind::sent, ports, data.size(), data.substr(0, longest_sent));
  }
  bool recording() const noexcept { return tape_ != nullptr; }

 private:
  static constexpr std::size_t most_files = 65536;

  static std::uint64_t port(int socket, int (*ask)(int, sockaddr*, socklen_t*)) {
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    if (ask(socket, reinterpret_cast<sockaddr*>(&address), &size) != 0) return 0;
    if (address.ss_family == AF_INET) return ntohs(reinterpret_cast<sockaddr_in*>(&address)->sin_port);
    if (address.ss_family == AF_INET6) return ntohs(reinterpret_cast<sockaddr_in6*>(&address)->sin6_port);
    return 0;
  }
  static std::uint64_t ports_of(int socket) {
    const std::uint64_t local = port(socket, ::getsockname), peer = port(socket, ::getpeername);
    return local && peer ? local << 16 | peer : 0;
  }

  void append(kind what, std::uint64_t node, std::uint64_t value, std::string_view data) {
    const entry head{what, static_cast<std::uint32_t>(data.size()), node, value};
    const std::size_t whole = sizeof head + (data.size() + 7) / 8 * 8;
    if (used_ + whole > tape_bytes) give_up("the tape is full");
    std::memcpy(tape_ + used_, &head, sizeof head);
    if (!data.empty()) std::memcpy(tape_ + used_ + sizeof head, data.data(), data.size());
    used_ += whole;
    publish();
  }
  /// Last: what a SIGKILL cut short is not on the tape.
  void publish() {
    std::atomic_ref<std::uint64_t>(*reinterpret_cast<std::uint64_t*>(tape_)).store(used_, std::memory_order_release);
  }

  std::string directory_, lies_;
  std::uint64_t failing_sync_ = 0;
  char* tape_ = nullptr;
  std::mutex mutex_;
  std::uint64_t used_ = 0, last_node_ = 0, last_sync_ = 0;
  std::pair<std::uint64_t, std::uint64_t> postponed_{};
  std::map<std::pair<dev_t, ino_t>, std::uint64_t> nodes_;
  std::map<std::uint64_t, std::string> names_;  ///< as first opened
  std::atomic<std::uint64_t> files_[most_files] = {};
};

recorder& tape() {
  static recorder& only = *new recorder;  // never destroyed: files are closed after static objects
  return only;
}

template <class Open>
int open_file(Open system, const char* path, int flags, mode_t mode) {
  const std::string name = tape().name_of(path);
  if (name.empty()) return system(path, flags, mode);
  const bool makes = (flags & O_CREAT) != 0 && ::access(path, F_OK) != 0;
  const int file = system(path, flags, mode);
  if (file >= 0) tape().opened(file, name, makes);
  return file;
}

mode_t mode_from(int flags, va_list list) { return (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(list, mode_t) : 0; }

}  // namespace

extern "C" {

int open(const char* path, int flags, ...) {
  va_list list;
  va_start(list, flags);
  const mode_t mode = mode_from(flags, list);
  va_end(list);
  return open_file(SYSTEM(open), path, flags, mode);
}

int open64(const char* path, int flags, ...) {
  va_list list;
  va_start(list, flags);
  const mode_t mode = mode_from(flags, list);
  va_end(list);
  return open_file(SYSTEM(open64), path, flags, mode);
}

int close(int file) {
  tape().closed(file);
  return SYSTEM(close)(file);
}

ssize_t write(int file, const void* data, size_t size) {
  const ssize_t done = SYSTEM(write)(file, data, size);
  if (tape().follows(file)) tape().written(file, data, done, ::lseek(file, 0, SEEK_CUR) - done);
  return done;
}

ssize_t pwrite(int file, const void* data, size_t size, off_t offset) {
  const ssize_t done = SYSTEM(pwrite)(file, data, size, offset);
  tape().written(file, data, done, offset);
  return done;
}

ssize_t pwrite64(int file, const void* data, size_t size, off_t offset) {
  const ssize_t done = SYSTEM(pwrite64)(file, data, size, offset);
  tape().written(file, data, done, offset);
  return done;
}

int ftruncate(int file, off_t size) noexcept {
  const int result = SYSTEM(ftruncate)(file, size);
  if (result == 0) tape().truncated(file, size);
  return result;
}

int ftruncate64(int file, off_t size) noexcept {
  const int result = SYSTEM(ftruncate64)(file, size);
  if (result == 0) tape().truncated(file, size);
  return result;
}

int fsync(int file) { return tape().sync(file, SYSTEM(fsync)); }
int fdatasync(int file) { return tape().sync(file, SYSTEM(fdatasync)); }

int unlink(const char* path) noexcept {
  const int result = SYSTEM(unlink)(path);
  if (const std::string name = result == 0 ? tape().name_of(path) : std::string(); !name.empty()) tape().unlinked(name);
  return result;
}

int rename(const char* from, const char* to) noexcept {
  const int result = SYSTEM(rename)(from, to);
  const std::string source = tape().name_of(from), target = tape().name_of(to);
  if (result == 0 && !source.empty() && !target.empty()) tape().renamed(source, target);
  return result;
}

ssize_t send(int socket, const void* data, size_t size, int flags) {
  if (tape().recording()) tape().sent(socket, {static_cast<const char*>(data), size});
  return SYSTEM(send)(socket, data, size, flags);
}

ssize_t sendmsg(int socket, const msghdr* message, int flags) {
  if (tape().recording()) {
    std::string data;
    for (std::size_t at = 0; at < message->msg_iovlen; ++at)
      data.append(static_cast<const char*>(message->msg_iov[at].iov_base), message->msg_iov[at].iov_len);
    tape().sent(socket, data);
  }
  return SYSTEM(sendmsg)(socket, message, flags);
}

}  // extern "C"
