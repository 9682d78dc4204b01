#include "payments/resolution.hpp"

#include <algorithm>

#include "payments/modification_rules.hpp"
#include "payments/payment.hpp"

namespace turnout::payments {

namespace {

using refusal = resolution_refusal;

template <class Item>
const Item* find(const std::vector<Item>& all, std::string_view id) {
  const auto found = std::find_if(all.begin(), all.end(), [&](const Item& each) { return each.id == id; });
  return found == all.end() ? nullptr : &*found;
}

bool needs_truth(const attempt& of) noexcept { return of.unresolved() || of.reversal == reversal_state::wanted; }

/// What becomes of a charge that somebody vouches for.
std::string charge_follows(const payment& record, const attempt& about) {
  if (about.reversal == reversal_state::wanted)
    return "the attempt is recorded as charged, and goes on being reversed (" + about.reversal_reason + ")";
  const bool other = std::any_of(record.attempts.begin(), record.attempts.end(),
                                 [&](const attempt& each) { return &each != &about && each.stands(); });
  if (record.cancel_requested) return "the merchant has canceled the payment: the charge will be reversed";
  if (is_final(record.status) || other) return "the payment does not need this charge: it will be reversed";
  const bool captured = about.operation == operation::sale;
  if (captured) return "the charge stands and the payment succeeds, unless it has expired: then it will be reversed";
  return "the authorization stands, unless it has expired: then it will be reversed";
}

std::string no_charge_follows(const payment& record, const attempt& about) {
  if (about.seen_approved) return "the charge is recorded as given back; it is not reversed any more";
  const std::string settled = "the attempt is recorded as not charged";
  if (is_final(record.status)) return settled + "; the payment stays " + std::string(to_string(record.status));
  const std::string end = record.cancel_requested ? "canceled" : "failed";
  return settled + " and the payment becomes " + end +
         ", unless another attempt is in doubt; nothing else is tried for it";
}

resolution_check check_attempt(const payment& record, const attempt& about, verdict as) {
  if (!needs_truth(about)) return {refusal::not_in_doubt, about.id + " is settled: " + state_of(record, about.id)};
  if (about.in_flight || !record.answered)
    return {refusal::busy, "the merchant still waits for " + record.id + ", and the proxy is finding out: try later"};
  const bool challenged = about.outcome == outcome::requires_action && about.reversal == reversal_state::none;
  if (challenged && !record.action_expired)
    return {refusal::busy, "the shopper still has time to authenticate: try when that is over"};
  if (as == verdict::not_charged) return {refusal::none, no_charge_follows(record, about)};
  if (about.seen_approved)
    return {refusal::not_in_doubt, "the gateway has said that " + about.id + " is charged, and it is being reversed (" +
                                       about.reversal_reason + "); say not_charged once it has been given back"};
  return {refusal::none, charge_follows(record, about)};
}

resolution_check check_change(const payment& record, const modification& about, verdict as) {
  const std::string kind(to_string(about.kind));
  if (about.status != modification_status::pending)
    return {refusal::not_in_doubt, about.id + " is settled: " + state_of(record, about.id)};
  if (about.in_flight) return {refusal::busy, "the " + kind + " is being sent: try again in a few seconds"};
  if (!about.doubtful || !standing_attempt(record))
    return {refusal::not_in_doubt, "the " + kind + " has not been sent, so nothing is in doubt"};
  if (as == verdict::charged) return {refusal::none, "the " + kind + " counts as done"};
  return {refusal::none, "the " + kind + " fails, its amount is free again, and it is not sent again"};
}

}  // namespace

std::string_view to_string(verdict as) noexcept { return as == verdict::charged ? "charged" : "not_charged"; }

std::optional<verdict> parse_verdict(std::string_view word) noexcept {
  if (word == "charged") return verdict::charged;
  if (word == "not_charged") return verdict::not_charged;
  return std::nullopt;
}

resolution_check check_resolution(const payment& record, std::string_view target, verdict as) {
  if (const attempt* about = find(record.attempts, target)) return check_attempt(record, *about, as);
  if (const modification* about = find(record.modifications, target)) return check_change(record, *about, as);
  return {refusal::unknown_target, record.id + " has no attempt and no capture, refund or cancellation of that id"};
}

std::string state_of(const payment& record, std::string_view target) {
  if (const attempt* about = find(record.attempts, target)) {
    if (about->in_flight) return "in_flight";
    if (about->reversal == reversal_state::confirmed) return "reversed";
    if (about->reversal == reversal_state::wanted) return "reversing";
    return std::string(to_string(about->outcome));
  }
  if (const modification* about = find(record.modifications, target))
    return about->doubtful ? "in_doubt" : std::string(to_string(about->status));
  return {};
}

}  // namespace turnout::payments
