// Second looks: an attempt that was in doubt and is believed not charged is asked
// about again, and what appears is counted and reversed.
#include "flow_driver.hpp"
#include "payments/due.hpp"

using namespace turnout::payments;
using namespace std::chrono_literals;
using type = payment_event_type;

namespace {

send_result charge(std::string reference, std::int64_t amount = 1250) {
  send_result made = said(outcome::approved);
  made.gateway_reference = std::move(reference);
  made.captured = true;
  made.amount_minor = amount;
  return made;
}

send_result charge_with_totals(std::string reference, std::int64_t captured, std::int64_t refunded, bool voided) {
  send_result made = charge(std::move(reference));
  made.captured_total = captured;
  made.refunded_total = refunded;
  made.voided = voided;
  return made;
}

struct look_driver : flow_driver {
  look_driver() {
    alpha().resolve.replay = alpha().resolve.reverse_blocks_late = false;  // "not found" is the proof
    lose_charge();
  }
  connector_profile& alpha() { return profiles.at("alpha"); }
  void lose_charge() {
    begin();
    choose("alpha");
    reply(silence());
  }
  /// Every question gets this answer, until the payment is done.
  void settle(const send_result& answer) {
    for (int step = 0; step < 100 && !is<flow::finish>(); ++step) {
      if (is<flow::send>())
        reply(answer);
      else if (is<flow::answer>())
        answered();
      else
        sleep();
    }
    REQUIRE(is<flow::finish>());
  }
  /// At the time that the journal says, the payment is read back.
  void come_back() {
    const auto due = due_at(record());
    REQUIRE(due);
    if (*due > now.wall) pass(std::chrono::ceil<milliseconds>(*due - now.wall));
    payment kept = record();
    open(std::move(kept));
    feed(flow::reopened{});
  }
  void look() {
    come_back();
    REQUIRE(is_send(send_kind::inquire));
  }
  milliseconds wait_for_look() const {
    return std::chrono::duration_cast<milliseconds>(*at(0).look_again_at - now.wall);
  }
  int told_times(payment_event_type wanted) const {
    int count = 0;
    for (const payment_event& each : story) count += each.type == wanted;
    return count;
  }
};

}  // namespace

TEST_CASE("what is proven by not_found is looked at five times, over a day", "[flow][look]") {
  look_driver run;
  run.settle(not_found());
  CHECK(run.record().error->code == "not_charged");
  const milliseconds gaps[] = {1min, 9min, 50min, 5h, 18h};
  for (const milliseconds gap : gaps) {
    REQUIRE(run.at(0).look_again_at);
    CHECK(run.wait_for_look() >= gap);
    CHECK(run.wait_for_look() <= gap * 6 / 5);
    run.look();
    run.story.clear();
    run.reply(not_found());
    CHECK(run.is<flow::finish>());
    REQUIRE(run.story.size() == 1);  // durable: the next time is
    CHECK(run.story[0].type == type::looked_again);
    CHECK(run.story[0].code == "not_found");
  }
  CHECK_FALSE(run.at(0).look_again_at);
  CHECK_FALSE(due_at(run.record()));
  CHECK(run.record().status == payment_status::failed);
}

TEST_CASE("a charge that appears at a look is counted and reversed until confirmed", "[flow][look]") {
  look_driver run;
  run.settle(not_found());
  run.look();
  run.story.clear();
  run.reply(charge("ch_1"));
  CHECK(run.told(type::late_approval));
  CHECK(run.at(0).reversal == reversal_state::wanted);
  CHECK_FALSE(due_at(run.record()));  // it is open: nobody has to be reminded
  REQUIRE(run.is_send(send_kind::reverse));
  run.reply(silence());
  run.sleep();
  REQUIRE(run.is_send(send_kind::reverse));
  run.reply(said(outcome::approved));
  CHECK(run.is<flow::finish>());
  CHECK(run.at(0).reversal == reversal_state::confirmed);
  CHECK(run.record().status == payment_status::failed);  // final is final
  CHECK(run.at(0).looks == 0);                           // and it is asked anew from the start
  CHECK(run.wait_for_look() <= 72s);
  SECTION("the next looks ignore the charge that was given back") {
    for (const auto& told : {charge("ch_1"), charge_with_totals("ch_1", 1250, 1250, false),
                             charge_with_totals("ch_1", 0, 0, true), charge_with_totals("ch_2", 1250, 1250, false)}) {
      run.look();
      run.reply(told);
      CHECK(run.is<flow::finish>());
    }
    CHECK(run.told_times(type::late_approval) == 1);
  }
  SECTION("another charge under the same reference is reversed, too") {
    run.look();
    run.reply(charge("ch_2"));
    CHECK(run.told_times(type::late_approval) == 2);
    CHECK(run.at(0).gateway_reference == "ch_2");
    REQUIRE(run.is_send(send_kind::reverse));
  }
  SECTION("so is one that the totals show standing") {
    run.look();
    run.reply(charge_with_totals("ch_1", 1250, 1249, false));
    CHECK(run.told_times(type::late_approval) == 2);
    REQUIRE(run.is_send(send_kind::reverse));
  }
}

TEST_CASE("a charge that appears beside the one that stands is reversed", "[flow][look]") {
  look_driver run;
  run.plan.deadline = 60s;  // a merchant with patience
  run.lose_charge();
  for (int step = 0; step < 200 && !run.is<flow::choose>(); ++step)
    run.is<flow::send>() ? run.reply(not_found()) : run.sleep();
  run.choose("beta");
  run.reply(said(outcome::approved));
  run.answered();
  REQUIRE(run.is<flow::finish>());
  run.look();
  run.reply(charge("ch_1"));
  CHECK(run.told(type::late_approval));
  REQUIRE(run.is_send(send_kind::reverse));
  run.reply(said(outcome::approved));
  CHECK(run.record().status == payment_status::succeeded);
  CHECK(run.record().connector == "beta");
  CHECK(run.at(1).stands());
}

TEST_CASE("another amount at a look is reversed and counted as both", "[flow][look]") {
  look_driver run;
  run.settle(not_found());
  run.look();
  run.reply(charge("ch_1", 1251));
  CHECK(run.told(type::late_approval));
  CHECK(run.told(type::wrong_amount));
  REQUIRE(run.is_send(send_kind::reverse));
  run.reply(said(outcome::approved));
  CHECK(run.is<flow::finish>());
  CHECK(run.at(0).outcome == outcome::rejected);
  CHECK(run.at(0).found_amount == 1251);
}

TEST_CASE("a reversal that is said to block late charges is looked at", "[flow][look]") {
  look_driver run;
  run.alpha().resolve.not_found_final_after.reset();
  run.alpha().resolve.reverse_blocks_late = true;
  run.lose_charge();
  for (int step = 0; step < 50 && !run.is<flow::finish>(); ++step) {
    if (run.is_send(send_kind::reverse))
      run.reply(said(outcome::approved));
    else if (run.is<flow::send>())
      run.reply(not_found());
    else if (run.is<flow::choose>())
      run.feed(flow::no_candidate{});
    else
      run.is<flow::answer>() ? run.answered() : run.sleep();
  }
  REQUIRE(run.at(0).reversal == reversal_state::confirmed);
  run.look();
  SECTION("stopped as promised") {
    run.reply(charge_with_totals("ch_1", 0, 0, true));
    CHECK(run.is<flow::finish>());
    CHECK_FALSE(run.told(type::late_approval));
  }
  SECTION("it came through") {
    run.reply(charge("ch_1"));
    CHECK(run.told(type::late_approval));
    REQUIRE(run.is_send(send_kind::reverse));
    run.reply(said(outcome::approved));
    CHECK(run.is<flow::finish>());
  }
}

TEST_CASE("a decline that a replay gives is looked at: the key may have been forgotten", "[flow][look]") {
  look_driver run;
  run.alpha().resolve.replay = true;
  run.lose_charge();
  REQUIRE(run.is_send(send_kind::replay));
  SECTION("declined at once") { run.reply(said(outcome::soft_decline, decline_reason::declined)); }
  SECTION("pending first") {
    run.reply(said(outcome::pending));
    run.answered();
    REQUIRE(run.is_send(send_kind::inquire));
    run.reply(said(outcome::soft_decline, decline_reason::declined));
  }
  if (run.is<flow::answer>()) run.answered();
  REQUIRE(run.is<flow::finish>());
  run.look();
  run.reply(charge("ch_1"));
  CHECK(run.told(type::late_approval));
}

TEST_CASE("an attempt that the gateway knew and then did not is looked at", "[flow][look]") {
  look_driver run;
  run.begin();
  run.choose("alpha");
  run.reply(said(outcome::pending));
  run.settle(not_found());
  REQUIRE(run.record().status == payment_status::failed);
  run.look();
  run.reply(charge("ch_1"));
  CHECK(run.told(type::late_approval));
}

TEST_CASE("what was never in doubt is not looked at", "[flow][look]") {
  flow_driver run;
  run.begin();
  run.choose("alpha");
  SECTION("approved") { run.reply(said(outcome::approved)); }
  SECTION("declined") { run.reply(said(outcome::hard_decline, decline_reason::stolen_card)); }
  SECTION("not sent") {
    run.reply(refused_connection());
    run.feed(flow::no_candidate{});
  }
  SECTION("pending, then declined") {
    run.reply(said(outcome::pending));
    run.answered();
    run.reply(said(outcome::soft_decline, decline_reason::declined));
  }
  SECTION("in doubt, and approved") {
    run.reply(silence());
    run.reply(charge("ch_1"));
  }
  if (run.is<flow::answer>()) run.answered();
  REQUIRE(run.is<flow::finish>());
  CHECK_FALSE(run.at(0).look_again_at);
}

TEST_CASE("no look where the gateway cannot be asked", "[flow][look]") {
  look_driver run;
  run.alpha().resolve.inquire = false;
  run.alpha().resolve.reverse_blocks_late = true;
  run.lose_charge();
  REQUIRE(run.is_send(send_kind::reverse));
  run.reply(said(outcome::approved));
  CHECK_FALSE(run.at(0).look_again_at);
}

TEST_CASE("a look without an answer is repeated, and not for ever", "[flow][look]") {
  look_driver run;
  run.settle(not_found());
  run.look();
  SECTION("silence") {
    run.reply(silence());
    CHECK(run.story.back().code == "no_answer");
    CHECK(run.is<flow::finish>());
    CHECK(run.wait_for_look() == 1min);
    CHECK(run.at(0).looks == 0);
    int tries = 0;
    for (; run.at(0).look_again_at && tries < 20000; ++tries) {
      run.look();
      run.reply(silence());
    }
    CHECK_FALSE(run.at(0).look_again_at);
    CHECK(run.now.wall - run.at(0).ended_at >= 7 * 24h);
    CHECK(run.now.wall - run.at(0).ended_at < 7 * 24h + 2h);
  }
  SECTION("a decision that is still to come") {
    run.reply(said(outcome::pending));
    CHECK(run.at(0).looks == 0);
    run.look();
    run.reply(charge("ch_1"));
    CHECK(run.told(type::late_approval));
  }
  SECTION("the connector is gone, and back") {
    const connector_profile kept = run.profiles.extract("alpha").mapped();
    run.come_back();
    CHECK(run.is<flow::finish>());
    CHECK(run.wait_for_look() == 1min);
    run.profiles.emplace("alpha", kept);
    run.look();
  }
}

TEST_CASE("looks keep to the wall clock, whichever way it jumps", "[flow][look]") {
  look_driver run;
  run.settle(not_found());
  SECTION("forwards: this one comes early, the next is counted from it") {
    run.now.wall += 48h;
    run.look();
    run.reply(not_found());
    CHECK(run.wait_for_look() >= 9min);
  }
  SECTION("backwards: not before the time has come again") {
    run.now.wall -= 1h;
    payment kept = run.record();
    run.open(std::move(kept));
    run.feed(flow::reopened{});
    CHECK(run.is<flow::finish>());
    run.look();
  }
}

TEST_CASE("nobody looks while the merchant waits, nor at what is worked on", "[flow][look]") {
  look_driver run;
  run.plan.deadline = 60s;
  run.lose_charge();
  for (int step = 0; step < 200 && !run.is<flow::choose>(); ++step)
    run.is<flow::send>() ? run.reply(not_found()) : run.sleep();
  REQUIRE(run.at(0).look_again_at);
  run.now.wall += 1h;
  run.choose("beta");
  run.reply(silence());
  REQUIRE(std::get<flow::send>(run.last).attempt == 1);
  run.pass_to_deadline();
  run.reply(silence());
  REQUIRE(run.is<flow::answer>());
  run.answered();
  REQUIRE(run.is_send(send_kind::inquire));  // answered: now it may be asked
  CHECK(std::get<flow::send>(run.last).attempt == 0);
  run.reply(charge("ch_1"));
  CHECK(run.told(type::late_approval));
  CHECK(run.at(0).reversal == reversal_state::wanted);
}

TEST_CASE("a second charge under the reference of one that stands is known by the gateway's", "[flow][look]") {
  look_driver run;
  run.alpha().resolve.replay = true;
  run.alpha().resolve.gateway_reference_is_charge = true;
  run.alpha().operations.push_back(operation::refund);
  run.lose_charge();
  REQUIRE(run.is_send(send_kind::replay));
  run.reply(charge("ch_2"));
  run.answered();
  REQUIRE(run.is<flow::finish>());
  run.look();
  SECTION("it is the same one") {
    run.reply(charge("ch_2"));
    CHECK(run.is<flow::finish>());
    CHECK(run.record().attempts.size() == 1);
  }
  SECTION("it was given back already") {
    run.reply(charge_with_totals("ch_1", 1250, 1250, false));
    CHECK(run.is<flow::finish>());
    CHECK(run.record().attempts.size() == 1);
  }
  SECTION("it is another") {
    run.reply(charge("ch_1"));
    CHECK(run.told_times(type::late_approval) == 1);
    REQUIRE(run.record().attempts.size() == 2);
    CHECK(run.at(1).twin_of == run.at(0).id);
    CHECK(run.at(0).gateway_reference == "ch_2");
    CHECK(run.at(0).stands());
    REQUIRE(run.is_send(send_kind::reverse));  // as a refund: by our reference both would go
    CHECK(std::get<flow::send>(run.last).attempt == 1);
    CHECK(std::get<flow::send>(run.last).undo == operation::refund);
    run.reply(silence());
    run.sleep();
    REQUIRE(run.is_send(send_kind::reverse));  // and no inquiry: it would tell of the other
    run.reply(said(outcome::approved));
    CHECK(run.is<flow::finish>());
    CHECK(run.record().status == payment_status::succeeded);
    CHECK(run.at(1).reversal == reversal_state::confirmed);
    run.look();
    run.reply(charge("ch_1"));  // the gateway still shows it first
    CHECK(run.record().attempts.size() == 2);
    CHECK(run.told_times(type::late_approval) == 1);
  }
}

TEST_CASE("a look waits for its turn at the gateway", "[flow][look]") {
  look_driver run;
  run.settle(not_found());
  bool permitted = false;
  run.pass(2min);
  run.flow.emplace(
      payment(run.record()), run.plan, run.now, false,
      [&](std::string_view name) { return &run.profiles.find(name)->second; },
      [&](std::string_view) { return permitted; });
  run.feed(flow::reopened{});
  REQUIRE(run.is<flow::wait>());
  permitted = true;
  run.feed(flow::permitted{"alpha"});
  REQUIRE(run.is_send(send_kind::inquire));
  run.reply(not_found());
  CHECK(run.is<flow::finish>());
}
