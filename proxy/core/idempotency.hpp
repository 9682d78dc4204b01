#pragma once
// One idempotency key, one payment: what a key that is already taken answers.
// That it is taken is decided by the journal, in the transaction that creates
// the payment, so that it holds over workers, restarts and later over nodes.
#include "proxy/core/engine.hpp"

namespace turnout::core {

/// `existing` is what the journal has under the claim's key. A payment that
/// cannot be read is `replayed` without a record and without an answer.
create_result answer_from(journal& records, const idempotency_claim& claim, key_entry existing);

/// The same for a key that may be free: nullopt when it is, or when the journal
/// cannot be read (then nothing is known of it).
std::optional<create_result> find_answer(journal& records, std::string_view merchant, bool livemode,
                                         const idempotency_claim& claim);

}  // namespace turnout::core
