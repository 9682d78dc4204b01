#include "proxy/journal/begin_chain.hpp"

#include <string>
#include <unordered_map>
#include <vector>

#include "proxy/journal/chain.hpp"
#include "proxy/journal/tables.hpp"

namespace turnout::journal {

namespace {

constexpr int links_in_a_row = 256;

class beginning {
 public:
  explicit beginning(database& file)
      : chain_(file),
        key_(file,
             "SELECT i.key, i.mac, a.status, a.body FROM idempotency i LEFT JOIN answers a ON a.payment = i.payment "
             "WHERE i.payment = ?1"),
        insert_(file, "INSERT INTO steps (slot, link, events, decisions) VALUES (?1, ?2, ?3, ?4)") {
    read_operation_keys(file);
    read_references(file);
  }

  /// In the order of slots. `row` has slot, events, decisions, id, record and updated_at, the last three null for
  /// steps of no payment.
  void add(const statement& row) {
    const std::int64_t slot = row.number(0), payment = slot / steps_per_payment;
    rows_.clear();
    if (payment != last_payment_) take_rows(payment);
    last_payment_ = payment;
    insert_.bind(1, slot).bind(2, chain_.next()).bind(3, row.text(1)).bind(4, row.text(2)).finish();
    const digest content = digest_of_step(hash_, row.text(3), row.text(1), row.text(2));
    chain_.add(slot, row.number(5), content, digest_of(hash_, row.text(4)), rows_);
    if (++links_ % links_in_a_row == 0) chain_.finish();
  }
  std::int64_t finish() {
    chain_.finish();
    return links_;
  }

 private:
  void read_operation_keys(database& file) {
    statement all(file, "SELECT payment, object, key, mac, status, body FROM operation_keys ORDER BY seq");
    while (all.step()) {
      auto& kept = kept_[all.number(0)];
      kept.push_back({kept_row::operation_key, digest_of_key(hash_, all.text(1), all.text(2), all.text(3))});
      if (!all.is_null(4))
        kept.push_back({kept_row::operation_answer, digest_of_answer(hash_, all.text(1), all.number(4), all.text(5))});
    }
  }
  void read_references(database& file) {
    statement all(file, "SELECT payment, reference FROM unique_references");
    while (all.step()) kept_[all.number(0)].push_back({kept_row::unique_reference, digest_of(hash_, all.text(1))});
  }
  void take_rows(std::int64_t payment) {
    reset_at_end guard(key_);
    if (key_.bind(1, payment).step()) {
      rows_.push_back({kept_row::payment_key, digest_of_key(hash_, "", key_.text(0), key_.text(1))});
      if (!key_.is_null(2))
        rows_.push_back({kept_row::payment_answer, digest_of_answer(hash_, "", key_.number(2), key_.text(3))});
    }
    if (const auto kept = kept_.find(payment); kept != kept_.end())
      rows_.insert(rows_.end(), kept->second.begin(), kept->second.end());
  }

  sha256 hash_;
  chain_writer chain_;
  statement key_, insert_;
  /// By payment. Keys are kept for days, and few merchants have unique references.
  std::unordered_map<std::int64_t, std::vector<row_digest>> kept_;
  std::vector<row_digest> rows_;
  std::int64_t last_payment_ = -1, links_ = 0;
};

}  // namespace

void chain_all_steps(database& file) {
  std::int64_t links = 0;
  {
    beginning chain(file);
    statement steps(file,
                    "SELECT s.slot, s.events, s.decisions, p.id, p.record, p.updated_at FROM unchained_steps s "
                    "LEFT JOIN payments p ON p.seq = s.slot / 65536 ORDER BY s.slot");
    while (steps.step()) chain.add(steps);
    // Every payment has a step from now on: it attests the record.
    statement bare(file,
                   "SELECT p.seq * 65536, '[]', '[]', p.id, p.record, p.updated_at FROM payments p WHERE NOT EXISTS "
                   "(SELECT 1 FROM unchained_steps s WHERE s.slot BETWEEN p.seq * 65536 AND p.seq * 65536 + 65535) "
                   "ORDER BY p.seq");
    while (bare.step()) chain.add(bare);
    links = chain.finish();
  }
  file.run("DROP TABLE unchained_steps");
  if (links > 0) statement(file, "INSERT INTO meta (name, value) VALUES ('chained_later', ?1)").bind(1, links).finish();
}

}  // namespace turnout::journal
