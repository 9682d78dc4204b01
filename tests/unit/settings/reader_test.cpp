// Typed reads: values, ranges, positions, secrets.
#include <catch2/catch.hpp>

#include "settings/reader.hpp"

using namespace turnout::settings;
using namespace std::chrono_literals;

namespace {

struct fixture {
  problems found;
  std::optional<document> file;

  explicit fixture(std::string_view text) {
    secret_source secrets;
    secrets.variable = [](std::string_view name) -> std::optional<std::string> {
      if (name == "KEY") return "s3cr3t";
      if (name == "EMPTY") return "";
      if (name == "PORT") return "9101";
      return std::nullopt;
    };
    secrets.file = [](std::string_view path) -> std::optional<std::string> {
      if (path == "conf/sub/key.txt" || path == "/etc/key") return "from-file\n";
      return std::nullopt;
    };
    file = parse("conf/x.yaml", text, secrets, found);
    REQUIRE(file);
  }
  /// The value of key `v`.
  value v() { return fields(root(*file, found), {"v"}).required("v"); }
  std::string only_problem() const {
    REQUIRE(found.size() == 1);
    return found[0].to_string();
  }
};

template <class Read>
std::string problem_of(std::string_view text, Read read) {
  fixture f(text);
  CHECK_FALSE(read(f.v()));
  return f.only_problem();
}

}  // namespace

TEST_CASE("numbers") {
  CHECK(fixture("v: 42").v().integer() == 42);
  CHECK(fixture("v: -9223372036854775808").v().integer() == std::numeric_limits<std::int64_t>::min());
  CHECK(fixture("v: \"7\"").v().integer(0, 10) == 7);
  CHECK(fixture("v: 1.4").v().number() == 1.4);
  const auto integer = [](value v) { return v.integer(1, 10); };
  CHECK(problem_of("v: 11", integer) == "conf/x.yaml:1:4: error: 'v' must be a whole number from 1 to 10, not '11'");
  CHECK(problem_of("v: 1.5", integer) == "conf/x.yaml:1:4: error: 'v' must be a whole number from 1 to 10, not '1.5'");
  CHECK(problem_of("v: 99999999999999999999", integer) ==
        "conf/x.yaml:1:4: error: 'v' must be a whole number from 1 to 10, not '99999999999999999999'");
  CHECK(problem_of("v:", integer) == "conf/x.yaml:1:1: error: 'v' must be a whole number, not nothing");
  CHECK(problem_of("v: [1]", integer) == "conf/x.yaml:1:4: error: 'v' must be a whole number, not a list");
  const auto number = [](value v) { return v.number(0); };
  CHECK(problem_of("v: -1", number) == "conf/x.yaml:1:4: error: 'v' must be a number of at least 0, not '-1'");
  CHECK_THAT(problem_of("v: nan", number), Catch::Contains("must be a number"));
  CHECK_THAT(problem_of("v: inf", number), Catch::Contains("must be a number"));
}

TEST_CASE("truth values are true and false only") {
  CHECK(fixture("v: true").v().boolean() == true);
  CHECK(fixture("v: false").v().boolean() == false);
  CHECK(problem_of("v: yes", [](value v) { return v.boolean().has_value(); }) ==
        "conf/x.yaml:1:4: error: 'v' must be true or false, not 'yes'");
}

TEST_CASE("durations") {
  CHECK(fixture("v: 500ms").v().duration() == 500ms);
  CHECK(fixture("v: 8s").v().duration() == 8s);
  CHECK(fixture("v: 10m").v().duration() == 10min);
  CHECK(fixture("v: 24h").v().duration() == 24h);
  CHECK(fixture("v: 7d").v().duration() == 24h * 7);
  const auto read = [](value v) { return v.duration(1s, 1h); };
  CHECK(problem_of("v: 5", read) ==
        "conf/x.yaml:1:4: error: 'v' must be a duration such as 500ms, 8s, 10m or 24h, not '5'");
  for (const char* bad : {"v: -5s", "v: 1.5s", "v: s", "v: 5 s", "v: 5S", "v: 99999999999999999999s"})
    CHECK_THAT(problem_of(bad, read), Catch::Contains("must be a duration such as"));
  CHECK(problem_of("v: 2h", read) == "conf/x.yaml:1:4: error: 'v' must be a duration from 1s to 1h, not '2h'");
  CHECK_THAT(problem_of("v: 9999999999999999h", read), Catch::Contains("must be a duration from 1s to 1h"));
}

TEST_CASE("percentages and sizes") {
  CHECK(fixture("v: 20%").v().percent() == Approx(0.2));
  CHECK_THAT(problem_of("v: 120%", [](value v) { return v.percent(); }), Catch::Contains("from 0% to 100%"));
  CHECK_THAT(problem_of("v: 20", [](value v) { return v.percent(); }), Catch::Contains("from 0% to 100%"));
  CHECK(fixture("v: 1MiB").v().size() == 1048576U);
  CHECK(fixture("v: 64KiB").v().size() == 65536U);
  CHECK(fixture("v: 12").v().size() == 12U);
  CHECK_THAT(problem_of("v: 1MB", [](value v) { return v.size(); }), Catch::Contains("512B, 64KiB or 1MiB"));
  CHECK_THAT(problem_of("v: 99999999999GiB", [](value v) { return v.size(); }), Catch::Contains("must be a size"));
  CHECK(problem_of("v: 1KiB", [](value v) { return v.size(1, 10); }) ==
        "conf/x.yaml:1:4: error: 'v' must be a size of 1 to 10 bytes, not '1KiB'");
}

TEST_CASE("words, with a suggestion") {
  CHECK(fixture("v: bearer").v().one_of({"bearer", "basic"}) == "bearer");
  CHECK(fixture("v: b").v().choice<int>({{"a", 1}, {"b", 2}}) == 2);
  const auto read = [](value v) { return v.one_of({"bearer", "basic"}); };
  CHECK(problem_of("v: baerer", read) ==
        "conf/x.yaml:1:4: error: 'v' cannot be 'baerer'; did you mean 'bearer'? allowed: bearer, basic");
  CHECK(problem_of("v: zzzzzz", read) == "conf/x.yaml:1:4: error: 'v' cannot be 'zzzzzz'; allowed: bearer, basic");
}

TEST_CASE("mappings know their keys") {
  fixture f("method: GET\nmetod: x\nnested: {a: 1}\n");
  const fields top(root(*f.file, f.found), {"method", "path", "nested"});
  CHECK(f.only_problem() ==
        "conf/x.yaml:2:1: error: unknown key 'metod'; did you mean 'method'? allowed: method, path, nested");
  CHECK(top.required("method").text() == "GET");
  CHECK_FALSE(top.optional("path").present());
  CHECK_FALSE(top.optional("path").text());
  CHECK(f.found.size() == 1);
  CHECK_FALSE(top.required("path").text());
  REQUIRE(f.found.size() == 2);
  CHECK(f.found[1].to_string() == "conf/x.yaml:1:1: error: missing key 'path'");
  CHECK(top.optional("nested").line() == 3);
  CHECK(top.optional("nested").column() == 9);
}

TEST_CASE("fields of something that is no mapping") {
  fixture f("v: [1]");
  const fields inner(f.v(), {"a"});
  CHECK(f.only_problem() == "conf/x.yaml:1:4: error: 'v' must be a mapping (key: value), not a list");
  CHECK_FALSE(inner.required("a").present());
  CHECK(f.found.size() == 1);
  const fields absent(value(), {"a"});
  CHECK_FALSE(absent.required("a").present());
  CHECK(f.found.size() == 1);
}

TEST_CASE("lists and pairs") {
  fixture f("v: [a, b, {c: d}]");
  CHECK(f.v().texts() == std::vector<std::string>{"a", "b"});
  CHECK(f.only_problem() == "conf/x.yaml:1:11: error: 'v[2]' must be text, not a mapping");
  fixture one("v: a");
  CHECK(one.v().one_or_more().size() == 1);
  CHECK(one.v().items().empty());
  CHECK_THAT(one.only_problem(), Catch::Contains("must be a list"));
  fixture pairs("v: {z: 1, a: 2}");
  const auto entries = pairs.v().entries();
  REQUIRE(entries.size() == 2);
  CHECK(entries[0].key == "z");
  CHECK(entries[1].item.integer() == 2);
  CHECK(entries[1].key_value.column() == 11);
}

TEST_CASE("plain and quoted scalars can be told apart") {
  CHECK(fixture("v: 12").v().is_plain());
  CHECK_FALSE(fixture("v: \"12\"").v().is_plain());
  CHECK_FALSE(fixture("v: '12'").v().is_plain());
  CHECK(fixture("v: null").v().is_null());
  CHECK(fixture("v: ~").v().is_null());
  CHECK(fixture("v: \"null\"").v().text() == "null");
}

TEST_CASE("secrets are filled in when a scalar is read") {
  CHECK(fixture("v: ${KEY}").v().text() == "s3cr3t");
  CHECK(fixture("v: a-${KEY}-b").v().text() == "a-s3cr3t-b");
  CHECK(fixture("v: ${NOT_SET:-fallback}").v().text() == "fallback");
  CHECK(fixture("v: ${EMPTY:-fallback}").v().text() == "fallback");
  CHECK(fixture("v: ${KEY:-fallback}").v().text() == "s3cr3t");
  CHECK(fixture("v: ${NOT_SET:-http://127.0.0.1:9101}").v().text() == "http://127.0.0.1:9101");
  CHECK(fixture("v: ${PORT}").v().integer(1, 65535) == 9101);
  CHECK(fixture("v: ${file:sub/key.txt}").v().text() == "from-file");
  CHECK(fixture("v: ${file:/etc/key}").v().text() == "from-file");
  CHECK(fixture("v: $${KEY} costs $5").v().text() == "${KEY} costs $5");
  CHECK(fixture("v: ${KEY}").v().raw() == "${KEY}");
  CHECK(fixture("v: ${NOT_READ}").found.empty());
}

TEST_CASE("secrets that cannot be filled in say so, without any value") {
  const auto text = [](value v) { return v.text(); };
  CHECK(problem_of("v: ${ALPHA_KEY}", text) ==
        "conf/x.yaml:1:4: error: 'v': the environment variable ALPHA_KEY is not set; set it, or write "
        "${ALPHA_KEY:-default}");
  CHECK(problem_of("v: ${file:nope}", text) ==
        "conf/x.yaml:1:4: error: 'v': cannot read the file 'conf/nope' that ${file:nope} names");
  CHECK_THAT(problem_of("v: ${A-B}", text), Catch::Contains("'${A-B}' is not understood"));
  CHECK_THAT(problem_of("v: ${KEY", text), Catch::Contains("'${' without its '}'"));
  CHECK_THAT(problem_of("v: ${EMPTY}", text), Catch::Contains("must not be empty"));
  const std::string wrong = problem_of("v: ${KEY}", [](value v) { return v.integer(); });
  CHECK_THAT(wrong, !Catch::Contains("s3cr3t"));
  CHECK_THAT(wrong, Catch::Contains("${KEY}"));
  CHECK_THAT(problem_of("v: ${KEY}", [](value v) { return v.one_of({"a"}); }), !Catch::Contains("s3cr3t"));
}

TEST_CASE("a value can be pointed elsewhere without changing the file") {
  fixture f("v: [a, b]");
  auto items = f.v().items();
  items[0] = items[1];
  CHECK(items[0].text() == "b");
  CHECK(f.file->root["v"][0].Scalar() == "a");
}
