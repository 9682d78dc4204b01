#include <catch2/catch.hpp>

#include "house.hpp"

namespace turnout::api {
namespace {

using namespace test;

struct call {
  const char *method, *path;
  scope needs;
};
constexpr call calls[] = {
    {"POST", "/v1/payments", scope::payments_write},
    {"GET", "/v1/payments/pay_1", scope::payments_read},
    {"HEAD", "/v1/payments/pay_1", scope::payments_read},
    {"GET", "/v1/payments/pay_1/attempts", scope::payments_read},
    {"GET", "/v1/payments/pay_1/events", scope::payments_read},
    {"GET", "/v1/payments/pay_1/decisions", scope::payments_read},
};

TEST_CASE("a key may do what its scopes say, and is told which one it lacks") {
  house at;
  at.keep("pay_1", "demo", false);
  for (const call& each : calls)
    for (const scope had : every_scope) {
      INFO(each.method << ' ' << each.path << " with " << name_of(had));
      const answer got = at.ask(each.method, each.path,
                                at.as("demo " + std::string(name_of(had)), {{"Content-Type", "application/json"}}),
                                each.method == std::string("POST") ? good_body : std::string());
      if (had == each.needs) {
        CHECK(got.status / 100 == 2);
        continue;
      }
      CHECK(got.status == 403);
      CHECK(got.code() == "insufficient_scope");
      CHECK(json::value_to<std::string>(got.body.at("detail")).find(name_of(each.needs)) != std::string::npos);
    }
  CHECK(at.commands.size() == 1);
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
