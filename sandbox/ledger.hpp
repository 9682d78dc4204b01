#pragma once
// The one true list of what all gateways did, in one order. It only grows:
// about 120 bytes and the texts per operation, until a reset.
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "sandbox/ledger_file.hpp"
#include "sandbox/operation.hpp"
#include "sandbox/text_arena.hpp"

namespace turnout::sandbox {

class ledger {
 public:
  /// `salt` keys the digests of requests; charges are numbered from `first_charge`.
  ledger(std::uint64_t salt, std::uint64_t first_charge) : salt_(salt), next_charge_(first_charge) {}

  /// Reads back what `path` holds (its salt wins over ours), hands every
  /// operation to `each`, and from then on writes to it. Throws as ledger_file.
  void keep_in(const std::string& path, const std::function<void(const operation&)>& each);

  /// Gives the operation its number and keeps its texts. The reference stays valid until reset().
  const operation& append(operation what);
  /// Something was appended that is not on disk yet.
  bool unsynced() const noexcept { return !unwritten_.empty(); }
  void sync();
  void reset();

  std::uint64_t next_charge() noexcept { return next_charge_++; }
  std::uint64_t salt() const noexcept { return salt_; }
  std::string_view keep(std::string_view text) { return texts_.keep(text); }
  std::size_t size() const noexcept { return operations_.size(); }
  const operation& at_seq(std::uint64_t seq) const { return operations_.at(seq - 1); }

  struct filter {
    std::optional<std::uint8_t> gateway;
    std::uint64_t since = 0;  ///< only operations with a greater seq
  };
  /// {"operations": […]}
  std::string to_json(const filter& wanted) const;

 private:
  bool read_line(std::string_view line, const std::function<void(const operation&)>& each);
  std::string header_line() const;

  std::uint64_t salt_;
  std::uint64_t next_charge_;
  std::deque<operation> operations_;  ///< a deque: growing never moves millions of rows
  text_arena texts_;
  std::unique_ptr<ledger_file> file_;
  std::string unwritten_;
};

/// The fields of the ledger's public JSON, without braces.
void append_fields(std::string& out, const operation& from);

}  // namespace turnout::sandbox
