#pragma once
// Payments as they really happen: the real flow over a gateway that answers at
// random, each step committed before its action as the engine does it.
#include <string>

#include "journal_fixture.hpp"
#include "payments/modification_rules.hpp"
#include "payments/payment_flow.hpp"

namespace journal_test {

class storyteller {
 public:
  storyteller(core::journal& port, worker& owner, std::uint64_t seed) : port_(port), owner_(owner), dice_{seed} {
    alpha_.name = "alpha";
    using payments::operation;
    alpha_.operations = {operation::sale,         operation::authorize, operation::capture, operation::refund,
                         operation::void_payment, operation::inquire,   operation::reverse};
    alpha_.idempotency = {payments::key_caches::all, payments::key_in_flight::conflict, std::chrono::hours(24)};
    alpha_.resolve.replay = alpha_.resolve.inquire = alpha_.resolve.reverse = true;
    alpha_.resolve.not_found_final_after = std::chrono::seconds(30);
    alpha_.resolve.replay_for = std::chrono::minutes(10);
    alpha_.resolve.reverse_blocks_late = true;
    alpha_.multiple_captures = true;
  }

  void tell(int number) {
    payments::payment record = make_payment(payment_id(number));
    record.reference = "order-" + std::to_string(number % 7);
    record.buyer.id = one_in(2) ? "cus_" + std::to_string(number % 5) : "";
    record.capture = one_in(2) ? payments::capture_mode::manual : payments::capture_mode::automatic;
    record.created_at = record.updated_at = now_.wall;
    const payments::retry_plan plan = payments::default_retry_plan();
    payments::payment_flow flow(record, plan, now_, true, [this](std::string_view) { return &alpha_; });
    create_ = true;
    claim_.reset();
    if (!one_in(4)) claim_ = core::idempotency_claim{"key-" + std::to_string(number), std::string(64, 'm')};
    keyed_ = claim_.has_value();
    payments::flow::event next = payments::flow::start{};
    for (int step = 0; step < 80; ++step) {
      const auto action = flow.resume(next, now_, dice_);
      commit_step(flow, action);
      if (!perform(flow, action, number, step, next)) return;
    }
  }

 private:
  struct generator final : payments::random_source {
    explicit generator(std::uint64_t seed) : state(seed * 2 + 1) {}
    std::uint64_t next() override {
      state ^= state << 13, state ^= state >> 7, state ^= state << 17;
      return state;
    }
    std::uint64_t state;
  };
  bool one_in(std::uint64_t many) { return dice_.next() % many == 0; }

  void commit_step(payments::payment_flow& flow, const payments::flow::action& action) {
    std::vector<payments::payment_event> events = flow.take_events();
    for (auto& each : events) events_.push_back(std::move(each));
    if (events_.empty() || std::holds_alternative<payments::flow::choose>(action)) return;
    core::journal_write write = change(flow.record());
    write.events = std::exchange(events_, {});
    if (create_) write.decisions = {R"({"why":"only one"})"};
    write.create = std::exchange(create_, false);
    write.claim = std::exchange(claim_, std::nullopt);
    if (keyed_ && std::holds_alternative<payments::flow::answer>(action) && is_final(flow.record().status))
      write.answers.push_back({"", {201, R"({"id":")" + flow.record().id + R"("})"}});
    for (const payments::modification& each : flow.record().modifications)
      if (each.status != payments::modification_status::pending) write.answers.push_back({each.id, {201, "{}"}});
    if (commit(port_, owner_, std::move(write)).status != core::commit_status::committed)
      throw std::runtime_error("a step was not committed");
  }

  /// False: the story ends here.
  bool perform(payments::payment_flow& flow, const payments::flow::action& action, int number, int step,
               payments::flow::event& next) {
    namespace f = payments::flow;
    const auto name = [&](const char* what) {
      return what + std::string("_") + std::to_string(number) + "_" + std::to_string(step);
    };
    now_.steady += std::chrono::milliseconds(5);
    now_.wall += std::chrono::milliseconds(5);
    next = f::timer{};
    if (std::holds_alternative<f::choose>(action)) {
      const bool sale = flow.record().capture == payments::capture_mode::automatic;
      next = f::chosen{&alpha_, name("att"), sale ? payments::operation::sale : payments::operation::authorize,
                       flow.record().amount};
    } else if (std::holds_alternative<f::send>(action)) {
      if (one_in(40)) return false;  // the process ends here, for ever
      next = f::sent{any_result()};
    } else if (const auto* wait = std::get_if<f::wait>(&action)) {
      if (wait->until == payments::steady_time::max()) return false;
      const auto pause = wait->until - now_.steady;
      now_.steady += pause;
      now_.wall += std::chrono::duration_cast<payments::wall_time::duration>(pause);
    } else if (std::holds_alternative<f::finish>(action)) {
      const payments::modification_kind kinds[] = {payments::modification_kind::capture,
                                                   payments::modification_kind::refund,
                                                   payments::modification_kind::cancellation};
      auto wish = check_modification(
          flow.record(),
          {.kind = kinds[dice_.next() % 3], .amount = 1 + dice_.next() % 900, .final_capture = one_in(2)}, &alpha_,
          now_.wall);
      if (one_in(4)) return false;
      if (wish.refusal != payments::modification_refusal::none) return true;
      wish.planned.id = name(wish.planned.kind == payments::modification_kind::refund ? "ref" : "cap");
      wish.planned.cause = "merchant";
      if (one_in(2)) claim_ = core::idempotency_claim{name("key"), std::string(64, 'n'), wish.planned.id};
      next = f::modify{wish.planned};
    }
    return true;
  }

  payments::send_result any_result() {
    payments::send_result made;
    made.answered = made.carried = true;
    switch (dice_.next() % 8) {
      case 0:
        made.result = payments::outcome::soft_decline;
        made.reason = payments::decline_reason::do_not_honor;
        break;
      case 1: made.result = payments::outcome::unknown; break;
      case 2:
        made.result = payments::outcome::not_sent;
        made.carried = made.answered = false;
        break;
      case 3:
        made.result = payments::outcome::unknown;
        made.not_found = true;
        break;
      case 4:
        made.result = payments::outcome::approved;
        made.amount_minor = 7;
        break;
      default: made.result = payments::outcome::approved; break;
    }
    return made;
  }

  core::journal& port_;
  worker& owner_;
  generator dice_;
  payments::connector_profile alpha_;
  payments::instant now_{payments::steady_time(std::chrono::hours(1)), std::chrono::system_clock::now()};
  bool create_ = false, keyed_ = false;
  std::optional<core::idempotency_claim> claim_;
  std::vector<payments::payment_event> events_;
};

/// A journal of `count` payments, closed.
inline void write_journal(const std::string& path, int count, std::uint64_t seed) {
  worker owner;
  auto journal = sqlite_journal::open(path);
  auto port = journal->journal_for(owner.post());
  storyteller teller(*port, owner, seed);
  for (int number = 1; number <= count; ++number) teller.tell(number);
}

}  // namespace journal_test
