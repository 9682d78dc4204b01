#pragma once
// The journal's tables, as a list of migrations. A file's `user_version` says
// how many of them it has seen; opening it applies the rest, each in a
// transaction of its own.
#include <span>
#include <string_view>

#include "proxy/journal/database.hpp"

namespace turnout::journal {

struct migration {
  std::string_view what;
  const char* sql;
  void (*fill)(database&) = nullptr;  ///< then, in the same transaction: what SQL alone cannot do
};

/// All migrations of this binary, oldest first. Never edit one that was released: append.
std::span<const migration> migrations() noexcept;

/// Written into the file's header: this SQLite database is a Turnout journal.
inline constexpr int application_id = 0x54524e4a;  // "TRNJ"

/// Throws std::runtime_error, with a text for the operator, when `file` belongs to another
/// program or was written by a binary that knows more than `known` migrations. Changes nothing.
void check_origin(database& file, std::string_view path, std::size_t known);

/// Brings `file` up to date, after check_origin.
void migrate(database& file, std::string_view path, std::span<const migration> steps);

}  // namespace turnout::journal
