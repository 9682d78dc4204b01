#pragma once
// What the journal's tests share: a directory that goes away, a worker thread's
// queue without a thread, and payments to write.
#include <stdlib.h>

#include <condition_variable>
#include <deque>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>

#include "proxy/journal/sqlite_journal.hpp"

namespace journal_test {

namespace core = turnout::core;
namespace payments = turnout::payments;
using turnout::journal::journal_options;
using turnout::journal::sqlite_journal;

class temporary_directory {
 public:
  temporary_directory() {
    std::string name = (std::filesystem::temp_directory_path() / "turnout-journal-XXXXXX").string();
    if (!::mkdtemp(name.data())) throw std::runtime_error("mkdtemp");
    path_ = name;
  }
  temporary_directory(const temporary_directory&) = delete;
  ~temporary_directory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  std::string operator/(const std::string& name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

/// Collects what the journal posts; the test's own thread runs it.
class worker {
 public:
  turnout::journal::post_function post() {
    return [this](std::function<void()> task) {
      std::lock_guard lock(mutex_);
      tasks_.push_back(std::move(task));
      ++posts_;
      wake_.notify_one();
    };
  }
  void run_one() {
    std::function<void()> task;
    {
      std::unique_lock lock(mutex_);
      if (!wake_.wait_for(lock, std::chrono::seconds(30), [this] { return !tasks_.empty(); }))
        throw std::runtime_error("the journal completed nothing for 30 s");
      task = std::move(tasks_.front());
      tasks_.pop_front();
    }
    task();
  }
  template <class Condition>
  void run_until(Condition met) {
    while (!met()) run_one();
  }
  int posts() {
    std::lock_guard lock(mutex_);
    return posts_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> tasks_;
  int posts_ = 0;
};

inline payments::wall_time at(std::int64_t nanoseconds) {
  return payments::wall_time(std::chrono::nanoseconds(nanoseconds));
}

inline std::string payment_id(int number) {
  std::string digits = std::to_string(number);
  return "pay_" + std::string(26 - digits.size(), '0') + digits;
}

inline payments::payment make_payment(std::string id) {
  payments::payment record{.id = std::move(id),
                           .merchant = "demo",
                           .amount = {1250, *payments::currency::find("EUR")},
                           .card = {},
                           .reference = {},
                           .buyer = {},
                           .return_url = {},
                           .metadata = {},
                           .policy = {},
                           .connector = {},
                           .attempts = {},
                           .error = {},
                           .attention = {},
                           .authentication = {},
                           .next_action = {},
                           .action_expires_at = {},
                           .expires_at = {}};
  record.created_at = record.updated_at = std::chrono::system_clock::now();
  return record;
}

inline payments::attempt make_attempt(std::string id) {
  return {.id = std::move(id),
          .connector = "alpha",
          .amount = {1250, *payments::currency::find("EUR")},
          .code = {},
          .gateway_code = {},
          .gateway_reference = {},
          .reversal_reason = {}};
}

inline core::journal_write creation(const payments::payment& record, const std::string& key = {},
                                    const std::string& mac = "mac") {
  core::journal_write write;
  write.record = std::make_shared<payments::payment>(record);
  write.events.push_back({payments::payment_event_type::created, record.created_at, "", ""});
  write.create = true;
  if (!key.empty()) write.claim = core::idempotency_claim{key, mac};
  return write;
}

inline core::journal_write change(const payments::payment& record) {
  core::journal_write write;
  write.record = std::make_shared<payments::payment>(record);
  return write;
}

/// A payment that ended, and its answer.
inline core::journal_write ending(payments::payment record) {
  record.status = payments::payment_status::succeeded;
  record.answered = true;
  core::journal_write write = change(record);
  write.events.push_back({payments::payment_event_type::finished, record.updated_at, "", "succeeded"});
  write.answers.push_back({"", {201, R"({"id":")" + record.id + R"("})"}});
  return write;
}

inline std::shared_ptr<const core::journal_write> shared(core::journal_write write) {
  return std::make_shared<const core::journal_write>(std::move(write));
}

inline core::commit_result commit(core::journal& journal, worker& owner, core::journal_write write) {
  bool completed = false;
  core::commit_result result;
  journal.commit(shared(std::move(write)), [&](core::commit_result given) {
    result = std::move(given);
    completed = true;
  });
  owner.run_until([&] { return completed; });
  return result;
}

}  // namespace journal_test
