#include "sandbox/agenda.hpp"

#include <algorithm>

namespace turnout::sandbox {

void agenda::add(payments::steady_time due, task what) {
  entries_.push_back({due, added_++, std::move(what)});
  std::push_heap(entries_.begin(), entries_.end(), later);
}

std::optional<payments::steady_time> agenda::next_due() const {
  if (entries_.empty()) return std::nullopt;
  return entries_.front().due;
}

void agenda::run_due(const payments::instant& now) {
  while (!entries_.empty() && entries_.front().due <= now.steady) {
    std::pop_heap(entries_.begin(), entries_.end(), later);
    const task what = std::move(entries_.back().what);
    entries_.pop_back();
    what(now);
  }
}

}  // namespace turnout::sandbox
