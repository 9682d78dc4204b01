#pragma once
// SQLite, as much of it as the journal needs: a connection and its prepared
// statements, closed by their destructors, failing with one exception type
// that keeps SQLite's extended result code.
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

namespace turnout::journal {

class database_error : public std::runtime_error {
 public:
  database_error(int code, const std::string& what) : std::runtime_error(what), code_(code) {}
  /// SQLite's extended result code.
  int code() const noexcept { return code_; }

 private:
  int code_;
};

/// What a failed statement means for whoever waits for its result.
enum class failure : std::uint8_t {
  refused,   ///< this statement only: a constraint, a damaged row
  no_space,  ///< the disk is full or does not take writes; may pass, and giving it room may help
  blocked,   ///< read-only, locked by someone else, no memory: may pass by itself
  fatal,     ///< a sync failed or the file is corrupt: what is on disk is not known any more
};
failure classify(int extended_code) noexcept;

class database {
 public:
  enum class mode : std::uint8_t { read_write_create, read_only };
  /// `vfs` may be empty: the default one.
  database(const std::string& path, mode open_mode, const std::string& vfs);
  database(database&& other) noexcept;
  database(const database&) = delete;
  database& operator=(const database&) = delete;
  ~database();

  /// One or more statements whose rows nobody wants.
  void run(const char* sql);
  /// The first column of the first row; 0 without one.
  std::int64_t number(const char* sql);
  sqlite3* handle() const noexcept { return handle_; }
  /// Throws what the connection reports, after what `sql` does in plain words.
  [[noreturn]] void fail(const char* sql) const;

 private:
  sqlite3* handle_ = nullptr;
};

/// A prepared statement. Texts are bound without a copy: they must live until
/// reset(). Columns are valid until the next step() or reset().
class statement {
 public:
  statement(database& owner, const char* sql);
  statement(statement&& other) noexcept;
  statement(const statement&) = delete;
  statement& operator=(const statement&) = delete;
  ~statement();

  statement& bind(int index, std::int64_t value);
  statement& bind(int index, std::string_view text);
  /// Without a copy, as texts are.
  statement& bind_bytes(int index, std::string_view bytes);
  statement& bind_null(int index);
  /// True when there is a row.
  bool step();
  /// step() until there is no row, then reset().
  void finish();
  void reset() noexcept;

  std::int64_t number(int column) const noexcept;
  std::string_view text(int column) const noexcept;  ///< also of bytes
  bool is_null(int column) const noexcept;
  int columns() const noexcept;

 private:
  database& owner_;
  sqlite3_stmt* handle_ = nullptr;
};

/// Resets a statement when a scope ends, so that no read transaction stays open.
class reset_at_end {
 public:
  explicit reset_at_end(statement& watched) noexcept : watched_(watched) {}
  reset_at_end(const reset_at_end&) = delete;
  reset_at_end& operator=(const reset_at_end&) = delete;
  ~reset_at_end() { watched_.reset(); }

 private:
  statement& watched_;
};

}  // namespace turnout::journal
