// What answers give to bring back: ids, headers and session cookies.
#include "connectors/reply_headers.hpp"
#include "fixture.hpp"

using namespace turnout::connectors;
using namespace turnout::connectors::testing;
using turnout::payments::kept_values;
using turnout::payments::operation;
using turnout::payments::outcome;

namespace {

const std::string keeping = R"(version: 1
connector: tiny
mode: test
merchants: [demo]
base_url: http://127.0.0.1:9
auth: {type: bearer, token: t}
capabilities: {methods: [card], currencies: [EUR], brands: [visa], capture: [automatic]}
resolve: {accept_unprovable: true}
operations:
  sale:
    request: {method: POST, path: /c, body: {ref: "{{attempt.id}}"}}
    response:
      - when: {status: 200}
        outcome: approved
        captured: true
        keep: {order: "$.order.id", session: {cookie: SESSION}, trace: {header: X-Trace}}
      - {when: {status: 202}, outcome: pending, keep: {session: {cookie: SESSION}}}
  refund:
    request:
      method: POST
      path: "/orders/{{kept.order}}/refund"
      headers: {X-Trace: "{{kept.trace}}"}
      cookies: {SESSION: "{{kept.session}}", lang: en}
      body: {order: "{{kept.order}}", text: "of {{kept.order}}"}
    response: [{when: {status: 200}, outcome: approved}]
  inquire:
    request: {method: GET, path: "/c/{{attempt.id}}", cookies: {SESSION: "{{kept.session}}"}}
    response: [{when: {status: 200}, outcome: approved}]
)";

kept_values kept_of(const definition& d, wire_reply reply, operation asked = operation::sale) {
  return d.parse_response(asked, reply, euros(1250)).kept;
}

std::optional<std::string> cookie(std::vector<std::string> lines) {
  wire_reply reply;
  for (std::string& each : lines) reply.headers.emplace_back("set-cookie", std::move(each));
  return find_cookie(reply, "SESSION");
}

std::string problems_of(const std::string& text) {
  turnout::settings::problems found;
  const auto loaded = load_text(text, found);
  std::string out;
  for (const auto& each : found) out += (out.empty() ? "" : "\n") + each.to_string();
  return loaded ? "accepted" : out;
}

}  // namespace

TEST_CASE("values are kept from the body, a header and a cookie") {
  const auto d = load_good(keeping);
  const wire_reply reply{
      200,
      {{"x-trace", " t 1 "}, {"Set-Cookie", "other=1"}, {"Set-Cookie", "SESSION=abc; Path=/; HttpOnly"}},
      R"({"order":{"id":77}})"};
  CHECK(kept_of(*d, reply) == kept_values{{"order", "77"}, {"session", "abc"}, {"trace", "t 1"}});
  CHECK(kept_of(*d, {202, {{"Set-Cookie", "SESSION=x"}}, "no json"}) == kept_values{{"session", "x"}});
}

TEST_CASE("what is not there, not text, too long or not visible is not kept") {
  const auto d = load_good(keeping);
  const std::string longest(turnout::payments::longest_kept_value, 'x');
  for (const std::string& body :
       {std::string("{}"), std::string(R"({"order":{"id":null}})"), std::string(R"({"order":{"id":{"a":1}}})"),
        std::string(R"({"order":{"id":1.5}})"), R"({"order":{"id":")" + longest + "x\"}}"})
    CHECK(kept_of(*d, {200, {}, body}).empty());
  CHECK(kept_of(*d, {200, {}, R"({"order":{"id":")" + longest + "\"}}"}) == kept_values{{"order", longest}});
  CHECK(kept_of(*d, {200, {{"X-Trace", "a\x01"}}, "{}"}).empty());
  CHECK(kept_of(*d, {200, {{"X-Trace", "\xC3\xA9"}}, "{}"}).empty());
  // An answer that no rule matches tells nothing.
  CHECK(kept_of(*d, {500, {{"Set-Cookie", "SESSION=x"}}, "{}"}).empty());
}

TEST_CASE("Set-Cookie") {
  CHECK(cookie({"SESSION=abc"}) == "abc");
  CHECK(cookie({" SESSION = a=b== ; Path=/"}) == "a=b==");
  CHECK(cookie({"SESSION=\"q\"; Secure"}) == "\"q\"");
  CHECK(cookie({"SESSION=1", "SESSION=2"}) == "2");
  CHECK(cookie({"SESSION=; Path=/"}) == "");
  CHECK(cookie({"SESSION=1", "SESSION=gone; max-age = 0"}) == "");
  CHECK(cookie({"SESSION=1; Max-Age=-5"}) == "");
  CHECK(cookie({"SESSION=1; Max-Age=3600"}) == "1");
  CHECK(cookie({"SESSION=1; Max-Age=abc"}) == "1");
  for (const char* none : {"session=1", "XSESSION=1", "SESSION", "", ";", "=1", "SESSION=a b", "SESSION=a,b",
                           "SESSION=\"", "SESSION=a\\b", "SESSION=\xC3\xA9"})
    CHECK_FALSE(cookie({none}));
  // A damaged one does not take away the good one before it.
  CHECK(cookie({"SESSION=1", "SESSION=a b"}) == "1");
}

TEST_CASE("what was kept is brought back") {
  const auto d = load_good(keeping);
  world w;
  w.attempt.kept = {{"session", "abc"}, {"order", "7/7"}, {"trace", "t 1"}};
  CHECK(shown(d->build_request(operation::refund, w.context(false))) ==
        "POST /orders/7%2F7/refund\nAuthorization: Bearer t\nCookie: SESSION=abc; lang=en\nX-Trace: t 1\n"
        "Content-Type: application/json\nAccept: application/json\n\n{\"order\":\"7/7\",\"text\":\"of 7/7\"}");
  CHECK_THAT(shown(d->build_request(operation::inquire, w.context(false))), Catch::Contains("\nCookie: SESSION=abc\n"));
  // Nothing kept: empty ones are left out, and so is a header without a value.
  w.attempt.kept.clear();
  CHECK(shown(d->build_request(operation::inquire, w.context(false))) ==
        "GET /c/att_01ABC\nAuthorization: Bearer t\nAccept: application/json\n\n");
  CHECK_THAT(shown(d->build_request(operation::refund, w.context(false))), Catch::Contains("Cookie: lang=en\n") &&
                                                                               !Catch::Contains("X-Trace") &&
                                                                               Catch::Contains("{\"text\":\"of \"}"));
}

TEST_CASE("a kept value cannot break out of a cookie or a header") {
  const auto d = load_good(keeping);
  world w;
  w.attempt.kept = {{"session", "a; admin=1\r\nX: y"}, {"trace", "1\r\nInjected: yes"}};
  const auto text = shown(d->build_request(operation::refund, w.context(false)));
  CHECK_THAT(text,
             Catch::Contains("Cookie: SESSION=aadmin=1X:y; lang=en\n") && Catch::Contains("X-Trace: 1Injected: yes\n"));
}

TEST_CASE("mistakes about kept values") {
  CHECK(problems_of(keeping) == "accepted");
  CHECK(problems_of(with(keeping, "{{kept.order}}/refund", "{{kept.ordr}}/refund")) ==
        "c.yaml:21:13: error: unknown kept value 'ordr'; did you mean 'order'? allowed: order, session, trace");
  CHECK_THAT(problems_of(with(keeping, "/c/{{attempt.id}}", "/c/{{attempt.id}}/{{kept.order}}")),
             Catch::StartsWith("c.yaml:27:34: error: 'kept.<name>' may not stand in the path of 'inquire'"));
  CHECK_THAT(problems_of(with(keeping, "body: {ref: \"{{attempt.id}}\"}",
                              "body: {ref: \"{{attempt.id}}\", x: \"{{kept.order}}\"}")),
             Catch::StartsWith("c.yaml:11:72: error: 'kept.<name>' is not known before the charge was answered"));
  CHECK_THAT(problems_of(with(small, "outcome: approved, captured: true}", "outcome: approved}") +
                         "  void:\n    request: {method: POST, path: /v, body: {x: \"{{kept.y}}\"}}\n"
                         "    response: [{outcome: approved}]\n"),
             Catch::StartsWith("c.yaml:15:49: error: 'kept.y' is not known: no rule of this file says 'keep'"));
  CHECK(problems_of(with(keeping, "order: \"$.order.id\", s", "Order: \"$.order.id\", order: \"$.a\", s")) ==
        "c.yaml:16:16: error: a kept value's name must be 1 to 40 of a-z, 0-9 and '_'");
  CHECK(problems_of(with(keeping, "order: \"$.order.id\"", "order: id")) ==
        "c.yaml:16:23: error: 'order' must be a path such as $.a.b[0].c, not 'id'");
  CHECK(problems_of(with(keeping, "{header: X-Trace}", "{header: X-Trace, cookie: X}")) ==
        "c.yaml:16:72: error: 'trace' must be a path such as $.session, {header: NAME} or {cookie: NAME}");
  CHECK(problems_of(with(keeping, "{cookie: SESSION}, trace", "{cooki: SESSION}, trace")) ==
        "c.yaml:16:47: error: unknown key 'cooki'; did you mean 'cookie'? allowed: header, cookie\n"
        "c.yaml:16:46: error: 'session' must be a path such as $.session, {header: NAME} or {cookie: NAME}");
  CHECK(problems_of(with(keeping, "{cookie: SESSION}, trace", "{cookie: \"A B\"}, trace")) ==
        "c.yaml:16:55: error: 'cookie' must be a header's or cookie's name");
  CHECK(problems_of(with(keeping, "lang: en", "lang: \"e;n\"")) ==
        "c.yaml:23:52: error: 'lang' contains a character that may not stand in a cookie");
  CHECK(problems_of(with(keeping, "lang: en", "\"la ng\": en")) ==
        "c.yaml:23:46: error: the cookie 'la ng' is not a cookie's name");
  CHECK(problems_of(with(keeping, "headers: {X-Trace", "headers: {cookie: x, X-Trace")) ==
        "c.yaml:22:17: error: the header 'cookie' is given twice, or set by auth, cookies or idempotency");
  std::string many = "keep: {";
  for (int i = 0; i < 9; ++i) many += (i ? ", k" : "k") + std::to_string(i) + ": \"$.a\"";
  CHECK_THAT(problems_of(with(small, "captured: true", "captured: true, " + many + "}")),
             Catch::StartsWith("c.yaml:10:3: error: rules may keep at most 8 values, not 9"));
}
