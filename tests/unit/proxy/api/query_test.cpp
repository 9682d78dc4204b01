#include <catch2/catch.hpp>

#include <array>

#include "proxy/api/payment_body.hpp"
#include "proxy/api/query.hpp"

namespace turnout::api {
namespace {

constexpr std::array<std::string_view, 3> names{"reference", "limit", "fields"};

struct outcome {
  query asked;
  std::vector<field_error> errors;
  std::string value(std::string_view name) const { return asked.find(name) ? *asked.find(name) : "(none)"; }
};

outcome read(std::string_view text) {
  outcome got;
  got.asked = query::read(text, names, got.errors);
  return got;
}

TEST_CASE("a query's values are decoded") {
  for (const auto& [written, meant] : {std::pair<std::string_view, std::string>{"reference=a", "a"},
                                       {"&&reference=a&", "a"},
                                       {"limit=2&reference=a", "a"},
                                       {"reference=", ""},
                                       {"reference", ""},
                                       {"reference=a=b", "a=b"},
                                       {"reference=a%26b%3Dc", "a&b=c"},
                                       {"reference=a+b%20c%2Bd", "a b c+d"},
                                       {"reference=%c3%a9%C3%89", "\u00e9\u00c9"},
                                       {"reference=\u00e9", "\u00e9"},
                                       {"reference=%F0%9F%92%B6", "\U0001f4b6"},
                                       {"reference=%25", "%"},
                                       {"reference=%2525", "%25"},
                                       {"re%66erence=a", "a"},
                                       {"reference=a%00b", std::string("a\0b", 3)}}) {
    INFO(written);
    const outcome got = read(written);
    CHECK(got.errors.empty());
    CHECK(got.value("reference") == meant);
  }
  CHECK(read("").asked.find("reference") == nullptr);
  CHECK(read("limit=2").asked.find("reference") == nullptr);
}

TEST_CASE("a query's faults are named, and its values are not repeated") {
  const auto first = [](std::string_view text) {
    const outcome got = read(text);
    REQUIRE(got.errors.size() == 1);
    return got.errors[0].field + " " + got.errors[0].message;
  };
  for (const char* broken : {"reference=%", "reference=%4", "reference=%zz", "reference=a%4", "reference=%+4"}) {
    INFO(broken);
    CHECK(first(broken) == "reference has a percent sign that is not followed by two hexadecimal digits");
  }
  for (const char* bytes :
       {"reference=%ff", "reference=%c3", "reference=\xff", "reference=%ed%a0%80", "reference=%c0%80"}) {
    INFO(bytes);
    CHECK(first(bytes) == "reference must be UTF-8");
  }
  CHECK(first("limit=1&limit=1") == "limit is given more than once");
  CHECK(first("limit=1&li%6dit=2") == "limit is given more than once");
  CHECK(first("Limit=1") == "Limit is not a known query parameter");
  CHECK(first("%zz=1") == "%zz is not a known query parameter");
  CHECK(first("=1") == " is not a known query parameter");
  CHECK(first("%c3%a9=1") == "?? is not a known query parameter");
  CHECK(first("4242424242424242") == "**************** is not a known query parameter");
  std::string many;
  for (int n = 0; n < 100; ++n) many += "x" + std::to_string(n) + "&";
  CHECK(read(many).errors.size() == most_errors);
}

}  // namespace
}  // namespace turnout::api
