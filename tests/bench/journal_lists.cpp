// How long reads take in a journal of many payments, and what writing them costs.
// Usage: journal_lists DIRECTORY [PAYMENTS]; the directory must not exist, and is
// left behind. Prints one line per query: what, rows found (+: there may
// be more), and how long it took; processor time is what other programs cannot disturb.
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <deque>
#include <filesystem>
#include <functional>
#include <mutex>
#include <random>
#include <string>
#include <vector>

#include "proxy/api/render.hpp"
#include "proxy/journal/sqlite_journal.hpp"

namespace {

using namespace turnout;
using steady = std::chrono::steady_clock;

constexpr int in_flight = 64;
constexpr int rounds = 200;

/// A worker's queue; run() is its thread.
class loop {
 public:
  journal::post_function post() {
    return [this](std::function<void()> task) {
      std::lock_guard lock(mutex_);
      tasks_.push_back(std::move(task));
      wake_.notify_one();
    };
  }
  void run_one() {
    std::unique_lock lock(mutex_);
    wake_.wait(lock, [this] { return !tasks_.empty(); });
    const auto task = std::move(tasks_.front());
    tasks_.pop_front();
    lock.unlock();
    task();
  }

 private:
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> tasks_;
};

double cpu_seconds() {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  const auto seconds = [](const timeval& each) {
    return static_cast<double>(each.tv_sec) + static_cast<double>(each.tv_usec) * 1e-6;
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

std::string name(const char* prefix, long number) {
  char text[48];
  std::snprintf(text, sizeof text, "%s%026ld", prefix, number);
  return text;
}

/// Most are demo's test payments; every hundredth is another merchant's. A payment a
/// second; the first one is alone with its connector, currency, customer and amount.
payments::payment make(long number, std::mt19937& random) {
  const char* connectors[] = {"alpha", "beta", "gamma"};
  const char* currencies[] = {"EUR", "USD", "GBP"};
  const bool first = number == 0;
  payments::payment made{.id = name("pay_", number),
                         .merchant = number % 100 == 99 ? "small" : "demo",
                         .amount = {first ? 7 : 100 + static_cast<long>(random() % 100'000),
                                    *payments::currency::find(first ? "JPY" : currencies[random() % 3])}};
  made.card = {.brand = payments::card_brand::visa,
               .bin = "424242",
               .last4 = "4242",
               .exp_month = 12,
               .exp_year = 2030,
               .fingerprint = std::string(64, 'f')};
  made.reference = "order-" + std::to_string(1'000'000 + number);
  made.buyer = {first ? "cus_first" : "cus_" + std::to_string(random() % 20'000), "a@example.com", "DE"};
  made.metadata = {{"cart", "77"}, {"channel", "web"}};
  made.policy = "default";
  made.connector = first ? "delta" : connectors[random() % 3];
  made.created_at = made.updated_at =
      std::chrono::sys_days{std::chrono::year{2026} / 11 / 1} + std::chrono::seconds(number);
  payments::attempt attempt{.id = name("att_", number), .connector = made.connector, .amount = made.amount};
  attempt.gateway_reference = name("ch_", number);
  attempt.in_flight = true;
  attempt.started_at = made.created_at;
  made.attempts.push_back(attempt);
  return made;
}

void fill(journal::sqlite_journal& journal, long count) {
  loop own;
  auto port = journal.journal_for(own.post());
  std::mt19937 random(7);
  long started = 0, done = 0;
  const std::string decision(600, ' ');
  std::function<void()> next = [&] {
    if (started == count) return;
    const long number = started++;
    payments::payment record = make(number, random);
    const std::string connector = std::exchange(record.connector, "");
    auto first = std::make_shared<core::journal_write>();
    first->record = std::make_shared<payments::payment>(record);
    first->create = true;
    first->events = {{payments::payment_event_type::created, record.created_at, "", "processing", record.amount},
                     {payments::payment_event_type::attempt_started, record.created_at, record.attempts[0].id,
                      record.attempts[0].connector, record.amount}};
    first->decisions = {"{\"why\":\"" + decision + "\"}"};
    first->claim =
        core::idempotency_claim{"key-" + std::to_string(random()) + std::to_string(number), std::string(64, 'm')};
    record.connector = connector;
    record.attempts[0].in_flight = false;
    record.status = number == 0          ? payments::payment_status::canceled
                    : random() % 10 == 0 ? payments::payment_status::failed
                                         : payments::payment_status::succeeded;
    if (number != 0 && random() % 5000 == 0) record.status = payments::payment_status::processing;
    const bool paid = record.status == payments::payment_status::succeeded;
    record.attempts[0].outcome = paid                      ? payments::outcome::approved
                                 : is_final(record.status) ? payments::outcome::soft_decline
                                                           : payments::outcome::unknown;
    if (paid) record.amount_authorized = record.amount_captured = record.amount.minor;
    record.answered = true;
    auto second = std::make_shared<core::journal_write>();
    second->events = {
        {payments::payment_event_type::attempt_ended, record.created_at, record.attempts[0].id,
         std::string(to_string(record.attempts[0].outcome))},
        {payments::payment_event_type::answered, record.created_at, "", std::string(to_string(record.status))}};
    if (is_final(record.status))
      second->events.push_back(
          {payments::payment_event_type::finished, record.created_at, "", std::string(to_string(record.status))});
    second->answers.push_back({{}, {201, api::render_payment(record)}});
    second->record = std::make_shared<payments::payment>(std::move(record));
    port->commit(std::move(first), [&, second](const core::commit_result&) {
      port->commit(second, [&](const core::commit_result&) {
        ++done;
        next();
      });
    });
  };
  for (int n = 0; n < in_flight; ++n) next();
  while (done < count) own.run_one();
}

double thread_cpu_milliseconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) * 1e-6;
}

template <class Work>
void measure(const char* what, Work work) {
  std::vector<double> elapsed, used;
  std::size_t found = 0;
  bool more = false;
  for (int n = 0; n < rounds; ++n) {
    const auto begun = steady::now();
    const double cpu = thread_cpu_milliseconds();
    std::tie(found, more) = work();
    used.push_back(thread_cpu_milliseconds() - cpu);
    elapsed.push_back(std::chrono::duration<double, std::milli>(steady::now() - begun).count());
  }
  std::sort(elapsed.begin(), elapsed.end());
  std::sort(used.begin(), used.end());
  std::printf("%-44s %5zu%s %8.3f %8.3f %8.3f\n", what, found, more ? "+" : " ", elapsed[rounds / 2], elapsed.back(),
              used.back());
}

void measure_reads(journal::reader& from, long count) {
  std::printf("%-44s %6s %8s %8s %8s\n", "milliseconds", "found", "p50", "max", "max CPU");
  measure("get", [&, n = 0L]() mutable {
    const auto found = from.find_own("demo", false, name("pay_", (n += 7919) % count / 100 * 100));
    return std::pair(found ? api::render_payment(*found).size() / 1'000'000 + 1 : 0, false);
  });
  const auto list = [&](const char* what, const auto& set) {
    core::payment_filter wanted;
    wanted.merchant = "demo";
    set(wanted);
    measure(what, [&] {
      const core::payment_page page = from.list(wanted);
      std::size_t bytes = 0;
      for (const payments::payment& each : page.payments) bytes += api::render_payment(each).size();
      return std::pair(page.payments.size() + bytes / 1'000'000'000, page.next.has_value());
    });
  };
  using filter = core::payment_filter;
  const auto start = std::chrono::sys_days{std::chrono::year{2026} / 11 / 1};
  const auto second = [](long n) { return std::chrono::seconds(n); };
  list("newest 20", [](filter&) {});
  list("newest 100", [](filter& f) { f.limit = 100; });
  list("newest 100 from the middle", [&](filter& f) { f.limit = 100, f.before = count / 2; });
  list("newest 100 of a merchant with few", [](filter& f) { f.limit = 100, f.merchant = "small"; });
  list("reference, newest", [&](filter& f) { f.reference = "order-" + std::to_string(1'000'000 + count - 2); });
  list("reference, oldest", [](filter& f) { f.reference = "order-1000000"; });
  list("reference, none", [](filter& f) { f.reference = "order"; });
  list("customer, a few", [](filter& f) { f.customer = "cus_77"; });
  list("customer, oldest", [](filter& f) { f.customer = "cus_first"; });
  list("customer, none", [](filter& f) { f.customer = "cus_none"; });
  list("status processing", [](filter& f) { f.statuses = {payments::payment_status::processing}; });
  list("status requires_action, none", [](filter& f) { f.statuses = {payments::payment_status::requires_action}; });
  list("status failed", [](filter& f) { f.statuses = {payments::payment_status::failed}, f.limit = 100; });
  list("status canceled, oldest", [](filter& f) { f.statuses = {payments::payment_status::canceled}; });
  list("status authorized, none", [](filter& f) { f.statuses = {payments::payment_status::authorized}; });
  list("connector, many", [](filter& f) { f.connector = "beta", f.limit = 100; });
  list("connector, oldest", [](filter& f) { f.connector = "delta"; });
  list("connector, none", [](filter& f) { f.connector = "none"; });
  list("currency, oldest", [](filter& f) { f.currency = "JPY"; });
  list("amount, a few", [](filter& f) { f.amount_min = 5000, f.amount_max = 5009, f.limit = 100; });
  list("amount, oldest", [](filter& f) { f.amount_max = 7; });
  list("created in the last hour", [&](filter& f) { f.created_from = start + second(count - 3600), f.limit = 100; });
  list("created in the first hour", [&](filter& f) { f.created_before = start + second(3600), f.limit = 100; });
  list("created in the first second", [&](filter& f) { f.created_before = start + second(1); });
  list("created later, none", [&](filter& f) { f.created_from = start + second(count); });
  list("created earlier, none", [&](filter& f) { f.created_before = start; });
  list("created on a day, of a connector with none",
       [&](filter& f) { f.created_from = start, f.created_before = start + second(86'400), f.connector = "none"; });
  list("all filters, none", [&](filter& f) {
    f.statuses = {payments::payment_status::failed, payments::payment_status::canceled};
    f.connector = "none", f.currency = "EUR", f.amount_min = 1, f.amount_max = 10;
    f.created_from = start, f.created_before = start + second(count);
  });
}

}  // namespace

int main(int count, char** arguments) {
  if (count < 2) return std::fprintf(stderr, "usage: journal_lists DIRECTORY [PAYMENTS]\n"), 2;
  const std::filesystem::path directory = arguments[1];
  if (!std::filesystem::create_directory(directory)) return std::fprintf(stderr, "%s is there\n", arguments[1]), 1;
  const long payments = count > 2 ? std::atol(arguments[2]) : 100'000;
  const std::string path = (directory / "journal.db").string();
  auto journal = journal::sqlite_journal::open(path);
  const auto begun = steady::now();
  const double cpu = cpu_seconds();
  fill(*journal, payments);
  const double taken = std::chrono::duration<double>(steady::now() - begun).count();
  std::printf("written: %ld payments, %.0f per second, %.1f µs of CPU each\n", payments,
              static_cast<double>(payments) / taken, (cpu_seconds() - cpu) / static_cast<double>(payments) * 1e6);
  measure_reads(*journal->make_reader(), payments);
  journal.reset();
  std::printf("journal: %ju bytes a payment\n",
              static_cast<std::uintmax_t>(std::filesystem::file_size(path)) / payments);
  return 0;
}
