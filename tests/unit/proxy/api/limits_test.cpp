// Rate limits, failed authentications and card testing, as a merchant sees them.
#include <catch2/catch.hpp>

#include "house.hpp"

namespace turnout::api {
namespace {

using namespace test;
using namespace std::chrono_literals;

std::shared_ptr<const api_settings> with_requests(rate_limit limit) {
  api_settings made;
  made.requests = limit;
  return std::make_shared<const api_settings>(std::move(made));
}

/// Valid numbers, one for each `index` below 10,000.
std::string another_card(int index) {
  std::string digits = std::to_string(index);
  std::string number = "42424242424" + std::string(4 - digits.size(), '0') + digits;
  for (char check = '0'; check <= '9'; ++check)
    if (payments::luhn_valid(number + check)) return number + check;
  throw std::logic_error("no check digit fits");
}

std::string body_with(const std::string& card, const std::string& customer) {
  return with(with(good_body, card_number, card), R"({"id": "cus_9", "email": "a@example.com", "country": "DE"})",
              customer);
}

void decline(payments::payment& record) {
  record.status = payments::payment_status::failed;
  record.error = payments::payment_error{.code = "card_declined", .message = "declined"};
}

TEST_CASE("without limits no answer speaks of them") {
  house at;
  for (int i = 0; i < 50; ++i) {
    const answer got = at.create(good_body);
    CHECK(got.status == 201);
    CHECK(only_header(got.fields, "RateLimit").count == 0);
    CHECK(only_header(got.fields, "RateLimit-Policy").count == 0);
  }
}

TEST_CASE("a key may ask so often, and every answer says how much is left") {
  house at;
  at.served->configure(with_requests({.per_second = 2, .burst = 3}));
  answer got = at.create(good_body);
  CHECK(got.status == 201);
  CHECK(got.header("RateLimit-Policy") == "\"requests\";q=3;w=2");
  CHECK(got.header("RateLimit") == "\"requests\";r=2;t=1");
  got = at.ask("GET", "/v1/payments/pay_none", at.as("demo"));
  CHECK(got.status == 404);
  CHECK(got.header("RateLimit") == "\"requests\";r=1;t=1");
  CHECK(at.create("{").header("RateLimit") == "\"requests\";r=0;t=2");

  got = at.create(good_body, {{"Idempotency-Key", "k1"}});
  CHECK(got.status == 429);
  CHECK(got.code() == "rate_limited");
  CHECK(got.header("Retry-After") == "1");
  CHECK(got.header("RateLimit") == "\"requests\";r=0;t=2");
  CHECK(got.header("RateLimit-Policy") == "\"requests\";q=3;w=2");
  CHECK(at.commands.size() == 1);  // the engine, and with it the journal, was not told
  CHECK(at.limited == std::vector<std::string>{"requests"});

  CHECK(at.ask("GET", "/v1/payments/pay_none", at.as("other")).status == 404);  // other keys have their own
  CHECK(at.ask("GET", "/v1/payments/pay_none", at.as("demo live")).status == 404);
  at.steady += 500ms;
  CHECK(at.create(good_body, {{"Idempotency-Key", "k1"}}).status == 201);
  CHECK(at.create(good_body).status == 429);
}

TEST_CASE("a merchant can have limits of its own, and a reload changes them") {
  house at;
  api_settings wanted;
  wanted.requests = {.per_second = 1, .burst = 1};
  wanted.merchants["other"].requests = rate_limit{};  // off
  at.served->configure(std::make_shared<const api_settings>(wanted));
  const auto ask = [&](const char* who) { return at.ask("GET", "/v1/payments/pay_none", at.as(who)).status; };
  CHECK(ask("demo") == 404);
  CHECK(ask("demo") == 429);
  for (int i = 0; i < 10; ++i) CHECK(ask("other") == 404);
  wanted.merchants["demo"].requests = rate_limit{.per_second = 1, .burst = 4};
  at.served->configure(std::make_shared<const api_settings>(wanted));
  CHECK(ask("demo") == 404);  // one token was taken out of the bucket of four
  CHECK(ask("demo") == 404);
  CHECK(ask("demo") == 404);
  CHECK(ask("demo") == 429);
  at.served->configure(std::make_shared<const api_settings>());
  CHECK(ask("demo") == 404);
}

TEST_CASE("a client with many wrong keys waits, and so does a right guess") {
  house at;
  api_settings wanted;
  wanted.failed_authentications = {.per_second = 0.5, .burst = 3};
  at.served->configure(std::make_shared<const api_settings>(wanted));
  const auto guess = [&] {
    return at.ask("GET", "/v1/payments/pay_none", {{"Authorization", "Bearer " + at.key_of["demo"] + "x"}});
  };
  // Who gives none does not guess.
  for (int i = 0; i < 10; ++i) CHECK(at.ask("GET", "/v1/payments/pay_none", {}).status == 401);
  for (int i = 0; i < 3; ++i) {
    CHECK(guess().status == 401);
    CHECK(at.ask("GET", "/v1/payments/pay_none", at.as("demo")).status == (i < 2 ? 404 : 429));
  }
  const answer refused = guess();
  CHECK(refused.status == 429);
  CHECK(refused.code() == "rate_limited");
  CHECK(refused.header("Retry-After") == "2");
  CHECK(at.limited == std::vector<std::string>{"failed_authentications", "failed_authentications"});
  at.peer = "192.0.2.7";
  CHECK(at.ask("GET", "/v1/payments/pay_none", at.as("demo")).status == 404);
  at.peer = "127.0.0.1";
  at.steady += 2s;
  CHECK(at.ask("GET", "/v1/payments/pay_none", at.as("demo")).status == 404);  // takes none of the tokens
  CHECK(guess().status == 401);
  CHECK(guess().status == 429);
}

TEST_CASE("one IPv6 network is one client") {
  house at;
  api_settings wanted;
  wanted.failed_authentications = {.per_second = 1, .burst = 1};
  at.served->configure(std::make_shared<const api_settings>(wanted));
  const auto guess = [&](const char* peer) {
    at.peer = peer;
    return at.ask("GET", "/v1/payments/pay_none", {{"Authorization", "Bearer ak_x:sk_x"}}).status;
  };
  CHECK(guess("2001:db8::1") == 401);
  CHECK(guess("2001:db8::2") == 429);
  CHECK(guess("2001:db8:0:1::1") == 401);
}

struct testing_house : house {
  explicit testing_house(testing_subject per, std::uint32_t cards, std::uint32_t declines) {
    api_settings wanted;
    wanted.card_testing.window = 10min;
    wanted.card_testing.of(per) = {cards, declines};
    served->configure(std::make_shared<const api_settings>(wanted));
  }
};

TEST_CASE("many cards of one customer are refused before anything is journaled") {
  testing_house at(testing_subject::customer, 2, 0);
  const std::string nine = R"({"id": "cus_9"})", ten = R"({"id": "cus_10"})";
  CHECK(at.create(body_with(another_card(1), nine)).status == 201);
  CHECK(at.create(body_with(another_card(2), nine), {{"Idempotency-Key", "k2"}}).status == 201);
  const answer got = at.create(body_with(another_card(3), nine), {{"Idempotency-Key", "k3"}});
  CHECK(got.status == 429);
  CHECK(got.code() == "card_testing_suspected");
  CHECK(got.header("Retry-After") == "600");
  CHECK(got.text.find("cus_9") == std::string::npos);
  CHECK(at.commands.size() == 2);
  CHECK(at.limited == std::vector<std::string>{"customer_cards"});

  CHECK(at.create(body_with(another_card(2), nine)).status == 201);  // a known card
  CHECK(at.create(body_with(another_card(3), ten)).status == 201);
  CHECK(at.create(body_with(another_card(4), R"({"email": "a@example.com"})")).status == 201);
  at.steady += 10min;
  CHECK(at.create(body_with(another_card(3), nine)).status == 201);
}

TEST_CASE("customers of two merchants, and of two modes, are not one") {
  testing_house at(testing_subject::customer, 1, 0);
  const std::string nine = R"({"id": "cus_9"})";
  int card = 0;
  for (const char* who : {"demo", "demo live", "other"})
    CHECK(at.ask("POST", "/v1/payments", at.as(who, {{"Content-Type", "application/json"}}),
                 body_with(another_card(++card), nine))
              .status == 201);
}

TEST_CASE("many cards of one address are refused, whatever the customer") {
  testing_house at(testing_subject::ip, 2, 0);
  const auto pay = [&](int card, const std::string& address) {
    return at
        .create(body_with(another_card(card),
                          "{\"id\": \"cus_" + std::to_string(card) + "\", \"ip\": \"" + address + "\"}"))
        .status;
  };
  CHECK(pay(1, "192.0.2.1") == 201);
  CHECK(pay(2, "::ffff:192.0.2.1") == 201);
  CHECK(pay(3, "192.0.2.1") == 429);
  CHECK(pay(3, "192.0.2.2") == 201);
  CHECK(at.limited == std::vector<std::string>{"ip_cards"});
}

TEST_CASE("declines count when they are answered; other failures do not") {
  testing_house at(testing_subject::key, 0, 2);
  at.outcome = [](payments::payment& record) {
    record.status = payments::payment_status::failed;
    record.error = payments::payment_error{.code = "no_gateway_available", .message = "none"};
  };
  for (int i = 0; i < 5; ++i) CHECK(at.create(good_body).status == 201);
  at.outcome = decline;
  CHECK(at.create(good_body).status == 201);
  CHECK(at.create(good_body).status == 201);
  CHECK(at.create(good_body).status == 429);
  CHECK(at.limited == std::vector<std::string>{"key_declines"});
  CHECK(at.ask("POST", "/v1/payments", at.as("other", {{"Content-Type", "application/json"}}), good_body).status ==
        201);
}

TEST_CASE("a payment that was taken is answered again, suspect or not") {
  testing_house at(testing_subject::customer, 1, 1);
  at.outcome = decline;
  CHECK(at.create(good_body, {{"Idempotency-Key", "k1"}}).status == 201);
  at.known_key = "k1";
  at.next = core::create_status::replayed;
  at.prepare = [](core::create_result& result) { result.answer = {201, R"({"id":"pay_old"})"}; };
  const answer again = at.create(good_body, {{"Idempotency-Key", "k1"}});
  CHECK(again.status == 201);
  CHECK(again.header("Idempotency-Replayed") == "true");
  CHECK(at.limited.empty());
  CHECK(at.create(good_body, {{"Idempotency-Key", "k2"}}).code() == "card_testing_suspected");
  CHECK(at.create(good_body).code() == "card_testing_suspected");
}

TEST_CASE("the shopper's address is checked, and goes nowhere") {
  house at;
  CHECK(at.create(body_with(another_card(1), R"({"ip": "2001:db8::1"})")).status == 201);
  CHECK(at.commands.front().request.buyer.id.empty());
  for (const char* bad : {R"("192.0.2.256")", R"("")", R"(7)", R"("fe80::1%eth0")", R"(null)"}) {
    INFO(bad);
    const answer got = at.create(body_with(another_card(1), std::string("{\"ip\": ") + bad + "}"));
    CHECK(got.status == 400);
    CHECK(got.first_field() == "customer.ip");
  }
}

TEST_CASE("a merchant that wants references to be unique has it told to the engine") {
  house at;
  api_settings wanted;
  wanted.merchants["demo"].unique_reference = true;
  at.create(good_body);
  at.served->configure(std::make_shared<const api_settings>(wanted));
  at.create(good_body);
  at.ask("POST", "/v1/payments", at.as("other", {{"Content-Type", "application/json"}}), good_body);
  REQUIRE(at.commands.size() == 3);
  CHECK_FALSE(at.commands[0].unique_reference);
  CHECK(at.commands[1].unique_reference);
  CHECK_FALSE(at.commands[2].unique_reference);
}

}  // namespace
}  // namespace turnout::api
