#include "proxy/journal/listing.hpp"

#include <limits>

#include "proxy/journal/record_json.hpp"

namespace turnout::journal {

std::int64_t hour_of(payments::wall_time when) noexcept {
  return std::chrono::floor<std::chrono::hours>(when).time_since_epoch().count();
}

listed_payment::listed_payment(const payments::payment& record)
    : merchant(record.merchant),
      livemode(record.livemode),
      status(to_string(record.status)),
      connector(record.connector),
      currency(record.amount.unit.code()),
      reference(record.reference),
      customer(record.buyer.id),
      amount(record.amount.minor),
      created_at(record.created_at) {}

listing::listing(database& file)
    : add_(file,
           "INSERT INTO listing (merchant, livemode, seq, status, connector, amount, currency, created_at) "
           "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"),
      update_(file,
              "UPDATE listing SET status = ?4, connector = ?5 WHERE merchant = ?1 AND livemode = ?2 AND seq = ?3"),
      add_reference_(file,
                     "INSERT INTO payment_references (merchant, livemode, seq, reference) VALUES (?1, ?2, ?3, ?4)"),
      add_customer_(file, "INSERT INTO payment_customers (merchant, livemode, seq, customer) VALUES (?1, ?2, ?3, ?4)"),
      last_hour_(file, "SELECT hour FROM hours ORDER BY seq DESC LIMIT 1"),
      add_hour_(file, "INSERT INTO hours (seq, hour) VALUES (?1, ?2)") {}

void listing::add(std::int64_t sequence, const listed_payment& row) {
  const auto bind = [&](statement& to) -> statement& {
    return to.bind(1, row.merchant).bind(2, row.livemode).bind(3, sequence);
  };
  bind(add_).bind(4, row.status).bind(5, row.connector).bind(6, row.amount).bind(7, row.currency);
  add_.bind(8, to_stored(row.created_at)).finish();
  if (!row.reference.empty()) bind(add_reference_).bind(4, row.reference).finish();
  if (!row.customer.empty()) bind(add_customer_).bind(4, row.customer).finish();
  const std::int64_t hour = hour_of(row.created_at);
  if (!hour_) {
    reset_at_end guard(last_hour_);
    hour_ = last_hour_.step() ? last_hour_.number(0) : std::numeric_limits<std::int64_t>::min();
  }
  if (hour == hour_) return;
  add_hour_.bind(1, sequence).bind(2, hour).finish();
  hour_ = hour;
}

void listing::update(std::int64_t sequence, const payments::payment& record) {
  update_.bind(1, record.merchant).bind(2, record.livemode).bind(3, sequence);
  update_.bind(4, to_string(record.status)).bind(5, record.connector).finish();
}

void list_all_payments(database& file) {
  listing lists(file);
  statement all(file, "SELECT seq, merchant, livemode, status, created_at, record FROM payments ORDER BY seq");
  reset_at_end guard(all);
  while (all.step()) {
    std::optional<payments::payment> record;
    listed_payment row;
    try {
      row = listed_payment(record.emplace(read_record(all.text(5))));
    } catch (const damaged_record&) {
      row.status = all.text(3);
      row.created_at = from_stored(all.number(4));
    }
    row.merchant = all.text(1);
    row.livemode = all.number(2) != 0;
    lists.add(all.number(0), row);
  }
}

}  // namespace turnout::journal
