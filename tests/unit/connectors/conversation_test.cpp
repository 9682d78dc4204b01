// The shipped definitions speak with the sandbox: what one writes the other
// reads, and an inquiry tells what a lost answer would have.
#include "fixture.hpp"
#include "tests/unit/sandbox/counter.hpp"

using namespace turnout::connectors;
using namespace turnout::connectors::testing;
using turnout::payments::modification;
using turnout::payments::operation;
using turnout::payments::outcome;
using turnout::payments::send_result;

namespace {

/// One attempt at one gateway of the sandbox.
struct conversation : world {
  explicit conversation(const std::string& gateway) : name(gateway), connector(shipped(gateway)) {
    attempt.operation = operation::authorize;
  }

  send_result carry(operation asked, const modification* what = nullptr) {
    const bool charge = asked == operation::sale || asked == operation::authorize;
    const auto request = connector->build_request(asked, {payment, attempt, charge ? &card : nullptr, what});
    turnout::net::request message;
    message.method = request.method;
    message.target = "/" + name + request.target;
    if (!request.credential.empty())
      message.target.append(message.target.find('?') == std::string::npos ? "?" : "&")
          .append(request.credential.reveal());
    message.body = request.body.reveal();
    for (const auto& [field, content] : request.headers) message.fields.emplace_back(field, content.reveal());
    const auto answer = bank.raw(std::move(message));
    REQUIRE(answer->answered);
    if (!answer->reply) return {};
    wire_reply reply{answer->reply->status, {}, answer->reply->body};
    for (const auto& [field, content] : answer->reply->fields) reply.headers.emplace_back(field, content);
    auto charged = attempt.amount;
    if (what != nullptr) charged.minor = what->amount;
    last = connector->parse_response(asked, reply, charged);
    turnout::payments::take_over(attempt.kept, last.kept);
    if (charge) attempt.gateway_reference = last.gateway_reference;
    return last;
  }

  send_result modify(operation asked, std::int64_t amount, bool final_capture = true) {
    modification what;
    what.id = "mod_" + std::to_string(++made);
    what.operation = asked;
    what.amount = amount;
    what.final_capture = final_capture;
    return carry(asked, &what);
  }

  /// "outcome captured/refunded voided", as an inquiry tells it.
  std::string told() {
    const auto got = carry(operation::inquire);
    const auto number = [](const auto& each) { return each ? std::to_string(*each) : std::string("-"); };
    return std::string(to_string(got.result)) + ' ' + number(got.captured_total) + '/' + number(got.refunded_total) +
           (got.voided ? *got.voided ? " voided" : "" : " -");
  }

  std::string name;
  std::shared_ptr<const definition> connector;
  sandbox_test::counter bank;
  send_result last;
  int made = 0;
};

}  // namespace

TEST_CASE("every shipped connector: authorised, captured, refunded") {
  for (const char* name : {"alpha", "beta", "gamma", "delta"}) {
    INFO(name);
    conversation c(name);
    CHECK(c.carry(operation::authorize).result == outcome::approved);
    CHECK(c.told() == "approved 0/0");
    CHECK(c.modify(operation::capture, 1000).result == outcome::approved);
    CHECK(c.told() == "approved 1000/0");
    CHECK(c.modify(operation::refund, 300).result == outcome::approved);
    CHECK(c.modify(operation::refund, 300).result == outcome::approved);
    CHECK(c.told() == "approved 1000/600");
    CHECK(c.modify(operation::refund, 401).result == outcome::rejected);
    CHECK(c.modify(operation::void_payment, 250).result == outcome::rejected);
    CHECK(c.told() == "approved 1000/600");
    c.attempt.gateway_reference = "none";
    CHECK(c.modify(operation::refund, 1).result == outcome::rejected);
  }
}

TEST_CASE("every shipped connector: a void whose answer was lost is proven by an inquiry") {
  for (const char* name : {"alpha", "beta", "gamma", "delta"}) {
    INFO(name);
    conversation c(name);
    c.carry(operation::authorize);
    c.bank.control(name, R"({"modification_faults":{"error_after_apply":1}})");
    CHECK(c.modify(operation::void_payment, 1250).result == outcome::unknown);
    // Of the charge it says nothing: only that it is voided.
    CHECK(c.told() == "unknown 0/0 voided");
    CHECK_FALSE(c.last.not_found);
    c.bank.control(name, R"({"modification_faults":{"error_after_apply":0,"rate_limited":1}})");
    CHECK(c.modify(operation::void_payment, 1250).result == outcome::not_sent);
  }
}

TEST_CASE("every shipped connector: a reversed reference that never charged proves no void") {
  for (const char* name : {"alpha", "beta", "gamma", "delta"}) {
    INFO(name);
    conversation c(name);
    CHECK(c.carry(operation::reverse).result == outcome::approved);
    const auto told = c.carry(operation::inquire);
    CHECK(told.result == outcome::unknown);
    CHECK_FALSE(told.not_found);
    CHECK(told.voided == false);
  }
}

TEST_CASE("alpha: several captures, then the rest is released") {
  conversation c("alpha");
  CHECK(c.connector->profile().multiple_captures);
  c.carry(operation::authorize);
  CHECK(c.modify(operation::capture, 500, false).result == outcome::approved);
  CHECK(c.modify(operation::capture, 500, false).result == outcome::approved);
  CHECK(c.told() == "approved 1000/0");
  CHECK(c.modify(operation::void_payment, 250).result == outcome::approved);
  CHECK(c.told() == "approved 1000/0 voided");
}

TEST_CASE("the same refund twice is one refund where keys are kept") {
  for (const char* name : {"alpha", "beta", "delta"}) {
    conversation c(name);
    c.attempt.operation = operation::sale;
    c.carry(operation::sale);
    modification once;
    once.id = "ref_1";
    once.operation = operation::refund;
    once.amount = 100;
    CHECK(c.carry(operation::refund, &once).result == outcome::approved);
    CHECK(c.carry(operation::refund, &once).result == outcome::approved);
    CHECK(c.told() == "approved 1250/100");
  }
}

TEST_CASE("delta: a session that was lost with its answer is given again by an inquiry") {
  conversation c("delta");
  c.bank.control("delta", R"({"faults":{"charge_then_drop":1}})");
  CHECK(c.carry(operation::authorize).result == outcome::unknown);
  c.bank.control("delta", R"({"faults":{"charge_then_drop":0}})");
  const auto found = c.carry(operation::inquire);
  CHECK(found.result == outcome::approved);
  CHECK(c.attempt.kept.size() == 2);
  c.attempt.gateway_reference = found.gateway_reference;
  CHECK(c.modify(operation::capture, 1250).result == outcome::approved);
  // Without it the id alone opens nothing.
  c.attempt.kept.clear();
  CHECK(c.modify(operation::refund, 1).result == outcome::rejected);
  CHECK(c.last.gateway_code == "unauthorized");
}

TEST_CASE("delta: declines, refusals and replays") {
  conversation c("delta");
  c.attempt.operation = operation::sale;
  c.bank.control("delta", R"({"approval_rate":0,"declines":{"insufficient_funds":1}})");
  const auto declined = c.carry(operation::sale);
  CHECK(declined.result == outcome::soft_decline);
  CHECK(declined.reason == turnout::payments::decline_reason::insufficient_funds);
  // The same key: the same answer, whatever would be decided now.
  c.bank.control("delta", R"({"approval_rate":1})");
  CHECK(c.carry(operation::sale).result == outcome::soft_decline);
  CHECK(c.carry(operation::inquire).result == outcome::soft_decline);
  c.attempt.id = "att_2";
  c.bank.control("delta", R"({"faults":{"rate_limited":1}})");
  CHECK(c.carry(operation::sale).result == outcome::not_sent);
  c.bank.control("delta", R"({"faults":{"rate_limited":0,"error_after_charge":1}})");
  CHECK(c.carry(operation::sale).result == outcome::unknown);
  CHECK(c.carry(operation::reverse).result == outcome::approved);
  c.bank.control("delta", R"({"faults":{"error_after_charge":0}})");
  c.attempt.id = "att_3";
  CHECK(c.carry(operation::inquire).not_found);
  CHECK(c.carry(operation::reverse).result == outcome::approved);
  CHECK(c.carry(operation::sale).result == outcome::not_sent);
}
