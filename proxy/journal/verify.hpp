#pragma once
// Whether a journal is whole: its file, the chain over its steps, each payment's
// record against its events, sums of money, and the tables beside them.
//
// Reads one snapshot, also of a journal that is being written; memory does not grow with it.
//
// Not found out: a change by somebody who can write the file and makes the chain anew, or
// puts an older copy in its place. Against both helps a head that was noted elsewhere.
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "proxy/journal/chain.hpp"

namespace turnout::journal {

/// What a finding is about.
enum class check : std::uint8_t {
  file,    ///< SQLite cannot read it, or finds it inconsistent
  schema,  ///< not a journal, or not of this version
  chain,   ///< the chain is broken, or is not the one that was noted
  step,    ///< events or decisions are missing, added or changed
  record,  ///< a payment's record is not the one that was written, or its columns say something else
  story,   ///< a record and its events contradict each other
  money,   ///< amounts that no payment may have, or two attempts that stand
  keys,    ///< idempotency keys, their answers, unique references
  lists,   ///< the tables that lists are read from
};
std::string_view to_string(check) noexcept;

struct finding {
  check about = check::file;
  std::int64_t link = 0;  ///< in the chain; 0: none
  std::string payment;    ///< pay_…; empty: none
  std::string text;       ///< what was expected, and what was found; no personal data
};

struct sums {
  std::int64_t payments = 0;
  /// Minor units; nullopt: more than 64 bits hold.
  std::optional<std::int64_t> authorized = 0, captured = 0, refunded = 0;
};

struct verify_report {
  std::int64_t schema = 0;
  std::int64_t payments = 0, steps = 0, events = 0, keys = 0;
  chain_head head;
  std::int64_t chained_later = 0;  ///< the first so many links were made by the migration to schema 5
  std::map<std::string, std::int64_t> by_status;
  /// By live mode and currency.
  std::map<std::pair<bool, std::string>, sums> by_currency;
  std::vector<finding> findings;    ///< the first of them
  std::int64_t findings_total = 0;  ///< all of them
  bool sound() const noexcept { return findings_total == 0; }
};

struct verify_options {
  std::optional<chain_head> expected;  ///< noted earlier: the chain must contain it
  std::size_t most_findings = 100;     ///< that are told
  std::string vfs;                     ///< as in journal_options
};

/// Never throws for what is in the file: that is a finding. Throws database_error when there is no file to open.
verify_report verify(const std::string& path, const verify_options& options = {});

}  // namespace turnout::journal
