// What every documented answer of the shipped gateways means, and what broken
// answers must never mean.
#include "fixture.hpp"

using namespace turnout::connectors;
using namespace turnout::connectors::testing;
using turnout::payments::decline_reason;
using turnout::payments::operation;
using turnout::payments::outcome;
using turnout::payments::send_result;

namespace {

std::string wrapped(std::string_view code, const char* block) {
  return std::string("{\"") + block + "\":{\"code\":\"" + std::string(code) + "\",\"message\":\"m\"}}";
}

void check_unknown(const send_result& got, std::string_view code = "no_rule_matched") {
  CHECK(got.result == outcome::unknown);
  CHECK_FALSE(got.not_found);
  CHECK(got.answered);
  CHECK(got.carried);
  CHECK(got.code == code);
}

struct expected {
  unsigned status;
  const char* code;
  outcome result;
};

}  // namespace

TEST_CASE("alpha approves") {
  const auto alpha = shipped("alpha");
  const auto sale = answer(
      *alpha, operation::sale, 200,
      R"({"id":"ch_1","object":"charge","status":"succeeded","captured":true,"amount":1250,"currency":"EUR","reference":"att_1"})");
  CHECK(sale.result == outcome::approved);
  CHECK(sale.captured == true);
  CHECK(sale.amount_minor == 1250);
  CHECK(sale.currency == "EUR");
  CHECK(sale.gateway_reference == "ch_1");
  CHECK_FALSE(sale.amount_unreadable);
  CHECK(sale.answered);
  CHECK(sale.code.empty());
  const auto authorized =
      answer(*alpha, operation::authorize, 200,
             R"({"id":"ch_1","status":"authorized","captured":false,"amount":1300,"currency":"usd"})");
  CHECK(authorized.captured == false);
  CHECK(authorized.amount_minor == 1300);
  CHECK(authorized.currency == "USD");
}

TEST_CASE("alpha declines") {
  const auto alpha = shipped("alpha");
  for (const auto& [code, reason] : {std::pair("insufficient_funds", decline_reason::insufficient_funds),
                                     {"do_not_honor", decline_reason::do_not_honor},
                                     {"stolen_card", decline_reason::stolen_card},
                                     {"lost_card", decline_reason::lost_card},
                                     {"expired_card", decline_reason::expired_card},
                                     {"incorrect_cvc", decline_reason::incorrect_cvc},
                                     {"card_declined", decline_reason::declined},
                                     {"try_again_later", decline_reason::try_again_later},
                                     {"issuer_not_available", decline_reason::issuer_unavailable},
                                     {"processing_error", decline_reason::processing_error},
                                     {"fraudulent", decline_reason::fraud_suspected},
                                     {"authentication_required", decline_reason::authentication_required},
                                     {"limit_exceeded", decline_reason::limit_exceeded},
                                     {"pickup_card", decline_reason::pickup_card},
                                     {"invalid_account", decline_reason::invalid_account},
                                     {"something_new", decline_reason::declined}}) {
    for (const bool inquired : {false, true}) {
      const auto got = inquired ? answer(*alpha, operation::inquire, 200,
                                         R"({"id":"ch_1","status":"declined","captured":false,"error":{"code":")" +
                                             std::string(code) + "\"}}")
                                : answer(*alpha, operation::sale, 402, wrapped(code, "error"));
      CAPTURE(code, inquired);
      CHECK(got.reason == reason);
      CHECK(got.result == describe(reason).outcome);
      CHECK(got.code == to_string(reason));
      CHECK(got.gateway_code == code);
    }
  }
}

TEST_CASE("alpha's errors mean only what alpha documents") {
  const auto alpha = shipped("alpha");
  for (const expected& each :
       {expected{400, "invalid_request", outcome::rejected}, expected{401, "invalid_api_key", outcome::rejected},
        expected{409, "reference_reversed", outcome::not_sent}, expected{429, "rate_limited", outcome::not_sent},
        expected{503, "not_processed", outcome::not_sent}}) {
    CAPTURE(each.code);
    const auto got = answer(*alpha, operation::sale, each.status, wrapped(each.code, "error"));
    CHECK(got.result == each.result);
    CHECK(got.gateway_code == each.code);
    // The same says nothing about the charge when it answers an inquiry or a reversal.
    check_unknown(answer(*alpha, operation::inquire, each.status, wrapped(each.code, "error")));
    check_unknown(answer(*alpha, operation::reverse, each.status, wrapped(each.code, "error")));
  }
  for (const auto& [status, code] : {std::pair(500U, "internal_error"),
                                     {422U, "idempotency_mismatch"},
                                     {409U, "idempotency_in_flight"},
                                     {409U, "duplicate_reference"},
                                     {503U, "unavailable"},
                                     {502U, "not_processed"},
                                     {404U, "not_found"}})
    check_unknown(answer(*alpha, operation::sale, status, wrapped(code, "error")));
}

TEST_CASE("alpha's inquiry and reversal") {
  const auto alpha = shipped("alpha");
  const auto found = answer(*alpha, operation::inquire, 200,
                            R"({"id":"ch_1","status":"succeeded","captured":true,"amount":1250,"currency":"EUR"})");
  CHECK(found.result == outcome::approved);
  CHECK(found.captured == true);
  const auto missing = answer(*alpha, operation::inquire, 404, wrapped("not_found", "error"));
  CHECK(missing.not_found);
  CHECK(missing.result == outcome::unknown);
  CHECK(missing.answered);
  CHECK(missing.code == "not_found");
  // A proxy's 404 is no proof.
  check_unknown(answer(*alpha, operation::inquire, 404, "<html>not found</html>"));
  check_unknown(answer(*alpha, operation::inquire, 404, wrapped("unknown_path", "error")));
  check_unknown(answer(*alpha, operation::inquire, 200, R"({"id":"ch_1","status":"reversed","captured":false})"),
                "no_outcome");
  const auto reversed = answer(*alpha, operation::reverse, 200,
                               R"({"object":"reversal","status":"reversed","reference":"att_1","charge":null})");
  CHECK(reversed.result == outcome::approved);
  CHECK(reversed.gateway_reference.empty());
  check_unknown(answer(*alpha, operation::reverse, 200, R"({"object":"reversal","status":"pending"})"));
  check_unknown(answer(*alpha, operation::reverse, 200, "{}"));
}

TEST_CASE("beta's answers: the body decides") {
  const auto beta = shipped("beta");
  const auto captured = answer(
      *beta, operation::sale, 200,
      R"({"result":"APPROVED","state":"CAPTURED","transactionId":"bt_1","amount":{"value":"12.50","currency":"EUR"}})");
  CHECK(captured.result == outcome::approved);
  CHECK(captured.captured == true);
  CHECK(captured.amount_minor == 1250);
  CHECK(captured.gateway_reference == "bt_1");
  const auto authorized = answer(
      *beta, operation::inquire, 200,
      R"({"result":"APPROVED","state":"AUTHORIZED","transactionId":"bt_1","amount":{"value":"12.50","currency":"EUR"}})");
  CHECK(authorized.captured == false);
  for (const auto& [code, reason] : {std::pair("05", decline_reason::do_not_honor),
                                     {"51", decline_reason::insufficient_funds},
                                     {"43", decline_reason::stolen_card},
                                     {"41", decline_reason::lost_card},
                                     {"54", decline_reason::expired_card},
                                     {"61", decline_reason::limit_exceeded},
                                     {"N7", decline_reason::incorrect_cvc},
                                     {"59", decline_reason::fraud_suspected},
                                     {"91", decline_reason::issuer_unavailable},
                                     {"96", decline_reason::processing_error},
                                     {"19", decline_reason::try_again_later},
                                     {"04", decline_reason::pickup_card},
                                     {"14", decline_reason::invalid_card},
                                     {"62", decline_reason::restricted_card},
                                     {"57", decline_reason::not_permitted},
                                     {"1A", decline_reason::authentication_required},
                                     {"99", decline_reason::declined}}) {
    const auto got = answer(*beta, operation::sale, 200,
                            R"({"result":"DECLINED","responseText":"x","responseCode":")" + std::string(code) + "\"}");
    CAPTURE(code);
    CHECK(got.reason == reason);
    CHECK(got.gateway_code == code);
  }
  const auto error = [&](operation asked, const char* code) {
    return answer(*beta, asked, 200, R"({"result":"ERROR","errorCode":")" + std::string(code) + R"(","message":"m"})");
  };
  for (const char* code : {"VALIDATION", "UNAUTHORIZED"})
    CHECK(error(operation::sale, code).result == outcome::rejected);
  for (const char* code : {"RATE_LIMITED", "NOT_PROCESSED", "REFERENCE_REVERSED"}) {
    CHECK(error(operation::sale, code).result == outcome::not_sent);
    check_unknown(error(operation::inquire, code));
    check_unknown(error(operation::reverse, code));
  }
  for (const char* code : {"INTERNAL", "DUPLICATE_REFERENCE", "NEW"}) check_unknown(error(operation::sale, code));
  CHECK(answer(*beta, operation::inquire, 200, R"({"result":"NOT_FOUND"})").not_found);
  check_unknown(answer(*beta, operation::inquire, 200, R"({"result":"REVERSED","transactionId":"bt_1"})"),
                "no_outcome");
  CHECK(answer(*beta, operation::reverse, 200, R"({"result":"REVERSED","transactionId":"bt_1"})").gateway_reference ==
        "bt_1");
  CHECK(answer(*beta, operation::reverse, 200, R"({"result":"REVERSED","transactionId":null})").result ==
        outcome::approved);
}

TEST_CASE("gamma's answers") {
  const auto gamma = shipped("gamma");
  const auto transaction = [](std::string_view state, std::string_view more) {
    return R"({"transaction":{"id":"gm_1","orderRef":"att_1","state":")" + std::string(state) +
           R"(","money":{"minor":1250,"code":"EUR"})" + std::string(more) + "}}";
  };
  const auto settled = answer(*gamma, operation::sale, 201, transaction("settled", ""));
  CHECK(settled.result == outcome::approved);
  CHECK(settled.captured == true);
  CHECK(settled.amount_minor == 1250);
  CHECK(settled.gateway_reference == "gm_1");
  CHECK(answer(*gamma, operation::authorize, 201, transaction("authorised", "")).captured == false);
  CHECK(answer(*gamma, operation::inquire, 200, transaction("settled", "")).result == outcome::approved);
  check_unknown(answer(*gamma, operation::inquire, 200, transaction("cancelled", "")), "no_outcome");
  for (const auto& [code, reason] : {std::pair("GM-NSF", decline_reason::insufficient_funds),
                                     {"GM-DNH", decline_reason::do_not_honor},
                                     {"GM-STOLEN", decline_reason::stolen_card},
                                     {"GM-LOST", decline_reason::lost_card},
                                     {"GM-EXPIRED", decline_reason::expired_card},
                                     {"GM-LIMIT", decline_reason::limit_exceeded},
                                     {"GM-CVC", decline_reason::incorrect_cvc},
                                     {"GM-FRAUD", decline_reason::fraud_suspected},
                                     {"GM-ISSUER-DOWN", decline_reason::issuer_unavailable},
                                     {"GM-PROC", decline_reason::processing_error},
                                     {"GM-LATER", decline_reason::try_again_later},
                                     {"GM-3DS", decline_reason::authentication_required},
                                     {"GM-PICKUP", decline_reason::pickup_card},
                                     {"GM-GENERIC", decline_reason::declined},
                                     {"GM-NEW", decline_reason::declined}}) {
    const std::string refusal = R"(,"refusal":{"category":"issuer","reason":")" + std::string(code) + "\"}";
    CAPTURE(code);
    CHECK(answer(*gamma, operation::sale, 201, transaction("refused", refusal)).reason == reason);
    CHECK(answer(*gamma, operation::inquire, 200, transaction("refused", refusal)).reason == reason);
  }
  for (const expected& each :
       {expected{400, "bad_request", outcome::rejected}, expected{401, "unauthorised", outcome::rejected},
        expected{409, "order_cancelled", outcome::not_sent}, expected{429, "throttled", outcome::not_sent},
        expected{503, "not_processed", outcome::not_sent}})
    CHECK(answer(*gamma, operation::sale, each.status, wrapped(each.code, "fault")).result == each.result);
  check_unknown(answer(*gamma, operation::sale, 409, wrapped("duplicate_order", "fault")));
  check_unknown(answer(*gamma, operation::sale, 500, wrapped("internal", "fault")));
  CHECK(answer(*gamma, operation::inquire, 404, wrapped("unknown_order", "fault")).not_found);
  CHECK(answer(*gamma, operation::reverse, 200, R"({"cancelled":true,"transaction":null})").result ==
        outcome::approved);
  check_unknown(answer(*gamma, operation::reverse, 200, R"({"cancelled":false,"transaction":null})"));
  check_unknown(answer(*gamma, operation::reverse, 200, R"({"cancelled":"true"})"));
}

TEST_CASE("an amount that cannot be read exactly is never taken for the right one") {
  const auto alpha = shipped("alpha");
  for (const char* amount : {"12.5", "1250.0", "1.25e3", "-1250", "null", "true", "\"12.50\"", "\"\"", "[1250]",
                             "99999999999999999999", "18446744073709551615", "\"-1\"", "\" 1250\""}) {
    const auto got = answer(
        *alpha, operation::sale, 200,
        R"({"id":"ch_1","status":"succeeded","captured":true,"currency":"EUR","amount":)" + std::string(amount) + "}");
    CAPTURE(amount);
    CHECK(got.result == outcome::approved);
    CHECK(got.amount_unreadable);
    CHECK_FALSE(got.amount_minor);
  }
  const auto beta = shipped("beta");
  const auto decimal = [&](std::string_view value, turnout::payments::money charged) {
    return answer(
        *beta, operation::sale, 200,
        R"({"result":"APPROVED","state":"CAPTURED","transactionId":"bt_1","amount":{"currency":"EUR","value":)" +
            std::string(value) + "}}",
        charged);
  };
  for (const char* value : {"\"12.505\"", "12.50", "\"1e3\"", "\"12,50\"", "\"-12.50\"", "\"12.\"", "\".5\"", "\"\"",
                            "null", "\"99999999999999999999\""})
    CHECK(decimal(value, euros(1250)).amount_unreadable);
  CHECK(decimal("\"12.5\"", euros(1250)).amount_minor == 1250);
  CHECK(decimal("12", euros(1200)).amount_minor == 1200);
  CHECK(decimal("\"1.250\"", {1250, *turnout::payments::currency::find("KWD")}).amount_minor == 1250);
  CHECK(decimal("\"1250\"", {1250, *turnout::payments::currency::find("JPY")}).amount_minor == 1250);
  CHECK(decimal("\"1250.5\"", {1250, *turnout::payments::currency::find("JPY")}).amount_unreadable);
}

TEST_CASE("a missing amount or currency is noticed") {
  const auto alpha = shipped("alpha");
  CHECK(answer(*alpha, operation::sale, 200, R"({"id":"ch_1","status":"succeeded","captured":true,"currency":"EUR"})")
            .amount_unreadable);
  CHECK(answer(*alpha, operation::sale, 200, R"({"id":"ch_1","status":"succeeded","captured":true,"amount":1250})")
            .amount_unreadable);
  CHECK(answer(*alpha, operation::sale, 200,
               R"({"id":"ch_1","status":"succeeded","captured":true,"amount":1250,"currency":7})")
            .amount_unreadable);
}

TEST_CASE("an approval that does not say whether it is captured is not taken for a captured one") {
  const auto alpha = shipped("alpha");
  for (const char* captured : {"", R"("captured":null,)", R"("captured":"yes",)", R"("captured":"true",)",
                               R"("captured":1,)", R"("captured":[true],)"}) {
    CAPTURE(captured);
    const auto got =
        answer(*alpha, operation::sale, 200,
               R"({"id":"ch_1","status":"succeeded",)" + std::string(captured) + R"("amount":1250,"currency":"EUR"})");
    CHECK(got.result == outcome::approved);
    CHECK_FALSE(got.captured);
    CHECK(got.amount_minor == 1250);
    CHECK(got.amount_unreadable);
  }
  for (const bool captured : {true, false}) {
    const auto got =
        answer(*alpha, operation::sale, 200,
               std::string(R"({"id":"ch_1","status":"succeeded","amount":1250,"currency":"EUR","captured":)") +
                   (captured ? "true}" : "false}"));
    CHECK(got.captured == captured);
    CHECK_FALSE(got.amount_unreadable);
  }
}

TEST_CASE("broken answers are unknown and never throw") {
  const auto alpha = shipped("alpha");
  std::string deep = "{\"status\":\"succeeded\",\"x\":";
  for (int i = 0; i < 10'000; ++i) deep += '[';
  for (const std::string& body :
       {std::string(), std::string("{"), std::string("null"), std::string("[]"), std::string("\"succeeded\""),
        std::string("{\"status\":\"succeeded\""), std::string("{\"status\":\"succeeded\"} trailing"),
        std::string("<html>"), deep, std::string(1 << 20, ' '), std::string("{\"status\":\"\xFF\"}"),
        std::string("{\"status\":\"succeeded\",}"), std::string("{'status':'succeeded'}"),
        std::string("{\"status\":\"succeeded\xC3\"}"), std::string("{\"status\":[\"succeeded\"]}")})
    for (const unsigned status : {200U, 404U, 503U, 999U, 0U})
      check_unknown(answer(*alpha, operation::sale, status, body));
}

TEST_CASE("a byte order mark is not part of the answer") {
  CHECK(answer(*shipped("beta"), operation::inquire, 200, "\xEF\xBB\xBF{\"result\":\"NOT_FOUND\"}").not_found);
}

TEST_CASE("codes are cut between characters, and have no control characters") {
  const auto code = [&](const std::string& text) {
    return answer(*shipped("alpha"), operation::sale, 402, R"({"error":{"code":")" + text + "\"}}").gateway_code;
  };
  std::string accents;
  for (int i = 0; i < 300; ++i) accents += "\xC3\xA9";
  CHECK(code("x" + accents).size() == 99);
  CHECK(code("a\\u0000b\\r\\nc\\u007f") == "a?b??c?");
}
