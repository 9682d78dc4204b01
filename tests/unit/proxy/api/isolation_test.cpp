// A payment of another merchant, or of the other mode, is one that does not
// exist: every endpoint says the same and does the same work.
#include <catch2/catch.hpp>

#include <algorithm>

#include "house.hpp"

namespace turnout::api {
namespace {

using namespace test;

/// What a caller can tell two answers apart by.
struct told {
  unsigned status;
  net::headers fields;
  json::object body;
  friend bool operator==(const told&, const told&) = default;
};

told without_request_id(const answer& got) {
  told shown{got.status, got.fields, got.body.as_object()};
  std::erase_if(shown.fields, [](const auto& field) { return field.first == "Request-Id"; });
  shown.body.erase("request_id");
  return shown;
}

TEST_CASE("every endpoint knows only its caller's payments") {
  house at;
  at.keep("pay_theirs", "other", false);
  at.keep("pay_live", "demo", true);
  at.keep("pay_mine", "demo", false);
  int tried = 0;
  for (const api::route& each : api::routes()) {
    const std::size_t id = each.path.find("{id}");
    if (id == std::string_view::npos) continue;
    ++tried;
    for (const char* body : {"{}", R"({"amount": 100})"}) {
      const auto ask = [&](const char* payment) {
        at.records.calls.clear();
        return without_request_id(at.ask(std::string(each.method), std::string(each.path).replace(id, 4, payment),
                                         at.as("demo", {{"Content-Type", "application/json"}}),
                                         each.method == "GET" ? "" : body));
      };
      const told none = ask("pay_none");
      const std::vector<std::string> work = at.records.calls;
      for (const char* payment : {"pay_theirs", "pay_live"}) {
        INFO(each.method << ' ' << each.path << ' ' << payment << ' ' << body);
        CHECK(ask(payment) == none);
        CHECK(at.records.calls == work);
      }
      INFO(each.method << ' ' << each.path << ' ' << body);
      if (each.method == "GET") {
        CHECK(none.status == 404);
        // The journal is asked once, for this merchant and mode: it compares, and decodes no record of others.
        CHECK(work == std::vector<std::string>{"find_own demo test"});
        CHECK(ask("pay_mine").status == 200);
      } else {
        CHECK(none.status / 100 == 4);
      }
    }
  }
  CHECK(tried >= 4);
}

TEST_CASE("a list has only the caller's payments") {
  house at;
  at.ask("GET", "/v1/payments", at.as("demo live"));
  REQUIRE(at.records.wanted.has_value());
  CHECK(at.records.wanted->merchant == "demo");
  CHECK(at.records.wanted->livemode);
}

}  // namespace
}  // namespace turnout::api
