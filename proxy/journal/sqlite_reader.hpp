#pragma once
// The reader over a read-only SQLite connection of its own.
#include "proxy/journal/database.hpp"
#include "proxy/journal/payment_query.hpp"
#include "proxy/journal/reader.hpp"

namespace turnout::journal {

/// The statement behind find_key, and how its row is read; the writer uses the same.
inline constexpr const char* find_key_sql =
    "SELECT p.id, i.mac, p.answered, i.epoch, a.status, a.body, '' FROM idempotency i "
    "JOIN payments p ON p.seq = i.payment LEFT JOIN answers a ON a.payment = i.payment "
    "WHERE i.merchant = ?1 AND i.livemode = ?2 AND i.key = ?3 UNION ALL "
    "SELECT p.id, k.mac, 1, k.epoch, k.status, k.body, k.object FROM operation_keys k "
    "JOIN payments p ON p.seq = k.payment WHERE k.merchant = ?1 AND k.livemode = ?2 AND k.key = ?3";
std::optional<core::key_entry> find_key(statement& query, std::int64_t epoch, std::string_view merchant, bool livemode,
                                        std::string_view key);

class sqlite_reader final : public reader {
 public:
  /// `epoch` is this start of the proxy, 0 for a reader outside of it.
  sqlite_reader(const std::string& path, const std::string& vfs, std::int64_t epoch);

  std::optional<payments::payment> find_payment(std::string_view id) override;
  std::optional<payments::payment> find_own(std::string_view merchant, bool livemode, std::string_view id) override;
  core::payment_page list(const core::payment_filter& wanted) override { return lists_.list(wanted); }
  std::vector<std::string> decisions_of(std::string_view id, std::size_t skip, std::size_t count) override;
  std::vector<payments::payment_event> events_of(std::string_view id, std::size_t skip, std::size_t count) override;
  std::optional<core::key_entry> find_key(std::string_view merchant, bool livemode, std::string_view key) override;
  std::vector<payments::payment> unfinished() override;
  std::vector<due_payment> due(payments::wall_time now, const due_payment& after, std::size_t limit) override;

 private:
  std::optional<std::int64_t> sequence_of(std::string_view id);

  database file_;
  std::int64_t epoch_;
  statement payment_, own_payment_, sequence_, decisions_, events_, key_, open_, due_;
  payment_query lists_;
};

}  // namespace turnout::journal
