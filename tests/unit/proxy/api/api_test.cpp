#include <catch2/catch.hpp>

#include <fstream>

#include "house.hpp"
#include "proxy/api/admin_api.hpp"
#include "proxy/api/render.hpp"

namespace turnout::api {
namespace {

using namespace test;

TEST_CASE("a payment is created") {
  house at;
  at.commands.reserve(3);  // references stay good
  const answer got = at.create(good_body, {{"Idempotency-Key", "\"k1\""}});
  CHECK(got.status == 201);
  CHECK(got.body.at("id").as_string() == "pay_new");
  CHECK(got.header("Content-Type") == "application/json");
  CHECK(only_header(got.fields, "Idempotency-Replayed").count == 0);
  CHECK(only_header(got.fields, "Strict-Transport-Security").count == 0);
  REQUIRE(at.commands.size() == 1);
  const core::create_command& command = at.commands.front();
  CHECK(command.request.merchant == "demo");
  CHECK_FALSE(command.request.livemode);
  CHECK(command.card.reveal_number() == card_number);
  CHECK(command.card_fingerprint == at.card_key.hex(card_number));
  REQUIRE(command.claim.has_value());
  CHECK(command.claim->key == "k1");
  CHECK(command.claim->mac.size() == 64);
  CHECK(command.arrival.wall == noon());
  CHECK(at.reports == std::vector<std::string>{"POST /v1/payments 201"});

  at.create(with(good_body, "987", "111"), {{"Idempotency-Key", "k1"}});
  CHECK(at.commands[1].claim->mac == command.claim->mac);
  at.create(good_body);
  CHECK_FALSE(at.commands[2].claim.has_value());
}

TEST_CASE("every result of the engine has its answer") {
  house at;
  const auto result = [&](core::create_status status, std::function<void(core::create_result&)> prepare = {}) {
    at.next = status;
    at.prepare = std::move(prepare);
    return at.create(good_body, {{"Idempotency-Key", "k1"}});
  };
  answer got = result(core::create_status::replayed, [](core::create_result& r) {
    r.answer = {201, R"({"id":"pay_old"})"};
  });
  CHECK(got.status == 201);
  CHECK(got.text == R"({"id":"pay_old"})");
  CHECK(got.header("Idempotency-Replayed") == "true");

  const auto current = [](payments::payment_status status) {
    return [status](core::create_result& r) {
      r.record =
          payments::payment{.id = "pay_old", .merchant = "demo", .amount = {1, *payments::currency::find("EUR")}};
      r.record->status = status;
    };
  };
  CHECK(result(core::create_status::replayed, current(payments::payment_status::processing)).status == 202);
  got = result(core::create_status::replayed, current(payments::payment_status::failed));
  CHECK(got.status == 201);
  CHECK(got.body.at("status").as_string() == "failed");
  CHECK(got.header("Idempotency-Replayed") == "true");

  got = result(core::create_status::in_progress);
  CHECK(got.status == 409);
  CHECK(got.code() == "idempotency_in_progress");
  CHECK(got.header("Retry-After") == "1");

  got = result(core::create_status::key_reused);
  CHECK(got.status == 422);
  CHECK(got.code() == "idempotency_key_reused");
  CHECK(got.first_field() == "Idempotency-Key");

  got = result(core::create_status::no_candidate, [](core::create_result& r) {
    r.excluded = {{"alpha", "currency_not_supported"}, {"beta", "merchant_not_listed"}};
  });
  CHECK(got.status == 422);
  CHECK(got.code() == "no_connector");
  CHECK(got.body.at("exclusions").as_array().size() == 2);
  CHECK(got.body.at("exclusions").at(1).at("connector").as_string() == "beta");
  CHECK(got.body.at("exclusions").at(1).at("reason").as_string() == "merchant_not_listed");

  CHECK(result(core::create_status::no_policy).code() == "no_policy");
  CHECK(result(core::create_status::rate_unavailable).code() == "rate_unavailable");
  got = result(core::create_status::unavailable);
  CHECK(got.status == 503);
  CHECK(got.code() == "journal_unavailable");
  CHECK(got.header("Retry-After") == "1");
  at.draining = true;
  CHECK(result(core::create_status::unavailable).code() == "shutting_down");
}

TEST_CASE("bad requests never reach the engine") {
  house at;
  CHECK(at.create("{").status == 400);
  CHECK(at.create("{").code() == "malformed_request");
  CHECK(at.create("").code() == "malformed_request");
  answer got = at.create(with(good_body, R"("amount": 1250)", R"("amount": 1250, "amount": 1250)"));
  CHECK(got.status == 400);
  CHECK(got.code() == "malformed_request");
  CHECK(got.first_field() == "amount");
  got = at.create(with(good_body, R"("amount": 1250)", R"("amount": 12.5)"));
  CHECK(got.status == 400);
  CHECK(got.code() == "invalid_request");
  CHECK(got.first_field() == "amount");
  got = at.create(R"({"amount": 0, "currency": "eur"})");
  CHECK(got.body.at("errors").as_array().size() == 3);
  got = at.create(good_body, {{"Idempotency-Key", "a"}, {"Idempotency-Key", "b"}});
  CHECK(got.status == 400);
  CHECK(got.first_field() == "Idempotency-Key");
  CHECK(at.create(good_body, {{"Idempotency-Key", ""}}).status == 400);
  got = at.create(good_body, {{"Idempotency-Key", std::string("order-") + std::string(card_number)}});
  CHECK(got.status == 400);
  CHECK(got.first_field() == "Idempotency-Key");
  CHECK(at.create(good_body, {{"Content-Encoding", "gzip"}}).status == 415);
  CHECK(at.commands.empty());
}

TEST_CASE("the body must be declared as JSON") {
  house at;
  const auto typed = [&](net::headers fields) {
    return at.ask("POST", "/v1/payments", at.as("demo", fields), good_body).status;
  };
  CHECK(typed({}) == 415);
  for (const char* bad :
       {"", "text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin1", "application/jsonx",
        "application/json; charset=utf-8; x=y", "application/json, text/plain"}) {
    INFO(bad);
    CHECK(typed({{"Content-Type", bad}}) == 415);
  }
  CHECK(typed({{"Content-Type", "application/json"}, {"Content-Type", "application/json"}}) == 415);
  for (const char* good : {"application/json", "Application/JSON", "application/json;charset=utf-8",
                           "application/json; charset=\"UTF-8\"", "application/json ; charset=UTF-8"}) {
    INFO(good);
    CHECK(typed({{"Content-Type", good}}) == 201);
  }
}

TEST_CASE("a retry of a payment that was taken before its card expired is not told that it expired") {
  house at;
  const std::string expired =
      with(good_body, R"("exp_month": 12, "exp_year": 2030)", R"("exp_month": 1, "exp_year": 2026)");
  CHECK(at.create(expired, {{"Idempotency-Key", "k1"}}).status == 400);
  at.known_key = "k1";
  CHECK(at.create(expired, {{"Idempotency-Key", "k1"}}).status == 201);  // the engine decides
  CHECK(at.create(expired, {{"Idempotency-Key", "k2"}}).status == 400);
  CHECK(at.create(with(expired, "1250", "0"), {{"Idempotency-Key", "k1"}}).status == 400);
  CHECK(at.commands.size() == 1);
}

TEST_CASE("an API key is needed, and one wrong key is like another") {
  house at;
  at.keep("pay_1", "demo", false);
  const std::string id = at.key_of["demo"].substr(0, at.key_of["demo"].find(':'));
  for (const net::headers& fields : {net::headers{}, net::headers{{"Authorization", "Bearer nonsense"}},
                                     net::headers{{"Authorization", "Bearer " + id + ":sk_wrong"}},
                                     net::headers{{"Authorization", "Bearer ak_nobody:sk_wrong"}},
                                     net::headers{{"Authorization", "Bearer " + at.key_of["demo"] + "x"}},
                                     net::headers{{"Authorization", "Bearer " + at.key_of["demo"]},
                                                  {"Authorization", "Bearer " + at.key_of["demo"]}}}) {
    const answer got = at.ask("GET", "/v1/payments/pay_1", fields);
    CHECK(got.status == 401);
    CHECK(got.code() == "unauthorized");
    CHECK_FALSE(got.header("WWW-Authenticate").empty());
    CHECK(got.text.find("sk_wrong") == std::string::npos);
  }
  CHECK(at.ask("GET", "/v1/payments/pay_1", at.as("demo")).status == 200);
}

TEST_CASE("payments are read back") {
  house at;
  at.keep("pay_1", "demo", false);
  answer got = at.ask("GET", "/v1/payments/pay_1", at.as("demo"));
  CHECK(got.status == 200);
  CHECK(got.text == render_payment(at.records.payments.at("pay_1")));
  for (const char* list : {"attempts", "events", "decisions"}) {
    got = at.ask("GET", std::string("/v1/payments/pay_1/") + list, at.as("demo"));
    CHECK(got.status == 200);
    CHECK(got.body.at("object").as_string() == "list");
    CHECK(got.body.at("next_cursor").is_null());
  }
  CHECK(at.ask("HEAD", "/v1/payments/pay_1", at.as("demo")).status == 200);
  CHECK(at.reports.front() == "GET /v1/payments/{id} 200");
  CHECK(at.reports.back() == "HEAD /v1/payments/{id} 200");
}

TEST_CASE("another merchant's or mode's payment does not exist") {
  house at;
  at.keep("pay_1", "demo", false);
  const answer nothing = at.ask("GET", "/v1/payments/pay_9", at.as("demo"));
  CHECK(nothing.status == 404);
  for (const char* path : {"", "/attempts", "/events", "/decisions"})
    for (const char* who : {"other", "demo live"}) {
      const answer got = at.ask("GET", std::string("/v1/payments/pay_1") + path, at.as(who));
      CHECK(got.status == 404);
      CHECK(got.body.at("detail") == nothing.body.at("detail"));
      CHECK(got.code() == nothing.code());
    }
}

TEST_CASE("what is not in the table is not there") {
  house at;
  for (const char* target :
       {"/", "", "/v1", "/v2/payments", "/v1/payments/", "/v1/payments/pay_1/", "/v1/payments/pay_1/x",
        "/v1/payments//attempts", "/v1/payments/a/b/attempts", "/V1/payments", "/v1%2Fpayments", "*"}) {
    INFO(target);
    const answer got = at.ask("GET", target, at.as("demo"));
    CHECK(got.status == 404);
  }
  answer got = at.ask("PUT", "/v1/payments", at.as("demo"));
  CHECK(got.status == 405);
  CHECK(got.header("Allow") == "POST, GET, HEAD");
  got = at.ask("DELETE", "/v1/payments/pay_1", at.as("demo"));
  CHECK(got.status == 405);
  CHECK(got.header("Allow") == "GET, HEAD");
  CHECK(at.ask("get", "/v1/payments/pay_1", at.as("demo")).status == 405);
  CHECK(at.reports.back() == "other unmatched 405");
}

TEST_CASE("unknown query parameters are named") {
  house at;
  at.keep("pay_1", "demo", false);
  CHECK(at.ask("GET", "/v1/payments/pay_1?", at.as("demo")).status == 200);
  const answer got = at.ask("GET", "/v1/payments/pay_1?expand=x&&sort", at.as("demo"));
  CHECK(got.status == 400);
  CHECK(got.first_field() == "expand");
  CHECK(got.body.at("errors").at(1).at("field").as_string() == "sort");
  CHECK(at.ask("GET", "/v1/payments/pay_1?4242424242424242", at.as("demo")).first_field() == "****************");
  CHECK(at.ask("GET", "/v1/payments/pay_1?\xff\"=1", at.as("demo")).first_field() == "?\"");
}

TEST_CASE("a fault of ours tells the client nothing and the log what happened") {
  house at;
  at.records.broken = true;
  const answer got = at.ask("GET", "/v1/payments/pay_1", at.as("demo"));
  CHECK(got.status == 500);
  CHECK(got.code() == "internal_error");
  CHECK(got.text.find("disk") == std::string::npos);
  at.throwing = true;
  CHECK(at.create(good_body).status == 500);
}

TEST_CASE("requests that break HTTP get the same shape") {
  house at;
  for (const unsigned status : {400u, 408u, 413u, 414u, 417u, 431u, 501u, 503u, 505u}) {
    const net::response got = at.served->protocol_error(status, "why \"so\"", "req_x");
    CHECK(got.status == status);
    const json::value body = json::parse(got.body);
    CHECK(body.at("status").as_int64() == status);
    CHECK(body.at("request_id").as_string() == "req_x");
    CHECK(body.at("detail").as_string() == "why \"so\"");
    CHECK(only_header(got.fields, "Content-Type").value == "application/problem+json");
    CHECK(only_header(got.fields, "Request-Id").value == "req_x");
  }
}

TEST_CASE("a problem document, exactly") {
  const net::response got = render({problems::invalid_request,
                                    "2 fields are not valid",
                                    {{"amount", "is required"}, {"a\"b", "is not a known field"}},
                                    {},
                                    {}},
                                   "req_1");
  CHECK(got.body ==
        R"({"type":"/problems/invalid_request","title":"The request is not valid","status":400,)"
        R"("detail":"2 fields are not valid","code":"invalid_request","request_id":"req_1",)"
        R"("errors":[{"field":"amount","message":"is required"},{"field":"a\"b","message":"is not a known field"}]})");
}

TEST_CASE("an API that lacks something is refused at its making") {
  CHECK_THROWS_AS(turnout::api::api(dependencies{}), std::invalid_argument);
  CHECK_THROWS_AS(admin_api(admin_dependencies{}), std::invalid_argument);
}

struct admin_house {
  readiness state{true, "ready"};
  settings::problems found;
  admin_dependencies world;
  admin_house() {
    world.ready = [this] { return state; };
    world.metrics = [] { return std::string("turnout_x 1\n"); };
    world.connectors = [] {
      return std::vector<routing::connector_view>{{"alpha", 0.5, 0.9, 1, 84.25, "closed", 3, 0.4}};
    };
    world.reload = [this] { return found; };
    world.resolve = [](const core::resolve_command&, const std::function<void(core::resolve_result)>&) {};
    world.merchants = [] { return std::vector<std::string>{"demo"}; };
    world.explain = [](const explain_request& asked) { return "\"" + asked.wish.merchant + "\""; };
    world.make_request_id = [] { return std::string("req_1"); };
    world.now = [] { return payments::instant{}; };
  }
  net::response ask(std::string method, std::string target, net::headers fields = {}, std::string body = {}) {
    admin_api served(world);
    std::optional<net::response> got;
    served.handle(net::request{std::move(method), std::move(target), std::move(fields), std::move(body), {}},
                  [&](net::response message) { got = std::move(message); });
    REQUIRE(got.has_value());
    return *got;
  }
};

TEST_CASE("operators see health, metrics and connectors") {
  admin_house at;
  CHECK(at.ask("GET", "/health/live").status == 200);
  CHECK(at.ask("GET", "/health/ready").status == 200);
  at.state = {false, "draining"};
  CHECK(at.ask("GET", "/health/live").status == 200);
  CHECK(at.ask("GET", "/health/ready").status == 503);
  CHECK(at.ask("GET", "/health/ready").body == R"({"status":"draining","ready":false})");
  at.state = {false, "unavailable", "journal_unavailable"};
  CHECK(at.ask("GET", "/health/ready").status == 503);
  CHECK(at.ask("GET", "/health/ready").body ==
        R"({"status":"unavailable","ready":false,"reason":"journal_unavailable"})");
  CHECK(at.ask("GET", "/metrics").body == "turnout_x 1\n");
  CHECK(at.ask("GET", "/admin/connectors").body ==
        R"({"object":"list","data":[{"connector":"alpha","state":"closed","score":0.5,"approval":0.9,"health":1,)"
        R"("latency_ms":84.25,"in_flight":3,"share":0.4}],"next_cursor":null})");
  CHECK(at.ask("GET", "/-/reload").status == 405);
  CHECK(at.ask("GET", "/").status == 404);
}

TEST_CASE("operators have a payment explained") {
  admin_house at;
  at.world.now = [] { return payments::instant{{}, noon()}; };
  const net::headers json_body{{"Content-Type", "application/json"}};
  const net::response got = at.ask("POST", "/admin/explain?mode=test", json_body, good_body);
  CHECK(got.status == 200);
  CHECK(got.body == "\"demo\"");
  CHECK(at.ask("POST", "/admin/explain", {}, good_body).status == 415);
  CHECK(at.ask("POST", "/admin/explain?mode=real", json_body, good_body).status == 400);
  CHECK(at.ask("POST", "/admin/explain", json_body, "{}").status == 400);
  CHECK(
      at.ask("POST", "/admin/explain", {{"Content-Type", "application/json"}, {"Origin", "null"}}, good_body).status ==
      403);
  at.world.token = "s3cret";
  CHECK(at.ask("POST", "/admin/explain", json_body, good_body).status == 401);
}

TEST_CASE("a reload says what is wrong and where") {
  admin_house at;
  CHECK(at.ask("POST", "/-/reload").status == 200);
  at.found = {{"policies/a.yaml", 3, 7, true, "only a warning"}};
  CHECK(at.ask("POST", "/-/reload").status == 200);
  at.found.push_back({"policies/a.yaml", 4, 9, false, "unknown strategy"});
  const net::response got = at.ask("POST", "/-/reload");
  CHECK(got.status == 422);
  const json::value body = json::parse(got.body);
  REQUIRE(body.at("errors").as_array().size() == 1);
  CHECK(body.at("errors").at(0).at("field").as_string() == "policies/a.yaml:4:9");
  CHECK(body.at("errors").at(0).at("message").as_string() == "unknown strategy");
}

TEST_CASE("what changes something is refused to web pages") {
  admin_house at;
  int reloads = 0;
  at.world.reload = [&] { return ++reloads, settings::problems(); };
  for (const char* origin : {"http://evil.example", "http://127.0.0.1:8081", "null", ""}) {
    INFO(origin);
    const net::response got = at.ask("POST", "/-/reload", {{"origin", origin}});
    CHECK(got.status == 403);
    CHECK(json::parse(got.body).at("code").as_string() == "origin_refused");
    CHECK(at.ask("GET", "/health/ready", {{"Origin", origin}}).status == 200);
  }
  CHECK(reloads == 0);
  CHECK(at.ask("POST", "/-/reload").status == 200);
  CHECK(reloads == 1);
}

TEST_CASE("without a token the admin listener answers to this machine's own names only") {
  admin_house at;
  int reloads = 0;
  at.world.reload = [&] { return ++reloads, settings::problems(); };
  at.world.address = "127.0.0.2";
  const auto asked = [&](const char* host) {
    INFO(host);
    const unsigned status = at.ask("GET", "/metrics", {{"Host", host}}).status;
    CHECK(at.ask("GET", "/health/live", {{"Host", host}}).status == status);
    CHECK(at.ask("POST", "/-/reload", {{"Host", host}}).status == status);
    return status;
  };
  for (const char* host : {"127.0.0.1", "127.0.0.1:8081", "127.9.9.9", "127.0.0.2:1", "[::1]", "[::1]:8081",
                           "localhost", "LocalHost:8081", "localhost.", "admin.localhost:8081"})
    CHECK(asked(host) == 200);
  const int taken = reloads;
  for (const char* host : {"evil.example", "evil.example:8081", "127.0.0.1.evil.example", "localhost.evil.example",
                           "evillocalhost", "192.0.2.1", "0.0.0.0", "[::]", "[::ffff:192.0.2.1]", "[::1", "[::1]x",
                           "127.0.0.1:8081:1", "127.1", "2130706433", "", ":8081", "localhost:x", "."})
    CHECK(asked(host) == 403);
  CHECK(reloads == taken);
  // Who has the token came on purpose.
  at.world.token = "s3cret";
  CHECK(at.ask("GET", "/metrics", {{"Host", "admin.example"}, {"Authorization", "Bearer s3cret"}}).status == 200);
  CHECK(at.ask("GET", "/health/live", {{"Host", "admin.example"}}).status == 200);
}

TEST_CASE("with a token everything but health asks for it") {
  admin_house at;
  at.world.token = "s3cret";
  CHECK(at.ask("GET", "/health/live").status == 200);
  CHECK(at.ask("GET", "/health/ready").status == 200);
  for (const auto& [method, path] :
       {std::pair{"GET", "/metrics"}, std::pair{"GET", "/admin/connectors"}, std::pair{"POST", "/-/reload"}}) {
    CHECK(at.ask(method, path).status == 401);
    CHECK(at.ask(method, path, {{"Authorization", "Bearer wrong"}}).status == 401);
    CHECK(at.ask(method, path, {{"Authorization", "Bearer "}}).status == 401);
    CHECK(at.ask(method, path, {{"Authorization", "Bearer s3cret"}}).status == 200);
  }
}

}  // namespace
}  // namespace turnout::api
