#pragma once
// Reading the journal: what the API shows, and what a restart takes up again.
//
// A reader belongs to one thread at a time. Every call sees all commits that
// were acknowledged before it. Calls throw database_error when the file cannot
// be read and damaged_record when a row in it makes no sense.
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "payments/payment.hpp"
#include "proxy/core/payment_filter.hpp"
#include "proxy/core/ports.hpp"

namespace turnout::journal {

struct due_payment {
  std::string id;
  std::int64_t due_at = std::numeric_limits<std::int64_t>::min(), sequence = 0;  ///< its place among those due
};

class reader {
 public:
  virtual ~reader() = default;
  virtual std::optional<payments::payment> find_payment(std::string_view id) = 0;
  /// Only if it is this merchant's and mode's; the record of another one is not even read.
  virtual std::optional<payments::payment> find_own(std::string_view merchant, bool livemode, std::string_view id) = 0;
  virtual core::payment_page list(const core::payment_filter& wanted) = 0;
  /// Explanations of routing decisions as JSON texts, oldest first, without the first `skip` of
  /// them and at most `count`; empty for an unknown id.
  virtual std::vector<std::string> decisions_of(std::string_view id, std::size_t skip = 0, std::size_t count = all) = 0;
  /// In the same way.
  virtual std::vector<payments::payment_event> events_of(std::string_view id, std::size_t skip = 0,
                                                         std::size_t count = all) = 0;
  static constexpr std::size_t all = std::numeric_limits<std::int64_t>::max();  ///< as many as SQLite can count
  /// By key within merchant and mode.
  virtual std::optional<core::key_entry> find_key(std::string_view merchant, bool livemode, std::string_view key) = 0;
  /// Payments that are not settled: not final, or with an attempt that is
  /// unresolved, a reversal that is not confirmed, or a modification that is
  /// pending. Oldest first.
  virtual std::vector<payments::payment> unfinished() = 0;
  /// Settled payments that have to be looked at by now, the longest due first; those after `after`.
  virtual std::vector<due_payment> due(payments::wall_time now, const due_payment& after, std::size_t limit) = 0;
};

/// Opens a journal for reading only; a running proxy may be writing it.
/// Throws database_error, and std::runtime_error for a file of another schema version. Its find_key never says `running`.
std::unique_ptr<reader> open_reader(const std::string& path, const std::string& vfs = {});

}  // namespace turnout::journal
