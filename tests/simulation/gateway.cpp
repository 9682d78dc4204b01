#include "tests/simulation/gateway.hpp"

#include <charconv>
#include <memory>
#include <utility>

namespace turnout::simulation {

namespace {

using payments::outcome;

// Declared bounds that hold: what was lost on the way is processed within
// `latest` after the proxy hung up, and seen by inquiries within `longest_lag`;
// together less than any not_found_final_after.
constexpr milliseconds latest{8000}, longest_lag{9000};

constexpr double decline_share = 0.12;

std::vector<std::string_view> words(std::string_view text) {
  std::vector<std::string_view> parts;
  while (true) {
    const std::size_t end = text.find(';');
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

std::int64_t number(std::string_view text) {
  std::int64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

}  // namespace

// ---- the wire -----------------------------------------------------------

connectors::wire_request simulated_connector::build_request(payments::operation wanted,
                                                            const connectors::request_context& context) const {
  connectors::wire_request made;
  made.method = std::string(to_string(wanted));
  const payments::modification* about = context.modification;
  made.target = context.attempt.id + ";" + (about != nullptr ? about->id : context.attempt.id) + ";" +
                std::to_string(about != nullptr ? about->amount : context.attempt.amount.minor) + ";" +
                (about == nullptr || about->final_capture ? "1" : "0");
  return made;
}

connectors::wire_reply write_reply(const reply& said) {
  connectors::wire_reply made;
  made.status = said.word == "unclear" ? 500 : 200;
  made.body = std::string(said.word) + ";" + std::to_string(said.amount) + ";" + (said.captured ? "1" : "0") + ";" +
              std::to_string(said.captured_total) + ";" + std::to_string(said.refunded_total) + ";" +
              (said.voided ? "1" : "0");
  return made;
}

payments::send_result simulated_connector::parse_response(payments::operation asked,
                                                          const connectors::wire_reply& answer,
                                                          const payments::money&) const {
  payments::send_result result;
  const auto part = words(answer.body);
  const std::string_view word = part.at(0);
  if (word == "approved") {
    result.result = outcome::approved;
    result.amount_minor = number(part.at(1));
    if (asked != payments::operation::reverse) result.captured = part.at(2) == "1";
  } else if (word == "pending") {
    result.result = outcome::pending;
  } else if (word == "declined") {
    result.result = outcome::soft_decline;
    result.reason = payments::decline_reason::do_not_honor;
  } else if (word == "rejected") {
    result.result = outcome::rejected;
  } else if (word == "not_sent") {
    result.result = outcome::not_sent;
    result.code = "not_processed";
  } else if (word == "not_found") {
    result.not_found = true;
  } else {
    result.code = "no_rule_matched";
  }
  if (asked == payments::operation::inquire && (word == "approved" || word == "found")) {
    result.captured_total = number(part.at(3));
    result.refunded_total = number(part.at(4));
    result.voided = part.at(5) == "1";
  }
  return result;
}

gateway::asked gateway::read(const connectors::wire_request& request) {
  const auto part = words(request.target);
  return {request.method, std::string(part.at(0)), std::string(part.at(1)), number(part.at(2)), part.at(3) == "1"};
}

// ---- the network --------------------------------------------------------

gateway::gateway(scheduler& time, seeded_random& random, const per_fault<double>& odds, per_fault<std::uint64_t>& count,
                 payments::connector_profile declared, gateway_habits habits)
    : time_(time), random_(random), odds_(odds), count_(count), declared_(std::move(declared)), habits_(habits) {}

bool gateway::strikes(fault which) {
  if (!random_.chance(odds_[which])) return false;
  ++count_[which];
  return true;
}

void gateway::go_down(milliseconds time) {
  down_until_ = time_.now().steady + time;
  down_stalls_ = random_.chance(0.3);
}

void gateway::receive(const connectors::wire_request& request, steady_time deadline, scheduler::life caller,
                      answer done) {
  const asked what = read(request);
  const steady_time now = time_.now().steady;
  const auto finish = [&, done](steady_time when, core::exchange came_back) {
    came_back.latency = std::chrono::duration_cast<milliseconds>(std::min(when, deadline) - now);
    time_.at(std::min(when, deadline), caller, [done, came_back = std::move(came_back)] { done(came_back); });
  };
  core::exchange failed;
  const bool down = now < down_until_;
  if ((down && !down_stalls_) || strikes(fault::refused_connection)) {
    failed.error = "connect_refused";
    return finish(now + 1ms, failed);
  }
  failed.carried = true;
  if (down || strikes(fault::stall)) {
    failed.error = "response_timeout";
    return finish(deadline, failed);
  }
  const milliseconds way = random_.between(2ms, 120ms);
  if (strikes(fault::drop_before)) {
    failed.error = "connection_lost";
    return finish(now + way, failed);
  }
  const bool asks = what.operation == "inquire";
  if ((asks && strikes(fault::inquiry_error)) || (!asks && strikes(fault::rate_limited))) {
    core::exchange refused;
    refused.carried = true;
    refused.reply = write_reply({.word = asks ? "unclear" : "not_sent"});
    return finish(now + way, refused);
  }
  const bool late = !asks && strikes(fault::late);
  const bool dropped = !late && strikes(fault::drop_after);
  const bool broken = !late && !dropped && !asks && strikes(fault::error_after);
  // Who hung up is answered into the void; the deadline ends the wait in any case.
  const auto open = std::make_shared<bool>(true);
  const std::uint64_t limit = time_.at(deadline, caller, [open, done, failed, deadline, now]() mutable {
    *open = false;
    failed.error = "response_timeout";
    failed.latency = std::chrono::duration_cast<milliseconds>(deadline - now);
    done(failed);
  });
  const auto said = [=, this](const reply& made) {
    if (late || !*open) return;
    core::exchange came_back;
    came_back.carried = true;
    came_back.latency = std::chrono::duration_cast<milliseconds>(time_.now().steady - now);
    if (dropped)
      came_back.error = "connection_lost";
    else
      came_back.reply = write_reply(broken ? reply{.word = "unclear"} : made);
    *open = false;
    time_.cancel(limit);
    time_.after(0ms, caller, [done, came_back] { done(came_back); });
  };
  const steady_time when = late ? deadline + random_.between(1ms, latest) : now + way;
  const std::optional<std::string> scope = key_scope(what);
  if (!scope) {
    time_.at(when, scheduler::world, [=, this] {
      const reply made = perform(what);
      note(what, made);
      said(made);
    });
    return;
  }
  key_record& known = keys_[*scope];
  if (known.running) {
    if (declared_.idempotency.in_flight == payments::key_in_flight::wait)
      known.waiting.push_back(said);
    else
      time_.at(when, scheduler::world, [said] { said({.word = "unclear"}); });
    return;
  }
  const milliseconds life = habits_.key_life.value_or(declared_.idempotency.ttl);
  if (known.cached && now - known.made_at < life) {
    time_.at(when, scheduler::world, [=, this, cached = *known.cached] {
      note(what, cached);
      said(cached);
    });
    return;
  }
  known.running = true;
  known.made_at = now;
  time_.at(when, scheduler::world, [=, this] { end_first(*scope, what, said); });
}

// ---- the gateway itself -------------------------------------------------

std::optional<std::string> gateway::key_scope(const asked& what) const {
  if (declared_.idempotency.caches == payments::key_caches::none) return std::nullopt;
  if (what.operation == "inquire" || what.operation == "reverse") return std::nullopt;
  if (what.operation == "sale" || what.operation == "authorize") return "charge;" + what.key;
  if (habits_.forgets_operation_keys) return std::nullopt;
  return what.operation + ";" + what.reference + ";" + what.key;
}

// The first request with a key has been processed: who waited gets the same answer.
void gateway::end_first(const std::string& scope, const asked& what, const answer_word& said) {
  const reply made = perform(what);
  note(what, made);
  key_record& known = keys_[scope];
  known.running = false;
  // "Not processed" is never remembered: the same key may be processed yet.
  const bool kept =
      declared_.idempotency.caches == payments::key_caches::all || made.word == "approved" || made.word == "pending";
  known.cached = kept && made.word != "not_sent" ? std::optional(made) : std::nullopt;
  const auto waiting = std::exchange(known.waiting, {});
  said(made);
  for (const answer_word& each : waiting) each(made);
}

reply gateway::perform(const asked& what) {
  if (what.operation == "sale" || what.operation == "authorize") return make_charge(what);
  if (what.operation == "inquire") return inquire(what);
  if (what.operation == "reverse") return reverse(what);
  return modify(what);
}

reply gateway::make_charge(const asked& what) {
  if (blocked_.contains(what.reference)) return {.word = "not_sent"};
  charge made{.reference = what.reference, .amount = what.amount};
  made.made_at = made.visible_at = time_.now().steady;
  if (strikes(fault::inquiry_lag)) made.visible_at += random_.between(1ms, longest_lag);
  if (declared_.resolve.inquire && strikes(fault::undecided)) {
    made.undecided = true;
    const std::size_t which = charges_.size();
    by_reference_[what.reference].push_back(which);
    charges_.push_back(made);
    time_.after(random_.between(1s, 10min), scheduler::world,
                [this, which, sale = what.operation == "sale"] { decide(which, sale); });
    return {.word = "pending"};
  }
  made.declined = random_.chance(decline_share);
  if (!made.declined && strikes(fault::wrong_amount)) ++made.amount;
  if (!made.declined && what.operation == "sale") made.captured = made.amount;
  by_reference_[what.reference].push_back(charges_.size());
  charges_.push_back(made);
  if (made.declined) return {.word = "declined"};
  return {.word = "approved", .amount = made.amount, .captured = made.captured > 0};
}

void gateway::decide(std::size_t which, bool sale) {
  charge& made = charges_[which];
  made.undecided = false;
  if (made.reversed) return;  // it was called off before it was decided
  made.declined = random_.chance(0.3);
  if (!made.declined && sale) made.captured = made.amount;
}

charge* gateway::standing(const std::string& reference) {
  const auto found = by_reference_.find(reference);
  if (found == by_reference_.end()) return nullptr;
  for (const std::size_t each : found->second)
    if (charges_[each].stands()) return &charges_[each];
  return nullptr;
}

void gateway::complain(const asked& what, const char* why) {
  complaints_.push_back(declared_.name + ": " + what.operation + " of " + std::to_string(what.amount) + " on " +
                        what.reference + " with " + what.key + ": " + why);
}

reply gateway::modify(const asked& what) {
  charge* about = standing(what.reference);
  const bool capture = what.operation == "capture", refund = what.operation == "refund";
  if (about == nullptr) {
    // A void that was late may find its charge reversed already.
    if (capture || refund) complain(what, "no charge stands");
    return {.word = "rejected"};
  }
  if (capture &&
      (about->captured + what.amount > about->amount || (about->captured > 0 && !declared_.multiple_captures))) {
    complain(what, "more than is authorised, or a second time");
    return {.word = "rejected"};
  }
  if (refund && about->refunded + what.amount > about->captured) {
    complain(what, "more than is captured");
    return {.word = "rejected"};
  }
  if (random_.chance(0.05)) return {.word = "rejected"};
  if (capture) about->captured += what.amount;
  if (refund) about->refunded += what.amount;
  if (!capture && !refund && about->captured == 0) about->voided = true;
  return {.word = "approved", .amount = what.amount, .captured = about->captured > 0};
}

reply gateway::inquire(const asked& what) const {
  const auto found = by_reference_.find(what.reference);
  if (found == by_reference_.end()) return {.word = "not_found"};
  const charge* shown = nullptr;
  for (const std::size_t each : found->second)
    if (shown == nullptr || !shown->stands()) shown = &charges_[each];
  if (time_.now().steady < shown->visible_at) return {.word = "not_found"};
  if (shown->undecided && !shown->reversed) return {.word = "pending"};
  if (shown->declined) return {.word = "declined"};
  reply told{.word = shown->stands() ? "approved" : "found", .amount = shown->amount};
  told.captured = shown->captured > 0;
  told.voided = shown->voided || shown->reversed;
  told.captured_total = shown->captured;
  told.refunded_total = shown->refunded;
  return told;
}

reply gateway::reverse(const asked& what) {
  if (declared_.resolve.reverse_blocks_late) blocked_.insert(what.reference);
  for (const std::size_t each : by_reference_[what.reference])
    if (charges_[each].stands() || charges_[each].undecided) charges_[each].reversed = true;
  return {.word = "approved"};
}

void gateway::note(const asked& what, const reply& said) {
  if (tell)
    tell(what.reference, declared_.name + " " + what.operation + " " + std::to_string(what.amount) + " key " +
                             what.key + " -> " + std::string(said.word));
}

}  // namespace turnout::simulation
