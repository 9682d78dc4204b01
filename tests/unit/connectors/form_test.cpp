// Form bodies: names, encoding, what is left out; auth in the query.
#include "fixture.hpp"

using namespace turnout::connectors;
using namespace turnout::connectors::testing;
using turnout::payments::operation;

namespace {

std::string form_text(std::string_view body, std::string_view more = "") {
  return with(with(small, R"({ref: "{{attempt.id}}"})", body), "path: /c,", "path: /c, encoding: form,") +
         std::string(more);
}

std::string form(std::string_view body, const world& w, std::string_view more = "") {
  return body_of(*load_good(form_text(body, more)), operation::sale, w);
}

std::string problems_of(const std::string& text) {
  turnout::settings::problems found;
  const auto loaded = load_text(text, found);
  std::string out;
  for (const auto& each : found) out += (out.empty() ? "" : "\n") + each.to_string();
  return loaded ? "accepted" : out;
}

}  // namespace

TEST_CASE("a form has nested names, and everything is text") {
  CHECK(form(R"({r: "{{attempt.id}}", n: 12, t: true, s: "a b", e: "", z: null, o: {p: {q: x}, "a&b": y}})", {}) ==
        "r=att_01ABC&n=12&t=true&s=a%20b&e=&z=&o[p][q]=x&o[a%26b]=y");
  const auto request =
      load_good(form_text("{r: \"{{attempt.id}}\"}"))->build_request(operation::sale, world().context());
  CHECK_THAT(shown(request), Catch::Contains("Content-Type: application/x-www-form-urlencoded\n"));
}

TEST_CASE("lists are indexed, or have empty brackets") {
  const std::string body = R"({r: "{{attempt.id}}", l: [1, {a: 2, b: [x, "{{customer.id}}"]}]})";
  CHECK(form(body, {}) == "r=att_01ABC&l[0]=1&l[1][a]=2&l[1][b][0]=x");
  const std::string brackets = with(form_text(body), "encoding: form,", "encoding: form, arrays: brackets,");
  CHECK(body_of(*load_good(brackets), operation::sale, {}) == "r=att_01ABC&l[]=1&l[][a]=2&l[][b][]=x");
}

TEST_CASE("any UTF-8 survives percent-encoding exactly, in values and in names") {
  world w;
  w.payment.metadata = {{"note", "\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80 +&=%[]\r\n~"}};
  CHECK(form("{r: \"{{attempt.id}}\", \"\xC3\xA9[\": \"{{metadata.note}}\", x: \"<{{metadata.note}}>\"}", w) ==
        "r=att_01ABC&%C3%A9%5B=%C3%A9%E2%82%AC%F0%9F%98%80%20%2B%26%3D%25%5B%5D%0D%0A~"
        "&x=%3C%C3%A9%E2%82%AC%F0%9F%98%80%20%2B%26%3D%25%5B%5D%0D%0A~%3E");
}

TEST_CASE("empty variables are left out of a form, and separators stay right") {
  world w;
  const auto connector = load_good(form_text(
      R"({a: "{{customer.id}}", o: {b: "{{customer.email}}"}, r: "{{attempt.id}}", c: "{{customer.country}}"})"));
  CHECK(body_of(*connector, operation::sale, w) == "r=att_01ABC");
  w.payment.buyer.email = "a@b";
  CHECK(body_of(*connector, operation::sale, w) == "o[b]=a%40b&r=att_01ABC");
  w.payment.buyer = {"1", "", "DE"};
  CHECK(body_of(*connector, operation::sale, w) == "a=1&r=att_01ABC&c=DE");
}

TEST_CASE("an idempotency key in a form") {
  const std::string key =
      R"(idempotency: {value: "k-{{attempt.id}}", in: body, name: meta.key, ttl: 1h, caches: all, in_flight: wait})";
  CHECK(form(R"({meta: {a: 1}, ref: "{{attempt.id}}"})", {}, key) == "meta[a]=1&ref=att_01ABC&meta[key]=k-att_01ABC");
  CHECK(problems_of(form_text(R"({meta: {key: 1}, ref: "{{attempt.id}}"})", key)) ==
        "c.yaml:11:69: error: the body's key 'key' is the idempotency key's place; remove it here, or change "
        "idempotency.name");
}

TEST_CASE("mistakes in forms") {
  CHECK(problems_of(form_text(R"({l: ["{{customer.id}}", 2], r: "{{attempt.id}}"})")) ==
        "c.yaml:11:66: error: this item is left out when its variable is empty, and would leave a gap in 'l'; put it "
        "last, or say arrays: brackets");
  CHECK(problems_of(form_text(R"({l: [2, "{{customer.id}}"], r: "{{attempt.id}}"})")) == "accepted");
  CHECK(problems_of(with(small, "path: /c,", "path: /c, arrays: brackets,")) ==
        "c.yaml:11:47: error: 'arrays' is only for encoding: form");
  CHECK_THAT(problems_of(with(form_text("{r: \"{{attempt.id}}\"}"), "form,", "form, arrays: bracket,")),
             Catch::StartsWith("c.yaml:11:63: error: 'arrays' cannot be 'bracket'; did you mean 'brackets'?"));
  CHECK_THAT(problems_of(form_text("{r: \"{{attempt.idd}}\"}")),
             Catch::StartsWith("c.yaml:11:65: error: unknown variable 'attempt.idd'; did you mean 'attempt.id'?"));
  CHECK_THAT(problems_of(form_text("[1]")), Catch::StartsWith("c.yaml:11:61: error: 'body' must be a mapping"));
}

// The fields of POST /v1/payment_intents in Stripe's description of its API
// (2023-08-16): deepObject for mappings and lists, all of it a form.
TEST_CASE("a charge as Stripe describes it") {
  const std::string body = R"(
      amount: "{{amount.minor}}"
      currency: "{{amount.currency}}"
      confirm: true
      capture_method: automatic
      payment_method_types: [card]
      payment_method_data:
        type: card
        card: {number: "{{card.number}}", exp_month: "{{card.exp_month}}", exp_year: "{{card.exp_year}}", cvc: "{{card.cvc}}"}
        billing_details: {name: "{{card.holder}}", email: "{{customer.email}}"}
      payment_method_options: {card: {request_three_d_secure: automatic}}
      metadata: {reference: "{{attempt.id}}", order: "{{payment.reference}}"}
      expand: [latest_charge, customer.default_source])";
  world w;
  w.payment.reference = "Bestellung №7";
  std::string text =
      with(small, R"(    request: {method: POST, path: /c, body: {ref: "{{attempt.id}}"}})",
           "    request:\n     method: POST\n     path: /v1/payment_intents\n     encoding: form\n     body:" + body);
  text +=
      "idempotency: {value: \"{{attempt.id}}\", in: header, name: Idempotency-Key, ttl: 24h, caches: all, in_flight: conflict}\n";
  CHECK(shown(load_good(text)->build_request(operation::sale, w.context())) ==
        "POST /v1/payment_intents\nAuthorization: Bearer t\nIdempotency-Key: att_01ABC\n"
        "Content-Type: application/x-www-form-urlencoded\nAccept: application/json\n\n"
        "amount=1250&currency=EUR&confirm=true&capture_method=automatic&payment_method_types[0]=card"
        "&payment_method_data[type]=card&payment_method_data[card][number]=4242424242424242"
        "&payment_method_data[card][exp_month]=7&payment_method_data[card][exp_year]=2030"
        "&payment_method_data[card][cvc]=123&payment_method_data[billing_details][name]=A.%20Buyer"
        "&payment_method_options[card][request_three_d_secure]=automatic"
        "&metadata[reference]=att_01ABC&metadata[order]=Bestellung%20%E2%84%967"
        "&expand[0]=latest_charge&expand[1]=customer.default_source");
}

TEST_CASE("auth in the query is apart from the target") {
  const std::string text =
      with(small, "{type: bearer, token: t}", "{type: query, name: \"api key\", value: \"a&b=c\"}");
  const auto request = load_good(text)->build_request(operation::sale, world().context());
  CHECK(request.target == "/c");
  CHECK(request.credential.reveal() == "api%20key=a%26b%3Dc");
  CHECK_THAT(shown(request), !Catch::Contains("Authorization") && !Catch::Contains("a%26b"));
  CHECK(problems_of(with(text, "path: /c,", "path: /c, query: {\"api key\": x},")) ==
        "c.yaml:11:47: error: 'api key' in the query is set by auth");
  CHECK(problems_of(with(small, "{type: bearer, token: t}", "{type: query, nam: k, value: v}")) ==
        "c.yaml:6:21: error: unknown key 'nam'; did you mean 'name'? allowed: type, name, value\n"
        "c.yaml:6:7: error: missing key 'name'");
}

TEST_CASE("a form's mapping with a cryptogram goes as a whole") {
  world w;
  const std::string body =
      R"({a: 1, three_ds: {version: "2", cryptogram: "{{authentication.cryptogram}}"}, r: "{{attempt.id}}"})";
  const auto connector =
      load_good(with(form_text(body), "capture: [automatic]", "capture: [automatic], authentication: [external]"));
  CHECK(body_of(*connector, operation::sale, w) == "a=1&r=att_01ABC");
  w.payment.authentication = turnout::payments::authentication{"2.2.0", "05", "c4e"};
  w.card.add_cryptogram("AJkBBkhgQQAAAE4gSEJydQAAAA+=");
  CHECK(body_of(*connector, operation::sale, w) ==
        "a=1&three_ds[version]=2&three_ds[cryptogram]=AJkBBkhgQQAAAE4gSEJydQAAAA%2B%3D&r=att_01ABC");
}
