// Opening the file, and the handles that workers hold.
#include "proxy/journal/sqlite_journal.hpp"

#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <system_error>

#include "proxy/journal/group_writer.hpp"
#include "proxy/journal/record_json.hpp"
#include "proxy/journal/schema.hpp"
#include "proxy/journal/sqlite_reader.hpp"
#include "proxy/journal/writer_lock.hpp"

namespace turnout::journal {

namespace {

void complain(std::string_view what) {
  std::fprintf(stderr, "turnout: %.*s\n", static_cast<int>(what.size()), what.data());
}

void complete(journal_options& options) {
  if (!options.on_problem) options.on_problem = complain;
  if (!options.on_fatal)
    options.on_fatal = [](std::string_view what) {
      complain(what);
      std::_Exit(70);
    };
}

/// SQLite would create the file readable for all; its log and index take over the mode.
void create_private_file(const std::string& path) {
  const auto directory = std::filesystem::path(path).parent_path();
  std::error_code failed;
  if (!directory.empty()) std::filesystem::create_directories(directory, failed);
  if (failed)
    throw open_error("cannot write the journal " + path + ": " + directory.string() + ": " + failed.message());
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0) throw open_error("cannot write the journal " + path + ": " + std::generic_category().message(errno));
  ::close(file);
}

database open_for_writing(const std::string& path, const std::string& vfs) {
  database file(path, database::mode::read_write_create, vfs);
  file.run("PRAGMA foreign_keys = OFF; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -8192");
  return file;
}

/// For the operator: what fails at the start says which file it is about.
template <class Read>
auto naming(const std::string& path, const Read& read) {
  try {
    return read();
  } catch (const database_error& error) {
    throw database_error(error.code(), "the journal " + path + ": " + error.what());
  } catch (const damaged_record& damage) {
    throw damaged_record("the journal " + path + " is damaged: " + damage.what());
  }
}

std::int64_t prepare_file(database& file, const std::string& path) {
  // Before anything is changed in a file that may be somebody else's.
  check_origin(file, path, migrations().size());
  if (file.number("PRAGMA user_version") > 0 &&
      file.number("SELECT EXISTS (SELECT 1 FROM meta WHERE name = 'backup_taken_at')") != 0)
    throw open_error(path +
                     " is a backup: payments made after it was taken are not known to it. Move it elsewhere and put it "
                     "in place with `turnout restore`, which says what has to be done about them");
  file.run("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
  migrate(file, path, migrations());
  file.run(
      "BEGIN IMMEDIATE;"
      "INSERT INTO meta (name, value) VALUES ('epoch', 1) ON CONFLICT (name) DO UPDATE SET value = value + 1;"
      "COMMIT");
  return file.number("SELECT value FROM meta WHERE name = 'epoch'");
}

/// On a full disk the reserve is given up for it: the outcomes of payments in flight are what it is kept for.
template <class Prepare>
database with_reserve(const std::string& path, const Prepare& prepare) {
  try {
    return prepare();
  } catch (const database_error& error) {
    if (classify(error.code()) != failure::no_space || ::unlink((path + ".reserve").c_str()) != 0) throw;
  }
  return prepare();
}

/// Of the first start after a restore.
std::optional<payments::wall_time> take_restored_mark(database& file) {
  std::optional<payments::wall_time> taken_at;
  statement mark(file, "SELECT value FROM meta WHERE name = 'restored_backup_of'");
  if (mark.step()) taken_at = from_stored(mark.number(0));
  mark.reset();
  if (taken_at) file.run("DELETE FROM meta WHERE name = 'restored_backup_of'");
  return taken_at;
}

}  // namespace

struct sqlite_journal::state {
  state(const std::string& where, const journal_options& wanted) : path(where), options(wanted), lock(where) {}

  const std::string path;
  const journal_options options;
  writer_lock lock;
  std::int64_t epoch = 0;
  std::optional<payments::wall_time> restored_from;
  std::unique_ptr<group_writer> writer;
};

namespace {

class handle final : public core::journal {
 public:
  handle(std::shared_ptr<void> keep, group_writer& writer, const std::string& path, const std::string& vfs,
         std::int64_t epoch, post_function post)
      : keep_(std::move(keep)),
        writer_(writer),
        reader_(path, vfs, epoch),
        mailbox_(std::make_shared<mailbox>(std::move(post))) {}
  ~handle() override { mailbox_->close(); }

  void commit(std::shared_ptr<const core::journal_write> write,
              std::function<void(core::commit_result)> done) override {
    writer_.enqueue(prepared_write(std::move(write), hash_), std::move(done), mailbox_);
  }
  std::optional<core::key_entry> find_key(std::string_view merchant, bool livemode, std::string_view key) override {
    return reader_.find_key(merchant, livemode, key);
  }
  std::optional<payments::payment> find_payment(std::string_view id) override { return reader_.find_payment(id); }

 private:
  std::shared_ptr<void> keep_;  ///< the writer lives at least as long as its last handle
  group_writer& writer_;
  sqlite_reader reader_;
  std::shared_ptr<mailbox> mailbox_;
  sha256 hash_;
};

}  // namespace

std::unique_ptr<sqlite_journal> sqlite_journal::open(const std::string& path, journal_options options) {
  complete(options);
  // Counting every allocation costs the writer an eighth of its time. Refused, and
  // of no consequence, when this process has used SQLite before.
  sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
  create_private_file(path);
  try {
    auto opened = std::make_shared<state>(path, options);
    const auto prepare = [&] {
      database file = open_for_writing(path, options.vfs);
      opened->epoch = prepare_file(file, path);
      read_chain_head(file);  // damage at its end is told now, not with the first payment
      opened->restored_from = take_restored_mark(file);
      return file;
    };
    database file = with_reserve(path, prepare);
    opened->writer = std::make_unique<group_writer>(path, opened->options, std::move(file), opened->epoch);
    return std::unique_ptr<sqlite_journal>(new sqlite_journal(std::move(opened)));
  } catch (const database_error& error) {
    if ((error.code() & 0xff) == SQLITE_NOTADB)
      throw open_error(path + " is not a Turnout journal (not an SQLite database)");
    throw open_error("cannot open the journal " + path + ": " + error.what());
  } catch (const std::runtime_error& error) {
    throw open_error(error.what());
  }
}

sqlite_journal::sqlite_journal(std::shared_ptr<state> opened) : state_(std::move(opened)) {}
sqlite_journal::~sqlite_journal() = default;

std::unique_ptr<core::journal> sqlite_journal::journal_for(post_function post) {
  return std::make_unique<handle>(state_, *state_->writer, state_->path, state_->options.vfs, state_->epoch,
                                  std::move(post));
}

std::unique_ptr<reader> sqlite_journal::make_reader() {
  return std::make_unique<sqlite_reader>(state_->path, state_->options.vfs, state_->epoch);
}

std::vector<payments::payment> sqlite_journal::unfinished() {
  return naming(state_->path, [this] { return make_reader()->unfinished(); });
}

std::optional<payments::wall_time> sqlite_journal::restored_from() const noexcept { return state_->restored_from; }

std::int64_t sqlite_journal::epoch() const noexcept { return state_->epoch; }

bool sqlite_journal::accepting() const noexcept { return state_->writer->accepting(); }

bool sqlite_journal::has_payments() {
  return naming(state_->path, [this] {
    database file(state_->path, database::mode::read_only, state_->options.vfs);
    return file.number("SELECT EXISTS (SELECT 1 FROM payments)") != 0;
  });
}

std::optional<std::string> sqlite_journal::key_identity() {
  return naming(state_->path, [this]() -> std::optional<std::string> {
    database file(state_->path, database::mode::read_only, state_->options.vfs);
    statement query(file, "SELECT value FROM meta WHERE name = 'key_identity'");
    if (!query.step()) return std::nullopt;
    return std::string(query.text(0));
  });
}

void sqlite_journal::set_key_identity(std::string_view identity) {
  // A connection of its own: the writer's belongs to its thread. They wait for each other.
  database file = open_for_writing(state_->path, state_->options.vfs);
  file.run("PRAGMA synchronous = FULL");
  statement(file,
            "INSERT INTO meta (name, value) VALUES ('key_identity', ?1) "
            "ON CONFLICT (name) DO UPDATE SET value = excluded.value")
      .bind(1, identity)
      .finish();
}

}  // namespace turnout::journal
