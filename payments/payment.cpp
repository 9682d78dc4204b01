// The words for a payment's status and for the events of its story.
#include "payments/payment.hpp"

#include "payments/name_table.hpp"

namespace turnout::payments {

namespace {

constexpr name_table<payment_status, 6> statuses{
    {"processing", "requires_action", "authorized", "succeeded", "failed", "canceled"}};

constexpr name_table<payment_event_type, 22> event_types{
    {"created",           "attempt_started",    "attempt_ended",    "attempt_resolved",
     "reversal_wanted",   "reversal_confirmed", "late_approval",    "charge_found",
     "action_expired",    "answered",           "cancel_requested", "recovered",
     "attention_raised",  "attention_cleared",  "finished",         "modification_requested",
     "modification_sent", "modification_ended", "status_changed",   "resolved_by_person",
     "wrong_amount",      "looked_again"}};

}  // namespace

std::string_view to_string(payment_status value) noexcept { return statuses[value]; }
std::optional<payment_status> parse_payment_status(std::string_view name) noexcept { return statuses.find(name); }

bool is_final(payment_status value) noexcept {
  switch (value) {
    case payment_status::processing:
    case payment_status::requires_action: return false;
    case payment_status::authorized:
    case payment_status::succeeded:
    case payment_status::failed:
    case payment_status::canceled: return true;
  }
  TURNOUT_ASSERT(false);
}

std::string_view to_string(payment_event_type value) noexcept { return event_types[value]; }

}  // namespace turnout::payments
