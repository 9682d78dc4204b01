// Captures, refunds and cancel over the API: what reaches the engine, and what
// its results look like.
#include "house.hpp"
#include "proxy/api/modification_body.hpp"
#include "proxy/api/render.hpp"

using namespace turnout::api::test;
using namespace turnout;
using api::only_header;
using core::modify_status;
using payments::modification_kind;
using payments::modification_refusal;
using payments::modification_status;

namespace {

struct desk : house {
  desk() {
    keep("pay_1", "demo", false);
    records.payments.at("pay_1").card = {.bin = "424242", .last4 = "4242"};
    keep("pay_live", "demo", true);
    next_modified = {modify_status::answered, {201, R"({"id":"ref_1"})"}};
  }
  answer post(const std::string& end, std::string body = {}, net::headers more = {}, const std::string& who = "demo") {
    if (!body.empty()) more.emplace_back("Content-Type", "application/json");
    return ask("POST", "/v1/payments/pay_1" + end, as(who, std::move(more)), std::move(body));
  }
};

payments::payment modified_payment() {
  payments::payment record{.id = "pay_1", .merchant = "demo", .amount = {1250, *payments::currency::find("KWD")}};
  record.connector = "alpha";
  payments::modification capture{.id = "cap_1", .amount = 700, .final_capture = false};
  capture.status = modification_status::succeeded;
  capture.reference = "parcel \"1\"";
  capture.gateway_reference = "g_1";
  capture.created_at = capture.updated_at = noon();
  payments::modification refund{.id = "ref_1", .kind = modification_kind::refund, .amount = 5};
  refund.created_at = refund.updated_at = noon();
  payments::modification failed = refund;
  failed.id = "ref_2";
  failed.status = modification_status::failed;
  failed.code = "refused";
  failed.gateway_code = "E17";
  record.modifications = {capture, refund, failed};
  return record;
}

}  // namespace

TEST_CASE("a capture, a refund and a cancel reach the engine", "[modification]") {
  desk at;
  CHECK(at.post("/captures", R"({"amount": 400, "final": false, "reference": "parcel", "reason": "sent"})").status ==
        201);
  CHECK(at.post("/refunds", R"({"amount": 1, "reason": "broken"})").status == 201);
  CHECK(at.post("/cancel", R"({"reason": "sold out"})").status == 201);
  CHECK(at.post("/refunds").status == 201);
  REQUIRE(at.modifications.size() == 4);
  const auto& [capture, refund, cancel, all] =
      std::tie(at.modifications[0], at.modifications[1], at.modifications[2], at.modifications[3]);
  CHECK(capture.wish.kind == modification_kind::capture);
  CHECK(capture.wish.amount == 400);
  CHECK_FALSE(capture.wish.final_capture);
  CHECK(capture.wish.reference == "parcel");
  CHECK(capture.wish.reason == "sent");
  CHECK(capture.payment_id == "pay_1");
  CHECK(capture.merchant == "demo");
  CHECK_FALSE(capture.livemode);
  CHECK_FALSE(capture.claim);
  CHECK(refund.wish.kind == modification_kind::refund);
  CHECK(refund.wish.amount == 1);
  CHECK(refund.wish.final_capture);
  CHECK(cancel.wish.kind == modification_kind::cancellation);
  CHECK(cancel.wish.reason == "sold out");
  CHECK_FALSE(all.wish.amount);
  CHECK(at.reports.back() == "POST /v1/payments/{id}/refunds 201");
}

TEST_CASE("each result of a modification has its answer", "[modification]") {
  desk at;
  at.next_modified = {modify_status::answered, {202, R"({"id":"ref_1"})"}};
  answer got = at.post("/refunds");
  CHECK(got.status == 202);
  CHECK(got.text == R"({"id":"ref_1"})");
  CHECK(got.header("Idempotency-Replayed").empty());
  at.next_modified = {modify_status::replayed, {201, R"({"id":"ref_1"})"}};
  got = at.post("/refunds");
  CHECK(got.status == 201);
  CHECK(got.header("Idempotency-Replayed") == "true");

  const auto told = [&](core::modify_result result, unsigned status, const char* code) {
    at.next_modified = std::move(result);
    const answer made = at.post("/refunds");
    CHECK(made.status == status);
    CHECK(made.code() == code);
    return made;
  };
  CHECK(told({modify_status::in_progress}, 409, "idempotency_in_progress").header("Retry-After") == "1");
  CHECK(told({modify_status::key_reused}, 422, "idempotency_key_reused").first_field() == "Idempotency-Key");
  told({modify_status::not_found}, 404, "not_found");
  CHECK(told({modify_status::unavailable}, 503, "journal_unavailable").header("Retry-After") == "1");
  at.draining = true;
  told({modify_status::unavailable}, 503, "shutting_down");
  at.draining = false;
  const auto refused = [](modification_refusal why) {
    return core::modify_result{modify_status::refused, {}, why, "because"};
  };
  told(refused(modification_refusal::invalid_state), 422, "invalid_state");
  CHECK(told(refused(modification_refusal::operation_pending), 409, "operation_pending").header("Retry-After") == "1");
  CHECK(told(refused(modification_refusal::amount_too_large), 422, "amount_too_large").first_field() == "amount");
  told(refused(modification_refusal::not_supported), 422, "not_supported");
  told(refused(modification_refusal::authorization_expired), 422, "authorization_expired");
  told(refused(modification_refusal::too_many), 422, "too_many_operations");
  // A key whose object is not in the record: a fault of ours, and no answer is made up.
  told({modify_status::replayed, {}}, 500, "internal_error");
}

TEST_CASE("a modification of somebody else's payment is not found, and reaches nobody", "[modification]") {
  desk at;
  for (const char* end : {"/captures", "/refunds", "/cancel"}) {
    CHECK(at.post(end, {}, {}, "other").status == 404);
    CHECK(at.post(end, {}, {}, "demo live").status == 404);
    CHECK(at.ask("POST", std::string("/v1/payments/pay_none") + end, at.as("demo")).status == 404);
    CHECK(at.ask("POST", std::string("/v1/payments/pay_1") + end, {}).status == 401);
  }
  for (const char* end : {"/captures", "/refunds"})
    CHECK(at.ask("GET", std::string("/v1/payments/pay_1") + end, at.as("other")).status == 404);
  CHECK(at.modifications.empty());
}

TEST_CASE("what is wrong with a modification's body is named", "[modification]") {
  desk at;
  const auto bad = [&](const char* end, std::string body, const char* field) {
    INFO(end << ' ' << body);
    const answer got = at.post(end, std::move(body));
    CHECK(got.status == 400);
    CHECK(got.first_field() == field);
  };
  for (const char* end : {"/captures", "/refunds"}) {
    for (const char* amount : {"0", "-1", "1.0", "1e3", "\"1\"", "null", "1000000000000001", "99999999999999999999"})
      bad(end, R"({"amount": )" + std::string(amount) + "}", "amount");
    bad(end, R"({"reference": ""})", "reference");
    bad(end, R"({"reference": ")" + std::string(101, 'x') + R"("})", "reference");
    bad(end, R"({"reason": 5})", "reason");
    bad(end, R"({"reason": "a\nb"})", "reason");
    bad(end, R"({"reference": "x 4242424242424242"})", "reference");
    bad(end, R"({"reason": "4242 4242 4242 4242"})", "reason");
    bad(end, "[]", "body");
  }
  bad("/captures", R"({"final": 1})", "final");
  bad("/refunds", R"({"final": true})", "final");
  bad("/refunds", R"({"amonut": 1})", "amonut");
  bad("/cancel", R"({"amount": 1})", "amount");
  bad("/cancel", R"({"reference": "r"})", "reference");
  CHECK(at.post("/refunds", R"({"amount": 1)").code() == "malformed_request");
  CHECK(at.post("/refunds", R"({"amount": 1, "amount": 2})").status == 400);
  CHECK(at.ask("POST", "/v1/payments/pay_1/refunds", at.as("demo", {{"Content-Type", "text/plain"}}), "{}").status ==
        415);
  CHECK(at.modifications.empty());
  CHECK(at.post("/refunds", R"({"reference": ")" + std::string(100, 'x') + R"("})").status == 201);
  std::string wide;
  for (int i = 0; i < 100; ++i) wide += "\u00e9";
  CHECK(at.post("/refunds", R"({"reason": ")" + wide + R"("})").status == 201);
}

TEST_CASE("a key stands for the path and the body, in either form", "[modification]") {
  desk at;
  at.keep("pay_2", "demo", false);
  const auto mac = [&](const std::string& path, std::string body, std::string key) {
    net::headers fields = at.as("demo", {{"Idempotency-Key", std::move(key)}});
    if (!body.empty()) fields.emplace_back("Content-Type", "application/json");
    CHECK(at.ask("POST", "/v1/payments/" + path, std::move(fields), std::move(body)).status == 201);
    REQUIRE(at.modifications.back().claim);
    CHECK(at.modifications.back().claim->key == "k");
    CHECK(at.modifications.back().claim->object.empty());
    return at.modifications.back().claim->mac;
  };
  const std::string one = mac("pay_1/refunds", R"({"amount": 1, "reason": "a"})", "k");
  CHECK(one == mac("pay_1/refunds", R"( {"reason":"a","amount":1} )", "\"k\""));
  CHECK(one != mac("pay_1/refunds", R"({"amount": 2, "reason": "a"})", "k"));
  CHECK(one != mac("pay_2/refunds", R"({"amount": 1, "reason": "a"})", "k"));
  CHECK(one != mac("pay_1/captures", R"({"amount": 1, "reason": "a"})", "k"));
  CHECK(mac("pay_1/cancel", "", "k") == mac("pay_1/cancel", "{}", "k"));
  for (const char* key : {"", "4242424242424242", "a\tb"}) {
    const std::size_t before = at.modifications.size();
    CHECK(at.post("/refunds", {}, {{"Idempotency-Key", key}}).status == 400);
    CHECK(at.modifications.size() == before);
  }
}

TEST_CASE("a modification looks as the contract says", "[modification]") {
  const payments::payment record = modified_payment();
  const auto capture = api::render_modified(record, "cap_1");
  CHECK(capture.status == 201);
  CHECK(capture.body ==
        R"({"id":"cap_1","object":"capture","livemode":false,"payment":"pay_1","status":"succeeded","amount":700,)"
        R"("currency":"KWD","final":false,"reference":"parcel \"1\"","reason":null,"connector":"alpha",)"
        R"("gateway_reference":"g_1","error":null,"created_at":"2026-11-20T12:00:00Z",)"
        R"("updated_at":"2026-11-20T12:00:00Z"})");
  const auto pending = api::render_modified(record, "ref_1");
  CHECK(pending.status == 202);
  CHECK(json::parse(pending.body).at("status") == "pending");
  CHECK_FALSE(json::parse(pending.body).as_object().contains("final"));
  const auto failed = api::render_modified(record, "ref_2");
  CHECK(failed.status == 201);
  CHECK(json::parse(failed.body).at("error").at("code") == "refused");
  CHECK(json::parse(failed.body).at("error").at("gateway_code") == "E17");
  CHECK(api::render_modified(record, "ref_3").status == 0);
}

TEST_CASE("a cancel answers with the payment, 202 until it is over", "[modification]") {
  payments::payment record = modified_payment();
  CHECK(api::render_modified(record, "can_1").status == 202);  // processing
  record.status = payments::payment_status::canceled;
  const auto over = api::render_modified(record, "can_1");
  CHECK(over.status == 201);
  CHECK(over.body == api::render_payment(record));
  record.status = payments::payment_status::authorized;
  record.modifications.push_back({.id = "can_1", .kind = modification_kind::cancellation});
  CHECK(api::render_modified(record, "can_1").status == 202);
  record.modifications.back().status = modification_status::failed;
  CHECK(api::render_modified(record, "can_1").status == 201);
}

TEST_CASE("captures and refunds are listed apart, cancellations nowhere", "[modification]") {
  desk at;
  payments::payment record = modified_payment();
  record.modifications.push_back({.id = "can_1", .kind = modification_kind::cancellation});
  at.records.payments.at("pay_1") = record;
  const auto ids = [&](const char* end) {
    std::string all;
    const answer got = at.ask("GET", std::string("/v1/payments/pay_1") + end, at.as("demo"));
    CHECK(got.status == 200);
    for (const json::value& each : got.body.at("data").as_array())
      all += json::value_to<std::string>(each.at("id")) + " ";
    return all;
  };
  CHECK(ids("/captures") == "cap_1 ");
  CHECK(ids("/refunds") == "ref_1 ref_2 ");
}

TEST_CASE("an event tells of an attempt or of a modification; an authorization until when", "[modification]") {
  using type = payments::payment_event_type;
  const std::string text = api::render_events(
      {{type::attempt_ended, noon(), "att_1", "approved"}, {type::modification_sent, noon(), "ref_1", "refund"}}, {});
  const json::value both = json::parse(text);
  CHECK(both.at("data").at(0).at("attempt") == "att_1");
  CHECK_FALSE(both.at("data").at(0).as_object().contains("modification"));
  CHECK(both.at("data").at(1).at("attempt").is_null());
  CHECK(both.at("data").at(1).at("modification") == "ref_1");

  payments::payment record = modified_payment();
  record.capture_before = noon();
  CHECK_FALSE(json::parse(api::render_payment(record)).as_object().contains("capture_before"));
  record.status = payments::payment_status::authorized;
  CHECK(json::parse(api::render_payment(record)).at("capture_before") == "2026-11-20T12:00:00Z");
}
