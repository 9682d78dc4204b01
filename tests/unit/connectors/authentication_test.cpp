// 3-D Secure: what merchants bring, where gateways send the shopper back, and
// the challenges that gateways ask for.
#include "fixture.hpp"

using namespace turnout;
using namespace turnout::connectors;
using namespace turnout::connectors::testing;
using payments::operation;
using payments::outcome;

namespace {

const std::string carries = R"({ref: "{{attempt.id}}", secure: {flow: external, version: "{{authentication.version}}",
      eci: "{{authentication.eci}}", cryptogram: "{{authentication.cryptogram}}", ds: "{{authentication.ds_transaction_id}}"},
      back: "{{return_url}}", z: 1})";

std::string able(const std::string& words = "external") {
  return with(with(small, R"({ref: "{{attempt.id}}"})", carries), "capture: [automatic]",
              "capture: [automatic], authentication: [" + words + "]");
}

world authenticated() {
  world w;
  w.payment.authentication = payments::authentication{"2.2.0", "05", "c4e59ceb-a382-4d6a-bc87-385d591fa09d"};
  w.card.add_cryptogram("AJkBBkhgQQAAAE4gSEJydQAAAAA=");
  return w;
}

std::vector<std::string> complaints(const std::string& text) {
  settings::problems found;
  CHECK(load_text(text, found) == nullptr);
  std::vector<std::string> messages;
  for (const auto& each : found) messages.push_back(each.to_string());
  return messages;
}

std::string with_rule(const std::string& rule) {
  return with(small, "      - {when: {status: 200}, outcome: approved, captured: true}\n",
              "      - {when: {status: 200}, outcome: approved, captured: true}\n      - " + rule + "\n");
}

}  // namespace

TEST_CASE("what a merchant brings is carried, and left out as a whole otherwise", "[authentication]") {
  const auto connector = load_good(able());
  CHECK(connector->profile().takes_authentication);
  CHECK_FALSE(connector->profile().may_challenge);
  world w = authenticated();
  CHECK(body_of(*connector, operation::sale, w) ==
        R"({"ref":"att_01ABC","secure":{"flow":"external","version":"2.2.0","eci":"05",)"
        R"("cryptogram":"AJkBBkhgQQAAAE4gSEJydQAAAAA=","ds":"c4e59ceb-a382-4d6a-bc87-385d591fa09d"},"z":1})");
  w.payment.authentication->ds_transaction_id.clear();
  CHECK(body_of(*connector, operation::sale, w).find("\"ds\"") == std::string::npos);
  world none;
  CHECK(body_of(*connector, operation::sale, none) == R"({"ref":"att_01ABC","z":1})");
}

TEST_CASE("a gateway learns where to send the shopper back", "[authentication]") {
  const auto connector = load_good(able());
  world w;
  const request_context context{w.payment, w.attempt, &w.card, nullptr, "https://pay.example/v1/payments/pay_1/return"};
  CHECK(connector->build_request(operation::sale, context).body.reveal() ==
        R"({"ref":"att_01ABC","back":"https://pay.example/v1/payments/pay_1/return","z":1})");
}

TEST_CASE("authentication and return_url stand only in charges", "[authentication]") {
  const std::string later =
      "  inquire:\n    request: {method: POST, path: /q, body: {ref: \"{{attempt.id}}\", x: \"{{VARIABLE}}\"}}\n"
      "    response:\n      - {when: {status: 200}, outcome: approved}\n";
  const auto refused = [&](const std::string& name, const std::string& why) {
    const auto found = complaints(small + with(later, "VARIABLE", name));
    REQUIRE(found.size() == 1);
    CHECK(found[0].find(why) != std::string::npos);
  };
  refused("authentication.cryptogram", "card data exists only in sale and authorize");
  refused("authentication.eci", "card data exists only in sale and authorize");
  refused("return_url", "known only in sale and authorize");
  const auto in_path = complaints(with(small, "path: /c", "path: \"/c/{{return_url}}\""));
  REQUIRE(in_path.size() == 1);
  CHECK(in_path[0].find("may not stand in a path") != std::string::npos);
}

TEST_CASE("a definition says what it does about authentication", "[authentication]") {
  const auto declared = [](const std::string& text) {
    const auto found = complaints(text);
    REQUIRE(found.size() == 1);
    return found[0].substr(found[0].find("error: "));
  };
  CHECK(declared(with(small, "capture: [automatic]", "capture: [automatic], authentication: [external]")) ==
        "error: authentication: external needs {{authentication.cryptogram}} in the body of 'sale'");
  CHECK(declared(with(able(), ", authentication: [external]", "")) ==
        "error: 'sale' carries {{authentication.cryptogram}}: say authentication: [external]");
  CHECK(declared(able("external, challenge")) ==
        "error: authentication: challenge needs a rule that says 'outcome: requires_action'");
  CHECK(complaints(able("extern")).front().find("external") != std::string::npos);
  const auto both = load_good(with(with_rule(R"({when: {status: 202}, outcome: requires_action, action_url: "$.u"})"),
                                   "capture: [automatic]", "capture: [automatic], authentication: [challenge]"));
  CHECK(both->profile().may_challenge);
}

TEST_CASE("a challenge may be a form", "[authentication]") {
  const auto connector = load_good(with_rule(
      R"({when: {status: 202}, outcome: requires_action, gateway_reference: "$.id",
          action: {url: "$.acs.url", method: POST, fields: {creq: "$.acs.creq", n: "$.acs.n"}}})"));
  const auto good = answer(*connector, operation::sale, 202,
                           R"({"id":"x","acs":{"url":"https://acs.example/","creq":"e\"y=","n":7}})");
  CHECK(good.result == outcome::requires_action);
  CHECK(good.action.url == "https://acs.example/");
  CHECK(good.action.form);
  CHECK(good.action.fields == std::vector<std::pair<std::string, std::string>>{{"creq", "e\"y="}, {"n", "7"}});
  CHECK(good.gateway_reference == "x");
  // Half a form sends nobody anywhere.
  for (const char* acs :
       {R"({"url":"https://acs.example/","n":7})", R"({"url":"https://acs.example/","creq":{},"n":7})",
        R"({"url":"javascript:1","creq":"e","n":7})", R"({"creq":"e","n":7})"}) {
    const auto bad = answer(*connector, operation::sale, 202, std::string(R"({"acs":)") + acs + "}");
    CHECK(bad.result == outcome::unknown);
    CHECK(bad.code == "action_url_unusable");
    CHECK(bad.action.fields.empty());
  }
  const std::string big(17000, 'x');
  CHECK(answer(*connector, operation::sale, 202,
               R"({"acs":{"url":"https://acs.example/","creq":")" + big + R"(","n":7}})")
            .result == outcome::unknown);
}

TEST_CASE("a form's fields may be an object of the answer", "[authentication]") {
  const auto connector = load_good(with_rule(
      R"({when: {status: 202}, outcome: requires_action, action: {url: "$.url", method: POST, fields: "$.data"}})"));
  const auto good =
      answer(*connector, operation::sale, 202, R"({"url":"https://acs.example/","data":{"MD":"1","PaReq":"p"}})");
  CHECK(good.action.fields == std::vector<std::pair<std::string, std::string>>{{"MD", "1"}, {"PaReq", "p"}});
  std::string many = R"({"url":"https://acs.example/","data":{"a":"1")";
  for (int i = 0; i < 30; ++i) many += ",\"a" + std::to_string(i) + "\":\"1\"";
  CHECK(answer(*connector, operation::sale, 202, many + "}}").result == outcome::unknown);
  CHECK(answer(*connector, operation::sale, 202, R"({"url":"https://acs.example/","data":[]})").result ==
        outcome::unknown);
}

TEST_CASE("an action's mistakes are told", "[authentication]") {
  const auto why = [](const std::string& action) {
    const auto found = complaints(with_rule("{when: {status: 202}, outcome: requires_action, " + action + "}"));
    REQUIRE(!found.empty());
    return found[0];
  };
  CHECK(why(R"(action: {method: POST})").find("'url'") != std::string::npos);
  CHECK(why(R"(action: {url: "$.u"})").find("'method'") != std::string::npos);
  CHECK(why(R"(action: {url: "$.u", method: PUT})").find("POST") != std::string::npos);
  CHECK(why(R"(action: {url: "$.u", method: GET, fields: {a: "$.a"}})").find("only for method: POST") !=
        std::string::npos);
  CHECK(why(R"(action: {url: "$.u", method: POST, fields: {a: b}})").find("must be a path") != std::string::npos);
  CHECK(why(R"(action: {url: "$.u", method: GET}, action_url: "$.u")").find("at most one") != std::string::npos);
}

TEST_CASE("an inquiry may tell of a challenge", "[authentication]") {
  const auto connector =
      load_good(small +
                "  inquire:\n    request: {method: GET, path: \"/q/{{attempt.id}}\"}\n    response:\n"
                "      - {when: {status: 200}, outcome: approved}\n"
                "      - {when: {status: 202}, outcome: requires_action, action_url: \"$.u\"}\n");
  const auto told = answer(*connector, operation::inquire, 202, R"({"u":"https://acs.example/1"})");
  CHECK(told.result == outcome::requires_action);
  CHECK(told.action.url == "https://acs.example/1");
}
