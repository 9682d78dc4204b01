#pragma once
// The chain's part of a verification, and its links for the others.
#include <map>
#include <optional>
#include <vector>

#include "proxy/journal/chain.hpp"
#include "proxy/journal/verify_findings.hpp"

namespace turnout::journal {

class chain_check {
 public:
  chain_check(database& file, findings& into);
  /// Follows the chain from its beginning; returns its end as far as it can be read.
  chain_head follow(const std::optional<chain_head>& expected);
  /// Names the links whose step is not there.
  void name_missing_steps();

 private:
  void check_row(std::int64_t first, std::string_view links, std::string_view value);
  void check_expected(std::int64_t last, const digest& value);

  findings& into_;
  statement rows_, step_, payment_;
  sha256 hash_;
  std::int64_t next_ = 1;
  digest before_{};
  /// After a break: what the row before says its value is, which may be right or changed itself.
  std::optional<digest> or_before_;
  bool lost_ = false;  ///< the value before the next row is not known
  std::optional<chain_head> expected_;
};

/// Links by number. Those of neighbours cost nothing more: rows are kept.
class link_reader {
 public:
  explicit link_reader(database& file);
  /// nullptr when the chain has none of this number; valid until the next call.
  const chain_link* find(std::int64_t number);

 private:
  static constexpr std::size_t most_rows = 256;
  statement row_;
  std::map<std::int64_t, std::vector<chain_link>> rows_;  ///< by the number of the first link
};

}  // namespace turnout::journal
