#include "sandbox/gateway.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "sandbox/card_check.hpp"

namespace turnout::sandbox {
namespace {

std::int64_t unix_ms(const payments::instant& now) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(now.wall.time_since_epoch()).count();
}

/// How the charge looked when the operation was done, whatever happened since.
charge_view view_of(const operation& what) {
  charge_view view;
  view.number = what.charge;
  view.reference = what.reference;
  if (what.unit) view.amount = payments::money{what.amount, *what.unit};
  view.captured = what.kind != operation_kind::authorize && what.kind != operation_kind::void_charge &&
                  what.result == operation_result::approved;
  view.declined = what.result == operation_result::declined;
  view.reason = what.reason;
  return view;
}

charge_view view_of(const charge_record& charge) {
  charge_view view;
  view.number = charge.number;
  view.reference = charge.reference;
  view.amount = charge.amount;
  view.captured = charge.captured > 0;
  view.reversed = charge.reversed || (charge.voided && charge.captured == 0);
  view.captured_total = charge.captured;
  view.refunded_total = charge.refunded;
  view.voided = charge.voided;
  view.declined = charge.declined;
  view.reason = charge.reason;
  return view;
}

}  // namespace

gateway::gateway(const gateway_traits& traits, const surroundings& around, std::uint64_t seed)
    : traits_(traits),
      around_(around),
      seed_(mix(seed, std::uint64_t{traits.index} + 1)),
      books_(traits.index, traits.memory, around.book),
      approvals_(mix(seed_, "approvals")),
      faults_(mix(seed_, "faults")),
      latencies_(mix(seed_, "latencies")),
      modification_faults_(mix(seed_, "modification faults")) {}

void gateway::receive(const net::request& message, std::string_view target, answerer to, const payments::instant& now) {
  switch (control_.outage) {
    case outage::none: break;
    case outage::refuse: return refuse(refusal::not_processed, to, now);
    case outage::stall: return stall(to, now);
    case outage::error: return refuse(refusal::internal, to, now);
  }
  if (is_challenge_page(target)) return show_challenge(message, target, to, now);
  if (!traits_.speech->has_credential(message)) return refuse(refusal::unauthorised, to, now);
  reading read = traits_.speech->read(message, target, now);
  if (const auto* wrong = std::get_if<rejection>(&read)) return answer(traits_.speech->refused(*wrong), to, now);
  call& asked = std::get<call>(read);
  if (!asked.return_url.empty()) asked.page_root = page_root(message, target);
  switch (asked.kind) {
    case call_kind::charge: return receive_charge(std::move(asked), to, now);
    case call_kind::inquire: return inquire(asked, to, now);
    case call_kind::reverse: return reverse(asked, to, now);
    case call_kind::modify: return receive_modification(asked, to, now);
  }
}

void gateway::set_control(turnout::sandbox::control changed) {
  const bool over = control_.outage == outage::stall && changed.outage != outage::stall;
  control_ = std::move(changed);
  // Refused or recovered, nobody is left waiting for an answer that never comes.
  if (!over && control_.outage != outage::refuse) return;
  for (const auto& each : std::exchange(stalled_, {})) around_.out.give(each.to, std::nullopt);
}

void gateway::reset() {
  set_control({});
  for (const auto& each : std::exchange(stalled_, {})) each.to(std::nullopt);
  running_keys_.clear();
  running_references_.clear();
  books_.clear();
  challenges_.clear();
  approvals_ = random_stream(mix(seed_, "approvals"));
  faults_ = random_stream(mix(seed_, "faults"));
  latencies_ = random_stream(mix(seed_, "latencies"));
  modification_faults_ = random_stream(mix(seed_, "modification faults"));
}

void gateway::receive_charge(call asked, const answerer& to, const payments::instant& now) {
  if (faults_.happens(control_.faults.rate_limited)) return refuse(refusal::rate_limited, to, now);
  if (faults_.happens(control_.faults.drop_before_charge)) return around_.out.give(to, std::nullopt);
  admit_charge(std::move(asked), to, now);
}

void gateway::admit_charge(call asked, const answerer& to, const payments::instant& now) {
  const std::uint64_t digest = digest_of(asked);
  if (settled_by_key(asked, digest, to, now) || settled_by_challenge(asked, digest, to, now)) return;
  if (const refusal why = reference_refusal(asked); why != refusal::none) {
    return refuse_charge(asked, digest, why, to, now);
  }
  if (control_.charge_delay_ms > 0) return start_delayed(std::move(asked), digest, to, now);
  process_charge(asked, digest, to, now);
}

bool gateway::settled_by_key(call& asked, std::uint64_t digest, const answerer& to, const payments::instant& now) {
  if (traits_.memory == key_memory::none || asked.key.empty()) return false;
  if (const operation* first = books_.by_key(asked.key, unix_ms(now))) {
    if (first->digest != digest) {
      refuse(refusal::key_mismatch, to, now);
    } else {
      replay(*first, {}, to, now);
    }
    return true;
  }
  if (running_keys_.empty()) return false;
  const auto found = running_keys_.find(asked.key);
  if (found == running_keys_.end()) return false;
  if (found->second->digest != digest) {
    refuse(refusal::key_mismatch, to, now);
  } else if (traits_.clash == key_clash::conflict) {
    refuse(refusal::key_in_flight, to, now);
  } else {
    found->second->waiting.emplace_back(std::move(asked), to);
  }
  return true;
}

refusal gateway::reference_refusal(const call& asked) const {
  if (books_.reversed(asked.reference)) return refusal::reference_reversed;
  if (!running_references_.empty() && running_references_.contains(asked.reference)) {
    return refusal::duplicate_reference;
  }
  const charge_record* const known = books_.by_reference(asked.reference);
  if (!known) return refusal::none;
  // Where only approvals are remembered, a declined request may come again with its key.
  const bool again =
      traits_.memory == key_memory::success && known->declined && !asked.key.empty() && known->key == asked.key;
  return again ? refusal::none : refusal::duplicate_reference;
}

void gateway::start_delayed(call asked, std::uint64_t digest, const answerer& to, const payments::instant& now) {
  const auto charge = std::make_shared<running_charge>();
  charge->asked = std::move(asked);
  charge->digest = digest;
  charge->to = to;
  running_references_[charge->asked.reference] = charge;
  if (traits_.memory != key_memory::none && !charge->asked.key.empty()) running_keys_[charge->asked.key] = charge;
  const auto due = now.steady + std::chrono::milliseconds(control_.charge_delay_ms);
  around_.later.add(due, [this, charge](const payments::instant& then) { finish_delayed(charge, then); });
}

void gateway::finish_delayed(const running& charge, const payments::instant& now) {
  running_references_.erase(charge->asked.reference);
  running_keys_.erase(charge->asked.key);
  // The reversal may have come first.
  if (books_.reversed(charge->asked.reference)) {
    refuse_charge(charge->asked, charge->digest, refusal::reference_reversed, charge->to, now);
  } else {
    process_charge(charge->asked, charge->digest, charge->to, now);
  }
  for (auto& [asked, to] : std::exchange(charge->waiting, {})) admit_charge(std::move(asked), to, now);
}

void gateway::decide(const call& asked, operation& what) {
  const bool approved = approvals_.uniform() < control_.approval_rate;
  what.reason = asked.forced;
  if (what.reason == payments::decline_reason::none && !approved) what.reason = drawn_decline();
  if (what.reason != payments::decline_reason::none) {
    what.result = operation_result::declined;
  } else if (faults_.happens(control_.faults.wrong_amount)) {
    what.amount += 1;
  }
}

void gateway::process_charge(const call& asked, std::uint64_t digest, const answerer& to,
                             const payments::instant& now) {
  if (asked.forced == payments::decline_reason::authentication_required && !asked.return_url.empty())
    return begin_challenge(asked, digest, to, now);
  operation what;
  what.kind = asked.operation;
  what.at_ms = unix_ms(now);
  what.reference = asked.reference;
  what.key = asked.key;
  what.digest = digest;
  what.charge = around_.book.next_charge();
  what.amount = asked.amount.value();
  what.unit = asked.unit;
  decide(asked, what);
  answer_charge(answer_for(books_.record(what)), to, now);
}

void gateway::refuse_charge(const call& asked, std::uint64_t digest, refusal why, const answerer& to,
                            const payments::instant& now) {
  operation what;
  what.kind = asked.operation;
  what.at_ms = unix_ms(now);
  what.reference = asked.reference;
  what.key = asked.key;
  what.digest = digest;
  what.amount = asked.amount.value();
  what.unit = asked.unit;
  what.result = operation_result::refused;
  what.why = why;
  answer(answer_for(books_.record(what)), to, now);
}

void gateway::inquire(const call& asked, const answerer& to, const payments::instant& now) {
  if (const charge_record* charge = books_.by_reference(asked.reference)) {
    if (unix_ms(now) - charge->at_ms < control_.inquiry_lag_ms)
      return refuse(refusal::not_found, to, now, asked.reference);
    return answer(traits_.speech->inquired(view_of(*charge)), to, now);
  }
  if (inquired_challenge(asked, to, now)) return;
  if (!books_.reversed(asked.reference)) return refuse(refusal::not_found, to, now, asked.reference);
  charge_view blocked;
  blocked.reference = asked.reference;
  blocked.reversed = true;
  answer(traits_.speech->inquired(blocked), to, now);
}

void gateway::reverse(const call& asked, const answerer& to, const payments::instant& now) {
  challenges_.remove(asked.reference);
  operation what = books_.reverse(asked.reference);
  what.at_ms = unix_ms(now);
  what.key = asked.key;
  answer(answer_for(books_.record(what)), to, now);
}

void gateway::receive_modification(const call& asked, const answerer& to, const payments::instant& now) {
  const modification_fault_rates& rates = control_.modification_faults;
  if (modification_faults_.happens(rates.rate_limited)) return refuse(refusal::rate_limited, to, now);
  if (modification_faults_.happens(rates.drop_before_apply)) return around_.out.give(to, std::nullopt);
  modify(asked, to, now);
}

void gateway::modify(const call& asked, const answerer& to, const payments::instant& now) {
  const charge_record* const charge = books_.by_number(asked.charge);
  if (!charge) return refuse(refusal::unknown_charge, to, now);
  const bool keyed = traits_.memory != key_memory::none && !asked.key.empty();
  const std::uint64_t digest = keyed ? digest_of(asked) : 0;
  if (keyed) {
    const auto scope = books::key_scope(asked.key, asked.operation, asked.charge);
    if (const operation* first = books_.by_key(scope, unix_ms(now))) {
      if (first->digest != digest) return refuse(refusal::key_mismatch, to, now);
      return replay(*first, asked.operation_reference, to, now);
    }
  }
  operation what = books_.modify(asked.operation, *charge, asked.amount, asked.unit, asked.final_capture);
  what.at_ms = unix_ms(now);
  what.key = asked.key;
  what.digest = digest;
  const operation& written = books_.record(what);
  if (written.result == operation_result::refused) return answer(answer_for(written), to, now);
  answer_modification(answer_for(written, asked.operation_reference), to, now);
}

net::response gateway::answer_for(const operation& what, std::string_view reference) const {
  const bool charge = what.kind == operation_kind::sale || what.kind == operation_kind::authorize;
  if (what.result == operation_result::refused)
    return traits_.speech->refused({what.why, {}, {}, charge ? std::string(what.reference) : std::string()});
  if (what.reversal) return traits_.speech->reversed(what.reference, what.charge);
  if (charge) return traits_.speech->charged(view_of(what));
  charge_view changed = view_of(what);
  changed.operation_reference = reference;
  return traits_.speech->modified(what.kind, changed);
}

void gateway::replay(const operation& first, std::string_view reference, const answerer& to,
                     const payments::instant& now) {
  operation again = first;
  again.replayed = true;
  again.at_ms = unix_ms(now);
  const operation& written = books_.record(again);
  const bool charge = written.kind == operation_kind::sale || written.kind == operation_kind::authorize;
  if (!charge) return answer_modification(answer_for(written, reference), to, now);
  answer_charge(answer_for(written), to, now);
}

std::uint64_t gateway::digest_of(const call& asked) const {
  if (traits_.memory == key_memory::none || asked.key.empty()) return 0;
  std::uint64_t digest = mix(around_.book.salt(), static_cast<std::uint64_t>(asked.operation));
  digest = mix(digest, asked.reference);
  digest = mix(digest, asked.charge);
  digest = mix(digest, static_cast<std::uint64_t>(asked.amount.value_or(0)));
  if (!asked.final_capture) digest = mix(digest, "final: false");
  digest = mix(digest, asked.unit ? asked.unit->code() : std::string_view());
  return mix(digest, asked.card_digest);
}

payments::decline_reason gateway::drawn_decline() {
  double total = 0;
  for (const auto& [reason, weight] : control_.declines) total += weight;
  double left = approvals_.uniform() * total;
  auto drawn = payments::decline_reason::do_not_honor;
  for (const auto& [reason, weight] : control_.declines) {
    if (weight <= 0) continue;
    drawn = reason;
    left -= weight;
    if (left < 0) break;
  }
  return drawn;
}

void gateway::refuse(refusal why, const answerer& to, const payments::instant& now, std::string_view reference) {
  answer(traits_.speech->refused({why, {}, {}, std::string(reference)}), to, now);
}

void gateway::answer_charge(net::response what, const answerer& to, const payments::instant& now) {
  if (faults_.happens(control_.faults.charge_then_drop)) return around_.out.give(to, std::nullopt);
  if (faults_.happens(control_.faults.charge_then_stall)) return stall(to, now);
  if (faults_.happens(control_.faults.error_after_charge)) return refuse(refusal::internal, to, now);
  answer(std::move(what), to, now);
}

void gateway::answer_modification(net::response what, const answerer& to, const payments::instant& now) {
  const modification_fault_rates& rates = control_.modification_faults;
  if (modification_faults_.happens(rates.apply_then_drop)) return around_.out.give(to, std::nullopt);
  if (modification_faults_.happens(rates.apply_then_stall)) return stall(to, now);
  if (modification_faults_.happens(rates.error_after_apply)) return refuse(refusal::internal, to, now);
  answer(std::move(what), to, now);
}

void gateway::answer(std::optional<net::response> what, const answerer& to, const payments::instant& now) {
  if (control_.latency_ms <= 0) return around_.out.give(to, std::move(what));
  const double wait_ms = latencies_.lognormal(control_.latency_ms, control_.latency_sigma);
  const auto wait = std::chrono::microseconds(static_cast<std::int64_t>(std::min(wait_ms, 3.6e6) * 1000.0));
  around_.later.add(now.steady + wait,
                    [this, to, ready = std::move(what)](const payments::instant&) { around_.out.give(to, ready); });
}

void gateway::stall(const answerer& to, const payments::instant& now) {
  stalled_.push_back({now.steady, to});
  if (stalled_.size() > most_stalled) release_stalled(stalled_.front().since);
  around_.later.add(now.steady + longest_stall,
                    [this](const payments::instant& then) { release_stalled(then.steady - longest_stall); });
}

void gateway::release_stalled(payments::steady_time until) {
  while (!stalled_.empty() && stalled_.front().since <= until) {
    around_.out.give(stalled_.front().to, std::nullopt);
    stalled_.pop_front();
  }
}

}  // namespace turnout::sandbox
