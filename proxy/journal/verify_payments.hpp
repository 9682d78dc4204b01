#pragma once
// One payment after the other: its steps against their links, its record against
// its events, and what the other tables say of it.
#include <string>
#include <string_view>
#include <vector>

#include "payments/payment_story.hpp"
#include "proxy/journal/verify_chain.hpp"
#include "proxy/journal/verify_findings.hpp"

namespace turnout::journal {

/// Rows that belong to some payment, by table: as many as there should be.
struct expected_rows {
  std::int64_t steps = 0, listing = 0, references = 0, customers = 0, hours = 0, keys = 0, answers = 0,
               operation_keys = 0;
};

class payment_check {
 public:
  payment_check(database& file, findings& into, verify_report& report);
  expected_rows check_all();

 private:
  /// What the payment being checked is.
  struct subject {
    std::int64_t sequence = 0;
    std::string id;
    std::vector<row_digest> attested;           ///< rows that were written beside its steps, not found yet
    std::vector<std::int64_t> operations_kept;  ///< when each of its keys of operations was taken
    std::int64_t first_link = 0, last_link = 0;
  };
  void check_one();
  payments::payment_story read_steps();
  void check_step(const chain_link* link, std::int64_t number);
  void check_record(const payments::payment_story& told);
  void check_columns(const payments::payment& record);
  void count(const payments::payment& record);
  void check_payment_key(const payments::payment& record);
  void check_operation_keys(const payments::payment& record);
  void check_reference(const payments::payment& record);
  void check_lists(const payments::payment& record);
  void check_hour(const payments::payment& record);
  /// Its keys of operations may be attested by the migration: when they were taken is not known then.
  bool migrated() const noexcept { return about_.first_link <= report_.chained_later; }
  void found_row(kept_row what, const digest& value);
  void name_lost_rows(const payments::payment& record, bool operation_lost);
  void add(check about, std::string text, std::int64_t link = 0) { into_.add(about, std::move(text), link, about_.id); }

  findings& into_;
  verify_report& report_;
  link_reader links_;
  sha256 hash_;
  statement payments_, steps_, key_, answer_, operation_keys_, reference_, listing_, listed_reference_,
      listed_customer_, hour_;
  std::int64_t keys_purged_before_;
  std::optional<std::int64_t> last_hour_;  ///< in which the payment before was created
  expected_rows rows_;
  subject about_;
};

/// Rows of no payment, where there are more or fewer than expected.
void check_counts(database& file, findings& into, const expected_rows& expected);

}  // namespace turnout::journal
