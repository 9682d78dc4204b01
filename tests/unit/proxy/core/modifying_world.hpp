#pragma once
// A world with one payment, and what a merchant may do with it.
#include "fake_world.hpp"

namespace turnout::core {

using behaviour = fake_transport::behaviour;
using payments::modification_kind;
using payments::modification_refusal;
using payments::modification_status;
using payments::operation;
using payments::payment_status;

constexpr auto capture = modification_kind::capture, refund = modification_kind::refund,
               cancellation = modification_kind::cancellation;
using slot = std::shared_ptr<std::optional<modify_result>>;

struct modifying_world : fake_world {
  explicit modifying_world(payments::capture_mode mode = payments::capture_mode::automatic,
                           std::function<void(payments::connector_profile&)> change = {}) {
    payments::connector_profile made = profile("alpha");
    for (const operation each : {operation::authorize, operation::capture, operation::refund, operation::void_payment})
      made.operations.push_back(each);
    made.capture_manual = made.multiple_captures = true;
    if (change) change(made);
    config->connectors = {std::make_shared<fake_gateway>(made)};
    create_command wish = command("first");
    wish.request.capture = mode;
    first = pay(std::move(wish));
  }
  std::shared_ptr<std::optional<create_result>> first;
  std::deque<behaviour>& plan() { return gateways.modification_script["alpha"]; }
  const fake_transport::charge& charge() const {
    REQUIRE(gateways.charges.size() == 1);
    return gateways.charges.begin()->second;
  }
  const payments::modification& last() const { return only().modifications.back(); }
  /// One modify that has an answer within `time`.
  modify_result now(modify_command wish, payments::milliseconds time = 1s) {
    const slot told = modify(std::move(wish));
    clock.run_for(time);
    REQUIRE(*told);
    return **told;
  }
  void settle() {
    for (int hour = 0; hour < 3; ++hour) clock.run_for(1h);
  }
  /// Ledger and journal say the same, and nothing is left to do.
  void agree() const {
    const payments::payment& record = only();
    INFO(to_string(record.status));
    CHECK_FALSE(has_pending_modification(record));
    CHECK(engine->unanswered() == 0);
    std::map<std::string, int> times;
    for (const auto& each : gateways.ledger) CHECK(++times[each.key] == 1);
    if (gateways.charges.empty()) return;
    const bool voided = times.contains(record.modifications.empty() ? "" : last().id + "-void");
    const std::int64_t kept = record.status == payment_status::canceled ? 0 : record.amount_captured;
    if (record.status == payment_status::canceled) {
      CHECK(charge().captured == charge().refunded);
      CHECK(gateways.standing.empty());
    } else {
      CHECK(charge().captured == kept);
      CHECK(charge().refunded == (voided ? 0 : record.amount_refunded));
    }
    std::int64_t captured = 0, refunded = 0;
    for (const auto& each : record.modifications) {
      const bool done = each.status == modification_status::succeeded;
      const std::string key =
          each.operation == operation::void_payment && each.kind == refund ? each.id + "-void" : each.id;
      if (each.operation != operation::reverse && record.status != payment_status::canceled)
        CHECK(done == times.contains(key));
      if (done && each.kind == capture) captured += each.amount;
      if (done && each.kind == refund) refunded += each.amount;
    }
    CHECK(refunded == record.amount_refunded);
    if (!record.attempts.empty() && record.attempts.front().operation == operation::authorize &&
        record.status != payment_status::canceled)
      CHECK(captured == record.amount_captured);
  }
};

constexpr auto manual = payments::capture_mode::manual, automatic = payments::capture_mode::automatic;

}  // namespace turnout::core
