// Answers of a gateway that is broken or means harm: what they may not become.
#include "connectors/answer_json.hpp"
#include "fixture.hpp"

using namespace turnout::connectors;
using namespace turnout::connectors::testing;
using turnout::payments::operation;
using turnout::payments::outcome;
using turnout::payments::send_result;

namespace {

std::string problems_of(const std::string& text) {
  turnout::settings::problems found;
  const auto loaded = load_text(text, found);
  std::string out;
  for (const auto& each : found) out += (out.empty() ? "" : "\n") + each.to_string();
  return loaded ? "accepted" : out;
}

/// `small` with these rules of its sale.
std::string with_rule(const std::string& rule) {
  return with(small, "{when: {status: 200}, outcome: approved, captured: true}", rule);
}

bool parses(std::string_view text) { return parse_answer(text, {}).has_value(); }

std::string approval(const std::string& id, const std::string& more = "") {
  return R"({"id":)" + id +
         R"(,"status":"succeeded","captured":true,"amount":1250,"currency":"EUR","reference":"att_1")" + more + "}";
}

void check_unclear(const send_result& got, std::string_view code) {
  CHECK(got.result == outcome::unknown);
  CHECK(got.code == code);
  CHECK(got.answered);
  CHECK(got.carried);
  CHECK(got.gateway_reference.empty());
  CHECK_FALSE(got.not_found);
}

}  // namespace

TEST_CASE("an answer with two members of one name is read as nothing") {
  const auto alpha = shipped("alpha");
  CHECK(answer(*alpha, operation::sale, 200, approval("\"ch_1\"")).result == outcome::approved);
  for (const char* more : {R"(,"status":"failed")", R"(,"status":"succeeded")", R"(,"amount":1250)", R"(,"x":1,"x":1)",
                           R"(,"\u0073tatus":"failed")", R"(,"x":{"a":1,"b":2,"a":1})",
                           R"(,"x":[1,[{"a":{"b":1,"b":2}}]])", R"(,"":1,"":2)", R"(,"a\u0000b":1,"a\u0000b":2)"}) {
    CAPTURE(more);
    check_unclear(answer(*alpha, operation::sale, 200, approval("\"ch_1\"", more)), "no_rule_matched");
  }
  // The same name in different objects is no fault, nor a name that only looks alike.
  for (const char* more :
       {R"(,"x":{"status":1},"y":[{"a":1},{"a":1}])", R"(,"Status":1,"status ":1)", R"(,"a\u0000b":1,"a\u0000c":2)"})
    CHECK(answer(*alpha, operation::sale, 200, approval("\"ch_1\"", more)).result == outcome::approved);
  check_unclear(answer(*alpha, operation::inquire, 404, R"({"error":{"code":"not_found","code":"not_found"}})"),
                "no_rule_matched");
}

TEST_CASE("what is JSON, and what is not") {
  for (const char* text : {"{}", "[]", " {\"a\" : [1, 2.5, -0, 1e3, null, true, \"\"]} \n", "\xEF\xBB\xBF{}",
                           "\"a\\u0000b\"", "\"\\ud83d\\ude00\"", "99999999999999999999999", "{\"a\":{},\"b\":[]}"})
    CHECK(parses(text));
  for (const char* text : {"",
                           " ",
                           "{",
                           "{}x",
                           "{} {}",
                           "{\"a\":1,}",
                           "[1 2]",
                           "{'a':1}",
                           "{\"a\"}",
                           "nul",
                           "01",
                           "+1",
                           ".5",
                           "1.",
                           "NaN",
                           "Infinity",
                           "\"\\ud800\"",
                           "\"\\udc00\"",
                           "\"\\ud800\\u0041\"",
                           "\"\xC3\"",
                           "\"\xED\xA0\x80\"",
                           "\"\x01\"",
                           "\"a\nb\"",
                           "// c\n{}",
                           "\xFE\xFF",
                           "\xEF\xBB\xBF\xEF\xBB\xBF{}"}) {
    CAPTURE(text);
    CHECK_FALSE(parses(text));
  }
  const auto nested = [](std::size_t deep) { return std::string(deep, '[') + std::string(deep, ']'); };
  CHECK(parses(nested(deepest_answer)));
  CHECK_FALSE(parses(nested(deepest_answer + 1)));
  CHECK_FALSE(parses(nested(400'000)));
  const std::string with_nul("{\"a\":1}\0", 8);
  CHECK_FALSE(parses(with_nul));
}

TEST_CASE("numbers as no gateway should write them") {
  const auto alpha = shipped("alpha");
  for (const char* amount :
       {"1e400", "-1e400", "1e-400", "-0", "-0.0", "1250.0", "125e1", "1.25E3", "9223372036854775808",
        "-9223372036854775809", "\"1250.00\"", "\"0x4E2\"", "\"1250\\u0000\"", "\"1 250\"", "\"+1250\"", "\"٠\"",
        "{\"value\":1250}", "[1250]", "false"}) {
    CAPTURE(amount);
    const auto got = answer(
        *alpha, operation::sale, 200,
        R"({"id":"ch_1","status":"succeeded","captured":true,"currency":"EUR","amount":)" + std::string(amount) + "}");
    // Approved, but never for the amount asked: it is reversed.
    CHECK(got.amount_minor != 1250);
    CHECK((got.amount_unreadable || got.amount_minor));
  }
  CHECK(answer(*alpha, operation::sale, 200, approval("\"ch_1\"", R"(,"n":1e400,"m":-0)")).amount_minor == 1250);
}

TEST_CASE("an approval without a usable id of the gateway is unknown") {
  const auto alpha = shipped("alpha");
  const std::string longest(255, 'x');
  for (const std::string& id :
       {std::string("\"ch_1\""), std::string("7"), std::string("\"A-z.0~_:+=\""), '"' + longest + '"'}) {
    CAPTURE(id);
    const auto got = answer(*alpha, operation::sale, 200, approval(id));
    CHECK(got.result == outcome::approved);
    CHECK_FALSE(got.gateway_reference.empty());
  }
  for (const std::string& id :
       {std::string("null"), std::string("\"\""), std::string("true"), std::string("1.5"), std::string("{}"),
        '"' + longest + "x\"", std::string("\"a b\""), std::string("\" a\""), std::string("\"a\\tb\""),
        std::string("\"a\\r\\nX-Injected: 1\""), std::string("\"a\\u0000b\""), std::string("\"\\u007f\""),
        std::string("\"é\""), std::string("\".\""), std::string("\"..\""), std::string("\"../../admin\""),
        std::string("\"a/b\""), std::string("\"a\\\\b\""), std::string("\"%2e%2e%2fx\"")}) {
    CAPTURE(id);
    for (const operation asked : {operation::sale, operation::authorize, operation::inquire, operation::capture,
                                  operation::refund, operation::void_payment})
      check_unclear(answer(*alpha, asked, 200, approval(id)), "gateway_reference_unusable");
    // A decline is one with or without it, and so is a reversal: there may have been no charge.
    const auto declined = answer(*alpha, operation::inquire, 200,
                                 R"({"status":"declined","error":{"code":"stolen_card"},"id":)" + id + "}");
    CHECK(declined.result == outcome::hard_decline);
    CHECK(declined.gateway_reference.empty());
    const auto reversed =
        answer(*alpha, operation::reverse, 200, R"({"object":"reversal","status":"reversed","charge":)" + id + "}");
    CHECK(reversed.result == outcome::approved);
    CHECK(reversed.gateway_reference.empty());
  }
}

TEST_CASE("an id with a slash is one where it never stands in a path") {
  const auto d =
      load_good(with_rule(R"({when: {status: 200}, outcome: approved, captured: true, gateway_reference: "$.id"})"));
  CHECK(answer(*d, operation::sale, 200, R"({"id":"a/b%"})").gateway_reference == "a/b%");
  check_unclear(answer(*d, operation::sale, 200, R"({"id":".."})"), "gateway_reference_unusable");
}

TEST_CASE("what is kept for a path does not lead to another one") {
  const std::string text =
      with_rule(R"({when: {status: 200}, outcome: approved, captured: true, keep: {a: "$.a", b: "$.b"}})") +
      R"(  refund:
    request: {method: POST, path: "/o/{{kept.a}}", body: {b: "{{kept.b}}"}}
    response: [{when: {status: 200}, outcome: approved}]
)";
  const auto d = load_good(text);
  using kept = turnout::payments::kept_values;
  for (const char* path : {"..", ".", "x/../y", "a\\\\b", "%2e%2e"}) {
    CAPTURE(path);
    const auto body = R"({"a":")" + std::string(path) + R"(","b":"x/y"})";
    CHECK(answer(*d, operation::sale, 200, body).kept == kept{{"b", "x/y"}});
  }
  CHECK(answer(*d, operation::sale, 200, R"({"a":"o..7","b":""})").kept == kept{{"a", "o..7"}, {"b", ""}});
}

TEST_CASE("the echo of our reference") {
  const auto strict =
      load_good(with_rule(R"({when: {status: 200}, outcome: approved, captured: true, reference: "$.m.r"})"));
  const auto echo = [&](const std::shared_ptr<const definition>& d, const char* body) {
    return answer(*d, operation::sale, 200, body).echo;
  };
  CHECK(echo(strict, R"({"m":{"r":"att_1"}})") == "att_1");
  CHECK(echo(strict, R"({"m":{"r":17}})") == "17");
  for (const char* none : {"{}", R"({"m":{"r":null}})", R"({"m":{"r":["att_1"]}})", R"({"m":{"r":1.5}})"})
    CHECK(echo(strict, none) == "");
  // Without JSON the rule matches nothing.
  check_unclear(answer(*strict, operation::sale, 200, "att_1"), "no_rule_matched");
  const auto lenient = load_good(with_rule(
      R"({when: {status: 200}, outcome: approved, captured: true, reference: {at: "$.r", may_be_absent: true}})"));
  CHECK(echo(lenient, R"({"r":"att_1"})") == "att_1");
  CHECK(echo(lenient, R"({"r":""})") == "");
  CHECK(echo(lenient, R"({"r":[]})") == "");
  CHECK_FALSE(echo(lenient, "{}"));
  CHECK_FALSE(echo(lenient, R"({"r":null})"));
}

TEST_CASE("mistakes about the echo") {
  const auto rule = [](const std::string& reference) {
    return problems_of(
        with_rule("{when: {status: 200}, outcome: approved, captured: true, reference: " + reference + "}"));
  };
  CHECK(rule("\"$.r\"") == "accepted");
  CHECK(rule("{at: \"$.r\", may_be_absent: true}") == "accepted");
  CHECK(rule("r") == "c.yaml:13:77: error: 'reference' must be a path such as $.a.b[0].c, not 'r'");
  CHECK(rule("{at: \"$.r\", may_be_absent: perhaps}") ==
        "c.yaml:13:104: error: 'may_be_absent' must be true or false, not 'perhaps'");
  CHECK_THAT(rule("{may_be_absent: true}"), Catch::Contains("'at'"));
  CHECK_THAT(rule("{at: \"$.r\", absent: true}"), Catch::Contains("unknown key 'absent'"));
  const auto refund = [](const std::string& body) {
    return problems_of(small + "  refund:\n    request: {method: POST, path: \"/{{attempt.id}}\", body: " + body +
                       "}\n    response: [{when: {status: 200}, outcome: approved, reference: \"$.r\"}]\n");
  };
  CHECK(refund("{r: \"{{operation.id}}\"}") == "accepted");
  CHECK(refund("{r: \"{{attempt.id}}\"}") ==
        "c.yaml:16:68: error: the request does not carry {{operation.id}}, so no answer can echo it in 'reference'");
  CHECK(problems_of(with(with_rule(R"({when: {status: 200}, outcome: approved, captured: true, reference: "$.r"})"),
                         "{{attempt.id}}", "{{payment.id}}")) ==
        "c.yaml:13:77: error: the request does not carry {{attempt.id}}, so no answer can echo it in 'reference'");
}

TEST_CASE("the shipped definitions know whose answer it is") {
  struct {
    const char* gateway;
    unsigned status;
    const char* body;
    operation asked;
  } const answers[] = {
      {"alpha", 200,
       R"({"id":"ch_1","status":"succeeded","captured":true,"amount":1250,"currency":"EUR","reference":"att_9"})",
       operation::sale},
      {"alpha", 402, R"({"error":{"code":"do_not_honor"},"reference":"att_9"})", operation::sale},
      {"alpha", 200, R"({"id":"ch_1","status":"refunded","operation_reference":"att_9"})", operation::refund},
      {"alpha", 200, R"({"object":"reversal","status":"reversed","reference":"att_9","charge":null})",
       operation::reverse},
      {"alpha", 404, R"({"error":{"code":"not_found"},"reference":"att_9"})", operation::inquire},
      {"alpha", 200, R"({"status":"reversed","reference":"att_9"})", operation::inquire},
      {"beta", 200, R"({"result":"DECLINED","responseCode":"05","transactionReference":"att_9"})", operation::sale},
      {"beta", 200, R"({"result":"NOT_FOUND","transactionReference":"att_9"})", operation::inquire},
      {"beta", 200, R"({"result":"APPROVED","transactionId":"bt_1","operationReference":"att_9"})", operation::capture},
      {"gamma", 201,
       R"({"transaction":{"id":"gm_1","orderRef":"att_9","state":"settled","money":{"minor":1250,"code":"EUR"}}})",
       operation::sale},
      {"gamma", 200, R"({"cancelled":true,"orderRef":"att_9","transaction":null})", operation::reverse},
      {"gamma", 404, R"({"fault":{"code":"unknown_order"},"orderRef":"att_9"})", operation::inquire},
      {"delta", 200,
       R"({"charge":{"id":"dl_1","state":"captured","merchant_reference":"att_9","amount":1250,"currency":"EUR"}})",
       operation::sale},
      {"delta", 200, R"({"charge":{"id":"dl_1"},"operation_reference":"att_9"})", operation::void_payment},
      {"delta", 404, R"({"failure":{"code":"no_such_reference"},"merchant_reference":"att_9"})", operation::inquire},
  };
  for (const auto& each : answers) {
    CAPTURE(each.gateway, each.body);
    const auto got = answer(*shipped(each.gateway), each.asked, each.status, each.body);
    CHECK(got.code != "no_rule_matched");
    CHECK(got.echo == "att_9");
  }
  // Approvals must have it; an answer that was never about a charge may not.
  CHECK(answer(*shipped("alpha"), operation::sale, 200, R"({"id":"ch_1","status":"succeeded","captured":true})").echo ==
        "");
  CHECK_FALSE(answer(*shipped("alpha"), operation::sale, 402, R"({"error":{"code":"do_not_honor"}})").echo);
  CHECK_FALSE(answer(*shipped("alpha"), operation::sale, 503, R"({"error":{"code":"not_processed"}})").echo);
}
