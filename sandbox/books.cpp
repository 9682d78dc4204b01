#include "sandbox/books.hpp"

#include "payments/assertion.hpp"

namespace turnout::sandbox {
namespace {

bool is_charge(operation_kind kind) { return kind == operation_kind::sale || kind == operation_kind::authorize; }

refusal void_refusal(const charge_record& charge) {
  if (charge.voided) return refusal::already_voided;
  return charge.capturable() == 0 ? refusal::already_captured : refusal::none;
}

refusal capture_refusal(const charge_record& charge, std::int64_t amount) {
  if (charge.voided) return refusal::already_voided;
  if (charge.capturable() == 0) return refusal::already_captured;
  return amount > charge.capturable() ? refusal::amount_too_large : refusal::none;
}

refusal refund_refusal(const charge_record& charge, std::int64_t amount) {
  if (charge.captured == 0) return charge.voided ? refusal::already_voided : refusal::not_captured;
  // "All that is left" of nothing is refused like any amount above what is left.
  return amount <= 0 || amount > charge.captured - charge.refunded ? refusal::amount_too_large : refusal::none;
}

}  // namespace

const operation& books::record(operation what) {
  what.gateway = gateway_;
  const operation& written = ledger_.append(what);
  apply(written);
  return written;
}

void books::apply(const operation& what) {
  if (what.replayed) return;
  if (remembered(what)) {
    if (is_charge(what.kind)) {
      keys_[what.key] = what.seq;
    } else {
      keys_[ledger_.keep(key_scope(what.key, what.kind, what.charge))] = what.seq;
    }
  }
  if (what.result == operation_result::refused) return;
  if (what.reversal) references_[what.reference].reversal = what.seq;
  if (is_charge(what.kind)) {
    const auto index = static_cast<std::uint32_t>(charges_.size());
    charge_record made{what.charge, what.at_ms, what.reference, what.key, {what.amount, what.unit.value()}};
    made.declined = what.result == operation_result::declined;
    made.reason = what.reason;
    if (!made.declined && what.kind == operation_kind::sale) {
      made.captured = what.amount;
      made.closed = true;
    }
    charges_.push_back(made);
    numbers_[what.charge] = index;
    references_[what.reference].charge = index;
    return;
  }
  charge_record* const charge = find(what.charge);
  if (!charge) return;  // the reversal of a reference that never charged
  if (what.kind == operation_kind::capture) {
    charge->captured += what.amount;
    charge->closed = what.final_capture;
  }
  if (what.kind == operation_kind::refund) charge->refunded += what.amount;
  if (what.kind == operation_kind::void_charge) charge->voided = true;
  if (what.reversal) charge->reversed = charge->closed = true;
  TURNOUT_ASSERT(charge->captured <= charge->amount.minor && charge->refunded <= charge->captured);
}

void books::clear() {
  charges_.clear();
  numbers_.clear();
  references_.clear();
  keys_.clear();
}

charge_record* books::find(std::uint64_t number) {
  const auto found = numbers_.find(number);
  return found == numbers_.end() ? nullptr : &charges_[found->second];
}

const charge_record* books::by_number(std::uint64_t number) const {
  const auto found = numbers_.find(number);
  return found == numbers_.end() ? nullptr : &charges_[found->second];
}

const charge_record* books::by_reference(std::string_view reference) const {
  const auto found = references_.find(reference);
  if (found == references_.end() || found->second.charge == no_charge) return nullptr;
  return &charges_[found->second.charge];
}

bool books::reversed(std::string_view reference) const {
  const auto found = references_.find(reference);
  return found != references_.end() && found->second.reversal != 0;
}

const operation* books::by_key(std::string_view scope, std::int64_t now_ms) const {
  const auto found = keys_.find(scope);
  if (found == keys_.end()) return nullptr;
  const operation& first = ledger_.at_seq(found->second);
  return now_ms - first.at_ms < key_life_ms ? &first : nullptr;
}

std::string books::key_scope(std::string_view key, operation_kind kind, std::uint64_t charge) {
  std::string scope(key);
  if (is_charge(kind)) return scope;
  scope += '\n';  // cannot be in a header, and is refused in a body's key
  scope += operation_names[static_cast<std::size_t>(kind)];
  scope += '\n';
  scope += std::to_string(charge);
  return scope;
}

bool books::remembered(const operation& what) const {
  if (what.key.empty() || what.reversal) return false;
  return memory_ == key_memory::all || (memory_ == key_memory::success && what.result == operation_result::approved);
}

operation books::modify(operation_kind kind, const charge_record& charge, std::optional<std::int64_t> amount,
                        std::optional<payments::currency> unit, bool final_capture) const {
  operation what;
  what.kind = kind;
  what.reference = charge.reference;
  what.charge = charge.number;
  what.unit = charge.amount.unit;
  const bool refund = kind == operation_kind::refund;
  const bool capture = kind == operation_kind::capture;
  // A void of what is released already is listed with the amount it asked for.
  const std::int64_t open = charge.capturable() == 0 ? charge.amount.minor : charge.capturable();
  what.amount = refund ? charge.captured - charge.refunded : open;
  if (refund || capture) what.amount = amount.value_or(what.amount);
  what.final_capture = !capture || final_capture;
  if (charge.declined) {
    what.why = refusal::not_approved;
  } else if (unit && *unit != charge.amount.unit) {
    what.why = refusal::currency_mismatch;
  } else if (capture) {
    what.why = capture_refusal(charge, what.amount);
  } else if (refund) {
    what.why = refund_refusal(charge, what.amount);
  } else {
    what.why = void_refusal(charge);
  }
  if (what.why != refusal::none) what.result = operation_result::refused;
  return what;
}

operation books::reverse(std::string_view reference) const {
  operation what;
  what.kind = operation_kind::void_charge;
  what.reference = reference;
  what.reversal = true;
  const auto found = references_.find(reference);
  if (found == references_.end()) return what;
  if (found->second.reversal != 0) {
    what = ledger_.at_seq(found->second.reversal);
    what.replayed = true;
    return what;
  }
  const charge_record* const charge = by_reference(reference);
  if (!charge || charge->declined) return what;
  what.charge = charge->number;
  what.unit = charge->amount.unit;
  if (charge->captured > 0) {
    what.kind = operation_kind::refund;
    what.amount = charge->captured - charge->refunded;
  } else if (!charge->voided) {
    what.amount = charge->amount.minor;
  }
  return what;
}

}  // namespace turnout::sandbox
