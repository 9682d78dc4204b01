// Captures, refunds and cancellations: taken on one after the other in the
// order they come, each durable before anything is sent for it, and told when
// its end is durable or the merchant has waited long enough.
#include <algorithm>
#include <exception>
#include <utility>

#include "payments/assertion.hpp"
#include "payments/identifier.hpp"
#include "proxy/core/payment_run.hpp"

namespace turnout::core {

namespace flow = payments::flow;
using payments::modification_kind;
using payments::modification_status;

namespace {

// How long a merchant waits for the end of what they asked for, before they are told "pending".
constexpr payments::milliseconds patience{8000};

std::string_view prefix_of(modification_kind kind) noexcept {
  switch (kind) {
    case modification_kind::capture: return "cap";
    case modification_kind::refund: return "ref";
    case modification_kind::cancellation: return "can";
  }
  return "";
}

/// A cancellation of a payment that was not final has no record of its own: it ends with the payment.
bool is_settled(const payments::payment& record, std::string_view object) {
  for (const payments::modification& each : record.modifications)
    if (each.id == object) return each.status != modification_status::pending;
  return is_final(record.status);
}

}  // namespace

void payment_run::modify(modify_command command, std::function<void(modify_result)> done) {
  ++home_.unanswered;
  inbox_.push_back(modify_request{std::move(command), std::move(done)});
}

// nullopt: the key is free. Asked again in the transaction that takes it.
std::optional<modify_result> payment_run::answer_key(const modify_command& command) {
  if (!command.claim) return std::nullopt;
  try {
    auto existing = home_.world.journal.find_key(command.merchant, command.livemode, command.claim->key);
    if (!existing) return std::nullopt;
    if (existing->mac != command.claim->mac) return modify_result{.status = modify_status::key_reused};
    if (existing->answer) return modify_result{modify_status::replayed, std::move(*existing->answer)};
    const auto waits = [&](const waiter& each) { return each.object == existing->object; };
    if (std::any_of(waiters_.begin(), waiters_.end(), waits))
      return modify_result{.status = modify_status::in_progress};
    const auto record = home_.world.journal.find_payment(existing->payment_id);
    if (record) return modify_result{modify_status::replayed, command.render(*record, existing->object)};
  } catch (const std::exception&) {
    // Nothing is known of the key: then nothing may be promised either.
  }
  return modify_result{.status = modify_status::unavailable};
}

void payment_run::take_on(modify_request asked) {
  modify_command& command = asked.command;
  const payments::payment& record = flow_.record();
  const instant at = now();
  const auto refuse = [&](modify_result result) {
    --home_.unanswered;
    asked.done(std::move(result));
  };
  if (auto known = answer_key(command)) return refuse(std::move(*known));
  std::string object = payments::make_identifier(prefix_of(command.wish.kind), at.wall, home_.world.random);
  std::optional<flow::event> event = flow::cancel_requested{};
  const bool cancels = command.wish.kind == modification_kind::cancellation;
  if (cancels && record.status == payments::payment_status::canceled) {
    if (!command.claim) return refuse({modify_status::answered, command.render(record, object)});
    event.reset();  // nothing is left to do; the key has to be kept all the same
  } else if (!cancels || is_final(record.status)) {
    const auto standing = standing_attempt(record);
    const connectors::definition* peer = standing ? gateway(record.attempts[*standing].connector) : nullptr;
    payments::modification_check made =
        check_modification(record, command.wish, peer != nullptr ? &peer->profile() : nullptr, at.wall);
    if (made.refusal != payments::modification_refusal::none)
      return refuse({modify_status::refused, {}, made.refusal, std::move(made.detail)});
    made.planned.id = object;
    made.planned.cause = "merchant";
    event = flow::modify{std::move(made.planned)};
  }
  before_ = snapshot{flow_, uncommitted_, decisions_};
  claim_ = std::move(command.claim);
  if (claim_) claim_->object = object;
  waiters_.push_back({object, claim_.has_value(), std::move(command.render), std::move(asked.done)});
  const auto self = shared_from_this();
  waiters_.back().timer = home_.world.clock.call_at(at.steady + patience, [self, object] {
    for (waiter& each : self->waiters_)
      if (each.object == object) each.overdue = true;
    if (!self->committing_) self->tell_overdue();
  });
  perform(event ? decide(*event) : flow::action(flow::none{}));
  // Nothing had to be written: then nothing can be taken back, least of all a later step.
  if (!committing_) before_.reset();
}

// Before the commit: what is settled by then is told, and kept with its key.
void payment_run::render_settled(journal_write& write) {
  for (waiter& each : waiters_) {
    if (each.rendered || !is_settled(flow_.record(), each.object)) continue;
    each.rendered = each.render(flow_.record(), each.object);
    if (each.has_key) write.answers.push_back({each.object, *each.rendered});
  }
}

// After the commit.
void payment_run::tell_settled() {
  for (auto next = waiters_.begin(); next != waiters_.end();) {
    const auto each = next++;
    if (each->rendered) tell(each, {modify_status::answered, std::move(*each->rendered)});
  }
  tell_overdue();
}

// The durable state is told, which the record may be ahead of.
void payment_run::tell_overdue() {
  for (auto next = waiters_.begin(); next != waiters_.end();) {
    const auto each = next++;
    if (!each->overdue) continue;
    const auto durable = known_durable();
    // If it cannot be read, it is journaled all the same: a retry with the same key will find it.
    if (durable)
      tell(each, {modify_status::answered, each->render(*durable, each->object)});
    else
      tell(each, {.status = modify_status::unavailable});
  }
}

void payment_run::tell(std::list<waiter>::iterator who, modify_result result) {
  home_.world.clock.cancel(who->timer);
  --home_.unanswered;
  const auto done = std::move(who->done);
  waiters_.erase(who);
  done(std::move(result));
}

// While the journal takes no outcome it would not take them either.
void payment_run::refuse_waiting() {
  std::vector<modify_request> refused;
  std::vector<resolve_request> unheard;
  std::erase_if(inbox_, [&](auto& each) {
    auto* asked = std::get_if<resolve_request>(&each);
    if (asked != nullptr) unheard.push_back(std::move(*asked));
    return asked != nullptr;
  });
  for (resolve_request& each : unheard) each.done({resolve_status::unavailable, "the journal takes no writes now", {}});
  std::erase_if(inbox_, [&](auto& each) {
    auto* asked = std::get_if<modify_request>(&each);
    if (asked != nullptr) refused.push_back(std::move(*asked));
    return asked != nullptr;
  });
  for (modify_request& each : refused) {
    --home_.unanswered;
    each.done({.status = modify_status::unavailable});
  }
}

// Nothing was written: as if the latest request had never come.
void payment_run::take_back(modify_result why) {
  TURNOUT_ASSERT(before_ && (resolver_ || !waiters_.empty()));
  flow_ = std::move(before_->flow);
  uncommitted_ = std::move(before_->uncommitted);
  decisions_ = std::move(before_->decisions);
  before_.reset();
  for (waiter& each : waiters_) each.rendered.reset();
  committing_ = false;
  if (resolver_)
    tell_resolver({resolve_status::unavailable, "the journal takes no writes now", {}});
  else
    tell(std::prev(waiters_.end()), std::move(why));
  pump();
}

void payment_run::modification_sent(const flow::send& what, exchange came_back) {
  const payments::payment& record = flow_.record();
  const payments::attempt& attempt = record.attempts[what.attempt];
  const payments::modification& about = record.modifications[*what.modification];
  const payments::operation operation = operation_of(what);
  const bool modifies = what.kind == payments::send_kind::modify;
  const payments::money amount = modifies ? payments::money{about.amount, attempt.amount.unit} : attempt.amount;
  payments::send_result result = read(attempt, operation, amount, sent_reference(what), std::move(came_back));
  home_.watcher.on_modification_send(attempt, operation, result);
  const std::string connector = attempt.connector;
  feed(flow::sent{result});
  home_.note_health(connector, result, now());
}

}  // namespace turnout::core
