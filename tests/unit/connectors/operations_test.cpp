// Captures, refunds and voids: their amounts, their keys, and what an inquiry
// tells of them.
#include "fixture.hpp"

using namespace turnout::connectors;
using namespace turnout::connectors::testing;
using turnout::payments::modification;
using turnout::payments::modification_kind;
using turnout::payments::operation;
using turnout::payments::outcome;

namespace {

struct modified : world {
  turnout::payments::modification asked;

  modified() {
    attempt.gateway_reference = "ch_1";
    asked.id = "ref_01";
    asked.kind = modification_kind::refund;
    asked.operation = operation::refund;
    asked.amount = 300;
  }
  request_context context() const { return {payment, attempt, nullptr, &asked}; }
};

std::string body(const definition& connector, operation wanted, const modified& w) {
  return std::string(connector.build_request(wanted, w.context()).body.reveal());
}

std::string header(const wire_request& request, std::string_view wanted) {
  for (const auto& [name, content] : request.headers)
    if (name == wanted) return std::string(content.reveal());
  return {};
}

/// `small` with a refund whose body is given.
std::string with_refund(const std::string& body, const std::string& more = "") {
  return small + "  refund:\n    request: {method: POST, path: \"/{{attempt.gateway_reference}}\", body: " + body +
         "}\n    response: [{when: {status: 200}, outcome: approved}]\n" + more;
}

const std::string keyed_body =
    "idempotency: {value: \"k-{{attempt.id}}\", in: body, name: meta.key, ttl: 1h, caches: all, in_flight: wait}\n";

/// `small` with an inquiry that has these rules.
std::string with_inquiry(const std::string& rules) {
  return small + "  inquire:\n    request: {method: GET, path: \"/{{attempt.id}}\"}\n    response:\n" + rules +
         "      - {when: {status: 299}, outcome: approved}\n";
}

std::string problems_of(const std::string& text) {
  turnout::settings::problems found;
  const auto loaded = load_text(text, found);
  std::string out;
  for (const auto& each : found) out += (out.empty() ? "" : "\n") + each.to_string();
  return loaded ? "accepted" : out;
}

}  // namespace

TEST_CASE("a capture, refund or void is for its own amount, in the attempt's currency") {
  modified w;
  w.charge(1250, "JPY");
  const auto connector = load_good(with_refund(
      R"({m: "{{amount.minor}}", d: "{{amount.decimal}}", c: "{{amount.currency}}"})", "exponents: {JPY: 2}\n"));
  CHECK(body(*connector, operation::refund, w) == R"({"m":30000,"d":"300.00","c":"JPY"})");
  w.asked.amount = 1;
  CHECK(body(*connector, operation::refund, w) == R"({"m":100,"d":"1.00","c":"JPY"})");
}

TEST_CASE("variables of the operation") {
  modified w;
  const auto connector = load_good(with_refund(
      R"({id: "{{operation.id}}", of: "{{attempt.id}}", ref: "{{operation.reference}}", why: "{{operation.reason}}", final: "{{operation.final}}"})"));
  CHECK(body(*connector, operation::refund, w) == R"({"id":"ref_01","of":"att_01ABC","final":true})");
  w.asked.reference = "credit \"7\"";
  w.asked.reason = "returned";
  w.asked.final_capture = false;
  CHECK(body(*connector, operation::refund, w) ==
        R"({"id":"ref_01","of":"att_01ABC","ref":"credit \"7\"","why":"returned","final":false})");
  // Elsewhere there is only the attempt.
  CHECK(body_of(*with_body(R"({a: "{{attempt.id}}", o: "{{operation.id}}"})"), operation::sale, w) ==
        R"({"a":"att_01ABC","o":"att_01ABC"})");
}

TEST_CASE("every capture, refund and void has a key of its own") {
  modified w;
  const auto alpha = shipped("alpha"), beta = shipped("beta"), gamma = shipped("gamma");
  for (const operation wanted : {operation::capture, operation::refund, operation::void_payment}) {
    CHECK(header(alpha->build_request(wanted, w.context()), "Idempotency-Key") == "ref_01");
    CHECK_THAT(body(*beta, wanted, w), Catch::EndsWith(R"(,"requestKey":"ref_01"})"));
    // gamma has no keys, and is told the id only to repeat it.
    CHECK_THAT(body(*gamma, wanted, w), Catch::EndsWith(R"(,"operationRef":"ref_01"})"));
    CHECK(gamma->build_request(wanted, w.context()).headers.size() == 3);
  }
  w.asked.id = "ref_02";
  CHECK(header(alpha->build_request(operation::refund, w.context()), "Idempotency-Key") == "ref_02");
  // What only asks or undoes has none.
  for (const operation wanted : {operation::inquire, operation::reverse})
    CHECK(header(alpha->build_request(wanted, w.world::context(false)), "Idempotency-Key").empty());
}

TEST_CASE("a key deep in the body of a refund") {
  modified w;
  const auto connector = load_good(with_refund(R"({of: "{{attempt.id}}", meta: {a: 1}})", keyed_body));
  CHECK(body(*connector, operation::refund, w) == R"({"of":"att_01ABC","meta":{"a":1,"key":"k-ref_01"}})");
  CHECK(body_of(*connector, operation::sale, w) == R"({"ref":"att_01ABC","meta":{"key":"k-att_01ABC"}})");
  CHECK_THAT(
      problems_of(small + "  void:\n    request: {method: POST, path: /v}\n    response: [{outcome: approved}]\n" +
                  keyed_body),
      Catch::StartsWith("c.yaml:15:14: error: the idempotency key goes into the body, but this request has no"));
  // {{operation.id}} says the same.
  CHECK(
      problems_of(small + "idempotency: {value: \"{{operation.id}}\", in: header, name: K, ttl: 1h, caches: all}\n") ==
      "accepted");
}

TEST_CASE("where the operation's variables may stand") {
  const auto charge = [](const std::string& variable) {
    return problems_of(
        with(small, R"(body: {ref: "{{attempt.id}}"})", "body: {ref: \"{{attempt.id}}\", x: \"" + variable + "\"}"));
  };
  for (const char* name : {"operation.reference", "operation.reason", "operation.final"})
    CHECK(charge("{{" + std::string(name) + "}}") ==
          "c.yaml:11:72: error: '" + std::string(name) + "' is not known here: it is about a capture, refund or void");
  CHECK_THAT(problems_of(with(with_refund("{}"), "/{{attempt.gateway_reference}}", "/{{operation.reason}}")),
             Catch::StartsWith("c.yaml:15:35: error: 'operation.reason' may not stand in a path"));
  CHECK(problems_of(with(with_refund("{}"), "/{{attempt.gateway_reference}}", "/{{operation.id}}")) == "accepted");
}

TEST_CASE("an inquiry tells totals") {
  const auto d = load_good(with_inquiry(
      R"(      - {when: {status: 200}, outcome: approved, captured_total: "$.c", refunded_total: "$.r", voided: "$.v"}
      - {when: {status: 201}, outcome: approved, captured_total: "$.c", refunded_total: "$.r", amount_format: decimal}
      - {when: {status: 202}, reason: declined, voided: false}
)"));
  const auto told = [&](unsigned status, const char* body) { return answer(*d, operation::inquire, status, body); };
  const auto all = told(200, R"({"c":1250,"r":"300","v":true})");
  CHECK(all.result == outcome::approved);
  CHECK(all.captured_total == 1250);
  CHECK(all.refunded_total == 300);
  CHECK(all.voided == true);
  const auto nothing = told(200, R"({"c":0,"r":0,"v":false})");
  CHECK(nothing.captured_total == 0);
  CHECK(nothing.refunded_total == 0);
  CHECK(nothing.voided == false);
  const auto decimal = told(201, R"({"c":"12.50","r":"0.00"})");
  CHECK(decimal.captured_total == 1250);
  CHECK(decimal.refunded_total == 0);
  CHECK_FALSE(decimal.voided.has_value());
  CHECK(told(202, "{}").voided == false);
  for (const char* unreadable : {R"({"c":12.5,"r":-1,"v":"true"})", R"({"c":"1e3","r":true,"v":1})", "{}"}) {
    const auto got = told(200, unreadable);
    CHECK(got.result == outcome::approved);
    CHECK_FALSE(got.amount_unreadable);
    CHECK_FALSE(got.captured_total.has_value());
    CHECK_FALSE(got.refunded_total.has_value());
    CHECK_FALSE(got.voided.has_value());
  }
}

TEST_CASE("a rule that only tells totals says nothing about the charge") {
  const auto d =
      load_good(with_inquiry(R"(      - {when: {status: 200, "$.s": gone}, voided: true, refunded_total: "$.r"}
)"));
  const auto got = answer(*d, operation::inquire, 200, R"({"s":"gone","r":5})");
  CHECK(got.result == outcome::unknown);
  CHECK_FALSE(got.not_found);
  CHECK(got.answered);
  CHECK(got.code == "no_outcome");
  CHECK(got.voided == true);
  CHECK(got.refunded_total == 5);
}

TEST_CASE("mistakes about totals") {
  CHECK(problems_of(with_inquiry("      - {when: {status: 200}, outcome: approved, voided: maybe}\n")) ==
        "c.yaml:17:58: error: 'voided' must be true or false, not 'maybe'");
  CHECK(problems_of(with_inquiry("      - {when: {status: 200}, outcome: approved, captured_total: 5}\n")) ==
        "c.yaml:17:66: error: 'captured_total' must be a path such as $.a.b[0].c, not '5'");
  CHECK(
      problems_of(with_inquiry("      - {when: {status: 200}, captured: true}\n")) ==
      "c.yaml:17:9: error: a rule says exactly one of 'outcome' and 'reason'; of an inquiry it may say neither, when it "
      "tells captured_total, refunded_total or voided");
  CHECK(problems_of(with(small, "captured: true}", "voided: true}")) ==
        "c.yaml:13:58: error: 'voided' is only for rules of 'inquire'");
}

TEST_CASE("profile of captures and refunds") {
  using std::chrono::hours;
  using turnout::payments::unsettled_refund;
  const auto plain = load_good(small)->profile();
  CHECK_FALSE(plain.multiple_captures);
  CHECK(plain.refunds.unsettled == unsettled_refund::allowed);
  CHECK(plain.refunds.settles_after.count() == 0);
  CHECK_FALSE(plain.authorization_valid.has_value());
  const std::string operations =
      "  void:\n    request: {method: POST, path: /v}\n    response: [{outcome: approved}]\n"
      "  capture:\n    request: {method: POST, path: /p}\n    response: [{outcome: approved}]\n";
  const std::string several = with(small, "capture: [automatic]", "capture: [automatic], multiple_captures: true");
  const auto full = load_good(several + operations +
                              "refunds: {unsettled: void_if_full, settles_after: 24h}\nauthorization_valid: 7d\n")
                        ->profile();
  CHECK(full.multiple_captures);
  CHECK(full.refunds.unsettled == unsettled_refund::void_if_full);
  CHECK(full.refunds.settles_after == hours(24));
  CHECK(full.authorization_valid == hours(7 * 24));
  CHECK(problems_of(several) == "c.yaml:10:3: error: capabilities.multiple_captures needs the operation 'capture'");
  const auto added = [](const std::string& more) { return problems_of(small + more); };
  CHECK(added("refunds: {unsettled: void_if_full, settles_after: 1h}\n") ==
        "c.yaml:10:3: error: refunds.unsettled: void_if_full needs the operation 'void'");
  CHECK(
      added("refunds: {unsettled: wait}\n") ==
      "c.yaml:14:10: error: 'unsettled: wait' needs 'settles_after': how long after its capture a charge has settled");
  CHECK(added("refunds: {settles_after: 1h}\n") ==
        "c.yaml:14:26: error: 'settles_after' needs 'unsettled: wait' or 'unsettled: void_if_full'");
  CHECK(added("refunds: {unsetled: wait}\n") ==
        "c.yaml:14:11: error: unknown key 'unsetled'; did you mean 'unsettled'? allowed: unsettled, settles_after");
  CHECK(
      added("refunds: {unsettled: waits, settles_after: 1h}\n") ==
      "c.yaml:14:22: error: 'unsettled' cannot be 'waits'; did you mean 'wait'? allowed: allowed, wait, void_if_full");
  CHECK_THAT(added("authorization_valid: never\n"),
             Catch::StartsWith("c.yaml:14:22: error: 'authorization_valid' must be a duration such as"));
}
