#pragma once
// What the API reads of payments, out of the journal.
#include <memory>
#include <utility>

#include "proxy/api/reader.hpp"
#include "proxy/journal/reader.hpp"

namespace turnout::server {

class journal_view final : public api::reader {
 public:
  explicit journal_view(std::unique_ptr<journal::reader> from) : from_(std::move(from)) {}
  std::optional<payments::payment> find_own(std::string_view merchant, bool livemode, std::string_view id) override {
    return from_->find_own(merchant, livemode, id);
  }
  core::payment_page list(const core::payment_filter& wanted) override { return from_->list(wanted); }
  std::vector<std::string> decisions_of(std::string_view id, std::size_t skip, std::size_t count) override {
    return from_->decisions_of(id, skip, count);
  }
  std::vector<payments::payment_event> events_of(std::string_view id, std::size_t skip, std::size_t count) override {
    return from_->events_of(id, skip, count);
  }
  /// Some of them; the next call goes on where this one ended: none that stays due keeps others waiting.
  std::vector<journal::due_payment> due(payments::wall_time now) {
    std::vector<journal::due_payment> found = from_->due(now, last_due_, most_due);
    last_due_ = found.size() < most_due ? journal::due_payment{} : found.back();
    return found;
  }
  bool knows_key(std::string_view merchant, bool livemode, std::string_view key) {
    return from_->find_key(merchant, livemode, key).has_value();
  }

 private:
  static constexpr std::size_t most_due = 1000;
  std::unique_ptr<journal::reader> from_;
  journal::due_payment last_due_;
};

}  // namespace turnout::server
