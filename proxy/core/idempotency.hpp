#pragma once
// One idempotency key, one payment: what a key that is already taken answers.
// That it is taken is decided by the journal, in the transaction that creates
// the payment, so that it holds over workers, restarts and later over nodes.
#include "proxy/core/engine.hpp"

namespace turnout::core {

/// `existing` is what the journal has under the claim's key.
create_result answer_from(journal& records, const idempotency_claim& claim, key_entry existing);

}  // namespace turnout::core
