#include "tests/simulation/shop.hpp"

#include <algorithm>
#include <utility>

namespace turnout::simulation {

namespace {

using payments::modification_kind;

constexpr milliseconds client_patience{30000};
constexpr int most_tries = 400;
constexpr int most_looks = 8;
constexpr double look_share = 0.6;  // of those who wait and have a key: they read the payment instead of asking again
constexpr double key_share = 0.8;
constexpr double forged_share = 0.02;
constexpr double stranger_share = 0.01;
constexpr double reference_share = 0.05;  // of payments that share their reference with others

std::string payment_line(const payments::payment& record) {
  std::string line = record.id + ";" + std::string(to_string(record.status)) + ";" +
                     std::to_string(record.amount_captured) + ";" + record.next_action.url;
  for (const payments::attempt& each : record.attempts) line += ";" + each.gateway_code + each.gateway_reference;
  return line;
}

core::stored_answer render_payment(const payments::payment& record) {
  return {record.status == payments::payment_status::processing ? 202u : 201u, payment_line(record)};
}

core::stored_answer render_modified(const payments::payment& record, std::string_view object) {
  for (const payments::modification& each : record.modifications) {
    if (each.id != object || each.kind == modification_kind::cancellation) continue;
    const bool pending = each.status == payments::modification_status::pending;
    return {pending ? 202u : 201u, std::string(object) + ";" + std::string(to_string(each.status)) + ";" +
                                       std::to_string(each.amount) + ";" + each.gateway_code};
  }
  if (!object.starts_with("can_")) return {};
  bool pending = !is_final(record.status);
  for (const payments::modification& each : record.modifications)
    pending = pending || (each.id == object && each.status == payments::modification_status::pending);
  return {pending ? 202u : 201u, std::string(object) + ";" + std::string(to_string(record.status)) + ";0;"};
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

bool is_pending(const std::string& word) {
  return word == "processing" || word == "requires_action" || word == "pending";
}

}  // namespace

void shop::tell(const std::string& subject, std::string line) {
  if (kept != nullptr) kept->tell(subject, "merchant", std::move(line));
}

shop::pointer shop::make() {
  auto what = std::make_shared<request>();
  what->name = "key" + std::to_string(++last_key_);
  if (world_.random.chance(key_share)) what->key = what->name;
  ++pending_;
  return what;
}

void shop::open(int payments, milliseconds within) {
  for (int each = 0; each < payments; ++each) {
    const auto what = make();
    what->amount = world_.random.between(1, 10000);
    what->manual = world_.random.chance(0.4);
    what->card = world_.cards.draw(world_.random);
    if (world_.random.chance(reference_share))
      what->reference = "order" + std::to_string(world_.random.between(1, payments / 20 + 1));
    ++asked_payments;
    world_.time.after(world_.random.between(0ms, within), scheduler::world, [this, what] { ask(what); });
  }
}

void shop::ask(const pointer& what) {
  if (what->done) return;
  if (++what->tries > most_tries) return finish(what);
  if (world_.turnout() == nullptr) return again(what, world_.random.between(200ms, 5000ms));
  const bool twice = !what->key.empty() && world_.random.chance(world_.odds[fault::lost_client]);
  if (twice) ++world_.count[fault::lost_client];
  for (int each = 0; each <= static_cast<int>(twice); ++each) what->payment.empty() ? pay(what) : modify(what);
}

// Who has waited for too long hangs up, and asks again.
shop::pointer_to_wait shop::hold_the_line(const pointer& what) {
  const auto wait = std::make_shared<waiting>();
  wait->limit = world_.time.after(client_patience, scheduler::world, [this, what, wait] {
    wait->over = true;
    again(what, world_.random.between(10ms, 3000ms));
  });
  return wait;
}

bool shop::hears(const pointer_to_wait& wait) {
  if (std::exchange(wait->over, true)) return false;
  world_.time.cancel(wait->limit);
  return true;
}

void shop::pay(const pointer& what) {
  if (kept != nullptr)
    tell(what->name, "asks to pay " + std::to_string(what->amount) + " EUR" + (what->manual ? ", manual capture" : "") +
                         (what->key.empty() ? ", without a key" : ", with " + what->key));
  core::create_command command{
      .request = {.merchant = "demo", .amount = {what->amount, *payments::currency::find("EUR")}},
      .arrival = world_.time.now(),
      .render = render_payment};
  if (what->manual) command.request.capture = payments::capture_mode::manual;
  command.request.return_url = "https://shop.invalid/";
  command.request.reference = what->reference;
  command.unique_reference = !what->reference.empty();
  payments::card::parse(what->card, 12, 2099, "123", "", command.card);
  if (!what->key.empty())
    command.claim = core::idempotency_claim{what->key, (what->forged ? "other" : "mac") + what->key, {}};
  const pointer_to_wait wait = hold_the_line(what);
  world_.turnout()->any(world_.random.next()).create(std::move(command), [this, what, wait](core::create_result got) {
    if (world_.reached != nullptr) world_.reached->created(got.status);
    if (hears(wait)) paid(what, std::move(got));
  });
}

void shop::paid(const pointer& what, core::create_result result) {
  using status = core::create_status;
  if (what->forged) {
    const bool refused = result.status == status::key_reused || result.status == status::unavailable;
    if (!refused) complaints_.push_back("3: " + what->key + " was taken for another request");
    return finish(what);
  }
  switch (result.status) {
    case status::answered:
    case status::replayed: {
      const bool current = result.answer.status == 0 && result.record;
      if (current) result.answer = render_payment(*result.record);
      if (result.answer.status == 0) return again(what, 1000ms);
      return remember(what, result.answer, result.status == status::answered);
    }
    case status::in_progress:
    case status::unavailable: return again(what, world_.random.between(500ms, 3000ms));
    case status::key_reused:
      complaints_.push_back("3: a payment was refused: " + what->key + " was used for another request");
      break;
    case status::reference_taken:
      if (what->reference.empty()) complaints_.push_back("3: a reference was taken that nobody gave");
      break;
    case status::no_candidate:
    case status::no_policy:
    case status::rate_unavailable: break;
  }
  finish(what);
}

void shop::modify(const pointer& what) {
  core::modify_command command{.payment_id = what->payment, .merchant = "demo", .wish = what->wish};
  if (what->stranger) command.merchant = "somebody else";
  if (kept != nullptr)
    tell(what->payment, "asks for a " + std::string(to_string(what->wish.kind)) + " of " +
                            (what->wish.amount ? std::to_string(*what->wish.amount) + " EUR" : "all") +
                            (what->key.empty() ? ", without a key" : ", with " + what->key));
  command.render = render_modified;
  if (!what->key.empty())
    command.claim = core::idempotency_claim{what->key, (what->forged ? "other" : "mac") + what->key, {}};
  const pointer_to_wait wait = hold_the_line(what);
  core::engine& owner = world_.turnout()->owner_of(what->payment);
  owner.modify(std::move(command), [this, what, wait](core::modify_result got) {
    if (world_.reached != nullptr) world_.reached->modified(what->wish.kind, got);
    if (hears(wait)) modified(what, std::move(got));
  });
}

void shop::modified(const pointer& what, core::modify_result result) {
  using status = core::modify_status;
  if (what->stranger || what->forged) {
    const bool refused = result.status == (what->stranger ? status::not_found : status::key_reused);
    if (!refused && result.status != status::unavailable)
      complaints_.push_back("3: " + what->payment + ": a request was served that is somebody else's, or another");
    return finish(what);
  }
  switch (result.status) {
    case status::answered:
    case status::replayed:
      if (result.answer.status == 0) {
        complaints_.push_back("2: " + what->payment + ": a key stands for something that is not there");
        break;
      }
      return remember(what, result.answer, result.status == status::answered);
    case status::in_progress:
    case status::unavailable: return again(what, world_.random.between(500ms, 3000ms));
    case status::key_reused:
      complaints_.push_back("3: " + what->payment + ": its key was used for another request");
      break;
    case status::not_found: complaints_.push_back("2: " + what->payment + ": told of, and not found"); break;
    case status::refused: tell(what->payment, "is refused: " + result.detail); break;
  }
  finish(what);
}

void shop::again(const pointer& what, milliseconds after) {
  if (what->key.empty()) return finish(what);  // who has no key must not pay twice
  world_.time.after(after, scheduler::world, [this, what] { ask(what); });
}

void shop::finish(const pointer& what) {
  if (std::exchange(what->done, true)) return;
  --pending_;
}

// A final answer is given again to the letter, however often its key comes back.
void shop::compare_with_first(const pointer& what, const core::stored_answer& answer, bool first, bool settled) {
  if (what->key.empty()) return;
  const auto known = first_answers_.find(what->key);
  if (known == first_answers_.end()) {
    if (first && settled) first_answers_.emplace(what->key, answer.body);
  } else if (known->second != answer.body) {
    complaints_.push_back("2: " + what->key + " was answered " + known->second + ", and then " + answer.body);
  }
}

void shop::remember(const pointer& what, const core::stored_answer& answer, bool first) {
  const auto part = split(answer.body);
  const bool about_payment = what->payment.empty();
  const std::string payment = about_payment ? part.at(0) : what->payment;
  const std::string& word = part.at(1);
  world_.cards.read("an answer", answer.body);
  memory_.push_back({payment, about_payment ? std::string() : part.at(0), answer.status, word, what->key});
  if (kept != nullptr) {
    if (about_payment) kept->alias(what->name, payment);
    tell(payment, "is told " + std::to_string(answer.status) + " " + answer.body);
  }
  compare_with_first(what, answer, first, answer.status == 201 && !is_pending(word));
  if (about_payment) {
    if (word == "requires_action") challenge(payment, part.at(3));
    go_on(payment, word, std::stoll(part.at(2)), what->manual);
  }
  if (!what->key.empty() && world_.random.chance(forged_share)) forge(what);
  // Who was told "pending" looks again, the sooner the less they have looked.
  if ((answer.status == 202 || word == "requires_action") && what->polls < most_looks) {
    const milliseconds pause = milliseconds(2000) * (1 << std::min(2 * what->polls++, 12));
    const bool keyed = !what->key.empty();
    if (keyed && (!about_payment || !world_.random.chance(look_share))) return again(what, pause);
    if (about_payment) {
      world_.time.after(pause, scheduler::world, [this, what, payment] { look(what, payment); });
      return;
    }
  } else if (!what->key.empty() && world_.random.chance(world_.odds[fault::repeated_client])) {
    ++world_.count[fault::repeated_client];
    return again(what, world_.random.between(milliseconds(1min), milliseconds(60min)));
  }
  finish(what);
}

void shop::look(const pointer& what, const std::string& payment) {
  const payments::payment* record = world_.journal.find(payment);
  if (record == nullptr) {
    complaints_.push_back("2: " + payment + " was told of, and cannot be read");
    return finish(what);
  }
  remember(what, render_payment(*record), false);
}

void shop::forge(const pointer& what) {
  const auto other = std::make_shared<request>(*what);
  other->forged = true;
  other->done = false;
  other->tries = 0;
  ++pending_;
  world_.time.after(world_.random.between(0ms, 5000ms), scheduler::world, [this, other] { ask(other); });
}

void shop::want(const std::string& payment, payments::modification_request wish, milliseconds after) {
  const auto what = make();
  what->payment = payment;
  what->wish = std::move(wish);
  what->stranger = world_.random.chance(stranger_share);
  ++asked_modifications;
  world_.time.after(after, scheduler::world, [this, what] { ask(what); });
}

// What a merchant does with a payment once they know of it, decided once.
void shop::go_on(const std::string& payment, const std::string& status, std::int64_t captured, bool manual) {
  seeded_random& random = world_.random;
  const auto soon = [&] { return random.between(0ms, 20000ms); };
  const bool waits = status == "processing" || status == "requires_action";
  if (waits && random.chance(0.15) && !std::exchange(went_on_[payment], true))
    return want(payment, {.kind = modification_kind::cancellation}, soon());
  if (status != "authorized" && status != "succeeded") return;
  if (std::exchange(went_on_[payment], true)) return;
  if (status == "authorized" && manual) {
    if (random.chance(0.3)) want(payment, {.kind = modification_kind::cancellation}, soon());
    const int captures = static_cast<int>(random.between(0, 2));
    for (int each = 0; each < captures; ++each) {
      payments::modification_request wish{.kind = modification_kind::capture};
      if (random.chance(0.6)) wish.amount = random.between(1, 6000);
      wish.final_capture = random.chance(0.75);
      want(payment, wish, soon());
    }
  }
  const bool refunds = manual ? random.chance(0.4) : captured > 0 && random.chance(0.35);
  const int count = refunds ? static_cast<int>(random.between(1, 3)) : 0;
  for (int each = 0; each < count; ++each) {
    payments::modification_request wish{.kind = modification_kind::refund};
    if (random.chance(0.7)) wish.amount = random.between(1, 5000);
    want(payment, wish, soon() + (manual ? 15000ms : 0ms));
  }
}

// The shopper takes the challenge and comes back, or only one of these, or neither.
void shop::challenge(const std::string& payment, const std::string& url) {
  if (std::exchange(challenged_[payment], true)) return;
  seeded_random& random = world_.random;
  const bool leaves = random.chance(world_.odds[fault::abandoned]);
  if (leaves) {
    ++world_.count[fault::abandoned];
    if (random.chance(0.7)) return;
  }
  const milliseconds thinks = random.chance(0.8) ? random.between(1s, 2min) : random.between(2min, 20min);
  if (!leaves) world_.time.after(thinks, scheduler::world, [this, url] { world_.take_challenge(url); });
  if (random.chance(0.2)) return;  // closes the window
  const int times = random.chance(0.1) ? 40 : random.chance(0.3) ? 2 : 1;
  world_.time.after(thinks + random.between(10ms, 2000ms), scheduler::world,
                    [this, payment, times] { come_back(payment, times); });
}

void shop::come_back(const std::string& payment, int times) {
  if (times == 0) return;
  proxy* up = world_.turnout();
  if (up != nullptr) {
    tell(payment, "'s shopper is back");
    up->owner_of(payment).shopper_returned(payment, [this](std::optional<payments::payment> known) {
      if (!known) return;
      if (world_.reached != nullptr) world_.reached->shopper_told(known->status);
      memory_.push_back({known->id, {}, 200, std::string(to_string(known->status)), {}});
    });
  }
  world_.time.after(world_.random.between(10ms, 500ms), scheduler::world,
                    [this, payment, times] { come_back(payment, times - 1); });
}

}  // namespace turnout::simulation
