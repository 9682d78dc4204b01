// The three shipped gateways: the exact bytes of their requests.
#include "fixture.hpp"

using namespace turnout::connectors;
using namespace turnout::connectors::testing;
using turnout::payments::operation;

TEST_CASE("alpha's charge") {
  const auto alpha = shipped("alpha");
  world w;
  CHECK(alpha->base_url() == "http://127.0.0.1:9101");
  const std::string sale = shown(alpha->build_request(operation::sale, w.context()));
  CHECK(sale ==
        "POST /v1/charges\nAuthorization: Bearer sandbox\nIdempotency-Key: att_01ABC\n"
        "Content-Type: application/json\nAccept: application/json\n\n"
        R"({"amount":1250,"currency":"EUR","capture":true,"reference":"att_01ABC",)"
        R"("card":{"number":"4242424242424242","exp_month":7,"exp_year":2030,"cvc":"123","holder":"A. Buyer"}})");
  CHECK(shown(alpha->build_request(operation::sale, w.context())) == sale);
  CHECK(body_of(*alpha, operation::authorize, w) ==
        R"({"amount":1250,"currency":"EUR","capture":false,"reference":"att_01ABC",)"
        R"("card":{"number":"4242424242424242","exp_month":7,"exp_year":2030,"cvc":"123","holder":"A. Buyer"}})");
}

TEST_CASE("alpha's other requests") {
  const auto alpha = shipped("alpha");
  world w;
  w.attempt.gateway_reference = "ch_1/..?x";
  CHECK(shown(alpha->build_request(operation::inquire, w.context(false))) ==
        "GET /v1/charges?reference=att_01ABC\nAuthorization: Bearer sandbox\nAccept: application/json\n\n");
  CHECK(shown(alpha->build_request(operation::reverse, w.context(false))) ==
        "POST /v1/reversals\nAuthorization: Bearer sandbox\nContent-Type: application/json\n"
        "Accept: application/json\n\n{\"reference\":\"att_01ABC\"}");
  CHECK(alpha->build_request(operation::capture, w.context(false)).target == "/v1/charges/ch_1%2F..%3Fx/capture");
  CHECK(alpha->build_request(operation::refund, w.context(false)).body.reveal() ==
        R"({"amount":1250,"operation_reference":"att_01ABC"})");
  CHECK(alpha->build_request(operation::void_payment, w.context(false)).body.reveal() ==
        R"({"operation_reference":"att_01ABC"})");
}

TEST_CASE("beta's requests") {
  const auto beta = shipped("beta");
  world w;
  CHECK(shown(beta->build_request(operation::sale, w.context())) ==
        "POST /payments\nAuthorization: Basic c2FuZGJveDpzYW5kYm94\nContent-Type: application/json\n"
        "Accept: application/json\n\n"
        R"({"transactionReference":"att_01ABC","type":"SALE","amount":{"value":"12.50","currency":"EUR"},)"
        R"("card":{"pan":"4242424242424242","expiry":"07/30","securityCode":"123","holder":"A. Buyer"},)"
        R"("requestKey":"att_01ABC"})");
  CHECK_THAT(body_of(*beta, operation::authorize, w), Catch::Contains(R"("type":"AUTH")"));
  CHECK(
      shown(beta->build_request(operation::inquire, w.context(false))) ==
      "GET /payments/by-reference/att_01ABC\nAuthorization: Basic c2FuZGJveDpzYW5kYm94\nAccept: application/json\n\n");
  const auto reverse = beta->build_request(operation::reverse, w.context(false));
  CHECK(reverse.method + ' ' + reverse.target == "POST /payments/by-reference/att_01ABC/reverse");
  CHECK(reverse.body.reveal() == "{}");
}

TEST_CASE("gamma's requests") {
  const auto gamma = shipped("gamma");
  world w;
  CHECK(shown(gamma->build_request(operation::authorize, w.context())) ==
        "POST /api/transactions\nX-Api-Key: sandbox\nContent-Type: application/json\nAccept: application/json\n\n"
        R"({"orderRef":"att_01ABC","action":"authorise","money":{"minor":1250,"code":"EUR"},)"
        R"("instrument":{"pan":"4242424242424242","month":7,"year":2030,"code":"123","name":"A. Buyer"}})");
  CHECK(shown(gamma->build_request(operation::reverse, w.context(false))) ==
        "DELETE /api/transactions/att_01ABC\nX-Api-Key: sandbox\nAccept: application/json\n\n");
  CHECK(shown(gamma->build_request(operation::inquire, w.context(false))) ==
        "GET /api/transactions/att_01ABC\nX-Api-Key: sandbox\nAccept: application/json\n\n");
}

TEST_CASE("amounts of currencies with no and three decimals") {
  world w;
  w.charge(1250, "JPY");
  CHECK_THAT(body_of(*shipped("alpha"), operation::sale, w), Catch::Contains(R"("amount":1250,"currency":"JPY")"));
  CHECK_THAT(body_of(*shipped("beta"), operation::sale, w), Catch::Contains(R"({"value":"1250","currency":"JPY"})"));
  w.charge(1250, "KWD");
  CHECK_THAT(body_of(*shipped("beta"), operation::sale, w), Catch::Contains(R"({"value":"1.250","currency":"KWD"})"));
  CHECK_THAT(body_of(*shipped("gamma"), operation::sale, w), Catch::Contains(R"({"minor":1250,"code":"KWD"})"));
  w.charge(5, "KWD");
  CHECK_THAT(body_of(*shipped("beta"), operation::sale, w), Catch::Contains(R"("value":"0.005")"));
}

TEST_CASE("missing CVC and holder are left out") {
  world w;
  REQUIRE(turnout::payments::card::parse("5555555555554444", 12, 2031, "", "", w.card) ==
          turnout::payments::card_errc::ok);
  CHECK_THAT(body_of(*shipped("alpha"), operation::sale, w),
             Catch::EndsWith(R"("card":{"number":"5555555555554444","exp_month":12,"exp_year":2031}})"));
  CHECK_THAT(body_of(*shipped("beta"), operation::sale, w),
             Catch::Contains(R"("card":{"pan":"5555555555554444","expiry":"12/31"},"requestKey")"));
}

TEST_CASE("shipped profiles") {
  const auto alpha = shipped("alpha")->profile();
  CHECK(alpha.name == "alpha");
  CHECK_FALSE(alpha.live);
  CHECK(alpha.merchants == std::vector<std::string>{"demo"});
  CHECK(alpha.currencies.size() == 5);
  CHECK(alpha.capture_automatic);
  CHECK(alpha.capture_manual);
  CHECK(alpha.operations.size() == 7);
  CHECK(alpha.fees.percent == Approx(1.4));
  CHECK(alpha.fees.fixed.front() == euros(25));
  CHECK(alpha.idempotency.caches == turnout::payments::key_caches::all);
  CHECK(alpha.idempotency.in_flight == turnout::payments::key_in_flight::conflict);
  CHECK(alpha.idempotency.ttl == std::chrono::hours(24));
  CHECK(alpha.resolve.not_found_final_after == std::chrono::seconds(30));
  CHECK(alpha.resolve.replay_for == std::chrono::minutes(10));
  CHECK(alpha.resolve.sends_per_second == 100);  // where nothing is said
  CHECK(alpha.resolve.reverse_blocks_late);
  CHECK(alpha.resolve.gateway_reference_is_charge);
  CHECK(alpha.timeouts.connect == std::chrono::seconds(1));
  const auto beta = shipped("beta")->profile();
  CHECK(beta.idempotency.replay_is_proof());
  CHECK(beta.idempotency.in_flight == turnout::payments::key_in_flight::wait);
  const auto gamma = shipped("gamma")->profile();
  CHECK_FALSE(gamma.resolve.gateway_reference_is_charge);  // said by nobody
  CHECK_FALSE(gamma.idempotency.replay_is_proof());
  CHECK_FALSE(gamma.resolve.replay);
  CHECK(gamma.resolve.inquire);
}
