// What goes wrong on purpose, and what stays true while it does.
#include <catch2/catch.hpp>

#include <cmath>

#include "sandbox/card_check.hpp"
#include "sandbox/random_stream.hpp"
#include "tests/unit/sandbox/counter.hpp"

using namespace sandbox_test;

TEST_CASE("charge_then_drop charges, and the replay tells") {
  counter c;
  c.control("alpha", R"({"faults": {"charge_then_drop": 1}})");
  CHECK(c.alpha("att_1", "k1")->closed());
  CHECK(c.ledger().size() == 1);
  CHECK(c.alpha("att_1", "k1")->closed());
  CHECK(c.ledger()[1].at("replayed") == true);
  c.control("alpha", R"({"faults": {"charge_then_drop": 0}})");
  CHECK(c.alpha("att_1", "k1")->body().at("status") == "succeeded");
  CHECK(c.alpha_inquiry("att_1")->body().at("status") == "succeeded");
}

TEST_CASE("charge_then_stall charges and never answers") {
  counter c;
  c.control("gamma", R"({"faults": {"charge_then_stall": 1}})");
  const auto stuck = c.gamma("att_1");
  c.pass(299'999);
  CHECK_FALSE(stuck->answered);
  CHECK(c.ledger()[0].at("result") == "approved");
  CHECK(c.bank->stalled() == 1);
  SECTION("until the sandbox is reset") { c.send("POST", "/_reset"); }
  SECTION("or five minutes are over") { c.pass(1); }
  CHECK(stuck->closed());
  CHECK(c.bank->stalled() == 0);
}

TEST_CASE("stalled requests are limited: the oldest are closed") {
  counter c;
  c.control("gamma", R"({"outage": "stall"})");
  const auto oldest = c.gamma("g");
  c.pass(1);
  for (int i = 0; i < 1999; ++i) c.gamma("g");
  CHECK_FALSE(oldest->answered);
  const auto newest = c.gamma("g");
  CHECK(oldest->closed());
  CHECK_FALSE(newest->answered);
}

TEST_CASE("error_after_charge charges and says the dialect's internal error") {
  counter c;
  for (const char* name : {"alpha", "beta", "gamma"}) c.control(name, R"({"faults": {"error_after_charge": 1}})");
  const auto alpha = c.alpha("att_1", "k1");
  CHECK(alpha->status() == 500);
  CHECK(alpha->body().at("error").at("code") == "internal_error");
  const auto beta = c.beta("att_1", "k1");
  CHECK(beta->status() == 200);
  CHECK(beta->body().at("errorCode") == "INTERNAL");
  const auto gamma = c.gamma("att_1");
  CHECK(gamma->status() == 500);
  CHECK(gamma->body().at("fault").at("code") == "internal");
  for (const auto& each : c.ledger()) CHECK(each.at("result") == "approved");
  CHECK(c.ledger().size() == 3);
}

TEST_CASE("drop_before_charge and rate_limited do not charge, and forget the key") {
  counter c;
  c.control("alpha", R"({"faults": {"drop_before_charge": 1}})");
  CHECK(c.alpha("att_1", "k1")->closed());
  c.control("alpha", R"({"faults": {"drop_before_charge": 0, "rate_limited": 1}})");
  CHECK(c.alpha("att_1", "k1")->status() == 429);
  CHECK(c.alpha("att_1", "k1")->body().at("error").at("code") == "rate_limited");
  c.control("beta", R"({"faults": {"rate_limited": 1}})");
  CHECK(c.beta("att_1", "k1")->body().at("errorCode") == "RATE_LIMITED");
  c.control("gamma", R"({"faults": {"rate_limited": 1}})");
  CHECK(c.gamma("att_1")->body().at("fault").at("code") == "throttled");
  CHECK(c.ledger().empty());
  CHECK(c.alpha_inquiry("att_1")->status() == 404);
  c.control("alpha", R"({"faults": {"rate_limited": 0}})");
  CHECK(c.alpha("att_1", "k1")->status() == 200);
}

TEST_CASE("rate_limited and drop_before_charge hit replays too, and undo nothing") {
  counter c;
  c.alpha("att_1", "k1");
  c.control("alpha", R"({"faults": {"rate_limited": 1}})");
  CHECK(c.alpha("att_1", "k1")->status() == 429);
  c.control("alpha", R"({"faults": {"rate_limited": 0, "drop_before_charge": 1}})");
  CHECK(c.alpha("att_1", "k1")->closed());
  CHECK(c.ledger().size() == 1);
  CHECK(c.alpha_inquiry("att_1")->body().at("status") == "succeeded");
}

TEST_CASE("wrong_amount charges one minor unit more, and says so everywhere") {
  counter c;
  c.control("alpha", R"({"faults": {"wrong_amount": 1}})");
  CHECK(c.alpha("att_1", "k1")->body().at("amount") == 1251);
  CHECK(c.ledger()[0].at("amount") == 1251);
  CHECK(c.alpha_inquiry("att_1")->body().at("amount") == 1251);
  CHECK(c.alpha("att_1", "k1")->body().at("amount") == 1251);
  CHECK(c.alpha_reverse("att_1")->status() == 200);
  CHECK(c.ledger()[2].at("amount") == 1251);
}

TEST_CASE("an inquiry can lie for a while") {
  counter c;
  c.control("alpha", R"({"inquiry_lag_ms": 3000})");
  c.alpha("att_1", "k1");
  CHECK(c.alpha_inquiry("att_1")->status() == 404);
  c.pass(2999);
  CHECK(c.alpha_inquiry("att_1")->status() == 404);
  c.pass(1);
  CHECK(c.alpha_inquiry("att_1")->status() == 200);
}

TEST_CASE("a delayed charge happens even if nobody waits, and not twice") {
  counter c;
  c.control("alpha", R"({"charge_delay_ms": 5000})");
  const auto first = c.alpha("att_1", "k1");
  CHECK_FALSE(first->answered);
  const auto clash = c.alpha("att_1", "k1");
  CHECK(clash->status() == 409);
  CHECK(clash->body().at("error").at("code") == "idempotency_in_flight");
  CHECK(c.alpha("att_1", "k1", 9)->body().at("error").at("code") == "idempotency_mismatch");
  CHECK(c.alpha("att_1", "k2")->body().at("error").at("code") == "duplicate_reference");
  CHECK(c.alpha_inquiry("att_1")->status() == 404);
  c.pass(4999);
  CHECK_FALSE(first->answered);
  c.pass(1);
  CHECK(first->body().at("status") == "succeeded");
  CHECK(c.alpha("att_1", "k1")->reply->body == first->reply->body);
  int charged = 0;
  for (const auto& each : c.ledger()) charged += each.at("result") == "approved" && each.at("replayed") == false;
  CHECK(charged == 1);
}

TEST_CASE("a reversal that comes before the delayed charge blocks it") {
  counter c;
  c.control("alpha", R"({"charge_delay_ms": 5000})");
  const auto late = c.alpha("att_1", "k1");
  const auto reversal = c.alpha_reverse("att_1");
  CHECK(reversal->status() == 200);
  CHECK(reversal->body().at("charge").is_null());
  c.pass(5000);
  CHECK(late->status() == 409);
  CHECK(late->body().at("error").at("code") == "reference_reversed");
  for (const auto& each : c.ledger()) CHECK((each.at("operation") != "sale" || each.at("result") == "refused"));
}

TEST_CASE("a reversal undoes what stands, once, and blocks the reference for ever") {
  counter c;
  const auto sale = c.alpha("att_1", "k1");
  const auto hold = c.alpha("att_2", "k2", 500, good_card, false);
  for (int i = 0; i < 3; ++i) {
    const auto reversal = c.alpha_reverse("att_1");
    CHECK(reversal->status() == 200);
    CHECK(reversal->body().at("status") == "reversed");
    CHECK(reversal->body().at("charge") == sale->body().at("id"));
  }
  CHECK(c.alpha_reverse("att_2")->body().at("charge") == hold->body().at("id"));
  CHECK(c.alpha_reverse("att_3")->body().at("charge").is_null());
  CHECK(c.alpha("att_3", "k3")->body().at("error").at("code") == "reference_reversed");
  c.pass(400LL * 86'400'000);
  CHECK(c.alpha("att_3", "k9")->body().at("error").at("code") == "reference_reversed");
  CHECK(c.alpha("att_1", "k10")->body().at("error").at("code") == "reference_reversed");
  CHECK(c.alpha_inquiry("att_1")->body().at("status") == "reversed");
  CHECK(c.alpha_inquiry("att_3")->body().at("status") == "reversed");
  const auto ledger = c.ledger();
  CHECK(ledger[2].at("operation") == "refund");
  CHECK(ledger[2].at("amount") == 1250);
  CHECK(ledger[2].at("replayed") == false);
  CHECK(ledger[3].at("replayed") == true);
  CHECK(ledger[4].at("replayed") == true);
  CHECK(ledger[5].at("operation") == "void");
  CHECK(ledger[5].at("amount") == 500);
  CHECK(ledger[6].at("amount") == 0);
  CHECK(ledger[6].at("currency").is_null());
}

TEST_CASE("reversing after a partial refund gives back only the rest") {
  counter c;
  const auto sale = c.alpha("att_1", "k1");
  c.send("POST", "/alpha/v1/charges/" + std::string(sale->body().at("id").as_string()) + "/refund",
         R"({"amount":250})");
  c.alpha_reverse("att_1");
  CHECK(c.ledger()[2].at("amount") == 1000);
}

TEST_CASE("reversing a declined charge moves nothing and blocks the reference") {
  counter c;
  c.control("alpha", R"({"approval_rate": 0})");
  c.alpha("att_1", "k1");
  CHECK(c.alpha_reverse("att_1")->body().at("charge").is_null());
  CHECK(c.alpha_inquiry("att_1")->body().at("status") == "declined");
  CHECK(c.alpha("att_1", "k2")->body().at("error").at("code") == "reference_reversed");
}

TEST_CASE("outages process nothing") {
  counter c;
  SECTION("refuse, on the shared port") {
    for (const char* name : {"alpha", "beta", "gamma"}) c.control(name, R"({"outage": "refuse"})");
    CHECK(c.alpha("att_1")->status() == 503);
    CHECK(c.alpha("att_1")->body().at("error").at("code") == "not_processed");
    CHECK(c.beta("att_1", "k")->body().at("errorCode") == "NOT_PROCESSED");
    CHECK(c.gamma("att_1")->body().at("fault").at("code") == "not_processed");
    CHECK(c.alpha_inquiry("att_1")->status() == 503);
  }
  SECTION("error") {
    for (const char* name : {"alpha", "beta", "gamma"}) c.control(name, R"({"outage": "error"})");
    CHECK(c.alpha("att_1")->body().at("error").at("code") == "internal_error");
    CHECK(c.beta("att_1", "k")->body().at("errorCode") == "INTERNAL");
    CHECK(c.gamma("att_1")->body().at("fault").at("code") == "internal");
    CHECK(c.alpha_inquiry("att_1")->status() == 500);
  }
  SECTION("stall, until it ends") {
    c.control("alpha", R"({"outage": "stall"})");
    const auto stuck = c.alpha("att_1");
    const auto asked = c.alpha_inquiry("att_1");
    c.pass(60'000);
    CHECK_FALSE(stuck->answered);
    CHECK_FALSE(asked->answered);
    c.control("alpha", R"({"outage": "none"})");
    CHECK(stuck->closed());
    CHECK(asked->closed());
    CHECK(c.alpha("att_2")->status() == 200);
    CHECK(c.ledger().size() == 1);
    return;
  }
  CHECK(c.ledger().empty());
}

TEST_CASE("latency holds the answer, not the charge") {
  counter c;
  c.control("alpha", R"({"latency_ms": 80, "latency_sigma": 0})");
  const auto sale = c.alpha("att_1");
  CHECK(c.ledger().size() == 1);
  CHECK_FALSE(sale->answered);
  CHECK(c.bank->next_due() == c.now.steady + std::chrono::milliseconds(80));
  c.pass(79);
  CHECK_FALSE(sale->answered);
  c.pass(1);
  CHECK(sale->status() == 200);
}

TEST_CASE("latencies are spread around the median") {
  sandbox::random_stream random(5);
  int below = 0;
  double squares = 0;
  for (int i = 0; i < 10'000; ++i) {
    const double drawn = random.lognormal(80, 0.3);
    below += drawn < 80;
    squares += std::pow(std::log(drawn / 80), 2);
  }
  CHECK(below > 4'800);
  CHECK(below < 5'200);
  CHECK(std::sqrt(squares / 10'000) == Approx(0.3).margin(0.01));
  CHECK(random.lognormal(0, 0.3) == 0);
}

TEST_CASE("approvals and declines follow rate and weights, the same for the same seed") {
  const auto run = [](std::uint64_t seed) {
    counter c({}, seed);
    c.control("alpha",
              R"({"approval_rate": 0.7, "declines": {"do_not_honor": 3, "insufficient_funds": 1, "lost_card": 0}})");
    std::string codes;
    for (int i = 0; i < 4'000; ++i) {
      const auto answer = c.alpha("att_" + std::to_string(i));
      codes += answer->status() == 200 ? 'a' : answer->body().at("error").at("code") == "do_not_honor" ? 'd' : 'i';
      if (answer->status() == 402) CHECK(answer->body().at("error").at("code") != "lost_card");
    }
    return codes;
  };
  const auto codes = run(1);
  const auto count = [&](char what) { return std::count(codes.begin(), codes.end(), what); };
  CHECK(std::abs(count('a') - 2'800) < 120);
  CHECK(std::abs(count('d') - 900) < 100);
  CHECK(std::abs(count('i') - 300) < 70);
  CHECK(run(1) == codes);
  CHECK(run(2) != codes);
}

TEST_CASE("faults do not shift who is approved") {
  const auto approvals = [](const std::string& control) {
    counter c;
    c.control("alpha", R"({"approval_rate": 0.5})");
    c.control("alpha", control);
    for (int i = 0; i < 100; ++i) c.alpha("att_" + std::to_string(i));
    std::string results;
    for (const auto& each : c.ledger()) results += each.at("result").as_string().front();
    return results;
  };
  CHECK(approvals("{}") ==
        approvals(R"({"latency_ms": 5, "faults": {"charge_then_drop": 0.5, "error_after_charge": 0.5}})"));
}

TEST_CASE("test cards decide for themselves") {
  counter c;
  CHECK(c.alpha("a1", "", 100, "4000000000000002")->body().at("error").at("code") == "card_declined");
  CHECK(c.alpha("a2", "", 100, "4000000000009995")->body().at("error").at("code") == "insufficient_funds");
  CHECK(c.alpha("a3", "", 100, "4000000000009979")->body().at("error").at("code") == "stolen_card");
  CHECK(c.beta("b1", "b1", "1.00", "4000000000009979")->body().at("responseCode") == "43");
  CHECK(c.beta("b2", "b2", "1.00", "4000000000000002")->body().at("responseCode") == "99");
  CHECK(c.gamma("g1", 100, "charge", "4000000000009995")->body().at("transaction").at("refusal").at("reason") ==
        "GM-NSF");
  CHECK(c.alpha("a4", "", 100, "5555555555554444")->status() == 200);
  CHECK(c.alpha("a5", "", 100, "4242420000000001")->status() == 400);
  for (const auto& each : sandbox::test_cards()) {
    INFO(payments::to_string(each.reason));
    CHECK(c.alpha("t" + std::string(payments::to_string(each.reason)), "", 100, std::string(each.number))->status() ==
          402);
  }
}

TEST_CASE("an expired card is declined") {
  counter c;
  const auto with_year = [&](const char* year) {
    return c.send("POST", "/alpha/v1/charges",
                  std::string(R"({"amount":1,"currency":"EUR","reference":"y)") + year +
                      R"(","card":{"number":"4242424242424242","exp_month":"09","exp_year":)" + year + "}}");
  };
  CHECK(with_year("2025")->body().at("error").at("code") == "expired_card");
  CHECK(with_year("2026")->status() == 200);
  CHECK(with_year("26")->status() == 200);
}

TEST_CASE("every decline reason has a word in every dialect") {
  counter c;
  int n = 0;
  for (const auto& each : payments::decline_table()) {
    const std::string control = R"({"approval_rate": 0, "declines": {")" + std::string(each.name) + R"(": 1}})";
    for (const char* name : {"alpha", "beta", "gamma"}) REQUIRE(c.control(name, control)->status() == 200);
    const auto reference = "r" + std::to_string(n++);
    INFO(each.name);
    CHECK_FALSE(c.alpha(reference)->body().at("error").at("code").as_string().empty());
    const auto code = c.beta(reference, reference)->body().at("responseCode");
    CHECK(code.as_string().size() == 2);
    CHECK(code != "00");
    CHECK(c.gamma(reference)->body().at("transaction").at("refusal").at("reason").as_string().starts_with("GM-"));
  }
}
