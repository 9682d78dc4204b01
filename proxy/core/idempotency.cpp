#include "proxy/core/idempotency.hpp"

#include <exception>

namespace turnout::core {

create_result answer_from(journal& records, const idempotency_claim& claim, key_entry existing) {
  if (existing.mac != claim.mac) return {.status = create_status::key_reused};
  if (existing.answer) return {.status = create_status::replayed, .answer = std::move(*existing.answer)};
  if (existing.running) return {.status = create_status::in_progress};
  create_result current{.status = create_status::replayed};
  try {
    current.record = records.find_payment(existing.payment_id);
  } catch (const std::exception&) {
    // The payment exists and cannot be read: saying "not taken" would invite a second one.
  }
  return current;
}

std::optional<create_result> find_answer(journal& records, std::string_view merchant, bool livemode,
                                         const idempotency_claim& claim) {
  std::optional<key_entry> existing;
  try {
    existing = records.find_key(merchant, livemode, claim.key);
  } catch (const std::exception&) {
    return std::nullopt;
  }
  if (!existing) return std::nullopt;
  return answer_from(records, claim, std::move(*existing));
}

}  // namespace turnout::core
