#pragma once
// A write as its rows will have it: texts and their digests. Made on the worker's
// thread, because workers are many and the writer is one.
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/core/ports.hpp"
#include "proxy/journal/chain.hpp"

namespace turnout::journal {

class prepared_write {
 public:
  prepared_write(std::shared_ptr<const core::journal_write> write, sha256& with);

  const core::journal_write& write() const noexcept { return *write_; }
  std::string_view record() const noexcept { return std::string_view(text_).substr(0, events_at_); }
  std::string_view events() const noexcept {
    return std::string_view(text_).substr(events_at_, decisions_at_ - events_at_);
  }
  std::string_view decisions() const noexcept { return std::string_view(text_).substr(decisions_at_); }
  const digest& record_digest() const noexcept { return record_digest_; }
  const digest& step_digest() const noexcept { return step_digest_; }
  /// Of the claim, the unique reference and the answers, in this order; without those that it does not have.
  const std::vector<row_digest>& rows() const noexcept { return rows_; }

  /// What was written dies on its worker's thread, where it was made.
  void let_go() noexcept { write_.reset(); }

 private:
  std::shared_ptr<const core::journal_write> write_;
  std::string text_;  ///< record, events, decisions
  std::size_t events_at_ = 0, decisions_at_ = 0;
  digest record_digest_{}, step_digest_{};
  std::vector<row_digest> rows_;
};

}  // namespace turnout::journal
