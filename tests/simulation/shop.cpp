#include "tests/simulation/shop.hpp"

#include <memory>
#include <utility>

namespace turnout::simulation {

namespace {

using payments::modification_kind;

constexpr milliseconds client_patience{30000};
constexpr int most_tries = 400;

std::string payment_line(const payments::payment& record) {
  return record.id + ";" + std::string(to_string(record.status)) + ";" + std::to_string(record.amount_captured);
}

core::stored_answer render_payment(const payments::payment& record) {
  return {record.status == payments::payment_status::processing ? 202u : 201u, payment_line(record)};
}

core::stored_answer render_modified(const payments::payment& record, std::string_view object) {
  for (const payments::modification& each : record.modifications) {
    if (each.id != object || each.kind == modification_kind::cancellation) continue;
    const bool pending = each.status == payments::modification_status::pending;
    return {pending ? 202u : 201u,
            std::string(object) + ";" + std::string(to_string(each.status)) + ";" + std::to_string(each.amount)};
  }
  if (!object.starts_with("can_")) return {};
  bool pending = !is_final(record.status);
  for (const payments::modification& each : record.modifications)
    pending = pending || (each.id == object && each.status == payments::modification_status::pending);
  return {pending ? 202u : 201u, std::string(object) + ";" + std::string(to_string(record.status)) + ";0"};
}

std::vector<std::string> split(const std::string& line) {
  std::vector<std::string> parts;
  std::size_t from = 0;
  while (true) {
    const std::size_t end = line.find(';', from);
    parts.push_back(line.substr(from, end - from));
    if (end == std::string::npos) return parts;
    from = end + 1;
  }
}

}  // namespace

void shop::open(int payments, milliseconds within) {
  for (int each = 0; each < payments; ++each) {
    const auto what = std::make_shared<request>();
    what->amount = random_.between(1, 10000);
    what->manual = random_.chance(0.4);
    if (random_.chance(0.8)) what->key = "key" + std::to_string(++last_key_);
    ++pending_;
    ++asked_payments;
    time_.after(random_.between(0ms, within), scheduler::world, [this, what] { ask(what); });
  }
}

void shop::ask(const pointer& what) {
  if (what->done) return;
  if (++what->tries > most_tries) return finish(what);
  if (engine_() == nullptr) return again(what, random_.between(200ms, 5000ms));
  const bool twice = !what->key.empty() && random_.chance(odds_[fault::lost_client]);
  if (twice) ++count_[fault::lost_client];
  for (int each = 0; each <= static_cast<int>(twice); ++each) what->payment.empty() ? pay(what) : modify(what);
}

void shop::pay(const pointer& what) {
  core::create_command command{
      .request = {.merchant = "demo", .amount = {what->amount, *payments::currency::find("EUR")}},
      .arrival = time_.now(),
      .render = render_payment};
  if (what->manual) command.request.capture = payments::capture_mode::manual;
  payments::card::parse("4242424242424242", 12, 2099, "123", "", command.card);
  if (!what->key.empty()) command.claim = core::idempotency_claim{what->key, "mac" + what->key, {}};
  const auto answered = std::make_shared<bool>(false);
  time_.after(client_patience, scheduler::world, [this, what, answered] {
    if (!std::exchange(*answered, true)) again(what, random_.between(10ms, 3000ms));
  });
  engine_()->create(std::move(command), [this, what, answered](core::create_result result) {
    if (!std::exchange(*answered, true)) paid(what, std::move(result));
  });
}

void shop::paid(const pointer& what, core::create_result result) {
  using status = core::create_status;
  switch (result.status) {
    case status::answered:
    case status::replayed:
      if (result.answer.status == 0 && result.record) result.answer = render_payment(*result.record);
      if (result.answer.status == 0) return again(what, 1000ms);
      return remember(what, result.answer);
    case status::in_progress:
    case status::unavailable: return again(what, random_.between(500ms, 3000ms));
    case status::key_reused:
    case status::reference_taken:
      complaints_.push_back("a payment was refused: its key was used for another request");
      break;
    case status::no_candidate:
    case status::no_policy:
    case status::rate_unavailable: break;
  }
  finish(what);
}

void shop::modify(const pointer& what) {
  core::modify_command command{.payment_id = what->payment, .merchant = "demo", .wish = what->wish};
  command.render = render_modified;
  if (!what->key.empty()) command.claim = core::idempotency_claim{what->key, "mac" + what->key, {}};
  const auto answered = std::make_shared<bool>(false);
  time_.after(client_patience, scheduler::world, [this, what, answered] {
    if (!std::exchange(*answered, true)) again(what, random_.between(10ms, 3000ms));
  });
  engine_()->modify(std::move(command), [this, what, answered](core::modify_result result) {
    if (!std::exchange(*answered, true)) modified(what, std::move(result));
  });
}

void shop::modified(const pointer& what, core::modify_result result) {
  using status = core::modify_status;
  switch (result.status) {
    case status::answered:
    case status::replayed:
      if (result.answer.status == 0) {
        complaints_.push_back(what->payment + ": a key stands for something that is not there");
        break;
      }
      return remember(what, result.answer);
    case status::in_progress:
    case status::unavailable: return again(what, random_.between(500ms, 3000ms));
    case status::key_reused: complaints_.push_back(what->payment + ": its key was used for another request"); break;
    case status::not_found: complaints_.push_back(what->payment + ": told of, and not found"); break;
    case status::refused: break;
  }
  finish(what);
}

void shop::again(const pointer& what, milliseconds after) {
  if (what->key.empty()) return finish(what);  // who has no key must not pay twice
  time_.after(after, scheduler::world, [this, what] { ask(what); });
}

void shop::finish(const pointer& what) {
  if (std::exchange(what->done, true)) return;
  --pending_;
}

void shop::remember(const pointer& what, const core::stored_answer& answer) {
  const auto part = split(answer.body);
  const bool about_payment = what->payment.empty();
  const std::string payment = about_payment ? part.at(0) : what->payment;
  memory_.push_back({payment, about_payment ? std::string() : part.at(0), answer.status, part.at(1), what->key});
  if (tell) tell(payment, "was told " + std::to_string(answer.status) + " " + answer.body);
  if (about_payment) go_on(payment, part.at(1), std::stoll(part.at(2)), what->manual);
  // Who was told "pending" looks again, the sooner the less they have looked.
  if (answer.status == 202 && !what->key.empty() && what->polls < 40)
    return again(what, milliseconds(1000) * (1 << std::min(what->polls++, 12)));
  finish(what);
}

void shop::want(const std::string& payment, payments::modification_request wish, milliseconds after) {
  const auto what = std::make_shared<request>();
  what->payment = payment;
  what->wish = std::move(wish);
  if (random_.chance(0.8)) what->key = "key" + std::to_string(++last_key_);
  ++pending_;
  ++asked_modifications;
  time_.after(after, scheduler::world, [this, what] { ask(what); });
}

// What a merchant does with a payment once they know of it, decided once.
void shop::go_on(const std::string& payment, const std::string& status, std::int64_t captured, bool manual) {
  const auto soon = [&] { return random_.between(0ms, 20000ms); };
  if (status == "processing" && random_.chance(0.15) && !std::exchange(went_on_[payment], true))
    return want(payment, {.kind = modification_kind::cancellation}, soon());
  if (status != "authorized" && status != "succeeded") return;
  if (std::exchange(went_on_[payment], true)) return;
  if (status == "authorized" && manual) {
    if (random_.chance(0.3)) want(payment, {.kind = modification_kind::cancellation}, soon());
    const int captures = static_cast<int>(random_.between(0, 3));
    for (int each = 0; each < captures; ++each) {
      payments::modification_request wish{.kind = modification_kind::capture};
      if (random_.chance(0.6)) wish.amount = random_.between(1, 6000);
      wish.final_capture = random_.chance(0.6);
      want(payment, wish, soon());
    }
  }
  const bool refunds = manual ? random_.chance(0.5) : captured > 0 && random_.chance(0.4);
  const int count = refunds ? static_cast<int>(random_.between(1, 4)) : 0;
  for (int each = 0; each < count; ++each) {
    payments::modification_request wish{.kind = modification_kind::refund};
    if (random_.chance(0.7)) wish.amount = random_.between(1, 5000);
    want(payment, wish, soon() + (manual ? 15000ms : 0ms));
  }
}

}  // namespace turnout::simulation
