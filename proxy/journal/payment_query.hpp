#pragma once
// Lists of payments. Each call does a bounded amount of work, because it runs on
// a worker's thread between payments.
#include "proxy/core/payment_filter.hpp"
#include "proxy/journal/database.hpp"

namespace turnout::journal {

class payment_query {
 public:
  /// Rows of the list that one call looks at. Those that it reaches through another
  /// table count several times.
  static constexpr int most_scanned = 5000;
  /// A page ends with the record that brings it to this size, in bytes of stored records.
  static constexpr std::size_t page_bytes = 256 * 1024;

  explicit payment_query(database& file);
  /// Throws database_error, and damaged_record that names the payment.
  core::payment_page list(const core::payment_filter& wanted);

 private:
  struct range {
    std::int64_t from = 0, before = 0;  ///< of sequences
    bool empty() const noexcept { return from >= before; }
  };
  struct source {
    statement* rows;
    int cost;  ///< of one row, in rows of the plain list
  };
  range narrow_by_time(const core::payment_filter& wanted);
  source open(const core::payment_filter& wanted, range within);
  bool matches(const statement& row, const core::payment_filter& wanted);
  /// Adds the bytes of the stored record to `bytes`.
  payments::payment read(std::int64_t sequence, std::size_t& bytes);

  statement all_, by_reference_, by_customer_, unsettled_, is_customers_, record_;
  statement first_since_, last_until_, next_hour_;
};

}  // namespace turnout::journal
