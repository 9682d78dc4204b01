// Every mistake that a definition can hold, with the position it is reported at.
#include "fixture.hpp"

using namespace turnout::connectors;
using namespace turnout::connectors::testing;

namespace {

/// The problems of `text`, one a line.
std::string problems_of(const std::string& text) {
  turnout::settings::problems found;
  const auto loaded = load_text(text, found);
  std::string out;
  for (const auto& each : found) out += (out.empty() ? "" : "\n") + each.to_string();
  if (loaded) out = "accepted";
  return out;
}

/// `small` with one thing changed.
std::string changed(std::string_view from, std::string_view to) { return problems_of(with(small, from, to)); }

/// `small` with lines put at its end, after line 13.
std::string added(const std::string& more) { return problems_of(small + more); }

/// With another list of rules (line 13 on); a rule that approves comes last.
std::string rules(const std::string& lines) {
  return changed("      - {when: {status: 200}, outcome: approved, captured: true}\n",
                 lines + "      - {when: {status: 299}, outcome: approved}\n");
}

/// `small` with line 8 (resolve) replaced.
std::string promised(const std::string& resolve, const std::string& more = "") {
  return problems_of(with(small, "resolve: {accept_unprovable: true}", resolve) + more);
}

using Catch::Contains;
using Catch::StartsWith;

}  // namespace

TEST_CASE("the small definition is good") { CHECK(added("") == "accepted"); }

TEST_CASE("top level") {
  CHECK(
      changed("mode: test", "mod: test") ==
      "c.yaml:3:1: error: unknown key 'mod'; did you mean 'mode'? allowed: version, connector, mode, merchants, base_url, "
      "tls, auth, timeouts, capabilities, fees, idempotency, resolve, refunds, authorization_valid, exponents, operations, declines, maps\n"
      "c.yaml:1:1: error: missing key 'mode'");
  CHECK(changed("version: 1", "version: 2") ==
        "c.yaml:1:10: error: 'version' must be a whole number equal to 1, not '2'");
  CHECK(changed("connector: tiny", "connector: Tiny!") ==
        "c.yaml:2:12: error: 'connector' must be 1 to 40 of a-z, 0-9, '_' and '-'");
  CHECK(changed("mode: test", "mode: life") ==
        "c.yaml:3:7: error: 'mode' cannot be 'life'; did you mean 'live'? allowed: test, live");
  CHECK(changed("[demo]", "[]") == "c.yaml:4:12: error: 'merchants' must not be empty");
  CHECK(changed("[demo]", "[\"*\"]") ==
        "c.yaml:4:13: error: '*' is not allowed: name every merchant whose money this account may take");
  CHECK(changed("merchants: [demo]\n", "") == "c.yaml:1:1: error: missing key 'merchants'");
  CHECK(changed("base_url: http", "base_url: https") == "accepted");
  for (const char* bad : {"http://", "https://", "https://a:0", "https://u@a", "ftp://a", "http://a:0",
                          "http://a:65536", "http://u:p@a", "http://a/x?y", "http://a b", "http://[::1", "http://a:"})
    CHECK_THAT(changed("http://127.0.0.1:9", '"' + std::string(bad) + '"'),
               StartsWith("c.yaml:5:11: error: 'base_url' must be https://host"));
  CHECK(
      changed("http://127.0.0.1:9", "${NOT_SET}") ==
      "c.yaml:5:11: error: 'base_url': the environment variable NOT_SET is not set; set it, or write ${NOT_SET:-default}");
}

TEST_CASE("TLS") {
  const auto told = [](const std::string& tls) {
    return changed("base_url: http", "tls: {" + tls + "}\nbase_url: https");
  };
  CHECK(told("minimum_version: 1.3, pin: [a, b]") == "accepted");
  CHECK(told("") == "accepted");
  CHECK(told("ca: gone.pem") == "c.yaml:5:11: error: 'ca': cannot read the file gone.pem");
  CHECK(told("pin: []") == "c.yaml:5:12: error: 'pin' must name at least one key");
  CHECK(told("minimum_version: 1.1") ==
        "c.yaml:5:24: error: 'minimum_version' cannot be '1.1'; did you mean '1.2'? allowed: 1.2, 1.3");
  CHECK_THAT(told("client_key: a.pem"), StartsWith("c.yaml:5:19: error: 'client_certificate' and 'client_key' need"));
  CHECK_THAT(told("verify: false"), StartsWith("c.yaml:5:7: error: unknown key 'verify'"));
  CHECK_THAT(added("tls: {pin: a}"), Catch::Contains("'tls' means nothing without TLS"));
}

TEST_CASE("auth") {
  CHECK(
      changed("{type: bearer, token: t}", "{type: oauth2, token: t}") ==
      "c.yaml:6:14: error: auth type 'oauth2' is not supported yet by this version; allowed: bearer, basic, header, query");
  CHECK(changed("type: bearer", "type: baerer") ==
        "c.yaml:6:14: error: 'type' cannot be 'baerer'; did you mean 'bearer'? allowed: bearer, basic, header, query");
  CHECK(changed("token: t", "tokn: t") ==
        "c.yaml:6:22: error: unknown key 'tokn'; did you mean 'token'? allowed: type, token\n"
        "c.yaml:6:7: error: missing key 'token'");
  CHECK(changed("{type: bearer, token: t}", "{type: basic, user: \"a:b\", password: p}") ==
        "c.yaml:6:27: error: 'user' may not contain ':'");
  CHECK_THAT(changed("{type: bearer, token: t}", "{type: header, name: \"X Y\", value: v}"),
             StartsWith("c.yaml:6:28: error: 'name' must be a header's name"));
  const std::string broken = changed("token: t", "token: \"${BROKEN_LINE}\"");
  CHECK(broken ==
        "c.yaml:6:29: error: 'token' contains a control character or line break, which a header cannot carry");
}

TEST_CASE("capabilities, fees, timeouts, exponents") {
  CHECK(changed("[EUR, JPY, KWD]", "[EUR, EUT]") ==
        "c.yaml:7:51: error: unknown currency 'EUT'; did you mean 'EUR'? allowed: ISO 4217 codes in capital letters");
  CHECK_THAT(changed("[EUR, JPY, KWD]", "[eur]"),
             StartsWith("c.yaml:7:46: error: unknown currency 'eur'; did you mean 'EUR'?"));
  CHECK(
      changed("[visa]", "[viza]") ==
      "c.yaml:7:71: error: 'brands[0]' cannot be 'viza'; did you mean 'visa'? allowed: visa, mastercard, amex, discover, diners, jcb, unionpay, maestro");
  CHECK_THAT(changed("methods: [card]", "methods: [cards]"),
             StartsWith("c.yaml:7:26: error: 'methods[0]' cannot be 'cards'; did you mean 'card'?"));
  CHECK_THAT(changed("capture: [automatic]", "capture: [automatc]"),
             StartsWith("c.yaml:7:88: error: 'capture[0]' cannot be 'automatc'; did you mean 'automatic'?"));
  CHECK(added("fees: {percent: -1}\n") == "c.yaml:14:17: error: 'percent' must be a number from 0 to 100, not '-1'");
  CHECK(added("fees: {fixed: {EUR: -25}}\n") ==
        "c.yaml:14:21: error: 'EUR' must be a whole number from 0 to 1000000000, not '-25'");
  CHECK(added("fees: {fixed: {EUR: 2.5}}\n") ==
        "c.yaml:14:21: error: 'EUR' must be a whole number from 0 to 1000000000, not '2.5'");
  CHECK_THAT(added("fees: {per_attempt: {XYZ: 1}}\n"), StartsWith("c.yaml:14:22: error: unknown currency 'XYZ'"));
  CHECK(added("timeouts: {connect: 0s}\n") ==
        "c.yaml:14:21: error: 'connect' must be a duration from 1ms to 1m, not '0s'");
  CHECK(added("exponents: {EUR: 1}\n") == "c.yaml:14:18: error: 'EUR' must be a whole number from 2 to 4, not '1'");
  CHECK(added("exponents: {JPY: 4}\n") == "c.yaml:14:18: error: 'JPY' must be a whole number from 0 to 3, not '4'");
}

TEST_CASE("variables") {
  const auto body = [](const std::string& variable) {
    return changed(R"(body: {ref: "{{attempt.id}}"})", "body: {ref: \"{{attempt.id}}\", x: \"" + variable + "\"}");
  };
  CHECK_THAT(
      body("{{amount.minr}}"),
      StartsWith(
          "c.yaml:11:72: error: unknown variable 'amount.minr'; did you mean 'amount.minor'? allowed: amount.minor, "));
  CHECK(body("{{amount.minor") == "c.yaml:11:72: error: '{{' without its '}}'");
  CHECK_THAT(body("{{}}"), StartsWith("c.yaml:11:72: error: unknown variable ''"));
  CHECK_THAT(body("{{metadata.}}"), StartsWith("c.yaml:11:72: error: unknown variable 'metadata.'"));
  CHECK(body("{{attempt.gateway_reference}}") ==
        "c.yaml:11:72: error: 'attempt.gateway_reference' is not known before the charge was answered");
  CHECK(changed("path: /c", "path: \"/c/{{card.number}}\"") ==
        "c.yaml:11:35: error: 'card.number' may stand only in a body: paths and headers end up in logs");
  CHECK(changed("path: /c", "path: /c, headers: {X-C: \"{{card.cvc}}\"}") ==
        "c.yaml:11:54: error: 'card.cvc' may stand only in a body: paths and headers end up in logs");
  CHECK(
      changed("path: /c", "path: \"/c/{{payment.reference}}\"") ==
      "c.yaml:11:35: error: 'payment.reference' may not stand in a path, because merchants and shoppers choose its text; use "
      "query or body");
  const auto inquire = [](const std::string& path) {
    return added("  inquire:\n    request: {method: GET, path: \"" + path +
                 "\"}\n    response: [{when: {status: 200}, outcome: approved}]\n");
  };
  CHECK(inquire("/{{card.number}}") ==
        "c.yaml:15:34: error: 'card.number' is not known here: card data exists only in sale and authorize");
  CHECK(
      inquire("/{{attempt.gateway_reference}}") ==
      "c.yaml:15:34: error: 'attempt.gateway_reference' is not known when an answer was lost; inquire and reverse go by our own "
      "reference: 'attempt.id'");
  CHECK(
      inquire("/x") ==
      "c.yaml:15:14: error: 'inquire' must carry our reference {{attempt.id}} in its path, query or body: inquire and reverse go by it");
  CHECK(inquire("/{{attempt.id}}") == "accepted");
}

TEST_CASE("requests") {
  CHECK_THAT(
      changed("method: POST", "metod: POST"),
      StartsWith(
          "c.yaml:11:15: error: unknown key 'metod'; did you mean 'method'? allowed: method, path, encoding, arrays, query, headers, cookies, body"));
  CHECK(changed("method: POST", "method: FETCH") ==
        "c.yaml:11:23: error: 'method' cannot be 'FETCH'; allowed: GET, POST, PUT, PATCH, DELETE");
  CHECK(changed("method: POST", "method: GET") == "c.yaml:11:44: error: a GET request has no body; use 'query'");
  CHECK(changed("path: /c", "path: c") == "c.yaml:11:35: error: 'path' must begin with '/'");
  CHECK(changed("path: /c", "path: \"/c?x=1\"") ==
        "c.yaml:11:35: error: 'path' contains a character that may not stand there; write the query under 'query'");
  CHECK(changed("path: /c", "path: \"/c\\r\\nX: y\"") ==
        "c.yaml:11:35: error: 'path' contains a character that may not stand there");
  CHECK(changed("path: /c", "path: /c, encoding: xml") ==
        "c.yaml:11:49: error: encoding 'xml' is not supported yet by this version; allowed: json, form");
  CHECK(changed("path: /c", "path: /c, encoding: jsn") ==
        "c.yaml:11:49: error: 'encoding' cannot be 'jsn'; did you mean 'json'? allowed: json, form");
  CHECK(changed("path: /c", "path: /c, headers: {Host: x}") ==
        "c.yaml:11:49: error: the header 'Host' is set by the transport and may not be given");
  CHECK(changed("path: /c", "path: /c, headers: {authorization: x}") ==
        "c.yaml:11:49: error: the header 'authorization' is given twice, or set by auth, cookies or idempotency");
  CHECK(changed("path: /c", "path: /c, headers: {\"a b\": x}") ==
        "c.yaml:11:49: error: the header 'a b' is not a header's name");
  CHECK(changed("path: /c", "path: /c, headers: {X: \"a\\nb\"}") ==
        "c.yaml:11:52: error: 'X' contains a character that may not stand there");
  CHECK(changed(R"({ref: "{{attempt.id}}"})", "[1]") ==
        "c.yaml:11:45: error: 'body' must be a mapping (key: value), not a list");
}

TEST_CASE("rules") {
  CHECK(rules("      - {when: {status: 200}}\n") ==
        "c.yaml:13:9: error: a rule says exactly one of 'outcome' and 'reason'");
  CHECK(rules("      - {outcome: rejected, reason: declined}\n      - {outcome: approved}\n") ==
        "c.yaml:13:19: error: a rule says exactly one of 'outcome' and 'reason'\n"
        "c.yaml:15:9: error: this rule is never reached: the rule in line 14 matches all that it matches");
  CHECK(rules("      - {when: {status: 200}, outcome: unknown}\n") ==
        "c.yaml:13:40: error: a rule cannot say 'unknown': an answer that no rule matches is unknown; remove the rule");
  CHECK_THAT(rules("      - {when: {status: 200}, outcome: aproved}\n"),
             StartsWith("c.yaml:13:40: error: 'outcome' cannot be 'aproved'; did you mean 'approved'?"));
  CHECK(rules("      - {when: {status: 200}, outcome: not_found}\n")
            .find("c.yaml:13:40: error: 'outcome' cannot be 'not_found'") == 0);
  for (const char* bad : {"20", "abc", "600", "099", "6xx", "599-500", "200-", "\"\"", "[]", "{}"})
    CHECK_THAT(rules("      - {when: {status: " + std::string(bad) + "}, outcome: rejected}\n"),
               StartsWith("c.yaml:13:25: error: 'status' must"));
  CHECK(rules("      - {when: {stats: 200}, outcome: rejected}\n") ==
        "c.yaml:13:17: error: unknown condition 'stats'; did you mean 'status'? allowed: status, $.path.to.field");
  for (const char* bad : {"$", "$.", "$..a", "$a", "$.a[", "$.a[x]", "$.a[-1]", "$.a[1000]", "$.a[0", "$.a.*"})
    CHECK(rules("      - {when: {\"" + std::string(bad) + "\": 1}, outcome: rejected}\n") ==
          "c.yaml:13:17: error: '" + std::string(bad) + "' must be a path such as $.a.b[0].c");
  CHECK(rules("      - {when: {status: 200}, outcome: rejected, gateway_code: code}\n") ==
        "c.yaml:13:64: error: 'gateway_code' must be a path such as $.a.b[0].c, not 'code'");
  CHECK(rules("      - {when: {status: 200}, outcome: requires_action}\n") ==
        "c.yaml:13:9: error: 'outcome: requires_action' needs 'action_url' or 'action': where the shopper must go");
  CHECK(rules("      - {when: {status: 200}, outcome: pending, amount_format: decimal}\n") ==
        "c.yaml:13:64: error: 'amount_format' is only for rules with an 'amount' or a total");
  CHECK_THAT(
      rules("      - {when: {status: 200}, reason: insufficient_fund}\n"),
      StartsWith("c.yaml:13:39: error: 'reason' cannot be 'insufficient_fund'; did you mean 'insufficient_funds'?"));
  CHECK(rules("      - {when: {status: 200}, reason: {from: $.c, map: declines}}\n") ==
        "c.yaml:13:56: error: there is no map 'declines'; write it under 'declines' or 'maps'");
  CHECK(changed("outcome: approved, captured: true", "outcome: rejected") ==
        "c.yaml:13:7: error: no rule says 'outcome: approved', so 'sale' could never succeed");
  CHECK(changed("response:\n      - {when: {status: 200}, outcome: approved, captured: true}\n", "response: []\n") ==
        "c.yaml:12:15: error: 'response' needs at least one rule");
}

TEST_CASE("rules that are never reached") {
  const auto second = [](const std::string& first, const std::string& then) {
    return rules("      - {" + first + "outcome: rejected}\n      - {" + then + "outcome: pending}\n");
  };
  const std::string never =
      "c.yaml:14:9: error: this rule is never reached: the rule in line 13 matches all that it matches";
  CHECK(second("when: {status: 200}, ", "when: {status: 200}, ") == never);
  CHECK(second("when: {status: 2xx}, ", "when: {status: [201, 204], $.a: 1}, ") ==
        never + "\nc.yaml:15:9: error: this rule is never reached: the rule in line 13 matches all that it matches");
  CHECK(second("when: {status: [200-249, 250-260]}, ", "when: {status: 240-255}, ") == never);
  CHECK(second("when: {$.a: exists}, ", "when: {status: 200, $.a: [1, x]}, ") == never);
  CHECK(second("when: {$.a: absent}, ", "when: {$.a: null, $.b: 1}, ") == never);
  CHECK(second("when: {$.a: [1, 2, 3]}, ", "when: {$.a: [3, 1]}, ") == never);
  CHECK_THAT(second("", "when: {status: 200}, "), StartsWith(never));
  for (const auto& [first, then] : {std::pair("when: {status: 200}, ", "when: {status: 201}, "),
                                    {"when: {status: 200-210}, ", "when: {status: 205-211}, "},
                                    {"when: {status: 200}, ", ""},
                                    {"when: {status: 200, $.a: 1}, ", "when: {status: 200}, "},
                                    {"when: {$.a: exists}, ", "when: {$.a: null}, "},
                                    {"when: {$.a: exists}, ", "when: {$.b: 1}, "},
                                    {"when: {$.a: 1}, ", "when: {$.a: \"1\"}, "},
                                    {"when: {$.a: [1]}, ", "when: {$.a: exists}, "},
                                    {"when: {status: 200}, gateway_code: $.a, ", "when: {status: 200}, "}}) {
    CAPTURE(first, then);
    CHECK_THAT(second(first, then), !Contains("c.yaml:14"));
  }
}

TEST_CASE("maps") {
  const std::string rule = "      - {when: {status: 402}, reason: {from: $.c, map: declines}}\n";
  const auto map = [&](const std::string& block) {
    return problems_of(with(small, "      - {when", rule + "      - {when") + block);
  };
  CHECK(map("declines: {a: declined, default: declined}\n") == "accepted");
  CHECK(
      map("declines: {a: declined}\n") ==
      "c.yaml:15:11: error: the map 'declines' needs a 'default' for codes that it does not list, such as default: declined");
  CHECK(
      map("declines: {default: do_not_honor}\n") ==
      "c.yaml:15:21: error: 'default' must be a reason that is never tried at another gateway, such as declined; 'do_not_honor' "
      "may be, and nobody knows what an unlisted code means");
  CHECK_THAT(map("declines: {x: stolen_crd, default: declined}\n"),
             StartsWith("c.yaml:15:15: error: 'x' cannot be 'stolen_crd'; did you mean 'stolen_card'?"));
  CHECK_THAT(map("maps: {declnes: {default: declined}}\n"),
             StartsWith("c.yaml:13:56: error: 'map' cannot be 'declines'; did you mean 'declnes'?"));
  CHECK_THAT(map("declines: {default: declined}\nmaps: {declines: {default: declined}}\n"),
             StartsWith("c.yaml:16:8: error: the map 'declines' is given twice"));
}

TEST_CASE("operations that are missing") {
  CHECK_THAT(
      changed("  sale:", "  sael:"),
      StartsWith(
          "c.yaml:10:3: error: unknown key 'sael'; did you mean 'sale'? allowed: sale, authorize, capture, refund, void, reverse, inquire"));
  CHECK(changed("  sale:", "  authorize:") ==
        "c.yaml:10:3: error: capture: automatic needs the operation 'sale' (or 'authorize' and 'capture')");
  CHECK(changed("[automatic]", "[automatic, manual]") ==
        "c.yaml:10:3: error: capture: manual needs the operation 'authorize'");
  CHECK(changed("    request: {method: POST, path: /c, body: {ref: \"{{attempt.id}}\"}}\n", "") ==
        "c.yaml:11:5: error: missing key 'request'");
}

TEST_CASE("idempotency") {
  CHECK(
      added("idempotency: {value: \"{{payment.id}}\", in: header, name: K, ttl: 1h, caches: all}\n") ==
      "c.yaml:14:22: error: 'value' must contain {{attempt.id}}: a key that two attempts share would make the gateway answer the wrong one");
  CHECK(added("idempotency: {in: none, caches: all}\n") ==
        "c.yaml:14:33: error: 'caches' must be none when no key is sent (in: none)");
  CHECK(added("idempotency: {value: \"{{attempt.id}}\", in: headr, name: K, ttl: 1h, caches: all}\n") ==
        "c.yaml:14:44: error: 'in' cannot be 'headr'; did you mean 'header'? allowed: header, body, none");
  CHECK(added("idempotency: {value: \"{{attempt.id}}\", in: header, name: \"a b\", ttl: 1h, caches: all}\n") ==
        "c.yaml:14:58: error: 'name' must be a header's name, such as Idempotency-Key");
  CHECK(added("idempotency: {value: \"{{attempt.id}}\", in: body, name: a..b, ttl: 1h, caches: all}\n") ==
        "c.yaml:14:56: error: 'name' must be a key of the body, such as requestKey or meta.requestKey");
  CHECK(
      added("idempotency: {value: \"{{attempt.id}}\", in: body, name: ref, ttl: 1h, caches: all}\n") ==
      "c.yaml:11:46: error: the body's key 'ref' is the idempotency key's place; remove it here, or change idempotency.name");
  CHECK_THAT(added("idempotency: {value: \"{{attempt.id}}\", in: header, name: K, ttl: 0s, caches: all}\n"),
             StartsWith("c.yaml:14:66: error: 'ttl' must be a duration from 1s"));
}

TEST_CASE("promises about the truth") {
  const std::string keyed =
      "idempotency: {value: \"{{attempt.id}}\", in: header, name: K, ttl: 1h, caches: all, in_flight: conflict}\n";
  const std::string all =
      "idempotency: {value: \"{{attempt.id}}\", in: header, name: K, ttl: 1h, caches: all, in_flight: parallel}\n";
  const std::string silent = "idempotency: {value: \"{{attempt.id}}\", in: header, name: K, ttl: 1h, caches: all}\n";
  const std::string success =
      "idempotency: {value: \"{{attempt.id}}\", in: header, name: K, ttl: 1h, caches: success, in_flight: parallel}\n";
  const std::string inquire =
      "  inquire:\n    request: {method: GET, path: \"/{{attempt.id}}\"}\n    response: [{when: {status: 200}, outcome: approved}, {when: {status: 404}, outcome: not_found}]\n";
  const std::string reverse =
      "  reverse:\n    request: {method: POST, path: \"/{{attempt.id}}\"}\n    response: [{when: {status: 200}, outcome: approved}]\n";
  const std::string nothing =
      "nothing here can prove that an unknown attempt did not charge; declare a replay, "
      "not_found_final_after or reverse_blocks_late, or say accept_unprovable: true";
  CHECK(promised("resolve: {methods: []}") == "c.yaml:8:10: error: " + nothing);
  CHECK(promised("") == "c.yaml:1:1: error: " + nothing);
  CHECK(promised("resolve: {methods: [inquire]}", inquire) == "c.yaml:8:10: error: " + nothing);
  CHECK(promised("resolve: {methods: [inquire], not_found_final_after: never}", inquire) ==
        "c.yaml:8:10: error: " + nothing);
  CHECK(promised("resolve: {methods: [reverse]}", reverse) == "c.yaml:8:10: error: " + nothing);
  CHECK(promised("resolve: {methods: [inquire], not_found_final_after: 30s}", inquire) == "accepted");
  CHECK(promised("resolve: {methods: [reverse], reverse_blocks_late: true}", reverse) == "accepted");
  CHECK(promised("resolve: {methods: [replay], replay_for: 1h}", keyed) == "accepted");
  CHECK(promised("resolve: {methods: [inquire], not_found_final_after: 30s}") ==
        "c.yaml:8:20: error: resolve method 'inquire' needs operations.inquire");
  CHECK(promised("resolve: {methods: [reverse], reverse_blocks_late: true}") ==
        "c.yaml:8:20: error: resolve method 'reverse' needs operations.reverse");
  CHECK(
      promised("resolve: {methods: [revrse], accept_unprovable: true}") ==
      "c.yaml:8:21: error: 'methods[0]' cannot be 'revrse'; did you mean 'reverse'? allowed: replay, inquire, reverse");
  for (const std::string& each : {success, all, silent})
    CHECK_THAT(
        promised("resolve: {methods: [replay], replay_for: 1h}", each),
        StartsWith(
            "c.yaml:8:20: error: resolve method 'replay' needs idempotency with caches: all or success and with in_flight: conflict or wait;"));
  CHECK(
      promised("resolve: {methods: [replay], replay_for: 2h}", keyed) ==
      "c.yaml:8:42: error: 'replay_for' must not be longer than idempotency.ttl: an expired key charges a second time");
  CHECK(
      promised("resolve: {methods: [replay]}", keyed) ==
      "c.yaml:8:10: error: resolve method 'replay' needs 'replay_for': how long a replay is safe, at most idempotency.ttl");
  CHECK(promised("resolve: {sends_per_second: 20, accept_unprovable: true}") == "accepted");
  CHECK_THAT(promised("resolve: {sends_per_second: 0, accept_unprovable: true}"),
             StartsWith("c.yaml:8:29: error: 'sends_per_second' must be"));
  CHECK(promised("resolve: {replay_for: 1m, accept_unprovable: true}", keyed) ==
        "c.yaml:8:23: error: 'replay_for' needs 'replay' in resolve.methods");
  CHECK_THAT(promised("resolve: {methods: [inquire], not_found_final_after: 0s}", inquire),
             StartsWith("c.yaml:8:54: error: 'not_found_final_after' must be a duration from 1ms"));
  CHECK(promised("resolve: {not_found_final_after: 1s, accept_unprovable: true}") ==
        "c.yaml:8:34: error: 'not_found_final_after' needs 'inquire' in resolve.methods");
  CHECK(promised("resolve: {reverse_blocks_late: true, accept_unprovable: true}") ==
        "c.yaml:8:32: error: 'reverse_blocks_late' needs 'reverse' in resolve.methods");
  CHECK(promised("resolve: {methods: [inquire], not_found_final_after: 30s}",
                 with(inquire, ", {when: {status: 404}, outcome: not_found}", "")) ==
        "c.yaml:16:15: error: no rule says 'outcome: not_found', which resolve.not_found_final_after counts on");
  CHECK_THAT(
      promised("resolve: {methods: [inquire], not_found_final_after: 30s}", with(inquire, "not_found}", "rejected}")),
      StartsWith("c.yaml:16:89: error: an inquiry cannot say 'rejected'"));
  CHECK_THAT(
      promised("resolve: {methods: [reverse], reverse_blocks_late: true}", with(reverse, "approved", "pending")),
      StartsWith(
          "c.yaml:16:47: error: a reversal is either acknowledged ('approved') or 'not_found', it cannot be 'pending'"));
  CHECK(
      problems_of(with(with(small, "{accept_unprovable: true}", "{methods: [inquire], not_found_final_after: 30s}"),
                       "{ref: \"{{attempt.id}}\"}", "{a: 1}") +
                  inquire) ==
      "c.yaml:11:14: error: 'sale' must carry our reference {{attempt.id}} in its path, query or body: inquire and reverse go by it");
}

TEST_CASE("one run shows every mistake") {
  turnout::settings::problems found;
  CHECK_FALSE(load_text(with(with(with(small, "mode: test", "mode: x"), "[visa]", "[vis]"), "/c", "c"), found));
  CHECK(found.size() == 3);
}
