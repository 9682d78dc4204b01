// What may not stand is given back by the gateway's own reference where the
// gateway has no reversal by ours.
#include "flow_driver.hpp"

using namespace turnout::payments;
using namespace std::chrono_literals;
using type = payment_event_type;

namespace {

struct undo_driver : flow_driver {
  undo_driver() {
    connector_profile& made = alpha();
    made.operations = {operation::sale, operation::authorize, operation::inquire, operation::void_payment,
                       operation::refund};
    made.resolve.replay = made.resolve.reverse = made.resolve.reverse_blocks_late = false;
  }
  connector_profile& alpha() { return profiles.at("alpha"); }
  /// Lost, canceled while the payment is processing, and then the gateway shows it.
  void show(bool captured, std::string reference = "ch_1", std::int64_t amount = 1250) {
    begin();
    choose("alpha");
    reply(silence());
    REQUIRE(is_send(send_kind::inquire));
    feed(flow::cancel_requested{});
    send_result found = said(outcome::approved);
    found.gateway_reference = std::move(reference);
    found.captured = captured;
    found.amount_minor = amount;
    reply(found);
    if (is<flow::answer>()) answered();
  }
  bool undoes_by(operation wanted) const {
    return is_send(send_kind::reverse) && std::get<flow::send>(last).undo == wanted;
  }
  static send_result totals(std::int64_t captured, std::int64_t refunded, bool voided) {
    send_result made = said(outcome::unknown);
    made.captured_total = captured;
    made.refunded_total = refunded;
    made.voided = voided;
    return made;
  }
  void restart() {
    payment kept = record();
    open(std::move(kept));
    feed(flow::recovered{});
  }
  void confirmed() {
    CHECK(at(0).reversal == reversal_state::confirmed);
    CHECK(record().status == payment_status::canceled);
    if (is<flow::answer>()) answered();
    CHECK(is<flow::finish>());
  }
};

}  // namespace

TEST_CASE("an authorisation is voided by the gateway's reference", "[flow][reverse]") {
  undo_driver run;
  run.show(false);
  CHECK(run.told(type::reversal_wanted));
  REQUIRE(run.undoes_by(operation::void_payment));
  run.reply(said(outcome::approved));
  run.confirmed();
}

TEST_CASE("a captured charge is refunded by the gateway's reference", "[flow][reverse]") {
  undo_driver run;
  run.show(true);
  REQUIRE(run.undoes_by(operation::refund));
  SECTION("at once") {
    run.reply(said(outcome::approved));
    run.confirmed();
  }
  SECTION("told the whole amount") {
    send_result whole = said(outcome::approved);
    whole.amount_minor = 1250;
    whole.currency = "EUR";
    run.reply(whole);
    run.confirmed();
  }
  SECTION("a refusal is followed by the other way, and once the totals show it that is enough") {
    run.reply(said(outcome::rejected));
    run.sleep();
    REQUIRE(run.is_send(send_kind::inquire));
    run.reply(undo_driver::totals(1250, 0, false));
    REQUIRE(run.undoes_by(operation::void_payment));
    CHECK(std::get<flow::send>(run.last).undo_try == 1);
    run.reply(said(outcome::rejected));
    run.sleep();
    REQUIRE(run.is_send(send_kind::inquire));
    run.reply(undo_driver::totals(1250, 1249, false));
    REQUIRE(run.undoes_by(operation::refund));
    CHECK(std::get<flow::send>(run.last).undo_try == 2);  // under a key that nothing was refused with
    run.reply(said(outcome::soft_decline));
    run.sleep();
    REQUIRE(run.is_send(send_kind::inquire));
    run.reply(undo_driver::totals(1250, 1250, false));
    run.confirmed();
  }
  SECTION("lost: asked, and repeated until it is shown or acknowledged") {
    run.reply(silence());
    run.sleep();
    REQUIRE(run.is_send(send_kind::inquire));
    send_result other = undo_driver::totals(1250, 1250, false);
    other.gateway_reference = "ch_9";  // of another charge: that says nothing
    run.reply(other);
    REQUIRE(run.undoes_by(operation::refund));
    run.restart();
    REQUIRE(run.undoes_by(operation::refund));
    run.reply(said(outcome::approved));
    run.confirmed();
  }
  SECTION("another amount is not believed") {
    send_result less = said(outcome::approved);
    less.amount_minor = 1249;
    run.reply(less);
    CHECK(run.told(type::wrong_amount));
    CHECK(run.at(0).reversal == reversal_state::wanted);
    run.sleep();
    REQUIRE(run.is_send(send_kind::inquire));
    run.reply(undo_driver::totals(1250, 1250, false));
    run.confirmed();
  }
  SECTION("it was never reached: that is no refusal") {
    run.reply(refused_connection());
    run.sleep();
    REQUIRE(run.undoes_by(operation::refund));
  }
}

TEST_CASE("before a charge has settled it is given back as the gateway takes it", "[flow][reverse]") {
  undo_driver run;
  run.alpha().refunds.settles_after = 2h;
  SECTION("as a void, and as a refund from then on") {
    run.alpha().refunds.unsettled = unsettled_refund::void_if_full;
    run.show(true);
    REQUIRE(run.undoes_by(operation::void_payment));
    run.reply(silence());
    run.pass(2h);
    run.feed(flow::timer{});
    if (run.is<flow::answer>()) run.answered();
    REQUIRE(run.is_send(send_kind::inquire));
    run.reply(silence());
    REQUIRE(run.undoes_by(operation::refund));
    run.reply(said(outcome::approved));
    run.confirmed();
  }
  SECTION("not at all: it waits, by the wall clock") {
    run.alpha().refunds.unsettled = unsettled_refund::wait;
    run.show(true);
    for (int step = 0; step < 200 && !run.is<flow::send>(); ++step)
      run.is<flow::answer>() ? run.answered() : run.sleep();
    REQUIRE(run.undoes_by(operation::refund));
    CHECK(run.now.wall >= run.at(0).ended_at + 2h);
    CHECK(run.now.wall < run.at(0).ended_at + 2h + 1min);
    run.reply(said(outcome::approved));
    run.confirmed();
  }
  SECTION("what is only authorised does not have to settle") {
    run.alpha().refunds.unsettled = unsettled_refund::wait;
    run.show(false);
    CHECK(run.undoes_by(operation::void_payment));
  }
}

TEST_CASE("a charge for another amount is given back for what it is", "[flow][reverse]") {
  undo_driver run;
  send_result found = said(outcome::approved);
  found.gateway_reference = "ch_1";
  found.captured = true;
  run.begin();
  run.choose("alpha");
  SECTION("told") {
    found.amount_minor = 1300;
    run.reply(found);
    CHECK(run.told(type::wrong_amount));
    CHECK(run.at(0).found_amount == 1300);
    REQUIRE(run.undoes_by(operation::refund));
    send_result asked = said(outcome::approved);
    asked.amount_minor = 1250;
    run.reply(asked);  // not all of it
    CHECK(run.at(0).reversal == reversal_state::wanted);
  }
  SECTION("unreadable: only a void needs no amount") {
    found.amount_unreadable = true;
    run.reply(found);
    REQUIRE(run.undoes_by(operation::void_payment));
    run.reply(said(outcome::approved));
    CHECK(run.at(0).reversal == reversal_state::confirmed);
    CHECK(run.at(0).outcome == outcome::rejected);
  }
  SECTION("in another currency: likewise") {
    found.amount_minor = 1250;
    found.currency = "USD";
    run.reply(found);
    CHECK_FALSE(run.at(0).found_amount);
    CHECK(run.undoes_by(operation::void_payment));
  }
}

TEST_CASE("a reversal by our reference is preferred where there is one", "[flow][reverse]") {
  undo_driver run;
  run.alpha().operations.push_back(operation::reverse);
  run.show(true);
  REQUIRE(run.is_send(send_kind::reverse));
  CHECK_FALSE(std::get<flow::send>(run.last).undo);
}

TEST_CASE("what cannot be given back needs attention", "[flow][reverse]") {
  undo_driver run;
  SECTION("the gateway never told its reference") { run.show(true, ""); }
  SECTION("it has neither void nor refund") {
    run.alpha().operations = {operation::sale, operation::inquire};
    run.show(true);
  }
  SECTION("it was only authorised, and there is no void") {
    std::erase(run.alpha().operations, operation::void_payment);
    run.show(false);
    for (int step = 0; step < 50 && run.is<flow::send>(); ++step) {
      run.reply(said(outcome::rejected));
      if (run.is<flow::answer>()) run.answered();
    }
  }
  if (run.is<flow::wait>() && !run.record().answered) {
    run.pass_to_deadline();
    run.feed(flow::timer{});
  }
  if (run.is<flow::answer>()) run.answered();
  REQUIRE(run.record().attention);
  CHECK(run.record().attention->reason == "no_proof_available");
  CHECK(run.record().status == payment_status::processing);
}
