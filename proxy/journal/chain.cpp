#include "proxy/journal/chain.hpp"

#include <sqlite3.h>

#include <algorithm>
#include <charconv>

namespace turnout::journal {

namespace {

constexpr std::size_t number_size = 8, count_size = 2, kind_size = 1, digest_size = std::tuple_size_v<digest>;
constexpr std::size_t most_rows = 65535;

void append_number(std::string& out, std::uint64_t value, std::size_t size) {
  for (std::size_t at = size; at-- > 0;) out += static_cast<char>(value >> (8 * at));
}

void append_digest(std::string& out, const digest& value) {
  out.append(reinterpret_cast<const char*>(value.data()), value.size());
}

/// Takes pieces off the front; `good` turns false for ever when there is too little.
struct byte_reader {
  std::string_view rest;
  bool good = true;

  std::string_view take(std::size_t size) {
    good = good && rest.size() >= size;
    if (!good) return {};
    const std::string_view taken = rest.substr(0, size);
    rest.remove_prefix(size);
    return taken;
  }
  std::uint64_t number(std::size_t size) {
    std::uint64_t value = 0;
    for (const char each : take(size)) value = value << 8 | static_cast<unsigned char>(each);
    return value;
  }
  digest value() {
    digest read{};
    const std::string_view bytes = take(digest_size);
    std::copy(bytes.begin(), bytes.end(), read.begin());
    return read;
  }
};

}  // namespace

std::string_view to_string(kept_row what) noexcept {
  switch (what) {
    case kept_row::payment_key: return "the idempotency key of the payment";
    case kept_row::payment_answer: return "the answer kept with the payment's idempotency key";
    case kept_row::operation_key: return "the idempotency key of a capture, refund or cancellation";
    case kept_row::operation_answer: return "the answer kept with the key of a capture, refund or cancellation";
    case kept_row::unique_reference: return "the unique reference";
  }
  return "a row of a kind that this version does not know";
}

void append_link(std::string& out, std::int64_t slot, std::int64_t at, const digest& content, const digest& record,
                 std::span<const row_digest> rows) {
  rows = rows.first(std::min(rows.size(), most_rows));
  append_number(out, static_cast<std::uint64_t>(slot), number_size);
  append_number(out, static_cast<std::uint64_t>(at), number_size);
  append_digest(out, content);
  append_digest(out, record);
  append_number(out, rows.size(), count_size);
  for (const row_digest& each : rows) {
    out += static_cast<char>(each.what);
    append_digest(out, each.value);
  }
}

std::optional<std::vector<chain_link>> read_links(std::string_view bytes) {
  std::vector<chain_link> links;
  byte_reader from{bytes};
  while (!from.rest.empty()) {
    chain_link link;
    link.slot = static_cast<std::int64_t>(from.number(number_size));
    link.at = static_cast<std::int64_t>(from.number(number_size));
    link.content = from.value();
    link.record = from.value();
    const std::uint64_t rows = from.number(count_size);
    for (std::uint64_t n = 0; n < rows && from.good; ++n) {
      const auto what = static_cast<kept_row>(from.number(kind_size));
      link.rows.push_back({what, from.value()});
    }
    if (!from.good) return std::nullopt;
    links.push_back(std::move(link));
  }
  return links;
}

digest digest_of(sha256& with, std::string_view text) { return with.begin().add(text).finish(); }

digest digest_of_step(sha256& with, std::string_view payment_id, std::string_view events, std::string_view decisions) {
  with.begin().add_lengths({payment_id, events, decisions});
  return with.add(payment_id).add(events).add(decisions).finish();
}

digest digest_of_key(sha256& with, std::string_view object, std::string_view key, std::string_view mac) {
  return with.begin().add_lengths({object, key, mac}).add(object).add(key).add(mac).finish();
}

digest digest_of_answer(sha256& with, std::string_view object, std::int64_t status, std::string_view body) {
  return with.begin().add_number(status).add_lengths({object, body}).add(object).add(body).finish();
}

digest chain_begin(sha256& with) { return digest_of(with, "turnout journal chain v1"); }

digest chain_value(sha256& with, const digest& before, std::int64_t first, std::string_view links) {
  return with.begin().add(before).add_number(first).add(links).finish();
}

std::string to_string(const chain_head& head) { return std::to_string(head.links) + ":" + to_hex(head.value); }

std::optional<chain_head> parse_chain_head(std::string_view text) noexcept {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  chain_head head;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + colon, head.links);
  const auto value = parse_digest(text.substr(colon + 1));
  if (failed != std::errc() || end != text.data() + colon || head.links < 0 || !value) return std::nullopt;
  head.value = *value;
  return head;
}

chain_head read_chain_head(database& file) {
  statement last(file, "SELECT first, links, value FROM chain ORDER BY first DESC LIMIT 1");
  chain_head head;
  if (!last.step()) {
    sha256 hash;
    head.value = chain_begin(hash);
    return head;
  }
  const auto links = read_links(last.text(1));
  const std::string_view value = last.text(2);
  if (!links || value.size() != head.value.size())
    throw database_error(SQLITE_CORRUPT, "the chain is damaged at its end; run turnout verify");
  head.links = last.number(0) + static_cast<std::int64_t>(links->size()) - 1;
  std::copy(value.begin(), value.end(), head.value.begin());
  return head;
}

chain_writer::chain_writer(database& file)
    : file_(file), insert_(file, "INSERT INTO chain (first, links, value) VALUES (?1, ?2, ?3)") {}

std::int64_t chain_writer::next() {
  if (!known_) {
    head_ = read_chain_head(file_);
    known_ = true;
  }
  return head_.links + added_ + 1;
}

void chain_writer::add(std::int64_t slot, std::int64_t at, const digest& content, const digest& record,
                       std::span<const row_digest> rows) {
  append_link(links_, slot, at, content, record, rows);
  ++added_;
}

void chain_writer::finish() {
  if (added_ == 0) return;
  const std::int64_t first = next() - added_;
  const digest value = chain_value(hash_, head_.value, first, links_);
  insert_.bind(1, first).bind_bytes(2, links_);
  insert_.bind_bytes(3, {reinterpret_cast<const char*>(value.data()), value.size()}).finish();
  head_ = {head_.links + added_, value};
  added_ = 0;
  links_.clear();
}

void chain_writer::forget() noexcept {
  known_ = false;
  added_ = 0;
  links_.clear();
}

}  // namespace turnout::journal
