#pragma once
// When a payment has to be looked at although nobody asks: most of its life it
// is not in memory, so the journal keeps this beside it.
#include <optional>

#include "payments/payment.hpp"

namespace turnout::payments {

/// The earliest of: its authorisation expires (authorization_due), the gateway
/// is asked again about an attempt (attempt::look_again_at). nullopt: never.
std::optional<wall_time> due_at(const payment& record) noexcept;

}  // namespace turnout::payments
