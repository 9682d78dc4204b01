// SQLite's online copy, within one read transaction of our own: the writer goes on,
// and what it writes meanwhile is not in the copy.
#include "proxy/journal/backup.hpp"

#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <functional>
#include <system_error>

#include "proxy/journal/database.hpp"
#include "proxy/journal/record_json.hpp"
#include "proxy/journal/schema.hpp"

namespace turnout::journal {

namespace {

namespace fs = std::filesystem;

constexpr int pages_a_step = 2000;

std::string why(int error) { return std::generic_category().message(error); }

void sync(const std::string& path, int flags) {
  const int file = ::open(path.c_str(), flags | O_CLOEXEC);
  const bool synced = file >= 0 && ::fsync(file) == 0;
  const int error = errno;
  if (file >= 0) ::close(file);
  if (!synced) throw backup_error(path + ": cannot sync: " + why(error));
}

/// Removed again unless it got its name.
class partial_file {
 public:
  explicit partial_file(const std::string& name) : name_(name), path_(name + ".partial") {
    if (fs::symlink_status(name_).type() != fs::file_type::not_found)
      throw backup_error(name_ + " is there; it is not overwritten");
    const int file = ::open(path_.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (file < 0 && errno == EEXIST)
      throw backup_error(path_ + " is there: another copy is under way, or one was interrupted; then remove it");
    if (file < 0) throw backup_error("cannot write " + path_ + ": " + why(errno));
    ::close(file);
  }
  partial_file(const partial_file&) = delete;
  partial_file& operator=(const partial_file&) = delete;
  ~partial_file() {
    if (!done_) ::unlink(path_.c_str());
  }
  const std::string& path() const noexcept { return path_; }
  /// Durable, under its own name.
  void finish() {
    sync(path_, O_RDWR);
    if (::renameat2(AT_FDCWD, path_.c_str(), AT_FDCWD, name_.c_str(), RENAME_NOREPLACE) != 0) {
      if (errno == EEXIST) throw backup_error(name_ + " is there; it is not overwritten");
      // Not every file system can promise it.
      if (errno != EINVAL || fs::exists(name_) || ::rename(path_.c_str(), name_.c_str()) != 0)
        throw backup_error("cannot write " + name_ + ": " + why(errno));
    }
    done_ = true;
    const fs::path directory = fs::absolute(name_).parent_path();
    sync(directory.string(), O_RDONLY | O_DIRECTORY);
  }

 private:
  std::string name_, path_;
  bool done_ = false;
};

void copy_pages(database& from, database& to) {
  sqlite3_backup* const copy = sqlite3_backup_init(to.handle(), "main", from.handle(), "main");
  if (copy == nullptr) to.fail("copying the journal");
  int code = SQLITE_OK;
  while (code == SQLITE_OK) code = sqlite3_backup_step(copy, pages_a_step);
  const int finished = sqlite3_backup_finish(copy);
  if (code != SQLITE_DONE) throw database_error(code, std::string("copying the journal: ") + sqlite3_errstr(code));
  if (finished != SQLITE_OK) to.fail("copying the journal");
}

void copy_journal(const std::string& from, const std::string& to, const std::function<void(database&)>& amend) {
  try {
    database source(from, database::mode::read_only, "");
    if (source.number("SELECT count(*) FROM sqlite_master") == 0) throw backup_error(from + " is empty");
    check_origin(source, from, migrations().size());
    partial_file made(to);
    {
      database copied(made.path(), database::mode::read_write_create, "");
      source.run("BEGIN");
      source.number("SELECT count(*) FROM meta");  // the moment
      copy_pages(source, copied);
      source.run("COMMIT");
      // One file, that can be read where nothing can be written.
      copied.run("PRAGMA journal_mode = DELETE; PRAGMA synchronous = FULL; BEGIN IMMEDIATE");
      amend(copied);
      copied.run("COMMIT");
    }
    made.finish();
  } catch (const backup_error&) {
    throw;
  } catch (const database_error& error) {
    throw backup_error("cannot copy " + from + " to " + to + ": " + error.what());
  } catch (const std::runtime_error& error) {
    throw backup_error(error.what());
  }
}

}  // namespace

void take_backup(const std::string& path, const std::string& to, payments::wall_time now) {
  copy_journal(path, to, [now](database& made) {
    statement(made,
              "INSERT INTO meta (name, value) VALUES ('backup_taken_at', ?1) "
              "ON CONFLICT (name) DO UPDATE SET value = excluded.value")
        .bind(1, to_stored(now))
        .finish();
  });
}

void restore_backup(const std::string& backup, const std::string& path) {
  std::error_code failed;
  const fs::path directory = fs::path(path).parent_path();
  if (!directory.empty()) fs::create_directories(directory, failed);
  // A log of an earlier journal would be applied to this one.
  for (const char* suffix : {"", "-wal", "-shm"})
    if (fs::exists(path + suffix, failed))
      throw backup_error(path + suffix + " is there: move the journal that was aside, with all files beside it");
  copy_journal(backup, path, [](database& made) {
    made.run("UPDATE OR REPLACE meta SET name = 'restored_backup_of' WHERE name = 'backup_taken_at'");
  });
}

backup_view look_at_backup(const std::string& backup) {
  try {
    database file(backup, database::mode::read_only, "");
    check_origin(file, backup, migrations().size());
    backup_view seen;
    statement notes(file, "SELECT name, value FROM meta WHERE name IN ('backup_taken_at', 'key_identity')");
    while (notes.step()) {
      if (notes.text(0) == "key_identity")
        seen.key_identity = std::string(notes.text(1));
      else
        seen.taken_at = from_stored(notes.number(1));
    }
    seen.has_payments = file.number("SELECT EXISTS (SELECT 1 FROM payments)") != 0;
    return seen;
  } catch (const std::runtime_error& error) {
    throw backup_error("cannot read " + backup + ": " + error.what());
  }
}

}  // namespace turnout::journal
