#include "tests/simulation/disk.hpp"

#include <utility>

namespace turnout::simulation {

class disk::port final : public core::journal {
 public:
  port(disk& home, scheduler::life whose) : home_(home), whose_(whose) {}
  void commit(std::shared_ptr<const core::journal_write> write,
              std::function<void(core::commit_result)> done) override {
    if (home_.habits_.acknowledges_early) {
      home_.time_.after(0ms, whose_, [done] { done({core::commit_status::committed, {}}); });
      done = nullptr;
    }
    home_.queue_.push_back({std::move(write), std::move(done), whose_});
    if (!home_.busy_) home_.write_next();
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

std::unique_ptr<core::journal> disk::open(scheduler::life whose) { return std::make_unique<port>(*this, whose); }

const payments::payment* disk::find(const std::string& id) const {
  const auto found = payments_.find(id);
  return found != payments_.end() ? &found->second : nullptr;
}

// One group at a time, as the real writer does: what waits is written together.
void disk::write_next() {
  busy_ = !queue_.empty();
  if (!busy_) return;
  const bool slow = time_.now().steady < slow_until_;
  const milliseconds taken = slow ? random_.between(200ms, 3000ms) : random_.between(1ms, 3ms);
  const std::size_t group = queue_.size();
  time_.after(taken, queue_.front().whose, [this, group] {
    for (std::size_t each = 0; each < group; ++each) {
      writing next = std::move(queue_.front());
      queue_.pop_front();
      const core::commit_result result = apply(*next.write, next.whose);
      if (next.done) next.done(result);
    }
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

core::commit_result disk::apply(const core::journal_write& write, scheduler::life whose) {
  const payments::payment& record = *write.record;
  if (time_.now().steady < full_until_ && (write.create || random_.chance(0.3))) {
    ++count_[fault::disk_full];
    return {core::commit_status::unavailable, {}};
  }
  if (write.claim) {
    const std::string name = record.merchant + "/" + write.claim->key;
    const auto known = keys_.find(name);
    if (known != keys_.end() && !habits_.forgets_keys) {
      auto existing = find_key(record.merchant, write.claim->key, whose);
      return {core::commit_status::key_exists, std::move(existing)};
    }
    const std::string& object = write.claim->object;
    keys_[name] = {{record.id, object, write.claim->mac, false, {}}, whose};
    key_of_[object.empty() ? record.id : object] = name;
  }
  for (const core::object_answer& each : write.answers)
    if (const auto named = key_of_.find(each.object.empty() ? record.id : each.object); named != key_of_.end())
      keys_.at(named->second).entry.answer = each.answer;
  payments_.insert_or_assign(record.id, record);
  for (const payments::attempt& each : record.attempts) intents_.insert(each.id);
  for (const payments::modification& each : record.modifications) intents_.insert(each.id);
  if (tell)
    for (const payments::payment_event& each : write.events) tell(record, each);
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

}  // namespace turnout::simulation
