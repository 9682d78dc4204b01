// Lists of payments: filters, pages, bounded work, and journals from before there were lists.
#include <sqlite3.h>
#include <catch2/catch.hpp>

#include <algorithm>
#include <random>

#include "faulty_disk.hpp"
#include "journal_fixture.hpp"
#include "proxy/journal/payment_query.hpp"
#include "proxy/journal/record_json.hpp"
#include "proxy/journal/schema.hpp"

using namespace journal_test;
using core::payment_filter;
using payments::payment_status;
using std::chrono::hours;
using std::chrono::minutes;
using turnout::journal::database;
using turnout::journal::payment_query;
using turnout::journal::reader;

namespace {

payments::wall_time clock_at(int hour, int minute = 0) {
  return std::chrono::sys_days{std::chrono::year{2026} / 11 / 20} + hours(hour) + minutes(minute);
}

payment_filter of(std::string merchant = "demo") {
  payment_filter wanted;
  wanted.merchant = std::move(merchant);
  return wanted;
}

struct room {
  temporary_directory directory;
  std::string path = directory / "journal.db";
  worker owner;
  std::unique_ptr<sqlite_journal> journal = sqlite_journal::open(path);
  std::unique_ptr<core::journal> port = journal->journal_for(owner.post());
  std::unique_ptr<reader> read = journal->make_reader();
  std::vector<payments::payment> kept;  // oldest first

  void keep(payments::payment record) {
    REQUIRE(commit(*port, owner, creation(record)).status == core::commit_status::committed);
    kept.push_back(std::move(record));
  }
  void change_to(payments::payment record) {
    REQUIRE(commit(*port, owner, change(record)).status == core::commit_status::committed);
    for (payments::payment& each : kept)
      if (each.id == record.id) each = record;
  }
  std::vector<std::string> ids(const payment_filter& wanted) const {
    std::vector<std::string> found;
    for (const payments::payment& each : read->list(wanted).payments) found.push_back(each.id);
    return found;
  }
};

/// All pages, one after another.
std::vector<std::string> all_ids(reader& from, payment_filter wanted, int* pages = nullptr) {
  std::vector<std::string> found;
  for (;;) {
    const core::payment_page page = from.list(wanted);
    if (pages) ++*pages;
    CHECK(page.payments.size() <= wanted.limit);
    for (const payments::payment& each : page.payments) found.push_back(each.id);
    if (!page.next) return found;
    REQUIRE(*page.next < wanted.before);
    wanted.before = *page.next;
  }
}

bool meets(const payments::payment& each, const payment_filter& wanted) {
  return each.merchant == wanted.merchant && each.livemode == wanted.livemode &&
         (wanted.statuses.empty() ||
          std::find(wanted.statuses.begin(), wanted.statuses.end(), each.status) != wanted.statuses.end()) &&
         (wanted.reference.empty() || each.reference == wanted.reference) &&
         (wanted.customer.empty() || each.buyer.id == wanted.customer) &&
         (wanted.connector.empty() || each.connector == wanted.connector) &&
         (wanted.currency.empty() || each.amount.unit.code() == wanted.currency) &&
         (!wanted.amount_min || each.amount.minor >= *wanted.amount_min) &&
         (!wanted.amount_max || each.amount.minor <= *wanted.amount_max) &&
         (!wanted.created_from || each.created_at >= *wanted.created_from) &&
         (!wanted.created_before || each.created_at < *wanted.created_before);
}

}  // namespace

TEST_CASE("payments are listed newest first, page by page, to the end") {
  room in;
  CHECK(in.read->list(of()).payments.empty());
  CHECK_FALSE(in.read->list(of()).next);
  for (int n = 1; n <= 5; ++n) in.keep(make_payment(payment_id(n)));
  payment_filter wanted = of();
  wanted.limit = 2;
  core::payment_page page = in.read->list(wanted);
  REQUIRE(page.payments.size() == 2);
  CHECK(page.payments[0].id == payment_id(5));
  CHECK(page.payments[1].id == payment_id(4));
  REQUIRE(page.next);
  in.keep(make_payment(payment_id(6)));  // in front: it moves nothing
  wanted.before = *page.next;
  CHECK(in.ids(wanted) == std::vector{payment_id(3), payment_id(2)});
  wanted.before = *in.read->list(wanted).next;
  page = in.read->list(wanted);
  CHECK(page.payments.size() == 1);
  CHECK_FALSE(page.next);
  // The last page is known to be the last also when it is full.
  wanted = of();
  wanted.limit = 6;
  CHECK_FALSE(in.read->list(wanted).next);
}

TEST_CASE("a list has one merchant's payments of one mode, as they are now") {
  room in;
  payments::payment mine = make_payment(payment_id(1)), live = make_payment(payment_id(2)),
                    theirs = make_payment(payment_id(3));
  live.livemode = true;
  theirs.merchant = "other";
  for (const auto& each : {mine, live, theirs}) in.keep(each);
  CHECK(in.ids(of()) == std::vector{mine.id});
  CHECK(in.ids(of("other")) == std::vector{theirs.id});
  CHECK(in.ids(of("demo2")).empty());
  payment_filter wanted = of();
  wanted.livemode = true;
  CHECK(in.ids(wanted) == std::vector{live.id});

  wanted = of();
  wanted.statuses = {payment_status::processing};
  CHECK(in.ids(wanted) == std::vector{mine.id});
  mine.status = payment_status::succeeded;
  mine.connector = "beta";
  in.change_to(mine);
  CHECK(in.ids(wanted).empty());
  wanted.statuses = {payment_status::succeeded};
  wanted.connector = "beta";
  CHECK(in.ids(wanted) == std::vector{mine.id});
  wanted.connector = "alpha";
  CHECK(in.ids(wanted).empty());

  CHECK(in.read->find_own("demo", false, mine.id)->connector == "beta");
  CHECK_FALSE(in.read->find_own("demo", false, live.id));
  CHECK_FALSE(in.read->find_own("demo", true, mine.id));
  CHECK_FALSE(in.read->find_own("demo", false, theirs.id));
  CHECK_FALSE(in.read->find_own("demo", false, "pay_none"));
}

TEST_CASE("any filters together give what looking at every payment gives") {
  const unsigned seed = GENERATE(range(1u, 5u));
  CAPTURE(seed);
  std::mt19937 random(seed);
  const auto one_of = [&](auto... given) {
    const std::common_type_t<decltype(given)...> all[] = {given...};
    return all[random() % sizeof...(given)];
  };
  const auto sometimes = [&](int in_10) { return static_cast<int>(random() % 10) < in_10; };
  using text = std::string;
  room in;
  int now = 0;  // minutes
  for (int n = 1; n <= 400; ++n) {
    payments::payment record = make_payment(payment_id(n));
    record.merchant = one_of(text("demo"), text("demo"), text("other"));
    record.livemode = sometimes(2);
    record.status = one_of(payment_status::processing, payment_status::succeeded, payment_status::failed,
                           payment_status::requires_action, payment_status::canceled);
    if (sometimes(7)) record.reference = one_of(text("a"), text("b"), text("caf\u00e9"), text("x\0y", 3));
    if (sometimes(7)) record.buyer.id = one_of(text("cus_1"), text("cus_2"), text("cus_3"));
    if (sometimes(8)) record.connector = one_of(text("alpha"), text("beta"));
    record.amount = {one_of(1, 100, 250, 1000, 1'000'000), *payments::currency::find(one_of("EUR", "USD"))};
    now += sometimes(1) ? -static_cast<int>(random() % 500) : static_cast<int>(random() % 40);  // a clock that is set
    record.created_at = clock_at(0) + minutes(now);
    in.keep(record);
    if (sometimes(3)) {
      record.status = payment_status::succeeded;
      record.connector = "gamma";
      in.change_to(record);
    }
  }
  int found = 0;
  for (int n = 0; n < 400; ++n) {
    payment_filter wanted = of(one_of(text("demo"), text("other")));
    wanted.livemode = sometimes(2);
    if (sometimes(4)) wanted.statuses = {one_of(payment_status::processing, payment_status::succeeded)};
    if (sometimes(2)) wanted.statuses.push_back(payment_status::requires_action);
    if (sometimes(2))
      wanted.reference = one_of(text("a"), text("caf\u00e9"), text("x\0y", 3), text("x"), text("nowhere"));
    if (sometimes(2)) wanted.customer = one_of(text("cus_1"), text("cus_9"));
    if (sometimes(2)) wanted.connector = one_of(text("alpha"), text("gamma"), text("delta"));
    if (sometimes(2)) wanted.currency = "USD";
    if (sometimes(2)) wanted.amount_min = one_of(1, 100, 101, 2'000'000);
    if (sometimes(2)) wanted.amount_max = one_of(0, 100, 999, 1'000'000);
    if (sometimes(3)) wanted.created_from = clock_at(0) + minutes(static_cast<int>(random() % 8000) - 200);
    if (sometimes(3)) wanted.created_before = clock_at(0) + minutes(static_cast<int>(random() % 8000) - 200);
    wanted.limit = 1 + random() % 30;
    std::vector<text> expected;
    for (auto each = in.kept.rbegin(); each != in.kept.rend(); ++each)
      if (meets(*each, wanted)) expected.push_back(each->id);
    REQUIRE(all_ids(*in.read, wanted) == expected);
    found += static_cast<int>(expected.size());
  }
  CHECK(found > 1000);
}

TEST_CASE("the bounds of created_from and created_before, to the nanosecond") {
  room in;
  int n = 0;
  const auto made_at = [&](payments::wall_time when) {
    payments::payment record = make_payment(payment_id(++n));
    record.created_at = when;
    in.keep(record);
    return record.id;
  };
  const auto one = made_at(clock_at(10)), two = made_at(clock_at(10) + std::chrono::nanoseconds(1)),
             three = made_at(clock_at(11)), four = made_at(clock_at(9, 59));
  payment_filter wanted = of();
  wanted.created_from = clock_at(10);
  CHECK(in.ids(wanted) == std::vector{three, two, one});
  wanted.created_before = clock_at(11);
  CHECK(in.ids(wanted) == std::vector{two, one});
  wanted.created_from = clock_at(10) + std::chrono::nanoseconds(1);
  CHECK(in.ids(wanted) == std::vector{two});
  wanted.created_from = {};
  wanted.created_before = clock_at(10);
  CHECK(in.ids(wanted) == std::vector{four});
  wanted.created_before = clock_at(9, 59);
  CHECK(in.ids(wanted).empty());
  wanted.created_before = {};
  wanted.created_from = clock_at(12);
  CHECK(in.ids(wanted).empty());
  CHECK_FALSE(in.read->list(wanted).next);
}

TEST_CASE("one call looks at a bounded number of rows, and the next goes on") {
  room in;
  constexpr int count = 2 * payment_query::most_scanned + 100;
  int done = 0;
  for (int n = 1; n <= count; ++n) {
    payments::payment record = make_payment(payment_id(n));
    record.created_at = clock_at(10) + std::chrono::milliseconds(n);
    if (n == 1) record.connector = "rare";
    if (n > 100) record.merchant = "busy";
    record.reference = "same";
    in.port->commit(shared(creation(record)), [&](core::commit_result) { ++done; });
  }
  in.owner.run_until([&] { return done == count; });
  payment_filter wanted = of("busy");
  wanted.connector = "none";
  int pages = 0;
  CHECK(all_ids(*in.read, wanted, &pages).empty());
  CHECK(pages == 2);
  CHECK(in.read->list(wanted).next);  // empty, and not the last
  wanted.reference = "same";
  pages = 0;
  all_ids(*in.read, wanted, &pages);
  CHECK(pages > 3);
  // Another merchant's unsettled payments are work too.
  wanted = of();
  wanted.statuses = {payment_status::processing};
  wanted.limit = 1000;
  pages = 0;
  CHECK(all_ids(*in.read, wanted, &pages).size() == 100);
  CHECK(pages > 3);
  // What others have does not lie in the way otherwise.
  wanted = of();
  wanted.connector = "rare";
  CHECK(in.ids(wanted) == std::vector{payment_id(1)});
}

TEST_CASE("a page ends when its records are large") {
  room in;
  for (int n = 1; n <= 20; ++n) {
    payments::payment record = make_payment(payment_id(n));
    for (int m = 0; m < 50; ++m) record.metadata.emplace_back("key" + std::to_string(m), std::string(500, 'x'));
    in.keep(record);
  }
  int pages = 0;
  CHECK(all_ids(*in.read, of(), &pages).size() == 20);
  CHECK(pages == 2);
}

TEST_CASE("events and decisions are read in parts") {
  room in;
  payments::payment record = make_payment(payment_id(1));
  core::journal_write first = creation(record);
  for (int n = 1; n < 10; ++n)
    first.events.push_back({payments::payment_event_type::answered, record.created_at, "", std::to_string(n)});
  for (int n = 0; n < 5; ++n) first.decisions.push_back(std::to_string(n));
  REQUIRE(commit(*in.port, in.owner, first).status == core::commit_status::committed);
  in.keep(make_payment(payment_id(2)));
  CHECK(in.read->events_of(record.id).size() == 10);
  const auto part = in.read->events_of(record.id, 3, 4);
  REQUIRE(part.size() == 4);
  CHECK(part[0].code == "3");
  CHECK(in.read->events_of(record.id, 8, 4).size() == 2);
  CHECK(in.read->events_of(record.id, 10, 4).empty());
  CHECK(in.read->events_of(record.id, 70'000, 4).empty());
  CHECK(in.read->decisions_of(record.id, 1, 2) == std::vector<std::string>{"1", "2"});
  CHECK(in.read->decisions_of(record.id, 1024, 2).empty());
}

TEST_CASE("a journal from before there were lists is listed once it is opened") {
  temporary_directory directory;
  const std::string path = directory / "journal.db";
  {
    database file(path, database::mode::read_write_create, "");
    migrate(file, path, turnout::journal::migrations().first(1));
    turnout::journal::statement insert(
        file,
        "INSERT INTO payments (id, merchant, livemode, status, open, answered, created_at, updated_at, record) "
        "VALUES (?1, ?2, 0, ?3, 0, 1, ?4, ?4, ?5)");
    for (int n = 1; n <= 300; ++n) {
      payments::payment record = make_payment(payment_id(n));
      record.merchant = n % 3 == 0 ? "other" : "demo";
      record.status = n % 2 == 0 ? payment_status::succeeded : payment_status::failed;
      record.connector = n % 2 == 0 ? "beta" : "";
      record.reference = n % 10 == 0 ? "" : std::string("nul\0", 4) + std::to_string(n);
      record.buyer.id = n % 4 == 0 ? "cus_4" : "";
      record.amount.minor = n;
      record.created_at = clock_at(0) + minutes(n);
      std::string json;
      turnout::journal::write_record(record, json);
      const std::string stored = n == 7 ? "{\"v\":1" : json;  // damaged: no hindrance
      insert.bind(1, record.id).bind(2, record.merchant).bind(3, to_string(record.status));
      insert.bind(4, turnout::journal::to_stored(record.created_at)).bind(5, stored).finish();
    }
  }
  auto journal = sqlite_journal::open(path);
  auto read = journal->make_reader();
  payment_filter wanted = of();
  wanted.limit = 1000;
  wanted.connector = "beta";
  CHECK(all_ids(*read, wanted).size() == 100);
  wanted.amount_max = 50;
  wanted.currency = "EUR";
  wanted.customer = "cus_4";
  CHECK(all_ids(*read, wanted) == std::vector{payment_id(44), payment_id(40), payment_id(32), payment_id(28),
                                              payment_id(20), payment_id(16), payment_id(8), payment_id(4)});
  wanted = of();
  wanted.reference = std::string("nul\0", 4) + "13";
  CHECK(all_ids(*read, wanted) == std::vector{payment_id(13)});
  wanted = of("other");
  wanted.created_from = clock_at(4, 58);
  CHECK(all_ids(*read, wanted) == std::vector{payment_id(300)});
  wanted = of();
  wanted.created_before = clock_at(0, 3);
  CHECK(all_ids(*read, wanted) == std::vector{payment_id(2), payment_id(1)});
  wanted.created_before = clock_at(0, 8);
  CHECK_THROWS_WITH(read->list(wanted), Catch::Contains("payment " + payment_id(7)));

  // What comes after it is listed with it.
  worker owner;
  auto port = journal->journal_for(owner.post());
  payments::payment record = make_payment(payment_id(301));
  record.created_at = clock_at(4, 59);
  REQUIRE(commit(*port, owner, creation(record)).status == core::commit_status::committed);
  wanted = of();
  wanted.created_from = clock_at(4, 59);
  CHECK(all_ids(*read, wanted) == std::vector{payment_id(301), payment_id(299)});
}

TEST_CASE("a rolled back group leaves no trace in the lists") {
  faulty_disk disk;
  journal_options options;
  options.vfs = disk.name();
  options.on_problem = [](std::string_view) {};
  temporary_directory directory;
  worker owner;
  auto journal = sqlite_journal::open(directory / "journal.db", options);
  auto port = journal->journal_for(owner.post());
  const auto keep = [&](int number, payments::wall_time when) {
    payments::payment record = make_payment(payment_id(number));
    record.created_at = when;
    return commit(*port, owner, creation(record)).status;
  };
  REQUIRE(keep(1, clock_at(10)) == core::commit_status::committed);
  disk.on_write([](const std::string&) { return SQLITE_FULL; });
  CHECK(keep(2, clock_at(12)) == core::commit_status::unavailable);
  disk.on_write(nullptr);
  REQUIRE(keep(3, clock_at(12)) == core::commit_status::committed);
  payment_filter wanted = of();
  wanted.created_from = clock_at(11);
  CHECK(all_ids(*journal->make_reader(), wanted) == std::vector{payment_id(3)});
  wanted.created_from = {};
  wanted.created_before = clock_at(11);
  CHECK(all_ids(*journal->make_reader(), wanted) == std::vector{payment_id(1)});
}
