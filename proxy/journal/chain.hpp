#pragma once
// The chain over a journal's steps: what was written, in the order in which it
// became durable, each link bound to all before it.
//
// A link holds digests only, of the step's content and of the record that it led
// to, never the content: that can be erased one day without breaking the chain.
// All links of one transaction are one row of the table `chain`:
//
//   value = SHA-256(value of the row before, number of the first link, links)
//
// The value before the first row is SHA-256("turnout journal chain v1").
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/journal/database.hpp"
#include "proxy/journal/digest.hpp"

namespace turnout::journal {

/// What a write stored beside its step. Its digest stays in the link when the row is forgotten.
enum class kept_row : std::uint8_t {
  payment_key = 1,   ///< an idempotency key of a payment
  payment_answer,    ///< the answer under it
  operation_key,     ///< of a capture, refund or cancellation
  operation_answer,  ///< the answer under it
  unique_reference,
};
std::string_view to_string(kept_row) noexcept;  ///< in words

struct row_digest {
  kept_row what;
  digest value;
  friend bool operator==(const row_digest&, const row_digest&) = default;
};

struct chain_link {
  std::int64_t slot = 0;  ///< of its step; the payment's sequence is in it
  std::int64_t at = 0;    ///< nanoseconds since 1970: the record's updated_at
  digest content{};       ///< digest_of_step()
  digest record{};        ///< SHA-256 of the record's text
  std::vector<row_digest> rows;
};

/// In the column `links`: slot and time (eight bytes, the highest first), content, record, the number of
/// rows (two bytes), and for each row what it is (a byte) and its digest. Of more rows than
/// two bytes can count the first ones count.
void append_link(std::string& out, std::int64_t slot, std::int64_t at, const digest& content, const digest& record,
                 std::span<const row_digest> rows);
/// nullopt when `bytes` are not whole links.
std::optional<std::vector<chain_link>> read_links(std::string_view bytes);

digest digest_of(sha256& with, std::string_view text);
digest digest_of_step(sha256& with, std::string_view payment_id, std::string_view events, std::string_view decisions);
/// `object` as in core::idempotency_claim.
digest digest_of_key(sha256& with, std::string_view object, std::string_view key, std::string_view mac);
digest digest_of_answer(sha256& with, std::string_view object, std::int64_t status, std::string_view body);

/// The value before the first row.
digest chain_begin(sha256& with);
digest chain_value(sha256& with, const digest& before, std::int64_t first, std::string_view links);

/// The end of a chain. A note of it, kept elsewhere, shows later whether the journal still contains it.
struct chain_head {
  std::int64_t links = 0;  ///< how many there are
  digest value{};
};
/// "1234:" and 64 hexadecimal digits.
std::string to_string(const chain_head& head);
std::optional<chain_head> parse_chain_head(std::string_view text) noexcept;
/// As the last row says, unverified. Throws database_error.
chain_head read_chain_head(database& file);

/// Adds to the chain, within a transaction that somebody else opened.
class chain_writer {
 public:
  explicit chain_writer(database& file);
  /// The number of the next link; the first is 1.
  std::int64_t next();
  void add(std::int64_t slot, std::int64_t at, const digest& content, const digest& record,
           std::span<const row_digest> rows);
  /// Writes the row of what was added, if anything was. Before the COMMIT.
  void finish();
  /// The transaction was rolled back.
  void forget() noexcept;

 private:
  database& file_;
  statement insert_;
  sha256 hash_;
  bool known_ = false;  ///< head_ is what the table says
  chain_head head_;
  std::int64_t added_ = 0;
  std::string links_;  ///< that were added
};

}  // namespace turnout::journal
