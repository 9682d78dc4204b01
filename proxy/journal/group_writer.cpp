// The writer thread.
#include "proxy/journal/group_writer.hpp"

#include <pthread.h>
#include <sqlite3.h>

#include <algorithm>
#include <utility>

namespace turnout::journal {

namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// After this long without work the log is copied into the main file.
constexpr milliseconds idle_after{200};
constexpr milliseconds purge_interval{60'000}, purge_again{50};
constexpr int purge_batch = 128;
// The copier may fall behind by this many times checkpoint_pages; then commits wait for it.
constexpr int patience_with_copier = 3;
// Fewer writes than this in the last group: nobody else is likely to come soon.
constexpr std::size_t company = 8;

/// Refused first when there is no room.
bool is_new(const core::journal_write& write) noexcept { return write.create || write.takes_on; }

}  // namespace

group_writer::group_writer(const std::string& path, const journal_options& options, database file, std::int64_t epoch)
    : path_(path),
      options_(options),
      file_(std::move(file)),
      tables_(file_, epoch),
      reserve_(path + ".reserve", options.reserve_bytes),
      copier_(path, options.vfs, [this](const database_error& error) { copying_failed(error.code(), error.what()); }),
      copy_due_(options.checkpoint_pages),
      purge_rule_(std::max(options.key_retention, std::chrono::hours(24)), options.purge_warmup) {
  // Copying the log is our own business (copy_log()), never a commit's.
  sqlite3_wal_hook(file_.handle(), &group_writer::count_pages, this);
  restore_reserve();
  accepting_ = reserve_.present();
  purge_rule_.look(steady_clock::now(), std::chrono::system_clock::now());
  thread_ = std::thread([this] { run(); });
}

group_writer::~group_writer() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

int group_writer::count_pages(void* self, sqlite3*, const char*, int pages) {
  static_cast<group_writer*>(self)->log_pages_ = pages;
  return SQLITE_OK;
}

void group_writer::enqueue(prepared_write write, std::function<void(core::commit_result)> done,
                           std::shared_ptr<mailbox> owner) {
  bool accepted = false, wake = false;
  {
    std::lock_guard lock(mutex_);
    accepted = !stopping_ && queue_.size() < options_.queue_limit;
    if (accepted) {
      queue_.push_back({std::move(write), std::move(done), std::move(owner), {}});
      wake = std::exchange(sleeping_, false);
    }
  }
  if (wake) wake_.notify_one();
  if (accepted) return;
  // Neither was moved from: the queue did not take them.
  std::vector<completion> refused;
  refused.push_back({std::move(done), {}});  // NOLINT(bugprone-use-after-move)
  owner->deliver(std::move(refused));        // NOLINT(bugprone-use-after-move)
}

void group_writer::run() {
  pthread_setname_np(pthread_self(), "journal");
  std::vector<pending> group;
  while (take_group(group)) {
    if (!group.empty()) commit_group(group);
    keep_up(group.empty());
    group.clear();
  }
  copier_.stop();
  checkpoint();
}

bool group_writer::take_group(std::vector<pending>& group) {
  std::unique_lock lock(mutex_);
  if (queue_.empty() && !stopping_) {
    const milliseconds patience = log_pages_ > 0 ? idle_after : !accepting_ ? options_.reserve_retry : purge_interval;
    sleeping_ = true;
    wake_.wait_for(lock, patience, [this] { return !queue_.empty() || stopping_; });
    sleeping_ = false;
  }
  if (queue_.empty()) return !stopping_;
  // Under load a little patience makes the next group as large as the last one,
  // and one sync carries more payments. Who comes alone never waits.
  if (last_group_ >= company && queue_.size() < last_group_ && !stopping_)
    wake_.wait_for(lock, options_.group_patience, [this] { return stopping_; });
  const std::size_t count = std::min(queue_.size(), options_.group_limit);
  for (std::size_t taken = 0; taken < count; ++taken) {
    group.push_back(std::move(queue_.front()));
    queue_.pop_front();
  }
  last_group_ = count;
  return true;
}

void group_writer::commit_group(std::vector<pending>& group) {
  std::vector<pending*> writes;
  writes.reserve(group.size());
  for (pending& each : group)
    if (!is_new(each.write.write()) || reserve_.present()) writes.push_back(&each);
  settle(std::move(writes));
  if (!dead_) answer_group(group);
}

void group_writer::settle(std::vector<pending*> writes) {
  if (writes.empty() || dead_) return;
  const auto failed = try_commit(writes);
  note_acceptance(writes, failed);
  if (!failed || *failed == failure::blocked || *failed == failure::fatal) return;
  if (*failed == failure::refused) {
    // One of them is at fault: it must not take the others with it.
    if (writes.size() > 1)
      for (pending* each : writes) settle({each});
    return;
  }
  const std::size_t all = writes.size();
  std::erase_if(writes, [](const pending* each) { return is_new(each->write.write()); });
  if (writes.size() < all || reserve_.release()) settle(std::move(writes));
}

// New payments alone that fail leave the reserve where it is: whether they are
// taken is not to be read from it.
void group_writer::note_acceptance(const std::vector<pending*>& writes, std::optional<failure> failed) {
  if (failed && *failed != failure::refused) {
    accepting_ = false;
    probe_due_ = steady_clock::now() + options_.reserve_retry;
  } else if (!failed && !accepting_ && reserve_.present()) {
    accepting_ =
        std::any_of(writes.begin(), writes.end(), [](const pending* each) { return is_new(each->write.write()); });
  }
}

std::optional<failure> group_writer::try_commit(const std::vector<pending*>& writes) {
  std::vector<core::commit_result> results;
  results.reserve(writes.size());
  const auto begun = steady_clock::now();
  try {
    tables_.begin();
    for (const pending* each : writes) results.push_back(tables_.apply(each->write));
    tables_.commit();
  } catch (const database_error& error) {
    tables_.rollback();
    const failure kind = classify(error.code());
    if (kind == failure::fatal)
      die(error.what());
    else
      options_.on_problem("journal " + path_ + ": a group of " + std::to_string(writes.size()) +
                          " writes was rolled back: " + error.what());
    return kind;
  }
  for (std::size_t at = 0; at < writes.size(); ++at) writes[at]->result = std::move(results[at]);
  if (options_.on_commit)
    options_.on_commit(std::chrono::duration<double>(steady_clock::now() - begun).count(), writes.size());
  return std::nullopt;
}

void group_writer::answer_group(std::vector<pending>& group) {
  // Few workers: a linear search over their mailboxes is the fastest.
  std::vector<std::pair<mailbox*, std::vector<completion>>> batches;
  for (pending& each : group) {
    auto found = std::find_if(batches.begin(), batches.end(),
                              [&](const auto& batch) { return batch.first == each.owner.get(); });
    if (found == batches.end()) found = batches.insert(batches.end(), {each.owner.get(), {}});
    each.write.let_go();
    found->second.push_back({std::move(each.done), std::move(each.result)});
  }
  for (auto& [owner, batch] : batches) owner->deliver(std::move(batch));
}

void group_writer::keep_up(bool idle) {
  if (dead_) return;
  const auto now = steady_clock::now();
  if (!reserve_.present() && now >= reserve_due_) restore_reserve();
  if (!accepting_ && reserve_.present() && now >= probe_due_) probe();
  if (now >= purge_due_) purge_keys();
  copy_log(idle);
}

void group_writer::restore_reserve() {
  if (!reserve_.restore())
    options_.on_problem("journal " + path_ + ": no room for the reserve; new payments are refused until there is");
  reserve_due_ = steady_clock::now() + options_.reserve_retry;
}

// A proxy that says it is not ready is sent no payments that would show that they are taken again.
void group_writer::probe() {
  probe_due_ = steady_clock::now() + options_.reserve_retry;
  try {
    file_.run(
        "BEGIN IMMEDIATE;"
        "INSERT INTO meta (name, value) VALUES ('probe', 1) ON CONFLICT (name) DO UPDATE SET value = value + 1;"
        "COMMIT");
    accepting_ = true;
  } catch (const database_error& error) {
    tables_.rollback();
    if (classify(error.code()) == failure::fatal) die(error.what());
  }
}

void group_writer::purge_keys() {
  const auto now = steady_clock::now();
  purge_due_ = now + purge_interval;
  const auto allowed = purge_rule_.look(now, std::chrono::system_clock::now());
  if (!allowed) return;
  try {
    tables_.begin();
    const int purged = tables_.purge_keys(allowed->made_before, allowed->this_start, purge_batch);
    tables_.commit();
    if (purged == purge_batch) purge_due_ = now + purge_again;
  } catch (const database_error& error) {
    tables_.rollback();
    if (classify(error.code()) == failure::fatal) return die(error.what());
    options_.on_problem("journal " + path_ + ": old idempotency keys were not removed: " + error.what());
  }
}

// While busy, the copier does most of it; its rest, and all of the log when nobody
// waits or when it has grown too long, is copied here.
void group_writer::copy_log(bool idle) {
  if (copying_) {
    const bool too_long = log_pages_ >= copy_due_ + patience_with_copier * options_.checkpoint_pages;
    if (copier_.busy() && !too_long) return;
    copier_.wait_until_idle();
    copying_ = false;
    return checkpoint();
  }
  if (idle && log_pages_ > 0) return checkpoint();
  if (log_pages_ < copy_due_) return;
  copier_.start();
  copying_ = true;
}

void group_writer::checkpoint() {
  if (dead_) return;
  // Passive: waits for no reader. What readers still need is copied next time.
  int pages = 0, copied = 0;
  const int code = sqlite3_wal_checkpoint_v2(file_.handle(), nullptr, SQLITE_CHECKPOINT_PASSIVE, &pages, &copied);
  // When all is copied the next commit begins the log anew.
  copy_due_ = options_.checkpoint_pages + (code == SQLITE_OK && copied == pages ? 0 : log_pages_);
  log_pages_ = 0;
  if (code == SQLITE_OK || (code & 0xff) == SQLITE_BUSY || (code & 0xff) == SQLITE_LOCKED) return;
  copying_failed(sqlite3_extended_errcode(file_.handle()),
                 std::string("copying the write-ahead log: ") + sqlite3_errmsg(file_.handle()));
}

void group_writer::copying_failed(int code, const std::string& why) {
  if (classify(code) == failure::fatal) return die(why);
  options_.on_problem("journal " + path_ + ": " + why);
}

void group_writer::die(std::string_view why) {
  if (dead_.exchange(true)) return;
  options_.on_fatal("journal " + path_ + ": " + std::string(why) + ": stopping, nothing more can be promised");
}

}  // namespace turnout::journal
