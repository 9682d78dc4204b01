// Captures, refunds and voids: what they do, what inquiries tell of them, and
// what goes wrong on purpose.
#include <catch2/catch.hpp>

#include <cstdio>

#include <unistd.h>

#include "tests/unit/sandbox/counter.hpp"

using namespace sandbox_test;

namespace {

std::string text(const json::value& from) { return std::string(from.as_string()); }

/// An authorisation at alpha, and what is done to it.
struct hold {
  explicit hold(counter& with, const std::string& reference = "att_1", int amount = 1000)
      : c(with), reference(reference) {
    path = "/alpha/v1/charges/" + text(c.alpha(reference, reference, amount, good_card, false)->body().at("id"));
  }
  pending ask(const std::string& verb, const std::string& body = {}, const std::string& key = {}) {
    net::headers more;
    if (!key.empty()) more.emplace_back("Idempotency-Key", key);
    return c.send("POST", path + "/" + verb, body, more);
  }
  std::string code(const pending& answer) { return text(answer->body().at("error").at("code")); }
  /// "status captured/refunded voided"
  std::string told() {
    const auto body = c.alpha_inquiry(reference)->body();
    return text(body.at("status")) + ' ' + json::serialize(body.at("amount_captured")) + '/' +
           json::serialize(body.at("amount_refunded")) + (body.at("voided").as_bool() ? " voided" : "");
  }
  counter& c;
  std::string reference, path;
};

}  // namespace

TEST_CASE("alpha: inquiries tell what became of a charge") {
  counter c;
  hold h(c);
  CHECK(h.told() == "authorized 0/0");
  h.ask("capture", R"({"amount":600})");
  CHECK(h.told() == "succeeded 600/0");
  h.ask("refund", R"({"amount":200})");
  h.ask("refund", R"({"amount":100})");
  CHECK(h.told() == "succeeded 600/300");
  hold voided(c, "att_2");
  voided.ask("void");
  CHECK(voided.told() == "reversed 0/0 voided");
  c.alpha("att_3", "k3");
  c.alpha_reverse("att_3");
  const auto refunded = c.alpha_inquiry("att_3")->body();
  CHECK(refunded.at("status") == "reversed");
  CHECK(refunded.at("amount_refunded") == 1250);
  CHECK(refunded.at("voided") == false);
  // A blocked reference never had anything to void.
  c.alpha_reverse("att_4");
  CHECK(c.alpha_inquiry("att_4")->body().at("voided") == false);
}

TEST_CASE("alpha: one capture releases the rest, unless it says that more follow") {
  counter c;
  hold once(c);
  CHECK(once.ask("capture", R"({"amount":600})")->status() == 200);
  CHECK(once.code(once.ask("capture", R"({"amount":100})")) == "charge_already_captured");
  CHECK(once.code(once.ask("void")) == "charge_already_captured");

  hold several(c, "att_2");
  CHECK(several.ask("capture", R"({"amount":600,"final":false})")->status() == 200);
  CHECK(several.ask("capture", R"({"amount":300,"final":false})")->status() == 200);
  CHECK(several.told() == "succeeded 900/0");
  CHECK(several.code(several.ask("capture", R"({"amount":101})")) == "amount_too_large");
  CHECK(several.ask("refund", R"({"amount":50})")->status() == 200);
  CHECK(several.ask("capture", R"({"amount":50})")->status() == 200);
  CHECK(several.told() == "succeeded 950/50");
  CHECK(several.code(several.ask("capture", R"({"amount":50})")) == "charge_already_captured");
  CHECK(several.code(several.ask("capture", R"({"final":"no"})")) == "invalid_request");

  hold all(c, "att_3");
  all.ask("capture", R"({"amount":999,"final":false})");
  CHECK(all.ask("capture", R"({"final":false})")->body().at("amount") == 1);
  CHECK(all.code(all.ask("capture")) == "charge_already_captured");
  CHECK(all.code(all.ask("void")) == "charge_already_captured");
}

TEST_CASE("alpha: a void after a capture that was not the last releases the rest") {
  counter c;
  hold h(c);
  h.ask("capture", R"({"amount":600,"final":false})");
  CHECK(h.ask("void", {}, "v")->status() == 200);
  CHECK(c.ledger().back().at("operation") == "void");
  CHECK(c.ledger().back().at("amount") == 400);
  CHECK(h.told() == "succeeded 600/0 voided");
  CHECK(h.code(h.ask("capture", R"({"amount":1})")) == "charge_already_voided");
  CHECK(h.code(h.ask("void")) == "charge_already_voided");
  CHECK(h.ask("void", {}, "v")->status() == 200);
  // What was captured can still be given back.
  CHECK(h.ask("refund", R"({"amount":600})")->status() == 200);
  CHECK(h.code(h.ask("refund", R"({"amount":1})")) == "amount_too_large");
}

TEST_CASE("alpha: a reversal between captures refunds what was captured and lets nothing more be") {
  counter c;
  hold h(c);
  h.ask("capture", R"({"amount":600,"final":false})");
  c.alpha_reverse("att_1");
  CHECK(c.ledger().back().at("operation") == "refund");
  CHECK(c.ledger().back().at("amount") == 600);
  CHECK(h.told() == "reversed 600/600");
  CHECK(h.code(h.ask("capture", R"({"amount":1})")) == "charge_already_captured");
}

TEST_CASE("alpha: a key of a capture means its finality too, and all of it survives a restart") {
  const std::string file = "/tmp/sandbox-modifications-" + std::to_string(::getpid()) + ".jsonl";
  std::remove(file.c_str());
  std::string path;
  {
    counter c(file);
    hold h(c);
    path = h.path;
    CHECK(h.ask("capture", R"({"amount":600,"final":false})", "k")->status() == 200);
    CHECK(h.ask("capture", R"({"amount":600,"final":true})", "k")->status() == 422);
    CHECK(h.ask("capture", R"({"amount":600,"final":false})", "k")->status() == 200);
  }
  {
    counter c(file);
    CHECK(c.send("POST", path + "/capture", R"({"amount":600,"final":false})", {{"Idempotency-Key", "k"}})->status() ==
          200);
    CHECK(c.send("POST", path + "/capture", R"({"amount":400})")->status() == 200);
    CHECK(c.send("POST", path + "/capture", R"({"amount":1})")->status() == 409);
    CHECK(c.alpha_inquiry("att_1")->body().at("amount_captured") == 1000);
  }
  std::remove(file.c_str());
}

TEST_CASE("beta and gamma: inquiries tell what became of a charge") {
  counter c;
  const auto beta = text(c.beta("b", "b", "12.50", good_card, "AUTH")->body().at("transactionId"));
  const auto asked = [&] { return c.send("GET", "/beta/payments/by-reference/b")->body(); };
  CHECK(asked().at("capturedTotal").at("value") == "0.00");
  CHECK(asked().at("voided") == false);
  c.send("POST", "/beta/payments/" + beta + "/capture", R"({"amount":{"value":"10.00","currency":"EUR"}})");
  c.send("POST", "/beta/payments/" + beta + "/refund", R"({"amount":{"value":"2.50","currency":"EUR"}})");
  CHECK(asked().at("result") == "APPROVED");
  CHECK(asked().at("capturedTotal").at("value") == "10.00");
  CHECK(asked().at("refundedTotal").at("value") == "2.50");
  // Only alpha knows captures that are not the last.
  CHECK(c.send("POST", "/beta/payments/" + beta + "/capture", R"({"final":false})")->body().at("errorCode") ==
        "INVALID_STATE");
  const auto other = text(c.beta("b2", "b2", "1.000", good_card, "AUTH", "KWD")->body().at("transactionId"));
  c.send("POST", "/beta/payments/" + other + "/void");
  const auto gone = c.send("GET", "/beta/payments/by-reference/b2")->body();
  CHECK(gone.at("result") == "REVERSED");
  CHECK(gone.at("voided") == true);
  CHECK(gone.at("capturedTotal").at("value") == "0.000");
  c.send("POST", "/beta/payments/by-reference/b3/reverse", "{}");
  CHECK(c.send("GET", "/beta/payments/by-reference/b3")->body().as_object().contains("capturedTotal") == false);

  const auto gamma = text(c.gamma("g")->body().at("transaction").at("id"));
  c.send("POST", "/gamma/api/transactions/" + gamma + "/refund", R"({"money":{"minor":250,"code":"EUR"}})");
  const auto settled = c.send("GET", "/gamma/api/transactions/g")->body().at("transaction");
  CHECK(settled.at("totals") == json::parse(R"({"captured":1250,"refunded":250})"));
  CHECK(settled.at("voided") == false);
  const auto held = text(c.gamma("g2", 500, "authorise")->body().at("transaction").at("id"));
  c.send("POST", "/gamma/api/transactions/" + held + "/void");
  const auto cancelled = c.send("GET", "/gamma/api/transactions/g2")->body().at("transaction");
  CHECK(cancelled.at("state") == "cancelled");
  CHECK(cancelled.at("voided") == true);
}

TEST_CASE("modification faults: done, and the answer lost") {
  counter c;
  hold h(c);
  const auto fault = [&](const std::string& name, int rate) {
    c.control("alpha", R"({"modification_faults":{")" + name + "\":" + std::to_string(rate) + "}}");
  };
  fault("apply_then_drop", 1);
  CHECK(h.ask("capture", R"({"amount":600})", "c")->closed());
  CHECK(h.told() == "succeeded 600/0");
  // A replay meets the fault as well, and does nothing anew; a refusal does not meet it.
  CHECK(h.ask("capture", R"({"amount":600})", "c")->closed());
  CHECK(c.ledger().back().at("replayed") == true);
  CHECK(h.ask("capture", R"({"amount":600})", "c2")->status() == 409);
  fault("apply_then_drop", 0);
  CHECK(h.ask("capture", R"({"amount":600})", "c")->status() == 200);

  fault("apply_then_stall", 1);
  const auto stuck = h.ask("refund", R"({"amount":100})");
  CHECK_FALSE(stuck->answered);
  CHECK(h.told() == "succeeded 600/100");
  c.pass(300'000);
  CHECK(stuck->closed());
  fault("apply_then_stall", 0);

  fault("error_after_apply", 1);
  CHECK(h.code(h.ask("refund", R"({"amount":100})")) == "internal_error");
  CHECK(h.told() == "succeeded 600/200");
}

TEST_CASE("modification faults: not done") {
  counter c;
  hold h(c);
  c.control("alpha", R"({"modification_faults":{"drop_before_apply":1}})");
  CHECK(h.ask("void", {}, "v")->closed());
  c.control("alpha", R"({"modification_faults":{"drop_before_apply":0,"rate_limited":1}})");
  CHECK(h.ask("void", {}, "v")->status() == 429);
  CHECK(c.ledger().size() == 1);
  CHECK(h.told() == "authorized 0/0");
  // Charges, inquiries and reversals never meet them; and modifications never meet those of charges.
  CHECK(c.alpha("att_2", "k2")->status() == 200);
  CHECK(c.alpha_reverse("att_2")->status() == 200);
  c.control("alpha", R"({"modification_faults":{"rate_limited":0},"faults":{"rate_limited":1,"charge_then_drop":1}})");
  CHECK(h.ask("void", {}, "v")->status() == 200);
}

TEST_CASE("what charges meet does not depend on the captures between them") {
  const auto drawn = [](bool with_captures) {
    counter c;
    c.control("alpha", R"({"faults":{"charge_then_drop":0.5},"modification_faults":{"apply_then_drop":0.5}})");
    c.control("gamma", "{}");
    std::string out;
    for (int i = 0; i < 40; ++i) {
      const auto reference = "a" + std::to_string(i);
      out += c.alpha(reference, reference)->closed() ? 'x' : '.';
      if (with_captures) {
        const auto id = text(c.alpha_inquiry(reference)->body().at("id"));
        c.send("POST", "/alpha/v1/charges/" + id + "/refund", R"({"amount":1})");
      }
    }
    return out;
  };
  CHECK(drawn(false) == drawn(true));
  CHECK_THAT(drawn(true), Catch::Contains("x") && Catch::Contains("."));
}
