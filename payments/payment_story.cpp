// The mirror of payment_flow's notes: each event here undoes what one there says.
#include "payments/payment_story.hpp"

#include <algorithm>

namespace turnout::payments {

namespace {

using type = payment_event_type;

std::string text(const money& value) { return to_decimal(value) + " " + std::string(value.unit.code()); }

void differ(std::vector<std::string>& found, const std::string& what, std::string_view recorded,
            std::string_view told) {
  found.push_back(what + " is " + std::string(recorded) + " in the record, and " + std::string(told) +
                  " by the events");
}

void differ_unless(bool same, std::vector<std::string>& found, const std::string& what, std::string_view recorded,
                   std::string_view told) {
  if (!same) differ(found, what, recorded, told);
}

/// No event tells when a payment passes between these two.
bool same_status(payment_status recorded, payment_status told) {
  return recorded == told || (!is_final(recorded) && !is_final(told));
}

std::int64_t sum_of_succeeded(const payment& record, modification_kind kind) {
  std::int64_t total = 0;
  for (const modification& each : record.modifications)
    if (each.kind == kind && each.status == modification_status::succeeded) total += each.amount;
  return total;
}

}  // namespace

void payment_story::add(const payment_event& event) {
  switch (event.type) {
    case type::attempt_started:
    case type::attempt_ended:
    case type::attempt_resolved:
    case type::reversal_wanted:
    case type::reversal_confirmed:
    case type::late_approval:
    case type::charge_found: return about_attempt(event);
    case type::modification_requested:
    case type::modification_sent:
    case type::modification_ended: return about_modification(event);
    case type::created:
    case type::action_expired:
    case type::answered:
    case type::cancel_requested:
    case type::recovered:
    case type::attention_raised:
    case type::attention_cleared:
    case type::finished:
    case type::resolved_by_person:
    case type::status_changed: return about_payment(event);
    // What follows from these has events of its own.
    case type::wrong_amount:
    case type::looked_again: return;
  }
}

payment_story::told_attempt* payment_story::attempt_of(const payment_event& event) {
  const auto found = std::find_if(attempts_.begin(), attempts_.end(),
                                  [&](const told_attempt& each) { return each.id == event.attempt; });
  if (found != attempts_.end()) return &*found;
  contradictions_.push_back("the event " + std::string(to_string(event.type)) + " is about " + event.attempt +
                            ", an attempt that was never started");
  return nullptr;
}

void payment_story::about_attempt(const payment_event& event) {
  if (event.type == type::attempt_started) {
    attempts_.push_back({.id = event.attempt, .connector = event.code, .result = {}, .amount = event.amount});
    return;
  }
  if (event.type == type::late_approval && !event.code.empty()) return about_twin(event);
  told_attempt* const each = attempt_of(event);
  if (each == nullptr) return;
  switch (event.type) {
    case type::attempt_ended:
      each->in_flight = false;
      each->result = event.code;
      return;
    case type::attempt_resolved:
      each->result = event.code;
      // Proven not charged: nothing is left to undo.
      if (each->reversal == reversal_state::wanted && event.code != to_string(outcome::approved))
        each->reversal = reversal_state::none;
      return;
    case type::late_approval:
      // One that was reversed before anybody saw it keeps the outcome that the reversal proved.
      if (each->reversal != reversal_state::confirmed) each->result = to_string(outcome::approved);
      return;
    case type::reversal_wanted:
      each->reversal = reversal_state::wanted;
      if (event.code == "wrong_amount") each->result = to_string(outcome::unknown);
      return;
    case type::reversal_confirmed: each->reversal = reversal_state::confirmed; return;
    default: return;
  }
}

// A second charge under an attempt's reference, which the event names in its code.
void payment_story::about_twin(const payment_event& event) {
  payment_event of = event;
  of.attempt = event.code;
  if (const told_attempt* const original = attempt_of(of))
    attempts_.push_back({.id = event.attempt,
                         .connector = original->connector,
                         .in_flight = false,
                         .result = std::string(to_string(outcome::approved)),
                         .amount = event.amount});
}

void payment_story::about_modification(const payment_event& event) {
  if (event.type == type::modification_requested) {
    modifications_.push_back({.id = event.attempt, .kind = event.code, .amount = event.amount});
    return;
  }
  const auto each = std::find_if(modifications_.begin(), modifications_.end(),
                                 [&](const told_modification& known) { return known.id == event.attempt; });
  if (each == modifications_.end()) {
    contradictions_.push_back("the event " + std::string(to_string(event.type)) + " is about " + event.attempt +
                              ", which was never requested");
    return;
  }
  if (event.type != type::modification_ended) return;
  if (event.code == to_string(modification_status::failed)) each->status = modification_status::failed;
  if (event.code != to_string(modification_status::succeeded)) return;
  each->status = modification_status::succeeded;
  if (event.amount && each->amount) each->amount = event.amount;
  modification_done(*each);
}

void payment_story::modification_done(const told_modification& each) {
  if (each.kind == to_string(modification_kind::capture)) captured_something_ = true;
  if (each.kind != to_string(modification_kind::cancellation) || captured_something_) return;
  // The authorisation is given back; after a capture only the rest of it is.
  for (told_attempt& charged : attempts_)
    if (!charged.in_flight && charged.result == to_string(outcome::approved) &&
        charged.reversal == reversal_state::none)
      charged.reversal = reversal_state::confirmed;
}

void payment_story::about_payment(const payment_event& event) {
  switch (event.type) {
    case type::created: amount_ = event.amount; [[fallthrough]];
    case type::finished:
    case type::status_changed:
      if (const auto told = parse_payment_status(event.code)) status_ = told;
      return;
    case type::answered:
    case type::recovered: answered_ = true; return;
    case type::cancel_requested: cancel_requested_ = true; return;
    case type::action_expired: action_expired_ = true; return;
    case type::attention_raised: attention_ = event.code; return;
    case type::attention_cleared: attention_.clear(); return;
    // What follows from their word has events of its own.
    case type::resolved_by_person: words_.push_back(event.attempt + " " + event.code); return;
    default: return;
  }
}

std::vector<std::string> payment_story::differences(const payment& record) const {
  std::vector<std::string> found = contradictions_;
  const auto word = [](bool value) -> std::string_view { return value ? "true" : "false"; };
  if (!status_)
    found.push_back("no event tells the status");
  else
    differ_unless(same_status(record.status, *status_), found, "status", to_string(record.status), to_string(*status_));
  differ_unless(record.answered == answered_, found, "answered", word(record.answered), word(answered_));
  differ_unless(record.cancel_requested == cancel_requested_, found, "cancel_requested", word(record.cancel_requested),
                word(cancel_requested_));
  differ_unless(record.action_expired == action_expired_, found, "action_expired", word(record.action_expired),
                word(action_expired_));
  const std::string attention = record.attention ? record.attention->reason : "";
  differ_unless(attention == attention_, found, "attention", attention.empty() ? "none" : attention,
                attention_.empty() ? "none" : attention_);
  std::vector<std::string> words;
  for (const resolution& each : record.resolutions)
    words.push_back(each.target + " " + std::string(to_string(each.as)));
  if (words != words_) found.push_back("what people said of it is not what the events say");
  compare_attempts(record, found);
  compare_modifications(record, found);
  compare_amounts(record, found);
  return found;
}

void payment_story::compare_attempts(const payment& record, std::vector<std::string>& found) const {
  if (record.attempts.size() != attempts_.size())
    return differ(found, "the number of attempts", std::to_string(record.attempts.size()),
                  std::to_string(attempts_.size()));
  for (std::size_t i = 0; i < attempts_.size(); ++i) {
    const attempt& recorded = record.attempts[i];
    const told_attempt& told = attempts_[i];
    const std::string name = "attempt " + told.id;
    if (recorded.id != told.id) {
      differ(found, "attempt number " + std::to_string(i + 1), recorded.id, told.id);
      continue;
    }
    differ_unless(recorded.connector == told.connector, found, name + ": the connector", recorded.connector,
                  told.connector);
    const std::string_view in_flight = "in flight";
    differ_unless(
        recorded.in_flight == told.in_flight && (recorded.in_flight || to_string(recorded.outcome) == told.result),
        found, name, recorded.in_flight ? in_flight : to_string(recorded.outcome),
        told.in_flight ? in_flight : told.result);
    differ_unless(recorded.reversal == told.reversal, found, name + ": the reversal", to_string(recorded.reversal),
                  to_string(told.reversal));
    if (told.amount)
      differ_unless(recorded.amount == *told.amount, found, name + ": the amount", text(recorded.amount),
                    text(*told.amount));
  }
}

void payment_story::compare_modifications(const payment& record, std::vector<std::string>& found) const {
  if (record.modifications.size() != modifications_.size())
    return differ(found, "the number of captures, refunds and cancellations",
                  std::to_string(record.modifications.size()), std::to_string(modifications_.size()));
  for (std::size_t i = 0; i < modifications_.size(); ++i) {
    const modification& recorded = record.modifications[i];
    const told_modification& told = modifications_[i];
    const std::string name(told.kind + " " + told.id);
    if (recorded.id != told.id) {
      differ(found, "modification number " + std::to_string(i + 1), recorded.id, told.id);
      continue;
    }
    differ_unless(to_string(recorded.kind) == told.kind, found, told.id, to_string(recorded.kind), told.kind);
    differ_unless(recorded.status == told.status, found, name, to_string(recorded.status), to_string(told.status));
    if (told.amount)
      differ_unless(recorded.amount == told.amount->minor, found, name + ": the amount",
                    std::to_string(recorded.amount), std::to_string(told.amount->minor));
  }
}

// What is captured and given back is the sum of what succeeded, and for a sale all of it at once.
void payment_story::compare_amounts(const payment& record, std::vector<std::string>& found) const {
  if (amount_) differ_unless(record.amount == *amount_, found, "the amount", text(record.amount), text(*amount_));
  std::int64_t captured = 0, refunded = 0, authorized = 0;
  bool told = true;
  for (const told_modification& each : modifications_) {
    if (each.status != modification_status::succeeded) continue;
    told = told && each.amount.has_value();
    const std::int64_t amount = each.amount ? each.amount->minor : 0;
    if (each.kind == to_string(modification_kind::capture)) captured += amount;
    if (each.kind == to_string(modification_kind::refund)) refunded += amount;
  }
  for (const told_attempt& each : attempts_) {
    const bool stands =
        !each.in_flight && each.result == to_string(outcome::approved) && each.reversal == reversal_state::none;
    if (!stands) continue;
    told = told && each.amount.has_value();
    authorized = each.amount ? each.amount->minor : 0;
  }
  if (!told || !status_ || !is_final(*status_)) return;
  if (*status_ == payment_status::succeeded && !captured_something_) captured = authorized;
  const auto compare = [&](const char* what, std::int64_t recorded, std::int64_t by_events) {
    differ_unless(recorded == by_events, found, what, std::to_string(recorded), std::to_string(by_events));
  };
  compare("amount_authorized", record.amount_authorized, authorized);
  compare("amount_captured", record.amount_captured, captured);
  compare("amount_refunded", record.amount_refunded, refunded);
}

std::vector<std::string> broken_rules(const payment& record) {
  std::vector<std::string> found;
  const auto number = [](std::int64_t value) { return std::to_string(value); };
  // One that is being reversed stands as well: then it is not settled yet.
  const auto kept = std::count_if(record.attempts.begin(), record.attempts.end(), [](const attempt& each) {
    return each.stands() && each.reversal == reversal_state::none;
  });
  if (kept > 1) found.push_back(number(kept) + " attempts stand at once, where at most one may");
  const bool charged = record.status == payment_status::authorized || record.status == payment_status::succeeded;
  if (charged && kept == 0)
    found.push_back("it is " + std::string(to_string(record.status)) + ", and no attempt stands");
  if ((record.status == payment_status::failed || record.status == payment_status::canceled) && kept > 0)
    found.push_back("it is " + std::string(to_string(record.status)) + ", and an attempt stands");
  const std::int64_t authorized = record.amount_authorized, captured = record.amount_captured,
                     refunded = record.amount_refunded;
  if (authorized < 0 || captured < 0 || refunded < 0) found.push_back("an amount is negative");
  if (captured > authorized)
    found.push_back("captured " + number(captured) + " is more than authorized " + number(authorized));
  if (refunded > captured)
    found.push_back("refunded " + number(refunded) + " is more than captured " + number(captured));
  if (const std::int64_t sum = sum_of_succeeded(record, modification_kind::refund); sum != refunded)
    found.push_back("refunded " + number(refunded) + " is not the sum of the refunds, " + number(sum));
  const std::int64_t captures = sum_of_succeeded(record, modification_kind::capture);
  if (captures != 0 && captures != captured && is_final(record.status) && charged)
    found.push_back("captured " + number(captured) + " is not the sum of the captures, " + number(captures));
  return found;
}

}  // namespace turnout::payments
