// The life of a payment whose outcome is not known: the ladder, its proofs,
// and everything that proves nothing.
#include "flow_driver.hpp"

using namespace turnout::payments;
using namespace std::chrono_literals;

namespace {

void make_unknown(flow_driver& run, const std::string& connector = "alpha") {
  run.begin();
  run.choose(connector);
  run.reply(silence());
  REQUIRE(run.at(0).outcome == outcome::unknown);
}

}  // namespace

TEST_CASE("an unknown attempt is replayed, never failed over", "[flow][unknown]") {
  flow_driver run;
  make_unknown(run);
  REQUIRE(run.is_send(send_kind::replay));
  SECTION("approved") {
    run.reply(said(outcome::approved));
    CHECK(run.record().status == payment_status::succeeded);
  }
  SECTION("a soft decline on a same-key replay is the answer: failing over is safe") {
    run.reply(said(outcome::soft_decline, decline_reason::do_not_honor));
    CHECK(run.at(0).outcome == outcome::soft_decline);
    CHECK(run.is<flow::choose>());
  }
  SECTION("a hard decline ends it") {
    run.reply(said(outcome::hard_decline, decline_reason::lost_card));
    CHECK(run.record().status == payment_status::failed);
  }
}

TEST_CASE("what proves nothing on a replay", "[flow][unknown]") {
  flow_driver run;
  make_unknown(run);
  REQUIRE(run.is_send(send_kind::replay));
  SECTION("429, documented as not processed: true of the replay only") { run.reply(said(outcome::not_sent)); }
  SECTION("a refused connection") { run.reply(refused_connection()); }
  SECTION("duplicate") { run.reply(said(outcome::rejected)); }
  SECTION("duplicate, as a decline") { run.reply(said(outcome::soft_decline, decline_reason::duplicate)); }
  SECTION("5xx") { run.reply(said(outcome::unknown)); }
  SECTION("silence") { run.reply(silence()); }
  CHECK(run.at(0).outcome == outcome::unknown);
  CHECK_FALSE(run.is<flow::choose>());
  CHECK(run.is_send(send_kind::inquire));
}

TEST_CASE("where only approvals are kept, a replay's decline is overtaken by a first send that comes late",
          "[flow][unknown]") {
  flow_driver run;
  run.profiles.at("alpha").idempotency.caches = key_caches::success;
  make_unknown(run);
  REQUIRE(run.is_send(send_kind::replay));
  run.reply(said(outcome::soft_decline, decline_reason::do_not_honor));
  CHECK(run.at(0).outcome == outcome::unknown);
  CHECK_FALSE(run.is<flow::choose>());
  SECTION("asked when nothing can be on its way any more, it is the answer") {
    for (int asked = 0; run.at(0).unresolved(); ++asked) {
      REQUIRE(asked < 200);
      const bool replayed = run.is_send(send_kind::replay);
      if (run.is<flow::answer>())
        run.answered();
      else if (run.is<flow::wait>())
        run.sleep();
      else
        run.reply(replayed ? said(outcome::hard_decline, decline_reason::lost_card) : silence());
    }
    CHECK(run.at(0).outcome == outcome::hard_decline);
    CHECK(run.record().status == payment_status::failed);
  }
  SECTION("but a card that was declined for good is tried nowhere else") {
    run.reply(silence());
    while (!run.is_send(send_kind::replay)) run.is<flow::wait>() ? run.sleep() : run.reply(silence());
    run.reply(said(outcome::hard_decline, decline_reason::lost_card));
    while (!run.is_send(send_kind::reverse)) run.is<flow::wait>() ? run.sleep() : run.reply(not_found());
    run.reply(said(outcome::approved));
    CHECK(run.at(0).outcome == outcome::not_sent);
    CHECK_FALSE(run.is<flow::choose>());
    CHECK(run.record().status == payment_status::failed);
  }
  SECTION("an approval is one at once") {
    run.reply(silence());
    while (!run.is_send(send_kind::replay)) run.is<flow::wait>() ? run.sleep() : run.reply(silence());
    run.reply(said(outcome::approved));
    CHECK(run.record().status == payment_status::succeeded);
  }
}

TEST_CASE("a gateway without keys is never replayed", "[flow][unknown]") {
  flow_driver run;
  SECTION("no keys") { run.profiles.at("alpha").idempotency.caches = key_caches::none; }
  SECTION("only success is kept, and a running request is not noticed") {
    run.profiles.at("alpha").idempotency = {key_caches::success, key_in_flight::parallel, 24h};
  }
  SECTION("everything is kept, but a replay beside a slow original is processed too") {
    run.profiles.at("alpha").idempotency = {key_caches::all, key_in_flight::parallel, 24h};
  }
  SECTION("not declared in resolve") { run.profiles.at("alpha").resolve.replay = false; }
  make_unknown(run);
  CHECK(run.is_send(send_kind::inquire));
}

TEST_CASE("a replay stays within the key's life and replay_for", "[flow][unknown]") {
  flow_driver run;
  run.profiles.at("alpha").timeouts = {1s, 1s};
  SECTION("replay_for") { run.profiles.at("alpha").resolve.replay_for = 20s; }
  SECTION("ttl, and what may arrive late") { run.profiles.at("alpha").idempotency.ttl = 50s; }
  make_unknown(run);
  const steady_time begun = run.now.steady;
  int replays = 0;
  for (int step = 0; step < 200; ++step) {
    if (run.is<flow::answer>()) run.answered();
    if (run.is_send(send_kind::replay)) {
      ++replays;
      CHECK(run.now.steady < begun + 20s);
    }
    if (run.is<flow::wait>())
      run.sleep();
    else if (run.is<flow::send>())
      run.reply(said(outcome::unknown));
  }
  CHECK(replays > 2);
  CHECK(run.now.steady > begun + 60s);
  CHECK_FALSE(run.flow->needs_card());
}

TEST_CASE("a key's life also passes while the machine is suspended", "[flow][unknown]") {
  flow_driver run;
  make_unknown(run);
  REQUIRE(run.is_send(send_kind::replay));
  run.now.wall += 48h;  // the steady clock stood still
  run.now.steady += 1s;
  run.reply(silence());
  REQUIRE(run.is_send(send_kind::inquire));
  run.reply(silence());
  run.sleep();
  CHECK(run.is_send(send_kind::inquire));
}

TEST_CASE("not found is final only when asked late enough", "[flow][unknown]") {
  flow_driver run;
  run.profiles.at("alpha").resolve.replay = false;
  run.profiles.at("alpha").resolve.reverse = false;
  make_unknown(run);
  const steady_time closed = run.now.steady;
  bool answered = false;
  while (run.record().status == payment_status::processing) {
    if (run.is<flow::answer>()) {
      answered = true;
      run.answered();
    } else if (run.is<flow::wait>()) {
      run.sleep();
    } else {
      REQUIRE(run.is_send(send_kind::inquire));
      run.reply(not_found());
      CHECK_FALSE(run.is<flow::choose>());
    }
  }
  CHECK(answered);
  CHECK(run.now.steady >= closed + 30s);
  CHECK(run.now.steady <= closed + 31s);  // and it does not sleep past that moment
  CHECK(run.record().error->code == "not_charged");
  CHECK(run.at(0).code == "not_found");
}

TEST_CASE("not found that was begun early stays early however late it answers", "[flow][unknown]") {
  flow_driver run;
  run.profiles.at("alpha").resolve.replay = false;
  run.profiles.at("alpha").resolve.reverse = false;
  make_unknown(run);
  REQUIRE(run.is_send(send_kind::inquire));
  run.pass(60s);
  run.reply(not_found());
  CHECK(run.at(0).outcome == outcome::unknown);
}

TEST_CASE("each replay that was carried puts off the moment from which not found counts", "[flow][unknown]") {
  flow_driver run;
  run.profiles.at("alpha").resolve.reverse = false;
  run.profiles.at("alpha").resolve.not_found_final_after = 2s;
  run.plan.deadline = 60s;
  make_unknown(run);
  run.pass(3s);
  run.reply(silence());  // the replay's connection closes now
  REQUIRE(run.is_send(send_kind::inquire));
  run.reply(not_found());
  CHECK(run.at(0).outcome == outcome::unknown);
  SECTION("a replay that never left does not") {
    run.sleep();
    REQUIRE(run.is_send(send_kind::replay));
    run.pass(3s);
    run.reply(refused_connection());
    REQUIRE(run.is_send(send_kind::inquire));
    run.reply(not_found());
    CHECK(run.at(0).outcome == outcome::not_sent);
    CHECK(run.is<flow::choose>());  // proven within the deadline: failing over is safe
  }
}

TEST_CASE("a decline seen by inquiry counts only when not found would", "[flow][unknown]") {
  flow_driver run;
  run.profiles.at("alpha").resolve.replay = false;
  run.profiles.at("alpha").resolve.not_found_final_after = 2s;
  run.plan.deadline = 60s;
  make_unknown(run);
  run.reply(said(outcome::soft_decline, decline_reason::do_not_honor));
  CHECK(run.at(0).outcome == outcome::unknown);
  run.pass(3s);
  while (run.is<flow::wait>()) run.feed(flow::timer{});
  REQUIRE(run.is_send(send_kind::inquire));
  run.reply(said(outcome::soft_decline, decline_reason::do_not_honor));
  CHECK(run.at(0).outcome == outcome::soft_decline);
  CHECK(run.is<flow::choose>());
}

TEST_CASE("a reversal by reference is a proof only where it blocks late arrivals", "[flow][unknown]") {
  flow_driver run;
  run.profiles.at("alpha").resolve.replay = false;
  run.profiles.at("alpha").resolve.inquire = false;
  SECTION("it does") {
    make_unknown(run);
    REQUIRE(run.is_send(send_kind::reverse));
    CHECK(run.at(0).reversal == reversal_state::wanted);  // durable before it is sent
    run.reply(said(outcome::approved));
    CHECK(run.at(0).outcome == outcome::not_sent);
    CHECK(run.at(0).code == "reversed");
    CHECK(run.is<flow::choose>());
  }
  SECTION("it does not: nothing is even tried, the payment needs attention") {
    run.profiles.at("alpha").resolve.reverse_blocks_late = false;
    make_unknown(run);
    run.pass_to_deadline();
    run.feed(flow::timer{});
    run.answered();
    CHECK(run.waits_for_ever());
    REQUIRE(run.record().attention);
    CHECK(run.record().attention->reason == "no_proof_available");
    CHECK(run.record().status == payment_status::processing);
  }
}

TEST_CASE("once a reversal may have been sent the attempt is only reversed", "[flow][unknown]") {
  flow_driver run;
  run.profiles.at("alpha").resolve.replay = false;
  make_unknown(run);
  run.reply(not_found());
  run.sleep();
  run.reply(not_found());  // reachable, second round: reverse to be able to fail over
  REQUIRE(run.is_send(send_kind::reverse));
  run.reply(silence());
  for (int step = 0; step < 20; ++step) {
    if (run.is<flow::answer>())
      run.answered();
    else if (run.is<flow::wait>())
      run.sleep();
    else {
      CHECK(run.is_send(send_kind::reverse));
      run.reply(silence());
    }
  }
}

TEST_CASE("at the deadline the merchant is told processing, and nobody else is ever tried", "[flow][unknown]") {
  flow_driver run;
  make_unknown(run);
  run.pass_to_deadline();
  run.reply(silence());
  REQUIRE(run.is<flow::answer>());
  CHECK(run.record().status == payment_status::processing);
  CHECK(run.record().answered);
  run.answered();
  REQUIRE(run.is_send(send_kind::replay));
  SECTION("proven not charged becomes failed") {
    run.reply(said(outcome::soft_decline, decline_reason::do_not_honor));
    CHECK(run.record().status == payment_status::failed);
    CHECK(run.record().error->code == "not_charged");
    CHECK(run.is<flow::finish>());
  }
  SECTION("approved stands") {
    run.reply(said(outcome::approved));
    CHECK(run.record().status == payment_status::succeeded);
    CHECK(run.is<flow::finish>());
  }
  SECTION("after a cancel whatever appears is voided") {
    run.feed(flow::cancel_requested{});
    run.reply(said(outcome::approved));
    REQUIRE(run.is_send(send_kind::reverse));
    run.reply(said(outcome::approved));
    CHECK(run.record().status == payment_status::canceled);
  }
}

TEST_CASE("an approval after expire_after is reversed", "[flow][unknown]") {
  flow_driver run;
  run.plan.expire_after = 60s;
  run.open([] {
    payment record = flow_driver::fresh_record();
    record.created_at = flow_driver().now.wall;
    return record;
  }());
  run.feed(flow::start{});
  run.choose("alpha");
  run.pass_to_deadline();
  run.reply(silence());
  run.answered();
  run.pass(2min);
  run.reply(said(outcome::approved));
  REQUIRE(run.is_send(send_kind::reverse));
  CHECK(run.at(0).reversal_reason == "expired");
  run.reply(said(outcome::approved));
  CHECK(run.record().status == payment_status::failed);
}

TEST_CASE("after a crash there is no card: inquire, never replay, never another gateway", "[flow][crash]") {
  flow_driver run;
  run.card = false;
  payment record = flow_driver::fresh_record();
  attempt lost{.id = "att_1", .connector = "alpha", .amount = record.amount};
  record.attempts.push_back(lost);
  run.open(record);
  run.feed(flow::recovered{});
  CHECK(run.at(0).outcome == outcome::unknown);
  REQUIRE(run.is_send(send_kind::inquire));
  SECTION("approved stands, and the story says that it was found") {
    run.reply(said(outcome::approved));
    CHECK(run.record().status == payment_status::succeeded);
    CHECK(run.told(payment_event_type::attempt_resolved));
  }
  SECTION("proven not charged is interrupted") {
    run.pass(31s);
    run.reply(not_found());
    while (run.record().status == payment_status::processing) {
      if (run.is<flow::wait>()) run.sleep();
      REQUIRE(run.is_send(send_kind::inquire));
      run.reply(not_found());
    }
    CHECK(run.record().status == payment_status::failed);
    CHECK(run.record().error->code == "interrupted");
  }
}

TEST_CASE("a crash between two attempts ends the payment", "[flow][crash]") {
  flow_driver run;
  payment record = flow_driver::fresh_record();
  attempt declined{.id = "att_1", .connector = "alpha", .amount = record.amount};
  declined.in_flight = false;
  declined.outcome = outcome::soft_decline;
  declined.reason = decline_reason::do_not_honor;
  record.attempts.push_back(declined);
  run.open(record);
  run.feed(flow::recovered{});
  CHECK(run.record().status == payment_status::failed);
  CHECK(run.record().error->code == "interrupted");
  CHECK(run.is<flow::finish>());
}

TEST_CASE("a crash while reversing goes on reversing, also of a final payment", "[flow][crash]") {
  flow_driver run;
  payment record = flow_driver::fresh_record();
  record.status = payment_status::failed;
  attempt late{.id = "att_1", .connector = "alpha", .amount = record.amount};
  late.in_flight = false;
  late.outcome = outcome::approved;
  late.seen_approved = true;
  late.reversal = reversal_state::wanted;
  record.attempts.push_back(late);
  run.open(record);
  run.feed(flow::recovered{});
  REQUIRE(run.is_send(send_kind::reverse));
  run.reply(said(outcome::approved));
  CHECK(run.at(0).reversal == reversal_state::confirmed);
  CHECK(run.is<flow::finish>());
  CHECK(run.record().status == payment_status::failed);
}

TEST_CASE("an approval of a payment already final, or beside another, is reversed until confirmed", "[flow][late]") {
  flow_driver run;
  run.begin();
  run.choose("alpha");
  run.reply(refused_connection());
  run.choose("beta");
  run.reply(said(outcome::approved));
  run.answered();
  REQUIRE(run.is<flow::finish>());
  run.feed(flow::gateway_said{"att_1", said(outcome::approved)});
  CHECK(run.told(payment_event_type::late_approval));
  REQUIRE(run.is_send(send_kind::reverse));
  CHECK(std::get<flow::send>(run.last).attempt == 0);
  run.reply(silence());
  run.sleep();
  REQUIRE(run.is_send(send_kind::reverse));
  run.reply(said(outcome::approved));
  CHECK(run.is<flow::finish>());
  CHECK(run.at(0).reversal == reversal_state::confirmed);
  CHECK(run.at(1).reversal == reversal_state::none);
  CHECK(run.record().status == payment_status::succeeded);
  SECTION("told twice changes nothing") {
    run.feed(flow::gateway_said{"att_1", said(outcome::approved)});
    CHECK(run.is<flow::finish>());
    run.feed(flow::gateway_said{"att_2", said(outcome::approved)});
    CHECK(run.is<flow::finish>());
    CHECK(run.at(1).reversal == reversal_state::none);
  }
}

TEST_CASE("a late approval while another charge is under way is reversed, the other one stands", "[flow][late]") {
  flow_driver run;
  run.begin();
  run.choose("alpha");
  run.reply(refused_connection());
  run.choose("beta");
  run.feed(flow::gateway_said{"att_1", said(outcome::approved)});
  CHECK(run.busy);
  run.reply(said(outcome::approved));
  CHECK(run.record().status == payment_status::succeeded);
  CHECK(run.record().connector == "beta");
  run.answered();
  REQUIRE(run.is_send(send_kind::reverse));
  CHECK(std::get<flow::send>(run.last).attempt == 0);
}

TEST_CASE("a late approval blocks the next attempt until it is reversed", "[flow][late]") {
  flow_driver run;
  run.begin();
  run.choose("alpha");
  run.reply(refused_connection());
  run.choose("beta");
  run.feed(flow::gateway_said{"att_1", said(outcome::approved)});
  run.reply(refused_connection());
  REQUIRE(run.is_send(send_kind::reverse));
  run.reply(said(outcome::approved));
  CHECK(run.is<flow::choose>());
}

TEST_CASE("a charge that appears after its acknowledged reversal is a broken promise", "[flow][late]") {
  flow_driver run;
  run.profiles.at("alpha").resolve.replay = run.profiles.at("alpha").resolve.inquire = false;
  make_unknown(run);
  REQUIRE(run.is_send(send_kind::reverse));
  run.reply(said(outcome::approved));
  run.choose("beta");
  run.reply(said(outcome::approved));
  run.answered();
  run.feed(flow::gateway_said{"att_1", said(outcome::approved)});
  CHECK(run.told(payment_event_type::late_approval));
  REQUIRE(run.is_send(send_kind::reverse));
  run.reply(said(outcome::approved));
  CHECK(run.is<flow::finish>());
  CHECK(run.record().connector == "beta");
}

TEST_CASE("attention ends with its cause, and that is written down", "[flow]") {
  flow_driver run;
  make_unknown(run);
  run.pass_to_deadline();
  run.reply(silence());
  run.answered();
  run.pass(2h);
  run.reply(silence());
  REQUIRE(run.record().attention);
  CHECK(run.record().attention->reason == "unresolved_for_long");
  while (!run.is_send(send_kind::inquire)) run.is<flow::wait>() ? run.sleep() : run.reply(silence());
  run.reply(said(outcome::approved));
  CHECK_FALSE(run.record().attention);
  CHECK(run.told(payment_event_type::attention_cleared));
}

TEST_CASE("news that overtakes a replay under way", "[flow][late]") {
  flow_driver run;
  make_unknown(run);
  REQUIRE(run.is_send(send_kind::replay));
  run.feed(flow::gateway_said{"att_1", said(outcome::approved)});
  SECTION("agrees") { run.reply(said(outcome::approved)); }
  SECTION("is silent") { run.reply(silence()); }
  SECTION("contradicts") { run.reply(said(outcome::soft_decline, decline_reason::do_not_honor)); }
  CHECK(run.record().status == payment_status::succeeded);
  CHECK(run.record().connector == "alpha");
}

TEST_CASE("a recovered gateway wakes what waits for it", "[flow]") {
  flow_driver run;
  make_unknown(run);
  run.pass_to_deadline();
  run.reply(refused_connection());
  run.answered();
  while (!run.is<flow::wait>()) run.reply(refused_connection());
  CHECK(run.flow->waits_for("alpha"));
  CHECK_FALSE(run.flow->waits_for("beta"));
  run.feed(flow::gateway_recovered{"alpha"});
  CHECK(run.is_send(send_kind::replay));
}

TEST_CASE("a connector that is no longer configured needs attention", "[flow]") {
  flow_driver run;
  payment record = flow_driver::fresh_record();
  record.attempts.push_back(attempt{.id = "att_1", .connector = "gone", .amount = record.amount});
  run.open(record);
  run.feed(flow::recovered{});
  CHECK(run.waits_for_ever());
  REQUIRE(run.record().attention);
  CHECK(run.record().status == payment_status::processing);
}

// Whatever is thrown at the flow, the rules that keep money safe hold.
TEST_CASE("random histories never break the rules", "[flow][property]") {
  const std::uint64_t seed = 20261120;
  CAPTURE(seed);
  counting_random dice;
  for (std::uint64_t i = 0; i < seed % 97; ++i) dice.next();
  for (int history = 0; history < 3000; ++history) {
    flow_driver run;
    for (auto& [name, profile] : run.profiles) {
      profile.resolve.replay = dice.uniform() < 0.7;
      profile.resolve.inquire = dice.uniform() < 0.7;
      profile.resolve.reverse_blocks_late = dice.uniform() < 0.7;
      if (dice.uniform() < 0.3) profile.resolve.not_found_final_after.reset();
      profile.idempotency.caches = static_cast<key_caches>(dice.next() % 3);
    }
    run.begin();
    bool answered = false;
    for (int step = 0; step < 60 && !run.is<flow::finish>() && !run.waits_for_ever(); ++step) {
      int standing = 0;
      for (const attempt& each : run.record().attempts)
        standing += each.stands() && each.reversal == reversal_state::none;
      REQUIRE(standing <= 1);
      if (dice.uniform() < 0.02)
        run.feed(flow::cancel_requested{});
      else if (dice.uniform() < 0.02 && !run.record().attempts.empty())
        run.feed(flow::gateway_said{run.at(0).id, said(outcome::approved)});
      else if (run.is<flow::answer>()) {
        answered = true;
        run.answered();
      } else if (run.is<flow::choose>()) {
        REQUIRE_FALSE(answered);
        for (const attempt& each : run.record().attempts) REQUIRE_FALSE((each.unresolved() || each.stands()));
        const char* names[] = {"alpha", "beta", "gamma"};
        const std::size_t turn = run.record().attempts.size();
        run.feed(flow::chosen{&run.profiles.at(names[turn % 3]), "att_" + std::to_string(turn + 1), operation::sale,
                              run.record().amount});
      } else if (run.is<flow::wait>())
        run.sleep();
      else {
        run.pass(milliseconds(dice.next() % 3000));
        const auto kind = std::get<flow::send>(run.last).kind;
        const double roll = dice.uniform();
        if (roll < 0.2)
          run.reply(silence());
        else if (roll < 0.3)
          run.reply(refused_connection());
        else if (roll < 0.4)
          run.reply(said(outcome::approved));
        else if (roll < 0.5)
          run.reply(said(outcome::rejected));
        else if (roll < 0.6 && kind == send_kind::inquire)
          run.reply(not_found());
        else if (roll < 0.7)
          run.reply(said(outcome::soft_decline, decline_reason::do_not_honor));
        else if (roll < 0.75)
          run.reply(said(outcome::pending));
        else
          run.reply(said(outcome::unknown));
      }
    }
  }
}
