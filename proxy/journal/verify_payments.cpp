#include "proxy/journal/verify_payments.hpp"

#include <algorithm>
#include <utility>

#include "payments/due.hpp"
#include "payments/modification_rules.hpp"
#include "proxy/journal/record_json.hpp"
#include "proxy/journal/tables.hpp"

namespace turnout::journal {

namespace {

std::string step_name(std::int64_t slot) { return "step " + std::to_string(slot % steps_per_payment + 1); }

void add_to(std::optional<std::int64_t>& sum, std::int64_t amount) {
  std::int64_t total = 0;
  if (sum && !__builtin_add_overflow(*sum, amount, &total))
    sum = total;
  else
    sum.reset();
}

}  // namespace

payment_check::payment_check(database& file, findings& into, verify_report& report)
    : into_(into),
      report_(report),
      links_(file),
      payments_(file,
                "SELECT seq, id, merchant, livemode, status, open, answered, created_at, updated_at, due_at, record "
                "FROM payments ORDER BY seq"),
      steps_(file, "SELECT slot, link, events, decisions FROM steps WHERE slot BETWEEN ?1 AND ?2 ORDER BY slot"),
      key_(file, "SELECT merchant, livemode, key, mac, created_at FROM idempotency WHERE payment = ?1"),
      answer_(file, "SELECT status, body FROM answers WHERE payment = ?1"),
      operation_keys_(file,
                      "SELECT object, merchant, livemode, key, mac, status, body, created_at FROM operation_keys WHERE "
                      "payment = ?1 ORDER BY seq"),
      reference_(file,
                 "SELECT payment FROM unique_references WHERE merchant = ?1 AND livemode = ?2 AND reference = ?3"),
      listing_(file,
               "SELECT status, connector, amount, currency, created_at FROM listing WHERE merchant = ?1 AND livemode = "
               "?2 AND seq = ?3"),
      listed_reference_(file,
                        "SELECT 1 FROM payment_references WHERE merchant = ?1 AND livemode = ?2 AND reference = ?3 "
                        "AND seq = ?4"),
      listed_customer_(file,
                       "SELECT 1 FROM payment_customers WHERE merchant = ?1 AND livemode = ?2 AND customer = ?3 AND "
                       "seq = ?4"),
      hour_(file, "SELECT hour FROM hours WHERE seq = ?1"),
      keys_purged_before_(file.number("SELECT coalesce((SELECT value FROM meta WHERE name = 'keys_purged_before'), "
                                      "-9223372036854775807)")) {}

expected_rows payment_check::check_all() {
  reset_at_end guard(payments_);
  while (payments_.step()) check_one();
  return rows_;
}

void payment_check::check_one() {
  about_.sequence = payments_.number(0);
  about_.id = payments_.text(1);
  about_.attested.clear();
  about_.operations_kept.clear();
  about_.first_link = about_.last_link = 0;
  ++report_.payments;
  const payments::payment_story told = read_steps();
  check_record(told);
}

payments::payment_story payment_check::read_steps() {
  payments::payment_story told;
  reset_at_end guard(steps_);
  steps_.bind(1, first_step_slot(about_.sequence)).bind(2, last_step_slot(about_.sequence));
  while (steps_.step()) {
    ++report_.steps;
    ++rows_.steps;
    about_.last_link = steps_.number(1);
    if (about_.first_link == 0) about_.first_link = about_.last_link;
    check_step(links_.find(about_.last_link), about_.last_link);
    try {
      for (const payments::payment_event& event : read_events(steps_.text(2))) {
        told.add(event);
        ++report_.events;
      }
    } catch (const damaged_record& damage) {
      add(check::step, step_name(steps_.number(0)) + ": its events cannot be read: " + damage.what(), about_.last_link);
    }
  }
  return told;
}

void payment_check::check_step(const chain_link* link, std::int64_t number) {
  const std::int64_t slot = steps_.number(0);
  if (link == nullptr) return add(check::step, step_name(slot) + ": the chain has no link for it", number);
  if (link->slot != slot)
    return add(check::step,
               step_name(slot) + ": its link is that of step " + std::to_string(link->slot % steps_per_payment + 1) +
                   " of payment number " + std::to_string(link->slot / steps_per_payment),
               number);
  if (digest_of_step(hash_, about_.id, steps_.text(2), steps_.text(3)) != link->content)
    add(check::step, step_name(slot) + ": its events or decisions are not those that were written", number);
  about_.attested.insert(about_.attested.end(), link->rows.begin(), link->rows.end());
  for (const row_digest& each : link->rows)
    if (each.what == kept_row::operation_key)
      about_.operations_kept.push_back(migrated() ? payments_.number(7) : link->at);
}

void payment_check::check_record(const payments::payment_story& told) {
  const std::string_view text = payments_.text(10);
  ++report_.by_status[std::string(payments_.text(4))];
  if (about_.last_link == 0) {
    add(check::step, "none of its steps is there");
  } else {
    // A story that is longer than its range of slots ends without links.
    const chain_link* last = links_.find(about_.last_link);
    const bool full = last != nullptr && last->slot == last_step_slot(about_.sequence);
    if (last != nullptr && !full && digest_of(hash_, text) != last->record)
      add(check::record, "its record is not the one that was written with its last step", about_.last_link);
  }
  payments::payment record{.amount = {0, *payments::currency::find("EUR")}};
  try {
    record = read_record(text);
  } catch (const damaged_record& damage) {
    return add(check::record, std::string("its record cannot be read: ") + damage.what());
  }
  for (std::string& each : told.differences(record)) add(check::story, std::move(each));
  for (std::string& each : payments::broken_rules(record)) add(check::money, std::move(each));
  count(record);
  check_columns(record);
  check_payment_key(record);
  check_operation_keys(record);
  check_reference(record);
  check_lists(record);
}

void payment_check::check_columns(const payments::payment& record) {
  const auto compare = [&](bool same, const char* column) {
    if (!same) add(check::record, "its column '" + std::string(column) + "' is not what its record says");
  };
  compare(record.id == about_.id, "id");
  compare(record.merchant == payments_.text(2), "merchant");
  compare(record.livemode == (payments_.number(3) != 0), "livemode");
  compare(to_string(record.status) == payments_.text(4), "status");
  compare(is_open(record) == (payments_.number(5) != 0), "open");
  compare(record.answered == (payments_.number(6) != 0), "answered");
  compare(to_stored(record.created_at) == payments_.number(7), "created_at");
  compare(to_stored(record.updated_at) == payments_.number(8), "updated_at");
  const auto due = due_at(record);
  compare(due ? !payments_.is_null(9) && payments_.number(9) == to_stored(*due) : payments_.is_null(9), "due_at");
}

void payment_check::count(const payments::payment& record) {
  std::string currency(record.amount.unit.code());
  if (const auto standing = standing_attempt(record)) currency = record.attempts[*standing].amount.unit.code();
  sums& all = report_.by_currency[{record.livemode, currency}];
  ++all.payments;
  add_to(all.authorized, record.amount_authorized);
  add_to(all.captured, record.amount_captured);
  add_to(all.refunded, record.amount_refunded);
}

void payment_check::found_row(kept_row what, const digest& value) {
  const auto attested = std::find(about_.attested.begin(), about_.attested.end(), row_digest{what, value});
  if (attested != about_.attested.end())
    about_.attested.erase(attested);
  else
    add(check::keys, std::string(to_string(what)) + " is not one that was written");
}

void payment_check::check_payment_key(const payments::payment& record) {
  reset_at_end key_guard(key_), answer_guard(answer_);
  if (key_.bind(1, about_.sequence).step()) {
    ++rows_.keys;
    ++report_.keys;
    found_row(kept_row::payment_key, digest_of_key(hash_, "", key_.text(2), key_.text(3)));
    if (key_.text(0) != record.merchant || (key_.number(1) != 0) != record.livemode)
      add(check::keys, "its idempotency key is another merchant's or mode's");
    // It says when the key may be forgotten.
    if (key_.number(4) != to_stored(record.created_at))
      add(check::keys, "its idempotency key says another time than when the payment was created");
  }
  if (answer_.bind(1, about_.sequence).step()) {
    ++rows_.answers;
    found_row(kept_row::payment_answer, digest_of_answer(hash_, "", answer_.number(0), answer_.text(1)));
  }
}

// Of what the record has as a modification, and of cancellations while it was processing, which leave none.
void payment_check::check_operation_keys(const payments::payment& record) {
  std::size_t present = 0;
  reset_at_end guard(operation_keys_);
  operation_keys_.bind(1, about_.sequence);
  while (operation_keys_.step()) {
    ++present;
    ++rows_.operation_keys;
    ++report_.keys;
    const std::string object(operation_keys_.text(0));
    found_row(kept_row::operation_key, digest_of_key(hash_, object, operation_keys_.text(3), operation_keys_.text(4)));
    if (!operation_keys_.is_null(5))
      found_row(kept_row::operation_answer,
                digest_of_answer(hash_, object, operation_keys_.number(5), operation_keys_.text(6)));
    if (operation_keys_.text(1) != record.merchant || (operation_keys_.number(2) != 0) != record.livemode)
      add(check::keys, "the idempotency key of " + object + " is another merchant's or mode's");
    const auto& taken = about_.operations_kept;
    if (!migrated() && std::find(taken.begin(), taken.end(), operation_keys_.number(7)) == taken.end())
      add(check::keys, "the idempotency key of " + object + " says another time than when it was taken");
  }
  name_lost_rows(record, present < about_.operations_kept.size());
}

// What is attested and was not found is forgotten by now, or lost.
void payment_check::name_lost_rows(const payments::payment& record, bool operation_lost) {
  const auto forgotten = [this](std::int64_t made) { return made < keys_purged_before_; };
  const bool payment_key_forgotten = forgotten(to_stored(record.created_at));
  const bool some_forgotten =
      operation_lost && std::any_of(about_.operations_kept.begin(), about_.operations_kept.end(), forgotten);
  const bool all_forgotten = std::all_of(about_.operations_kept.begin(), about_.operations_kept.end(), forgotten);
  for (const row_digest& each : about_.attested) {
    const std::string text(to_string(each.what));
    switch (each.what) {
      case kept_row::payment_key:
      case kept_row::payment_answer:
        if (!payment_key_forgotten) add(check::keys, text + " is missing");
        break;
      // Which of several it was the digest does not tell: those that may be forgotten are given the benefit of the doubt.
      case kept_row::operation_key:
        if (!some_forgotten) add(check::keys, text + " is missing");
        break;
      case kept_row::operation_answer:
        if (!operation_lost || !(some_forgotten || all_forgotten)) add(check::keys, text + " is missing");
        break;
      case kept_row::unique_reference: break;  // see check_reference()
    }
  }
}

// A failed or canceled payment's reference may have gone to a later payment.
void payment_check::check_reference(const payments::payment& record) {
  const bool attested = std::any_of(about_.attested.begin(), about_.attested.end(),
                                    [](const row_digest& each) { return each.what == kept_row::unique_reference; });
  if (record.reference.empty()) return;
  reset_at_end guard(reference_);
  const bool there = reference_.bind(1, record.merchant).bind(2, record.livemode).bind(3, record.reference).step();
  if (!attested) {
    if (there && reference_.number(0) == about_.sequence)
      add(check::keys, "its reference was not taken as a unique one, and is kept as one");
    return;
  }
  const bool kept = there && reference_.number(0) == about_.sequence;
  const bool given_up =
      record.status == payments::payment_status::failed || record.status == payments::payment_status::canceled;
  const bool passed_on = there && reference_.number(0) > about_.sequence && given_up;
  if (!kept && !passed_on) add(check::keys, "its unique reference is missing, or another payment has it");
}

void payment_check::check_lists(const payments::payment& record) {
  reset_at_end guard(listing_), reference_guard(listed_reference_), customer_guard(listed_customer_);
  if (!listing_.bind(1, record.merchant).bind(2, record.livemode).bind(3, about_.sequence).step()) {
    add(check::lists, "it is not in the list of payments");
  } else {
    ++rows_.listing;
    const bool same = listing_.text(0) == to_string(record.status) && listing_.text(1) == record.connector &&
                      listing_.number(2) == record.amount.minor && listing_.text(3) == record.amount.unit.code() &&
                      listing_.number(4) == to_stored(record.created_at);
    if (!same) add(check::lists, "the list of payments says something else than its record");
  }
  const auto bind = [&](statement& query, const std::string& value) {
    return query.bind(1, record.merchant).bind(2, record.livemode).bind(3, value).bind(4, about_.sequence).step();
  };
  if (!record.reference.empty()) {
    if (bind(listed_reference_, record.reference))
      ++rows_.references;
    else
      add(check::lists, "it is not in the list of references");
  }
  check_hour(record);
  if (!record.buyer.id.empty()) {
    if (bind(listed_customer_, record.buyer.id))
      ++rows_.customers;
    else
      add(check::lists, "it is not in the list of customers");
  }
}

void payment_check::check_hour(const payments::payment& record) {
  const std::int64_t hour = hour_of(record.created_at);
  if (std::exchange(last_hour_, hour) == hour) return;
  reset_at_end guard(hour_);
  if (!hour_.bind(1, about_.sequence).step() || hour_.number(0) != hour)
    return add(check::lists, "the list of hours does not say when it was created");
  ++rows_.hours;
}

namespace {

struct counted_table {
  const char* name;
  const char* count;
  const char* orphans;  ///< the payment's number and what the row is
  std::int64_t expected_rows::*expected;
  check about;
};

constexpr counted_table counted_tables[] = {
    {"steps", "SELECT count(*) FROM steps",
     "SELECT s.slot / 65536 FROM steps s WHERE NOT EXISTS (SELECT 1 FROM payments p WHERE p.seq = s.slot / 65536) "
     "LIMIT 20",
     &expected_rows::steps, check::step},
    {"the list of payments", "SELECT count(*) FROM listing",
     "SELECT l.seq FROM listing l WHERE NOT EXISTS (SELECT 1 FROM payments p WHERE p.seq = l.seq AND p.merchant = "
     "l.merchant AND p.livemode = l.livemode) LIMIT 20",
     &expected_rows::listing, check::lists},
    {"the list of references", "SELECT count(*) FROM payment_references",
     "SELECT l.seq FROM payment_references l WHERE NOT EXISTS (SELECT 1 FROM payments p WHERE p.seq = l.seq AND "
     "p.merchant = l.merchant AND p.livemode = l.livemode AND p.record ->> 'reference' = l.reference) LIMIT 20",
     &expected_rows::references, check::lists},
    {"the list of customers", "SELECT count(*) FROM payment_customers",
     "SELECT l.seq FROM payment_customers l WHERE NOT EXISTS (SELECT 1 FROM payments p WHERE p.seq = l.seq AND "
     "p.merchant = l.merchant AND p.livemode = l.livemode AND p.record ->> '$.customer.id' = l.customer) LIMIT 20",
     &expected_rows::customers, check::lists},
    {"the list of hours", "SELECT count(*) FROM hours",
     "SELECT seq FROM hours WHERE seq NOT IN (SELECT seq FROM payments)", &expected_rows::hours, check::lists},
    {"the idempotency keys", "SELECT count(*) FROM idempotency",
     "SELECT i.payment FROM idempotency i WHERE NOT EXISTS (SELECT 1 FROM payments p WHERE p.seq = i.payment) LIMIT 20",
     &expected_rows::keys, check::keys},
    {"the stored answers", "SELECT count(*) FROM answers",
     "SELECT a.payment FROM answers a WHERE NOT EXISTS (SELECT 1 FROM payments p WHERE p.seq = a.payment) LIMIT 20",
     &expected_rows::answers, check::keys},
    {"the idempotency keys of captures, refunds and cancellations", "SELECT count(*) FROM operation_keys",
     "SELECT k.payment FROM operation_keys k WHERE NOT EXISTS (SELECT 1 FROM payments p WHERE p.seq = k.payment) LIMIT "
     "20",
     &expected_rows::operation_keys, check::keys},
};

}  // namespace

void check_counts(database& file, findings& into, const expected_rows& expected) {
  for (const counted_table& table : counted_tables) {
    const std::int64_t there = file.number(table.count), wanted = expected.*table.expected;
    if (there == wanted) continue;
    into.add(table.about, std::string(table.name) + ": " + std::to_string(there) + " rows are there, " +
                              std::to_string(wanted) + " belong to payments");
    statement orphans(file, table.orphans);
    while (orphans.step())
      into.add(table.about, std::string(table.name) + ": a row is about payment number " +
                                std::to_string(orphans.number(0)) + ", which is not there or says something else");
  }
  if (const std::int64_t twice = file.number(
          "SELECT count(*) FROM operation_keys k JOIN idempotency i ON i.merchant = k.merchant AND i.livemode = "
          "k.livemode AND i.key = k.key"))
    into.add(check::keys, std::to_string(twice) + " idempotency keys stand for two things at once");
  if (const std::int64_t strays = file.number(
          "SELECT count(*) FROM unique_references r WHERE NOT EXISTS (SELECT 1 FROM payments p WHERE p.seq = r.payment "
          "AND p.merchant = r.merchant AND p.livemode = r.livemode AND p.record ->> 'reference' = r.reference)"))
    into.add(check::keys, std::to_string(strays) + " unique references belong to no payment that has them");
}

}  // namespace turnout::journal
