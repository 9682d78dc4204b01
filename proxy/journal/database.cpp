// SQLite's C interface, wrapped.
#include "proxy/journal/database.hpp"

#include <sqlite3.h>

#include <algorithm>
#include <utility>

namespace turnout::journal {

failure classify(int extended_code) noexcept {
  switch (extended_code) {
    case SQLITE_IOERR_FSYNC:
    case SQLITE_IOERR_DIR_FSYNC:
    case SQLITE_IOERR_CORRUPTFS: return failure::fatal;
    default: break;
  }
  switch (extended_code & 0xff) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: return failure::fatal;
    case SQLITE_FULL:
    case SQLITE_IOERR: return failure::no_space;
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_NOMEM:
    case SQLITE_PERM: return failure::blocked;
    default: return failure::refused;
  }
}

namespace {

struct table_words {
  std::string_view table, words;
};
constexpr table_words tables_in_words[] = {
    {"payments", "the payments"},
    {"events", "the payments' events"},
    {"decisions", "the routing decisions"},
    {"steps", "the payments' events and decisions"},
    {"chain", "the chain"},
    {"idempotency", "the idempotency keys"},
    {"operation_keys", "the idempotency keys of captures, refunds and cancellations"},
    {"unique_references", "the unique references"},
    {"answers", "the stored answers"},
    {"meta", "the notes about the file"},
    {"listing", "the list of payments"},
    {"payment_references", "the list of references"},
    {"payment_customers", "the list of customers"},
    {"hours", "the list of hours"},
};

/// What a statement does, for people: its text is of no use to them.
std::string in_words(std::string_view sql) {
  sql.remove_prefix(std::min(sql.find_first_not_of(" \n;"), sql.size()));
  const auto starts = [sql](std::string_view word) { return sql.starts_with(word); };
  const bool reads = starts("SELECT"), writes = starts("INSERT") || starts("UPDATE"), removes = starts("DELETE");
  if (starts("COMMIT")) return "writing to the disk";
  if (!reads && !writes && !removes) return "preparing the file";
  // The first table that is named.
  std::string_view words = "the journal";
  std::size_t first = std::string_view::npos;
  for (const std::string_view before : {"FROM ", "INTO ", "UPDATE "}) {
    const std::size_t at = sql.find(before);
    if (at >= first) continue;
    const std::string_view rest = sql.substr(at + before.size());
    const std::string_view name = rest.substr(0, rest.find_first_of(" (,;"));
    for (const table_words& each : tables_in_words)
      if (each.table == name) words = each.words, first = at;
  }
  return std::string(reads ? "reading " : writes ? "writing " : "removing from ").append(words);
}

std::string describe(const char* sql, int code, const char* message) {
  std::string text = in_words(sql) + ": ";
  switch (code & 0xff) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: return text + "the file is damaged (" + message + "); restore it from a backup";
    case SQLITE_FULL: return text + "the disk is full";
    case SQLITE_IOERR: return text + "the disk fails (" + message + ")";
    default: return text + message;
  }
}

}  // namespace

database::database(const std::string& path, mode open_mode, const std::string& vfs) {
  int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  flags |= open_mode == mode::read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
  const int code = sqlite3_open_v2(path.c_str(), &handle_, flags, vfs.empty() ? nullptr : vfs.c_str());
  if (code != SQLITE_OK) {
    std::string why = handle_ ? sqlite3_errmsg(handle_) : sqlite3_errstr(code);
    sqlite3_close_v2(std::exchange(handle_, nullptr));
    throw database_error(code, why);
  }
  sqlite3_busy_timeout(handle_, 5000);
}

database::database(database&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}

database::~database() { sqlite3_close_v2(handle_); }

void database::fail(const char* sql) const {
  const int code = sqlite3_extended_errcode(handle_);
  throw database_error(code, describe(sql, code, sqlite3_errmsg(handle_)));
}

void database::run(const char* sql) {
  if (sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr) != SQLITE_OK) fail(sql);
}

std::int64_t database::number(const char* sql) {
  statement query(*this, sql);
  return query.step() ? query.number(0) : 0;
}

statement::statement(database& owner, const char* sql) : owner_(owner) {
  if (sqlite3_prepare_v3(owner.handle(), sql, -1, SQLITE_PREPARE_PERSISTENT, &handle_, nullptr) != SQLITE_OK)
    owner.fail(sql);
}

statement::statement(statement&& other) noexcept
    : owner_(other.owner_), handle_(std::exchange(other.handle_, nullptr)) {}

statement::~statement() { sqlite3_finalize(handle_); }

statement& statement::bind(int index, std::int64_t value) {
  if (sqlite3_bind_int64(handle_, index, value) != SQLITE_OK) owner_.fail(sqlite3_sql(handle_));
  return *this;
}

statement& statement::bind(int index, std::string_view text) {
  // A null pointer would bind NULL where an empty text is meant.
  const char* data = text.data() ? text.data() : "";
  if (sqlite3_bind_text64(handle_, index, data, text.size(), SQLITE_STATIC, SQLITE_UTF8) != SQLITE_OK)
    owner_.fail(sqlite3_sql(handle_));
  return *this;
}

statement& statement::bind_bytes(int index, std::string_view bytes) {
  const char* data = bytes.data() ? bytes.data() : "";
  if (sqlite3_bind_blob64(handle_, index, data, bytes.size(), SQLITE_STATIC) != SQLITE_OK)
    owner_.fail(sqlite3_sql(handle_));
  return *this;
}

statement& statement::bind_null(int index) {
  if (sqlite3_bind_null(handle_, index) != SQLITE_OK) owner_.fail(sqlite3_sql(handle_));
  return *this;
}

bool statement::step() {
  switch (sqlite3_step(handle_)) {
    case SQLITE_ROW: return true;
    case SQLITE_DONE: return false;
    default: {
      // The message must be read before the reset changes it.
      const int code = sqlite3_extended_errcode(owner_.handle());
      database_error error(code, describe(sqlite3_sql(handle_), code, sqlite3_errmsg(owner_.handle())));
      reset();
      throw error;
    }
  }
}

void statement::finish() {
  while (step()) {
  }
  reset();
}

void statement::reset() noexcept { sqlite3_reset(handle_); }

std::int64_t statement::number(int column) const noexcept { return sqlite3_column_int64(handle_, column); }

std::string_view statement::text(int column) const noexcept {
  const void* bytes = sqlite3_column_blob(handle_, column);
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(handle_, column));
  return bytes ? std::string_view(static_cast<const char*>(bytes), size) : std::string_view();
}

bool statement::is_null(int column) const noexcept { return sqlite3_column_type(handle_, column) == SQLITE_NULL; }

int statement::columns() const noexcept { return sqlite3_column_count(handle_); }

}  // namespace turnout::journal
