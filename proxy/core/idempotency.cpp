#include "proxy/core/idempotency.hpp"

namespace turnout::core {

create_result answer_from(journal& records, const idempotency_claim& claim, key_entry existing) {
  if (existing.mac != claim.mac) return {.status = create_status::key_reused};
  if (existing.answer) return {.status = create_status::replayed, .answer = std::move(*existing.answer)};
  if (existing.running) return {.status = create_status::in_progress};
  create_result current{.status = create_status::replayed};
  current.record = records.find_payment(existing.payment_id);
  // The key and its payment are written in one transaction, and payments are
  // never deleted before their keys: not finding it means the journal cannot be read.
  if (!current.record) return {.status = create_status::unavailable};
  return current;
}

}  // namespace turnout::core
