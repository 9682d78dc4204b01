// A list is read from the table `listing`, which has what the filters compare,
// or from a table that leads to the few rows in question. Where a filter has no
// such table, rows are looked at one by one, up to a limit per call.
#include "proxy/journal/payment_query.hpp"

#include <algorithm>

#include "proxy/journal/listing.hpp"
#include "proxy/journal/record_json.hpp"

namespace turnout::journal {

namespace {

/// ?1 merchant, ?2 livemode; sequences below ?3 and not below ?4; newest first.
std::string select_from(const std::string& rows, const std::string& condition) {
  return "SELECT r.seq, l.status, l.connector, l.amount, l.currency, l.created_at FROM " + rows + " WHERE " +
         condition + " AND r.seq < ?3 AND r.seq >= ?4 ORDER BY r.seq DESC";
}

const std::string own = "r.merchant = ?1 AND r.livemode = ?2";
// A CROSS JOIN keeps the order of the tables.
const std::string and_listed =
    " r CROSS JOIN listing l ON l.merchant = r.merchant AND l.livemode = r.livemode AND l.seq = r.seq";

constexpr int joined_cost = 3;

bool only_unsettled(const std::vector<payments::payment_status>& statuses) noexcept {
  return !statuses.empty() && std::none_of(statuses.begin(), statuses.end(), payments::is_final);
}

}  // namespace

payment_query::payment_query(database& file)
    : all_(file,
           "SELECT seq, status, connector, amount, currency, created_at FROM listing "
           "WHERE merchant = ?1 AND livemode = ?2 AND seq < ?3 AND seq >= ?4 ORDER BY seq DESC"),
      by_reference_(file, select_from("payment_references" + and_listed, own + " AND r.reference = ?5").c_str()),
      by_customer_(file, select_from("payment_customers" + and_listed, own + " AND r.customer = ?5").c_str()),
      // Rows of other merchants come too, without a status: they are work and have to be counted.
      unsettled_(file, select_from("payments r INDEXED BY payments_open LEFT JOIN listing l "
                                   "ON l.merchant = ?1 AND l.livemode = ?2 AND l.seq = r.seq",
                                   "r.open = 1")
                           .c_str()),
      is_customers_(file,
                    "SELECT 1 FROM payment_customers WHERE merchant = ?1 AND livemode = ?2 AND customer = ?3 AND "
                    "seq = ?4"),
      record_(file, "SELECT id, record FROM payments WHERE seq = ?1"),
      first_since_(file, "SELECT min(seq) FROM hours INDEXED BY hours_by_hour WHERE hour >= ?1"),
      last_until_(file, "SELECT seq FROM hours WHERE hour <= ?1 ORDER BY seq DESC LIMIT 1"),
      next_hour_(file, "SELECT min(seq) FROM hours WHERE seq > ?1") {}

// The hours leave little to look at that was created at another time. They are
// exact also where the clock was set back: an hour that comes again is a row again.
payment_query::range payment_query::narrow_by_time(const core::payment_filter& wanted) {
  range within{0, wanted.before};
  if (wanted.created_from) {
    reset_at_end guard(first_since_);
    first_since_.bind(1, hour_of(*wanted.created_from));
    if (!first_since_.step() || first_since_.is_null(0)) return {};
    within.from = first_since_.number(0);
  }
  if (wanted.created_before) {
    reset_at_end guard(last_until_);
    if (!last_until_.bind(1, hour_of(*wanted.created_before - std::chrono::nanoseconds(1))).step()) return {};
    reset_at_end next_guard(next_hour_);
    next_hour_.bind(1, last_until_.number(0));
    if (next_hour_.step() && !next_hour_.is_null(0)) within.before = std::min(within.before, next_hour_.number(0));
  }
  return within;
}

payment_query::source payment_query::open(const core::payment_filter& wanted, range within) {
  source from{&all_, 1};
  if (!wanted.reference.empty())
    from = {&by_reference_, joined_cost};
  else if (!wanted.customer.empty())
    from = {&by_customer_, joined_cost};
  else if (only_unsettled(wanted.statuses))
    from = {&unsettled_, joined_cost};
  from.rows->bind(1, wanted.merchant).bind(2, wanted.livemode).bind(3, within.before).bind(4, within.from);
  if (from.rows == &by_reference_) from.rows->bind(5, wanted.reference);
  if (from.rows == &by_customer_) from.rows->bind(5, wanted.customer);
  return from;
}

bool payment_query::matches(const statement& row, const core::payment_filter& wanted) {
  const std::string_view status = row.text(1);
  if (status.empty()) return false;  // another merchant's
  const auto is = [status](payments::payment_status each) { return to_string(each) == status; };
  if (!wanted.statuses.empty() && std::none_of(wanted.statuses.begin(), wanted.statuses.end(), is)) return false;
  if (!wanted.connector.empty() && row.text(2) != wanted.connector) return false;
  if (wanted.amount_min && row.number(3) < *wanted.amount_min) return false;
  if (wanted.amount_max && row.number(3) > *wanted.amount_max) return false;
  if (!wanted.currency.empty() && row.text(4) != wanted.currency) return false;
  if (wanted.created_from && row.number(5) < to_stored(*wanted.created_from)) return false;
  if (wanted.created_before && row.number(5) >= to_stored(*wanted.created_before)) return false;
  if (wanted.reference.empty() || wanted.customer.empty()) return true;
  // Found by its reference: whose it is has to be looked up.
  reset_at_end guard(is_customers_);
  is_customers_.bind(1, wanted.merchant).bind(2, wanted.livemode).bind(3, wanted.customer).bind(4, row.number(0));
  return is_customers_.step();
}

payments::payment payment_query::read(std::int64_t sequence, std::size_t& bytes) {
  reset_at_end guard(record_);
  if (!record_.bind(1, sequence).step())
    throw damaged_record("payment number " + std::to_string(sequence) + " is listed and is not there");
  bytes += record_.text(1).size();
  try {
    return read_record(record_.text(1));
  } catch (const damaged_record& damage) {
    throw damaged_record("payment " + std::string(record_.text(0)) + ": " + damage.what());
  }
}

core::payment_page payment_query::list(const core::payment_filter& wanted) {
  core::payment_page page;
  const range within = narrow_by_time(wanted);
  if (within.empty()) return page;
  const source from = open(wanted, within);
  reset_at_end guard(*from.rows);
  std::int64_t last = within.before;
  std::size_t bytes = 0;
  for (int scanned = 0; from.rows->step(); scanned += from.cost) {
    const bool full = page.payments.size() == wanted.limit || bytes >= page_bytes;
    const bool found = matches(*from.rows, wanted);
    if (scanned >= most_scanned || (found && full)) {
      page.next = last;
      break;
    }
    last = from.rows->number(0);
    if (found) page.payments.push_back(read(last, bytes));
  }
  return page;
}

}  // namespace turnout::journal
