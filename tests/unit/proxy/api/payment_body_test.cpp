#include <catch2/catch.hpp>

#include "fixtures.hpp"

namespace turnout::api {
namespace {

using namespace test;

payment_body read(const std::string& text) {
  json_failure failure;
  const auto document = json_document::parse(text, {}, failure);
  INFO(text << "\n" << failure.detail << " " << failure.field);
  REQUIRE(document.has_value());
  return read_payment_body(*document, demo, noon());
}

/// The only field that is at fault.
std::string fault_of(const std::string& text) {
  const payment_body body = read(text);
  INFO(text);
  for (const field_error& each : body.errors) INFO(each.field << ": " << each.message);
  REQUIRE(body.errors.size() == 1);
  CHECK_FALSE(body.request.has_value());
  CHECK_FALSE(body.card.present());
  return body.errors.front().field;
}

std::string with_metadata(const std::string& object) { return with(good_body, R"({"cart": "77"})", object); }

TEST_CASE("a good body becomes a typed request and a card") {
  const payment_body body = read(good_body);
  REQUIRE(body.errors.empty());
  REQUIRE(body.request.has_value());
  const payments::payment_request& request = *body.request;
  CHECK(request.merchant == "demo");
  CHECK_FALSE(request.livemode);
  CHECK(request.amount.minor == 1250);
  CHECK(request.amount.unit.code() == "EUR");
  CHECK(request.capture == payments::capture_mode::automatic);
  CHECK(request.reference == "order-1001");
  CHECK(request.buyer.id == "cus_9");
  CHECK(request.buyer.email == "a@example.com");
  CHECK(request.buyer.country == "DE");
  CHECK(request.return_url == "https://shop.example/return");
  REQUIRE(request.metadata.size() == 1);
  CHECK(request.metadata[0] == std::pair<std::string, std::string>("cart", "77"));
  CHECK(body.card.reveal_number() == card_number);
  CHECK(body.card.reveal_cvc() == "987");
  CHECK(body.card.holder() == "A. Buyer");
  CHECK(body.card.exp_month() == 12);
  CHECK(body.card.exp_year() == 2030);
}

TEST_CASE("only amount, currency and a card are needed") {
  const payment_body body = read(R"({"amount":1,"currency":"JPY","payment_method":{"type":"card",)"
                                 R"("card":{"number":"5555555555554444","exp_month":11,"exp_year":2026}}})");
  REQUIRE(body.errors.empty());
  CHECK(body.request->capture == payments::capture_mode::automatic);
  CHECK(body.request->reference.empty());
  CHECK(body.card.reveal_cvc().empty());
}

TEST_CASE("an authentication: its cryptogram goes with the card, the rest with the request") {
  const std::string brought = R"("authentication": {"version": "2.2.0", "eci": "05", )"
                              R"("cryptogram": "AJkBBkhgQQAAAE4gSEJydQAAAAA=", )"
                              R"("ds_transaction_id": "c4e59ceb-a382-4d6a-bc87-385d591fa09d"}, "reference")";
  const std::string good = with(good_body, R"("reference")", brought);
  const payment_body body = read(good);
  REQUIRE(body.errors.empty());
  REQUIRE(body.request->authentication);
  CHECK(body.request->authentication->version == "2.2.0");
  CHECK(body.request->authentication->eci == "05");
  CHECK(body.request->authentication->ds_transaction_id == "c4e59ceb-a382-4d6a-bc87-385d591fa09d");
  CHECK(body.card.reveal_cryptogram() == "AJkBBkhgQQAAAE4gSEJydQAAAAA=");
  CHECK_FALSE(read(good_body).request->authentication);
  CHECK(read(good_body).card.reveal_cryptogram().empty());
  struct wrong {
    const char *what, *instead, *field;
  };
  for (const wrong& each :
       {wrong{R"("2.2.0")", R"("2")", "authentication.version"},
        wrong{R"("2.2.0")", R"("2.2.0.1")", "authentication.version"},
        wrong{R"("2.2.0")", R"("2..0")", "authentication.version"},
        wrong{R"("2.2.0")", R"("latest")", "authentication.version"},
        wrong{R"("2.2.0")", "2.2", "authentication.version"},
        wrong{R"("eci": "05")", R"("eci": "5")", "authentication.eci"},
        wrong{R"("eci": "05")", R"("eci": "0x")", "authentication.eci"},
        wrong{R"("eci": "05")", R"("eci": 5)", "authentication.eci"},
        wrong{R"("eci": "05", )", "", "authentication.eci"},
        wrong{"AJkBBkhgQQAAAE4gSEJydQAAAAA=", "AJkBBkhgQQAAAE4gSEJydQAAAAA", "authentication.cryptogram"},
        wrong{"AJkBBkhgQQAAAE4gSEJydQAAAAA=", "AJkBBkhg=QAAAE4gSEJydQAAAAA=", "authentication.cryptogram"},
        wrong{"AJkBBkhgQQAAAE4gSEJydQAAAAA=", "AJkB", "authentication.cryptogram"},
        wrong{"c4e59ceb-", "c4e59ceb", "authentication.ds_transaction_id"},
        wrong{"c4e59ceb-", "g4e59ceb-", "authentication.ds_transaction_id"},
        wrong{R"("2.2.0")", R"("2.2.0", "flow": "x")", "authentication.flow"}})
    CHECK(fault_of(with(good, each.what, each.instead)) == each.field);
  // A card number may hide in what looks like an id.
  CHECK(fault_of(with(good, "c4e59ceb-a382-4d6a-bc87-385d591fa09d", "a4242424-2424-2424-2aaa-aaaaaaaaaaaa")) ==
        "authentication.ds_transaction_id");
}

TEST_CASE("each fault names its field") {
  struct wrong {
    const char *what, *instead, *field;
  };
  const wrong table[] = {
      // amount
      {R"("amount": 1250)", R"("amount": 0)", "amount"},
      {R"("amount": 1250)", R"("amount": -0)", "amount"},
      {R"("amount": 1250)", R"("amount": -5)", "amount"},
      {R"("amount": 1250)", R"("amount": 12.5)", "amount"},
      {R"("amount": 1250)", R"("amount": 1250.0)", "amount"},
      {R"("amount": 1250)", R"("amount": 1e3)", "amount"},
      {R"("amount": 1250)", R"("amount": "1250")", "amount"},
      {R"("amount": 1250)", R"("amount": null)", "amount"},
      {R"("amount": 1250)", R"("amount": true)", "amount"},
      {R"("amount": 1250)", R"("amount": [1250])", "amount"},
      {R"("amount": 1250)", R"("amount": {"minor": 1250})", "amount"},
      {R"("amount": 1250)", R"("amount": 1000000000000001)", "amount"},
      {R"("amount": 1250)", R"("amount": 9223372036854775807)", "amount"},
      {R"("amount": 1250)", R"("amount": 9223372036854775808)", "amount"},
      {R"("amount": 1250)", R"("amount": 18446744073709551615)", "amount"},
      {R"("amount": 1250)", R"("amount": 18446744073709551616)", "amount"},
      {R"("amount": 1250)", R"("amount": -9223372036854775809)", "amount"},
      {R"("amount": 1250, )", "", "amount"},
      // currency
      {R"("EUR")", R"("eur")", "currency"},
      {R"("EUR")", R"("EURO")", "currency"},
      {R"("EUR")", R"("")", "currency"},
      {R"("EUR")", R"("ZZQ")", "currency"},
      {R"("EUR")", R"("E€")", "currency"},
      {R"("EUR")", "978", "currency"},
      {R"("currency": "EUR", )", "", "currency"},
      // capture
      {R"("automatic")", R"("later")", "capture"},
      {R"("automatic")", "true", "capture"},
      {R"("automatic")", "null", "capture"},
      // payment_method
      {R"("type": "card", )", "", "payment_method.type"},
      {R"("type": "card")", R"("type": "iban")", "payment_method.type"},
      {R"("type": "card")", R"("type": 1)", "payment_method.type"},
      // card number
      {R"("4242424242424242")", R"("4242424242424241")", "payment_method.card.number"},
      {R"("4242424242424242")", R"("4242 4242 4242 4242")", "payment_method.card.number"},
      {R"("4242424242424242")", R"("4242-4242-4242-4242")", "payment_method.card.number"},
      {R"("4242424242424242")", R"(" 4242424242424242")", "payment_method.card.number"},
      {R"("4242424242424242")", R"("４２４２424242424242")", "payment_method.card.number"},
      {R"("4242424242424242")", R"("4242424242424242\u0000")", "payment_method.card.number"},
      {R"("4242424242424242")", "4242424242424242", "payment_method.card.number"},
      {R"("4242424242424242")", R"("")", "payment_method.card.number"},
      {R"("4242424242424242")", R"("42424242420")", "payment_method.card.number"},
      {R"("4242424242424242")", R"("42424242424242424242")", "payment_method.card.number"},
      {R"("number": "4242424242424242", )", "", "payment_method.card.number"},
      // expiry
      {R"("exp_month": 12)", R"("exp_month": 0)", "payment_method.card.exp_month"},
      {R"("exp_month": 12)", R"("exp_month": 13)", "payment_method.card.exp_month"},
      {R"("exp_month": 12)", R"("exp_month": "12")", "payment_method.card.exp_month"},
      {R"("exp_month": 12)", R"("exp_month": 12.0)", "payment_method.card.exp_month"},
      {R"("exp_month": 12, )", "", "payment_method.card.exp_month"},
      {R"("exp_year": 2030)", R"("exp_year": 30)", "payment_method.card.exp_year"},
      {R"("exp_year": 2030)", R"("exp_year": 20300)", "payment_method.card.exp_year"},
      {R"("exp_year": 2030)", R"("exp_year": "2030")", "payment_method.card.exp_year"},
      {R"("exp_year": 2030)", R"("exp_year": 2025)", "payment_method.card.exp_year"},
      {R"("exp_month": 12, "exp_year": 2030)", R"("exp_month": 10, "exp_year": 2026)", "payment_method.card.exp_year"},
      {R"("exp_year": 2030, )", "", "payment_method.card.exp_year"},
      {R"("exp_year": 2030)", R"("exp_year": 2057)", "payment_method.card.exp_year"},
      {R"("exp_year": 2030)", R"("exp_year": 9999)", "payment_method.card.exp_year"},
      // cvc, holder
      {R"("987")", R"("98")", "payment_method.card.cvc"},
      {R"("987")", R"("98765")", "payment_method.card.cvc"},
      {R"("987")", R"("98a")", "payment_method.card.cvc"},
      {R"("987")", R"("")", "payment_method.card.cvc"},
      {R"("987")", "987", "payment_method.card.cvc"},
      {R"("987")", "null", "payment_method.card.cvc"},
      {R"("A. Buyer")", "7", "payment_method.card.holder"},
      {R"("A. Buyer")", R"("")", "payment_method.card.holder"},
      // the rest
      {R"("order-1001")", R"("")", "reference"},
      {R"("order-1001")", "1001", "reference"},
      {R"("order-1001")", "null", "reference"},
      {R"("order-1001")", R"("for 4242424242424242")", "reference"},
      {R"("order-1001")", R"("4242-4242 4242-4242")", "reference"},
      {R"({"id": "cus_9", "email": "a@example.com", "country": "DE"})", R"("cus_9")", "customer"},
      {R"("cus_9")", "9", "customer.id"},
      {R"("cus_9")", R"("")", "customer.id"},
      {R"("a@example.com")", R"("example.com")", "customer.email"},
      {R"("a@example.com")", R"("a@")", "customer.email"},
      {R"("a@example.com")", R"("a@example.com\r\nX: y")", "customer.email"},
      {R"("DE")", R"("de")", "customer.country"},
      {R"("DE")", R"("DEU")", "customer.country"},
      {R"("https://shop.example/return")", R"("/return")", "return_url"},
      {R"("https://shop.example/return")", R"("ftp://shop.example/")", "return_url"},
      {R"("https://shop.example/return")", R"("javascript:alert`1`")", "return_url"},
      {R"("https://shop.example/return")", R"("https://")", "return_url"},
      {R"("https://shop.example/return")", R"("https:///return")", "return_url"},
      {R"("https://shop.example/return")", R"("https://shop.example@evil.example/")", "return_url"},
      {R"("https://shop.example/return")", R"("https://shop.example/a b")", "return_url"},
      {R"("https://shop.example/return")", R"("https://shop.example/\n")", "return_url"},
      {R"("https://shop.example/return")", R"("https://shop.example:99999/")", "return_url"},
      {R"("https://shop.example/return")", R"("https://shop.example:/")", "return_url"},
      {R"("https://shop.example/return")", "7", "return_url"},
      {R"("https://shop.example/return")", R"("https://shop.example/?c=4242424242424242")", "return_url"},
      {R"({"cart": "77"})", "[]", "metadata"},
      {R"({"cart": "77"})", "null", "metadata"},
      {R"({"cart": "77"})", R"({"cart": 77})", "metadata.cart"},
      {R"({"cart": "77"})", R"({"cart": {"id": "77"}})", "metadata.cart"},
      {R"({"cart": "77"})", R"({"": "77"})", "metadata."},
      {R"({"cart": "77"})", R"({"cart": "4242424242424242"})", "metadata"},
      {R"({"cart": "77"})", R"({"4242424242424242": "77"})", "metadata"},
      {R"({"cart": "77"}})", R"({"cart": "77"}, "quote": "quo_1"})", "quote"},
      {R"({"cart": "77"}})", R"({"cart": "77"}, "quote": null})", "quote"},
      // unknown fields
      {R"({"cart": "77"}})", R"({"cart": "77"}, "amout": 1})", "amout"},
      {R"({"cart": "77"}})", R"({"cart": "77"}, "": 1})", ""},
      {R"("type": "card")", R"("type": "card", "token": "t")", "payment_method.token"},
      {R"("cvc": "987")", R"("cvc": "987", "cvv": "987")", "payment_method.card.cvv"},
      {R"("country": "DE")", R"("country": "DE", "name": "A")", "customer.name"},
      {R"({"cart": "77"}})", R"({"cart": "77"}, "4242424242424242": 1})", "****************"},
  };
  for (const wrong& each : table) {
    INFO(each.what << " -> " << each.instead);
    CHECK(fault_of(with(good_body, each.what, each.instead)) == each.field);
  }
}

TEST_CASE("a body that is no object, or a method that is none, is named too") {
  CHECK(fault_of("[]") == "body");
  CHECK(fault_of("7") == "body");
  CHECK(fault_of(R"({"amount":1,"currency":"EUR"})") == "payment_method");
  CHECK(fault_of(R"({"amount":1,"currency":"EUR","payment_method":"card"})") == "payment_method");
  CHECK(fault_of(R"({"amount":1,"currency":"EUR","payment_method":{"type":"card"}})") == "payment_method.card");
  CHECK(fault_of(R"({"amount":1,"currency":"EUR","payment_method":{"type":"card","card":"4242424242424242"}})") ==
        "payment_method.card");
}

TEST_CASE("limits count characters, not bytes, and what is allowed is kept exactly") {
  const auto repeat = [](int times) {
    std::string text;
    for (int i = 0; i < times; ++i) text += "é";
    return text;
  };
  for (const auto& [what, limit, field] :
       {std::tuple{"order-1001", 100, "reference"}, std::tuple{"A. Buyer", 100, "payment_method.card.holder"},
        std::tuple{"cus_9", 100, "customer.id"}}) {
    CHECK(read(with(good_body, what, repeat(limit))).errors.empty());
    CHECK(fault_of(with(good_body, what, repeat(limit + 1))) == field);
  }
  const std::string key = repeat(40), value = repeat(500);
  const payment_body kept = read(with_metadata("{\"" + key + "\": \"" + value + "\"}"));
  REQUIRE(kept.errors.empty());
  CHECK(kept.request->metadata.front() == std::pair(key, value));
  CHECK(fault_of(with_metadata("{\"" + key + "é\": \"x\"}")).starts_with("metadata."));
  CHECK(fault_of(with_metadata("{\"k\": \"" + value + "é\"}")) == "metadata.k");

  const std::string url = "https://shop.example/" + std::string(2048 - 21, 'a');
  CHECK(read(with(good_body, "https://shop.example/return", url)).errors.empty());
  CHECK(fault_of(with(good_body, "https://shop.example/return", url + "a")) == "return_url");
}

TEST_CASE("metadata keeps its order, up to fifty keys") {
  const auto many = [](int count) {
    std::string text = "{";
    for (int i = 0; i < count; ++i) text += (i ? ", \"z" : "\"z") + std::to_string(99 - i) + "\": \"\"";
    return text + "}";
  };
  const payment_body kept = read(with_metadata(many(50)));
  REQUIRE(kept.errors.empty());
  CHECK(kept.request->metadata.front().first == "z99");
  CHECK(kept.request->metadata.back().first == "z50");
  CHECK(fault_of(with_metadata(many(51))) == "metadata");
}

TEST_CASE("all faults are listed at once, but not without end") {
  const payment_body body = read(R"({"amount": "1", "currency": "eur", "capture": 1, "colour": 2})");
  REQUIRE(body.errors.size() == 5);
  CHECK(body.errors[3].field == "colour");
  CHECK(body.errors[4].field == "payment_method");
  CHECK(body.errors[4].message == "is required");

  std::string many = "{\"amount\": 1";
  for (int i = 0; i < 60; ++i) many += ", \"f" + std::to_string(i) + "\": 0";
  CHECK(read(many + "}").errors.size() == most_errors);
}

TEST_CASE("a near miss is told") {
  const payment_body body = read(with(good_body, R"("reference")", R"("refernce")"));
  REQUIRE(body.errors.size() == 1);
  CHECK(body.errors.front().message == "is not a known field; did you mean reference?");
}

TEST_CASE("no message shows a value") {
  for (const char* what : {R"("amount": 1250)", R"("EUR")", R"("987")", R"("4242424242424242")", R"("DE")"}) {
    for (const char* bad : {R"("SECRET-424242424242")", R"(["SECRET-424242424242"])"}) {
      std::string wrong = with(
          good_body, what,
          std::string(what).find(": ") == std::string::npos ? std::string(bad) : "\"amount\": " + std::string(bad));
      for (const field_error& each : read(wrong).errors) {
        CHECK(each.message.find("SECRET") == std::string::npos);
        CHECK(each.message.find("4242") == std::string::npos);
      }
    }
  }
}

TEST_CASE("a card may be good for thirty years") {
  CHECK(read(with(good_body, R"("exp_year": 2030)", R"("exp_year": 2056)")).errors.empty());
}

TEST_CASE("what gateways are sent has no control characters, the merchant's own texts are kept exactly") {
  for (const char* character :
       {"\\u0000", "\\u0001", "\\n", "\\r", "\\t", "\\u001b", "\\u001F", "\\u007f", "\\u007F"}) {
    const auto around = [&](const char* text) { return "a" + std::string(character) + text; };
    CHECK(fault_of(with(good_body, "A. Buyer", around("b"))) == "payment_method.card.holder");
    CHECK(fault_of(with(good_body, "cus_9", around("b"))) == "customer.id");
    CHECK(fault_of(with(good_body, "a@example.com", around("@example.com"))) == "customer.email");
    CHECK(read(with(good_body, "order-1001", around("b"))).errors.empty());
    CHECK(read(with_metadata("{\"k\": \"" + around("b") + "\"}")).errors.empty());
  }
  CHECK(read(with(good_body, "order-1001", "a\\nb")).request->reference == "a\nb");
  CHECK(read(with(good_body, "A. Buyer", "Zoë Ünal–Şahin")).card.holder() == "Zoë Ünal–Şahin");
}

TEST_CASE("a card is good until its month has ended everywhere") {
  const std::string text =
      with(good_body, R"("exp_month": 12, "exp_year": 2030)", R"("exp_month": 11, "exp_year": 2026)");
  json_failure failure;
  const auto document = json_document::parse(text, {}, failure);
  REQUIRE(document.has_value());
  const payments::wall_time ended = std::chrono::sys_days{std::chrono::year{2026} / 12 / 1} + std::chrono::hours{12};
  CHECK(read_payment_body(*document, demo, ended - std::chrono::seconds{1}).errors.empty());
  CHECK(read_payment_body(*document, demo, ended).errors.size() == 1);
}

}  // namespace

TEST_CASE("a card number is found whatever stands between its digits") {
  const std::string_view number = "4242424242424242";
  for (const char* text :
       {"4242424242424242", "pay 4242 4242-4242.4242!", "4242_4242/4242,4242", "4242\n4242\n4242\n4242",
        "4242\xc2\xa0"
        "4242\xe2\x80\x89"
        "4242\xe2\x80\x93"
        "4242",
        "\xef\xbc\x94\xef\xbc\x92\xef\xbc\x94\xef\xbc\x92"
        "424242424242",
        "14242424242424242"})
    CHECK(contains_number(text, number));
  for (const char* text : {"", "424242424242424", "4242 4242 4242 4241",
                           "\xef\xbd\x94"
                           "242424242424242"})
    CHECK_FALSE(contains_number(text, number));
}

}  // namespace turnout::api
