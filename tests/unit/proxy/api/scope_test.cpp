#include <catch2/catch.hpp>

#include "house.hpp"

namespace turnout::api {
namespace {

using namespace test;

TEST_CASE("a key may do what its scopes say, and is told which one it lacks") {
  house at;
  at.keep("pay_1", "demo", false);
  for (const api::route& each : api::routes())
    for (const scope had : every_scope) {
      INFO(each.method << ' ' << each.path << " with " << name_of(had));
      std::string path(each.path);
      if (const std::size_t id = path.find("{id}"); id != path.npos) path.replace(id, 4, "pay_1");
      for (const std::string_view method : {each.method, std::string_view(each.method == "GET" ? "HEAD" : "POST")}) {
        const answer got = at.ask(std::string(method), path,
                                  at.as("demo " + std::string(name_of(had)), {{"Content-Type", "application/json"}}),
                                  method == "POST" ? "{}" : "");
        if (had == each.needs) {
          CHECK(got.status != 403);
          continue;
        }
        CHECK(got.status == 403);
        CHECK(got.code() == "insufficient_scope");
        CHECK(json::value_to<std::string>(got.body.at("detail")).find(name_of(each.needs)) != std::string::npos);
      }
    }
}

TEST_CASE("each call needs the scope that its documentation says") {
  for (const api::route& each : api::routes()) {
    INFO(each.method << ' ' << each.path);
    const bool webhooks = each.path.find("webhook") != std::string_view::npos;
    const scope wanted = webhooks                         ? scope::webhooks_manage
                         : each.method == "GET"           ? scope::payments_read
                         : each.path.ends_with("refunds") ? scope::payments_refund
                                                          : scope::payments_write;
    CHECK(each.needs == wanted);
  }
}

TEST_CASE("a key without the scope does not learn whether a payment exists") {
  house at;
  at.keep("pay_1", "demo", false);
  const auto text = [&](const char* path) {
    const answer got = at.ask("GET", path, at.as("demo payments:refund"));
    CHECK(got.status == 403);
    return json::value_to<std::string>(got.body.at("detail"));
  };
  CHECK(text("/v1/payments/pay_1") == text("/v1/payments/pay_none"));
}

TEST_CASE("scopes have names") {
  for (const scope each : every_scope) CHECK(find_scope(name_of(each)) == each);
  CHECK_FALSE(find_scope("payments").has_value());
  CHECK_FALSE(find_scope("").has_value());
  CHECK(scope_set().empty());
  for (const scope each : every_scope) CHECK(scope_set::all().has(each));
}

}  // namespace
}  // namespace turnout::api
