#include "proxy/journal/log_copier.hpp"

#include <pthread.h>
#include <sqlite3.h>

#include <utility>

namespace turnout::journal {

namespace {

// The first copies what has gathered, the second what came meanwhile: then the
// rest that holds up the writer is small.
constexpr int passes = 2;

}  // namespace

log_copier::log_copier(std::string path, std::string vfs, std::function<void(const database_error&)> failed)
    : path_(std::move(path)), vfs_(std::move(vfs)), failed_(std::move(failed)) {}

void log_copier::start() {
  if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
  {
    std::lock_guard lock(mutex_);
    busy_ = true;
  }
  changed_.notify_all();
}

bool log_copier::busy() {
  std::lock_guard lock(mutex_);
  return busy_;
}

void log_copier::wait_until_idle() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return !busy_; });
}

void log_copier::stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void log_copier::run() {
  pthread_setname_np(pthread_self(), "journal copier");
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return busy_ || stopping_; });
    if (stopping_) return;
    lock.unlock();
    try {
      copy();
    } catch (const database_error& error) {
      failed_(error);
    }
    lock.lock();
    busy_ = false;
    changed_.notify_all();
  }
}

void log_copier::copy() {
  if (!file_) {
    auto opened = std::make_unique<database>(path_, database::mode::read_write_create, vfs_);
    opened->run("PRAGMA synchronous = FULL");
    opened->number("SELECT count(*) FROM meta");  // SQLite finds the log with the first read
    file_ = std::move(opened);
  }
  for (int pass = 0; pass < passes; ++pass) {
    // Passive: waits for no reader and not for the writer.
    const int code = sqlite3_wal_checkpoint_v2(file_->handle(), nullptr, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
    if ((code & 0xff) == SQLITE_BUSY || (code & 0xff) == SQLITE_LOCKED) return;
    if (code != SQLITE_OK) file_->fail("copying the write-ahead log");
    // SQLite syncs the main file when the last of the log is copied, which will be
    // by the writer: most of that work is done here.
    sqlite3_file* main = nullptr;
    sqlite3_file_control(file_->handle(), nullptr, SQLITE_FCNTL_FILE_POINTER, static_cast<void*>(&main));
    const int synced = main->pMethods->xSync(main, SQLITE_SYNC_NORMAL);
    if (synced != SQLITE_OK) throw database_error(synced, "syncing the main file");
  }
}

}  // namespace turnout::journal
