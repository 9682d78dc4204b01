// A person's word on a payment, as the admin listener takes it.
#include <catch2/catch.hpp>

#include <boost/json/parse.hpp>

#include "proxy/api/admin_api.hpp"

namespace turnout::api {
namespace {

namespace json = boost::json;

constexpr const char* complete =
    R"({"attempt":"att_1","as":"not_charged","reason":"case 4711","by":"mira","reference":"ch_1"})";

struct admin_house {
  std::vector<core::resolve_command> said;
  core::resolve_result result{core::resolve_status::resolved, "it follows",
                              payments::payment{.amount = {1250, *payments::currency::find("EUR")}}};

  net::response ask(std::string body, net::headers fields = {{"Content-Type", "application/json"}},
                    std::string target = "/admin/payments/pay_1/resolve") {
    admin_dependencies world;
    world.ready = [] { return readiness{true, "ready"}; };
    world.metrics = [] { return std::string(); };
    world.connectors = [] { return std::vector<routing::connector_view>(); };
    world.reload = [] { return settings::problems(); };
    world.merchants = [] { return std::vector<std::string>(); };
    world.explain = [](const explain_request&) { return std::string(); };
    world.make_request_id = [] { return std::string("req_1"); };
    world.now = [] { return payments::instant{}; };
    world.token = "s3cret-s3cret-s3cret";
    world.resolve = [this](core::resolve_command command, std::function<void(core::resolve_result)> done) {
      said.push_back(std::move(command));
      done(result);
    };
    fields.emplace_back("Authorization", "Bearer s3cret-s3cret-s3cret");
    admin_api served(world);
    std::optional<net::response> got;
    served.handle(net::request{"POST", std::move(target), std::move(fields), std::move(body), {}},
                  [&](net::response message) { got = std::move(message); });
    REQUIRE(got.has_value());
    return *got;
  }
  std::string fault(const std::string& body) {
    const net::response got = ask(body);
    CHECK(got.status == 400);
    const json::value parsed = json::parse(got.body);
    const auto* errors = parsed.as_object().if_contains("errors");
    if (errors == nullptr) return std::string(parsed.at("detail").as_string());
    return std::string(errors->at(0).at("field").as_string()) + ": " +
           std::string(errors->at(0).at("message").as_string());
  }
};

TEST_CASE("a word goes to the engine, and its end comes back") {
  admin_house at;
  payments::payment& record = *at.result.record;
  record.id = "pay_1";
  record.status = payments::payment_status::failed;
  record.resolutions = {
      {"att_1", payments::verdict::not_charged, "mira", "case 4711", "ch_1", "unknown", "not_sent", {}}};
  const net::response got = at.ask(complete);
  CHECK(got.status == 200);
  CHECK(got.body == R"({"payment":"pay_1","status":"failed","target":"att_1","as":"not_charged","by":"mira",)"
                    R"("before":"unknown","after":"not_sent","follows":"it follows"})");
  REQUIRE(at.said.size() == 1);
  CHECK(at.said[0].payment_id == "pay_1");
  CHECK(at.said[0].word.target == "att_1");
  CHECK(at.said[0].word.as == payments::verdict::not_charged);
  CHECK(at.said[0].word.reason == "case 4711");
  CHECK(at.said[0].word.gateway_reference == "ch_1");
  at.ask(R"({"modification":"ref_1","as":"charged","reason":"r","by":"b"})");
  CHECK(at.said.at(1).word.target == "ref_1");
  CHECK(at.said.at(1).word.as == payments::verdict::charged);
}

TEST_CASE("an incomplete word reaches nobody") {
  admin_house at;
  CHECK(at.fault(R"({"as":"charged","reason":"r","by":"b"})").starts_with("attempt: is required"));
  CHECK(at.fault(R"({"attempt":"a","modification":"m","as":"charged","reason":"r","by":"b"})").find("not both") !=
        std::string::npos);
  CHECK(at.fault(R"({"attempt":"a","reason":"r","by":"b"})").starts_with("as: is required"));
  CHECK(at.fault(R"({"attempt":"a","as":"perhaps","reason":"r","by":"b"})") == "as: must be charged or not_charged");
  CHECK(at.fault(R"({"attempt":"a","as":"charged","by":"b"})").starts_with("reason: is required"));
  CHECK(at.fault(R"({"attempt":"a","as":"charged","reason":"","by":"b"})") == "reason: must not be empty");
  CHECK(at.fault(R"({"attempt":"a","as":"charged","reason":"r"})").starts_with("by: is required"));
  CHECK(at.fault(R"({"attempt":"a","as":"charged","reason":")" + std::string(501, 'x') + R"(","by":"b"})") ==
        "reason: must have at most 500 characters");
  CHECK(at.fault(R"({"attempt":"a","as":"charged","reason":"a\u001b[2J","by":"b"})") ==
        "reason: must not contain control characters");
  CHECK(at.fault(R"({"attempt":"a","as":"charged","reson":"r","by":"b"})") ==
        "reson: is not a known field; did you mean reason?");
  CHECK(at.fault("[]").starts_with("body: must be an object"));
  at.fault("{");
  CHECK(at.ask(complete, {}).status == 415);
  CHECK(at.said.empty());
}

TEST_CASE("what the engine refuses is told with its reason") {
  using core::resolve_status;
  admin_house at;
  for (const auto& [status, http] : {std::pair(resolve_status::not_found, 404u),
                                     {resolve_status::unknown_target, 404u},
                                     {resolve_status::not_in_doubt, 422u},
                                     {resolve_status::busy, 409u},
                                     {resolve_status::unavailable, 503u}}) {
    at.result = {status, "because", {}};
    const net::response got = at.ask(complete);
    CHECK(got.status == http);
    CHECK(json::parse(got.body).at("detail").as_string() == "because");
  }
}

TEST_CASE("a word from a web page, or without the token, is refused") {
  admin_house at;
  CHECK(at.ask(complete, {{"Content-Type", "application/json"}, {"Origin", "http://evil.example"}}).status == 403);
  CHECK(at.ask(complete, {{"Content-Type", "application/json"}, {"Authorization", "Bearer wrong"}}).status == 401);
  CHECK(at.ask(complete, {{"Content-Type", "application/json"}}, "/admin/payments/" + std::string(65, 'x') + "/resolve")
            .status == 404);
  CHECK(at.said.empty());
}

}  // namespace
}  // namespace turnout::api
