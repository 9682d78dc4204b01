#pragma once
// Keeps the tables that lists of payments are read from (payment_query reads them).
#include <optional>

#include "payments/payment.hpp"
#include "proxy/journal/database.hpp"

namespace turnout::journal {

/// What lists know of a payment.
struct listed_payment {
  explicit listed_payment(const payments::payment& record);
  listed_payment() = default;

  std::string_view merchant;
  bool livemode = false;
  std::string_view status, connector, currency, reference, customer;
  std::int64_t amount = 0;  ///< minor units
  payments::wall_time created_at{};
};

class listing {
 public:
  explicit listing(database& file);
  /// Once for each payment, in the order of their sequences.
  void add(std::int64_t sequence, const listed_payment& row);
  void update(std::int64_t sequence, const payments::payment& record);
  /// What was done last may have been rolled back.
  void forget() noexcept { hour_.reset(); }

 private:
  statement add_, update_, add_reference_, add_customer_, last_hour_, add_hour_;
  std::optional<std::int64_t> hour_;  ///< of the last row of `hours`; nullopt: not known
};

/// For journals that were begun before there were lists. A damaged record is
/// listed with what its row says, so that it does not hinder the start.
void list_all_payments(database& file);

/// Hours since 1970, as the table `hours` has them.
std::int64_t hour_of(payments::wall_time when) noexcept;

}  // namespace turnout::journal
