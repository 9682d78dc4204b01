#include "proxy/journal/verify_chain.hpp"

#include <algorithm>
#include <iterator>

#include "proxy/journal/tables.hpp"

namespace turnout::journal {

namespace {

std::optional<digest> as_digest(std::string_view bytes) {
  digest value;
  if (bytes.size() != value.size()) return std::nullopt;
  std::copy(bytes.begin(), bytes.end(), value.begin());
  return value;
}

std::string range(std::int64_t first, std::int64_t last) {
  if (first == last) return "link " + std::to_string(first);
  return "links " + std::to_string(first) + " to " + std::to_string(last);
}

}  // namespace

chain_check::chain_check(database& file, findings& into)
    : into_(into),
      rows_(file, "SELECT first, links, value FROM chain ORDER BY first"),
      step_(file, "SELECT 1 FROM steps WHERE slot = ?1 AND link = ?2"),
      payment_(file, "SELECT id FROM payments WHERE seq = ?1") {}

chain_head chain_check::follow(const std::optional<chain_head>& expected) {
  expected_ = expected;
  before_ = chain_begin(hash_);
  check_expected(0, before_);
  reset_at_end guard(rows_);
  while (rows_.step()) check_row(rows_.number(0), rows_.text(1), rows_.text(2));
  if (expected_)
    into_.add(check::chain,
              expected_->links >= next_
                  ? "the noted head has " + std::to_string(expected_->links) + " links, the chain ends with link " +
                        std::to_string(next_ - 1) + ": its end is missing, or this is an older copy"
                  : "the noted head " + to_string(*expected_) +
                        " is not in the chain: nothing was ever committed that ended with this link",
              expected_->links);
  return {next_ - 1, before_};
}

void chain_check::check_row(std::int64_t first, std::string_view bytes, std::string_view stored) {
  const auto links = read_links(bytes);
  const auto value = as_digest(stored);
  if (first != next_) {
    if (first > next_)
      into_.add(check::chain, range(next_, first - 1) + ": missing from the chain", next_);
    else
      into_.add(check::chain,
                "link " + std::to_string(first) + " begins a row where " + std::to_string(next_) + " was expected",
                first);
    lost_ = true;
  }
  if (!links || links->empty() || !value) {
    into_.add(check::chain, "the row that begins with link " + std::to_string(first) + " cannot be read", first);
    next_ = first + (links ? static_cast<std::int64_t>(links->size()) : 1);
    lost_ = true;
    if (value) before_ = *value;
    return;
  }
  const std::int64_t last = first + static_cast<std::int64_t>(links->size()) - 1;
  const digest made = chain_value(hash_, before_, first, bytes);
  const bool follows = made == *value || (or_before_ && chain_value(hash_, *or_before_, first, bytes) == *value);
  if (!follows && !lost_) {
    into_.add(check::chain,
              range(first, last) + ": the chain is broken here: a value of " + to_hex(made).substr(0, 16) +
                  "… was expected and " + to_hex(*value).substr(0, 16) +
                  "… found; the row was changed, or one before it removed or replaced",
              first);
    or_before_ = made;
  } else {
    or_before_.reset();
  }
  lost_ = false;
  before_ = *value;
  next_ = last + 1;
  check_expected(last, before_);
}

void chain_check::check_expected(std::int64_t last, const digest& value) {
  if (!expected_ || expected_->links != last) return;
  if (expected_->value != value)
    into_.add(check::chain,
              "the noted head is " + to_string(*expected_) + ", the chain has " + to_hex(value) +
                  " there: what was written up to here is not what was there when it was noted",
              last);
  expected_.reset();
}

void chain_check::name_missing_steps() {
  reset_at_end guard(rows_);
  while (rows_.step()) {
    const auto links = read_links(rows_.text(1));
    if (!links) continue;
    std::int64_t number = rows_.number(0);
    for (const chain_link& each : *links) {
      reset_at_end step_guard(step_), payment_guard(payment_);
      if (!step_.bind(1, each.slot).bind(2, number).step()) {
        const bool known = payment_.bind(1, each.slot / steps_per_payment).step();
        into_.add(check::step,
                  "step " + std::to_string(each.slot % steps_per_payment + 1) + " of payment number " +
                      std::to_string(each.slot / steps_per_payment) +
                      (known ? " is missing" : " is missing, and so is the payment"),
                  number, known ? std::string(payment_.text(0)) : std::string());
      }
      ++number;
    }
  }
}

link_reader::link_reader(database& file)
    : row_(file, "SELECT first, links FROM chain WHERE first <= ?1 ORDER BY first DESC LIMIT 1") {}

const chain_link* link_reader::find(std::int64_t number) {
  const auto in_row = [number](const auto& row) -> const chain_link* {
    const std::int64_t at = number - row.first;
    return at >= 0 && at < static_cast<std::int64_t>(row.second.size()) ? &row.second[static_cast<std::size_t>(at)]
                                                                        : nullptr;
  };
  if (const auto after = rows_.upper_bound(number); after != rows_.begin())
    if (const chain_link* known = in_row(*std::prev(after))) return known;
  reset_at_end guard(row_);
  if (!row_.bind(1, number).step()) return nullptr;
  auto links = read_links(row_.text(1));
  if (!links) return nullptr;
  if (rows_.size() >= most_rows) rows_.erase(rows_.begin());
  const auto kept = rows_.insert_or_assign(row_.number(0), std::move(*links)).first;
  return in_row(*kept);
}

}  // namespace turnout::journal
