// See modification_rules.hpp. Amounts are sums of non-negative parts of one
// authorised amount, which money keeps far below the range of 64 bits.
#include "payments/modification_rules.hpp"

#include <algorithm>

#include "payments/assertion.hpp"
#include "payments/name_table.hpp"

namespace turnout::payments {

namespace {

using refusal = modification_refusal;

constexpr name_table<modification_refusal, 7> refusals{{"none", "invalid_state", "operation_pending",
                                                        "amount_too_large", "not_supported", "authorization_expired",
                                                        "too_many_operations"}};

/// Of one kind, in one of the states.
std::int64_t sum(const payment& record, modification_kind kind, bool pending, bool succeeded) noexcept {
  std::int64_t total = 0;
  for (const modification& each : record.modifications) {
    const bool counts = (pending && each.status == modification_status::pending) ||
                        (succeeded && each.status == modification_status::succeeded);
    if (each.kind == kind && counts) total += each.amount;
  }
  return total;
}

bool is_pending(const payment& record, modification_kind kind) noexcept {
  return std::any_of(record.modifications.begin(), record.modifications.end(), [&](const modification& each) {
    return each.kind == kind && each.status == modification_status::pending;
  });
}

modification_check refuse(refusal why, std::string detail) { return {why, std::move(detail), {}}; }

std::string units(std::int64_t minor, const payment& record) {
  return std::to_string(minor) + " minor units of " + std::string(record.amount.unit.code());
}

modification_check no_gateway() {
  return refuse(refusal::not_supported, "the connector of this payment is not configured any more");
}

modification_check check_capture(const payment& record, const modification_request& wish,
                                 const connector_profile* gateway, wall_time now) {
  if (record.status != payment_status::authorized)
    return refuse(refusal::invalid_state,
                  "only an authorized payment can be captured; this one is " + std::string(to_string(record.status)));
  if (is_pending(record, modification_kind::cancellation))
    return refuse(refusal::operation_pending, "the payment is being canceled");
  if (record.capture_before && now >= *record.capture_before)
    return refuse(refusal::authorization_expired, "the authorization has expired");
  if (gateway == nullptr) return no_gateway();
  if (!gateway->offers(operation::capture)) return refuse(refusal::not_supported, "the gateway cannot capture");
  if (!wish.final_capture && !gateway->multiple_captures)
    return refuse(refusal::not_supported,
                  "the gateway takes one capture a payment: leave out `final`, and the rest is released");
  const bool final_pending =
      std::any_of(record.modifications.begin(), record.modifications.end(), [](const modification& each) {
        return each.kind == modification_kind::capture && each.final_capture &&
               each.status == modification_status::pending;
      });
  if (final_pending) return refuse(refusal::operation_pending, "the final capture is not settled yet");
  const std::int64_t left = left_to_capture(record);
  const std::int64_t amount = wish.amount.value_or(left);
  if (amount > left || amount <= 0)
    return refuse(refusal::amount_too_large, "at most " + units(left, record) + " are left to capture");
  modification planned{.kind = wish.kind, .operation = operation::capture, .amount = amount};
  planned.final_capture = wish.final_capture || amount == left;
  return {refusal::none, {}, std::move(planned)};
}

/// When the gateway has settled what is captured, as far as its profile says.
wall_time settled_at(const payment& record, const connector_profile& gateway) {
  wall_time captured{};
  if (const auto standing = standing_attempt(record)) captured = record.attempts[*standing].ended_at;
  for (const modification& each : record.modifications)
    if (each.kind == modification_kind::capture && each.status == modification_status::succeeded)
      captured = std::max(captured, each.updated_at);
  return captured + gateway.refunds.settles_after;
}

modification_check check_refund(const payment& record, const modification_request& wish,
                                const connector_profile* gateway, wall_time now) {
  if (record.amount_captured == 0)
    return refuse(refusal::invalid_state, "nothing of this payment is captured; an authorization is canceled instead");
  if (gateway == nullptr) return no_gateway();
  const std::int64_t left = left_to_refund(record);
  const std::int64_t amount = wish.amount.value_or(left);
  if (amount > left || amount <= 0)
    return refuse(refusal::amount_too_large, "at most " + units(left, record) + " are left to refund");
  modification planned{.kind = wish.kind, .operation = operation::refund, .amount = amount};
  const wall_time settled = settled_at(record, *gateway);
  if (gateway->refunds.unsettled != unsettled_refund::allowed && now < settled) {
    const bool whole = amount == record.amount_captured && record.status == payment_status::succeeded;
    if (gateway->refunds.unsettled == unsettled_refund::void_if_full && whole &&
        gateway->offers(operation::void_payment))
      planned.operation = operation::void_payment;
    else
      planned.not_before = settled;
  }
  if (!gateway->offers(planned.operation)) return refuse(refusal::not_supported, "the gateway cannot refund");
  return {refusal::none, {}, std::move(planned)};
}

modification_check check_cancellation(const payment& record, const modification_request& wish,
                                      const connector_profile* gateway) {
  if (record.status == payment_status::succeeded)
    return refuse(refusal::invalid_state, "the payment is captured; refund it instead");
  if (record.status != payment_status::authorized)
    return refuse(refusal::invalid_state, "the payment is " + std::string(to_string(record.status)));
  for (const auto kind : {modification_kind::capture, modification_kind::cancellation})
    if (is_pending(record, kind))
      return refuse(refusal::operation_pending, "a " + std::string(to_string(kind)) + " is not settled yet");
  if (gateway == nullptr) return no_gateway();
  const std::int64_t left = left_to_capture(record);
  TURNOUT_ASSERT(left > 0);
  modification planned{.kind = wish.kind, .operation = operation::void_payment, .amount = left};
  // By our own reference it would give back what is captured, too.
  if (!gateway->offers(operation::void_payment) && record.amount_captured == 0) planned.operation = operation::reverse;
  if (!gateway->offers(planned.operation)) return refuse(refusal::not_supported, "the gateway cannot cancel");
  return {refusal::none, {}, std::move(planned)};
}

}  // namespace

std::string_view to_string(modification_refusal value) noexcept { return refusals[value]; }

std::optional<std::size_t> standing_attempt(const payment& record) noexcept {
  for (std::size_t i = 0; i < record.attempts.size(); ++i)
    if (record.attempts[i].stands() && record.attempts[i].reversal == reversal_state::none) return i;
  return std::nullopt;
}

// A sale is captured without a capture of its own, hence amount_captured.
std::int64_t left_to_capture(const payment& record) noexcept {
  return record.amount_authorized - record.amount_captured - sum(record, modification_kind::capture, true, false);
}

std::int64_t left_to_refund(const payment& record) noexcept {
  return record.amount_captured - sum(record, modification_kind::refund, true, true);
}

bool has_pending_modification(const payment& record) noexcept {
  return std::any_of(record.modifications.begin(), record.modifications.end(),
                     [](const modification& each) { return each.status == modification_status::pending; });
}

std::optional<wall_time> authorization_due(const payment& record) noexcept {
  if (record.status != payment_status::authorized || !record.capture_before) return std::nullopt;
  for (const modification& each : record.modifications)
    if (each.kind == modification_kind::cancellation && each.cause == "expired") return std::nullopt;
  return record.capture_before;
}

modification_check check_modification(const payment& record, const modification_request& wish,
                                      const connector_profile* gateway, wall_time now) {
  if (record.modifications.size() >= most_modifications)
    return refuse(refusal::too_many,
                  "a payment may have " + std::to_string(most_modifications) + " captures and refunds");
  if (wish.kind == modification_kind::cancellation) return check_cancellation(record, wish, gateway);
  modification_check made = wish.kind == modification_kind::capture ? check_capture(record, wish, gateway, now)
                                                                    : check_refund(record, wish, gateway, now);
  made.planned.reference = wish.reference;
  made.planned.reason = wish.reason;
  return made;
}

}  // namespace turnout::payments
