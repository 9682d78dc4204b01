#pragma once
// Answers on their way out. While the ledger has something that is not on
// disk, answers wait here, so that one sync covers many of them.
#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "net/http.hpp"
#include "sandbox/ledger.hpp"

namespace turnout::sandbox {

/// Takes the answer of one request; nothing closes the connection without a byte.
/// Dropping the last copy unused has the same effect.
using answerer = std::function<void(std::optional<net::response>)>;

class outbox {
 public:
  explicit outbox(ledger& book) : book_(book) {}

  void give(const answerer& to, std::optional<net::response> what) {
    if (!book_.unsynced()) return to(std::move(what));
    held_.emplace_back(to, std::move(what));
  }
  bool waiting() const noexcept { return book_.unsynced() || !held_.empty(); }
  /// Syncs the ledger and lets everything go. Throws as ledger::sync.
  void flush() {
    book_.sync();
    auto ready = std::exchange(held_, {});
    for (auto& [to, what] : ready) to(std::move(what));
  }
  void clear() { held_.clear(); }

 private:
  ledger& book_;
  std::vector<std::pair<answerer, std::optional<net::response>>> held_;
};

}  // namespace turnout::sandbox
