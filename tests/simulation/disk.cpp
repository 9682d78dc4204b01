#include "tests/simulation/disk.hpp"

#include <algorithm>
#include <utility>

#include "payments/due.hpp"

namespace turnout::simulation {

namespace {

using type = payments::payment_event_type;

bool has(const core::journal_write& write, type one, type other) {
  return std::any_of(write.events.begin(), write.events.end(),
                     [&](const payments::payment_event& each) { return each.type == one || each.type == other; });
}

constexpr double full_for_outcomes = 0.3;  // what is kept back for them is not for ever

}  // namespace

class disk::port final : public core::journal {
 public:
  port(disk& home, scheduler::life whose) : home_(home), whose_(whose) {}
  void commit(std::shared_ptr<const core::journal_write> write,
              std::function<void(core::commit_result)> done) override {
    home_.commit({std::move(write), std::move(done), whose_});
  }
  std::optional<core::key_entry> find_key(std::string_view merchant, bool, std::string_view key) override {
    return home_.find_key(merchant, key, whose_);
  }
  std::optional<payments::payment> find_payment(std::string_view id) override {
    const payments::payment* found = home_.find(std::string(id));
    return found != nullptr ? std::optional(*found) : std::nullopt;
  }

 private:
  disk& home_;
  scheduler::life whose_;
};

std::unique_ptr<core::journal> disk::open(scheduler::life whose) {
  if (whose > 1) forget_at_restart();
  return std::make_unique<port>(*this, whose);
}

const payments::payment* disk::find(const std::string& id) const {
  const auto found = payments_.find(id);
  return found != payments_.end() ? &found->second : nullptr;
}

const std::string* disk::owner_of(const std::string& id) const {
  const auto found = intents_.find(id);
  return found != intents_.end() ? &found->second : nullptr;
}

void disk::commit(writing asked) {
  const bool early =
      (habits_.acknowledges_answers_early && has(*asked.write, type::answered, type::answered)) ||
      (habits_.acknowledges_intents_early && has(*asked.write, type::attempt_started, type::modification_sent));
  if (early) {
    time_.after(0ms, asked.whose, [this, done = std::move(asked.done)] {
      done({core::commit_status::committed, {}});
      count_call();
    });
    asked.done = nullptr;
    // The record goes on before it is written.
    auto written = std::make_shared<core::journal_write>(*asked.write);
    written->record = std::make_shared<payments::payment>(*asked.write->record);
    asked.write = std::move(written);
  }
  queue_.push_back(std::move(asked));
  count_call();
  if (!busy_) write_next();
}

void disk::strike_after(std::uint64_t calls, std::function<void()> strike) {
  calls_left_ = calls;
  strike_ = std::move(strike);
}

void disk::count_call() {
  if (calls_left_ > 0 && --calls_left_ == 0) time_.interrupt(std::exchange(strike_, nullptr));
}

// One group at a time, as the real writer does: what waits is written together.
void disk::write_next() {
  busy_ = !queue_.empty();
  if (!busy_) return;
  const bool slow = time_.now().steady < slow_until_;
  const milliseconds taken = slow ? random_.between(200ms, 3000ms) : random_.between(1ms, 3ms);
  const std::size_t group = queue_.size();
  time_.after(taken, queue_.front().whose, [this, group] {
    if (loses(group)) return;
    for (std::size_t each = 0; each < group && !queue_.empty(); ++each) {
      writing next = std::move(queue_.front());
      queue_.pop_front();
      const core::commit_result result = apply(*next.write, next.whose);
      if (next.done) next.done(result);
    }
    count_call();
    write_next();
  });
}

void disk::crash() {
  std::size_t survive = queue_.empty() ? 0 : static_cast<std::size_t>(random_.between(0, std::int64_t(queue_.size())));
  for (const writing& each : queue_) {
    if (survive-- == 0) break;
    apply(*each.write, each.whose);
  }
  queue_.clear();
  busy_ = false;
}

bool disk::loses(std::size_t group) {
  if (!failed_sync_) return false;
  const std::function<void()> strike = std::exchange(failed_sync_, nullptr);
  if (!habits_.ignores_failed_sync) {
    time_.interrupt(strike);
    return true;
  }
  for (; group > 0; --group) {
    writing lost = std::move(queue_.front());
    queue_.pop_front();
    if (lost.done) lost.done({core::commit_status::committed, {}});
  }
  return false;
}

core::commit_result disk::apply(const core::journal_write& write, scheduler::life whose) {
  core::commit_result result = decide(write, whose);
  if (reached_ != nullptr) reached_->commit(write, result.status);
  if (result.status == core::commit_status::unavailable) {
    ++count_[fault::disk_full];
    if (habits_.ignores_full_disk) result.status = core::commit_status::committed;
  }
  return result;
}

core::commit_result disk::decide(const core::journal_write& write, scheduler::life whose) {
  const payments::payment& record = *write.record;
  const bool full = time_.now().steady < full_until_;
  if (full && (write.create || write.takes_on || random_.chance(full_for_outcomes)))
    return {core::commit_status::unavailable, {}};
  if (write.claim) {
    const std::string name = record.merchant + "/" + write.claim->key;
    if (keys_.contains(name) && !habits_.forgets_keys)
      return {core::commit_status::key_exists, find_key(record.merchant, write.claim->key, whose)};
  }
  if (write.create && write.unique_reference) {
    if (auto taken = find_reference(record)) return {core::commit_status::reference_taken, std::move(taken)};
    references_[record.reference] = record.id;
  }
  if (write.claim) {
    const std::string name = record.merchant + "/" + write.claim->key;
    const std::string& object = write.claim->object;
    keys_[name] = {{record.id, object, write.claim->mac, false, {}}, whose};
    key_of_[object.empty() ? record.id : object] = name;
  }
  for (const core::object_answer& each : write.answers)
    if (const auto named = key_of_.find(each.object.empty() ? record.id : each.object);
        named != key_of_.end() && !habits_.forgets_answers)
      keys_.at(named->second).entry.answer = each.answer;
  if (tell) tell(write);
  if (reached_ != nullptr) reached_->change(find(record.id), write);
  payments_.insert_or_assign(record.id, record);
  payments::payment_story& told = stories_[record.id];
  for (const payments::payment_event& each : write.events) told.add(each);
  if (has(write, type::attempt_started, type::modification_requested))
    for (const payments::payment_event& each : write.events)
      if (each.type == type::attempt_started || each.type == type::modification_requested)
        intents_.emplace(each.attempt, record.id);
  if (due_at(record))
    due_.insert(record.id);
  else
    due_.erase(record.id);
  if (has(write, type::late_approval, type::late_approval)) {
    late_approvals_.insert(record.id);
    for (const payments::attempt& each : record.attempts) intents_.emplace(each.id, record.id);  // it may be a new one
  }
  return {core::commit_status::committed, {}};
}

std::optional<core::key_entry> disk::find_key(std::string_view merchant, std::string_view key,
                                              scheduler::life whose) const {
  const auto found = keys_.find(std::string(merchant) + "/" + std::string(key));
  if (found == keys_.end() || habits_.forgets_keys) return std::nullopt;
  core::key_entry entry = found->second.entry;
  const payments::payment* record = find(entry.payment_id);
  entry.running = entry.object.empty() && found->second.made_by == whose && record != nullptr && !record->answered;
  return entry;
}

// A payment that failed or was canceled leaves its reference to another one.
std::optional<core::key_entry> disk::find_reference(const payments::payment& record) const {
  const auto known = references_.find(record.reference);
  if (known == references_.end()) return std::nullopt;
  const payments::payment_status status = payments_.at(known->second).status;
  if (status == payments::payment_status::failed || status == payments::payment_status::canceled) return std::nullopt;
  core::key_entry taken;
  taken.payment_id = known->second;
  return taken;
}

void disk::forget_at_restart() {
  if (habits_.forgets_keys_at_restart) keys_.clear();
  for (auto& [id, record] : payments_) {
    if (habits_.forgets_cancels) record.cancel_requested = false;
    if (habits_.forgets_modifications)
      std::erase_if(record.modifications, [](const payments::modification& each) {
        return each.status == payments::modification_status::pending;
      });
  }
}

}  // namespace turnout::simulation
