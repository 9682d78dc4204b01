// What yaml-cpp would let pass, and what must never crash a start.
#include <catch2/catch.hpp>

#include "settings/document.hpp"

using namespace turnout::settings;

namespace {

std::string parse_problem(std::string_view text) {
  problems found;
  const auto file = parse("conf/x.yaml", text, {}, found);
  if (file) return "accepted";
  REQUIRE(found.size() == 1);
  return found[0].to_string();
}

}  // namespace

TEST_CASE("a mapping is accepted") {
  problems found;
  const auto file = parse("x.yaml", "a: 1\nb: [x, {c: d}]\n", {}, found);
  REQUIRE(file);
  CHECK(found.empty());
  CHECK(file->root["b"][1]["c"].Scalar() == "d");
  CHECK(file->file == "x.yaml");
}

TEST_CASE("a byte order mark, CRLF and a document marker are fine") {
  problems found;
  CHECK(parse("x.yaml", "\xEF\xBB\xBF---\r\na: 1\r\n...\r\n", {}, found));
}

TEST_CASE("what is not one YAML mapping is refused with its position") {
  CHECK(parse_problem("") == "conf/x.yaml: error: the file is empty");
  CHECK(parse_problem("# only a comment\n") == "conf/x.yaml: error: the file is empty");
  CHECK(parse_problem("- a\n- b\n") == "conf/x.yaml:1:1: error: the file must be a mapping (key: value)");
  CHECK(parse_problem("just text") == "conf/x.yaml:1:1: error: the file must be a mapping (key: value)");
  CHECK(parse_problem("a: 1\n---\nb: 2\n") ==
        "conf/x.yaml:3:1: error: a file holds one YAML document; a second one begins here");
  CHECK_THAT(parse_problem("a: [1, 2\nb: 3\n"), Catch::StartsWith("conf/x.yaml:2:2: error: not valid YAML: "));
  CHECK_THAT(parse_problem("a: *nowhere\n"), Catch::StartsWith("conf/x.yaml:1:4: error: not valid YAML: "));
  CHECK_THAT(parse_problem("a: b: c\n"), Catch::StartsWith("conf/x.yaml:1:5: error: not valid YAML: "));
}

TEST_CASE("duplicate keys are found wherever they are") {
  CHECK(parse_problem("a: 1\nb: 2\na: 3\n") == "conf/x.yaml:3:1: error: duplicate key 'a'; first given in line 1");
  CHECK(parse_problem("l:\n  - {x: 1, y: 2, x: 3}\n") ==
        "conf/x.yaml:2:18: error: duplicate key 'x'; first given in line 2");
  CHECK(parse_problem("? [a, b]\n: 1\n") == "conf/x.yaml:1:3: error: a key must be plain text");
}

TEST_CASE("bytes that hide the rest of a file are refused") {
  CHECK(parse_problem(std::string("a: 1\nb: \x04\nc: 3\n")) ==
        "conf/x.yaml:2:4: error: control characters are not allowed");
  CHECK(parse_problem(std::string("a: x\0y\n", 7)) == "conf/x.yaml:1:5: error: control characters are not allowed");
  CHECK(parse_problem("a: \xC3\x28\n") == "conf/x.yaml:1:4: error: this byte is not valid UTF-8");
  CHECK(parse_problem("\xFF\xFE"
                      "a") == "conf/x.yaml:1:1: error: this byte is not valid UTF-8");
  CHECK(parse_problem("a: \xED\xA0\x80") == "conf/x.yaml:1:4: error: this byte is not valid UTF-8");
}

TEST_CASE("depth, size and aliases are limited") {
  std::string deep = "a: ";
  for (int i = 0; i < 40; ++i) deep += '[';
  for (int i = 0; i < 40; ++i) deep += ']';
  CHECK_THAT(parse_problem(deep), Catch::Contains("nested deeper than 32 levels"));
  CHECK_THAT(parse_problem("a: " + std::string(100'000, '[')), Catch::Contains("nested deeper than 32 levels"));
  CHECK_THAT(parse_problem("a: &loop [*loop]\n"), Catch::Contains("alias that contains itself"));
  CHECK_THAT(parse_problem(std::string(max_file_bytes + 1, ' ')), Catch::Contains("larger than 1024 KiB"));
  std::string bomb = "a0: &a0 [1,2,3,4,5,6,7,8,9]\n";
  for (int i = 1; i < 12; ++i) {
    const std::string before = "*a" + std::to_string(i - 1), name = "a" + std::to_string(i);
    bomb += name + ": &" + name + " [";
    for (int k = 0; k < 9; ++k) bomb += before + ",";
    bomb += before + "]\n";
  }
  CHECK_THAT(parse_problem(bomb), Catch::Contains("more than 100000 values"));
}

// yaml-cpp's own loop over documents would eat all memory here; see the limit
// that the fuzz program sets on itself.
TEST_CASE("a comma after the document is a second document, once") {
  const std::string second = "error: a file holds one YAML document; a second one begins here";
  CHECK(parse_problem(",") == "conf/x.yaml:1:1: " + second);
  CHECK(parse_problem("[a], b") == "conf/x.yaml:1:4: " + second);
  CHECK(parse_problem("{a: 1}, {b: 2}\n") == "conf/x.yaml:1:7: " + second);
  CHECK(parse_problem("a: 1\n---\n, b") == "conf/x.yaml:3:1: " + second);
  CHECK(parse_problem(", default: declined}\n") == "conf/x.yaml:1:1: " + second);
}

TEST_CASE("nesting is refused at its place, whatever makes it and however deep it goes") {
  const auto repeated = [](std::string_view piece, int times) {
    std::string out;
    for (int i = 0; i < times; ++i) out += piece;
    return out;
  };
  const std::string deep = "error: nested deeper than 32 levels, or an alias that contains itself";
  CHECK(parse_problem("a: " + repeated("[", 40) + repeated("]", 40)) == "conf/x.yaml:1:35: " + deep);
  CHECK(parse_problem("a: " + repeated("{b: ", 40) + repeated("}", 40)) == "conf/x.yaml:1:125: " + deep);
  CHECK(parse_problem("a:\n  " + repeated("- ", 40)) == "conf/x.yaml:2:65: " + deep);
  for (const std::string_view piece : {"- ", "? ", ": ", "- ? ", "[", "{", "[{", "{a: [", "{? ", "[? "})
    for (const int times : {450, 5000}) {
      INFO(piece << " " << times);
      CHECK_THAT(parse_problem("a:\n  " + repeated(piece, times)), Catch::EndsWith(deep));
    }
  std::string indented;
  for (int i = 0; i < 1000; ++i) indented += std::string(static_cast<std::size_t>(i), ' ') + "a:\n";
  CHECK(parse_problem(indented) == "conf/x.yaml:32:32: " + deep);
}

TEST_CASE("brackets in quotes, comments and text are no nesting; levels up to the limit are fine") {
  problems found;
  const std::string many(1000, '[');
  CHECK(parse("x.yaml",
              "a: \"" + many + "\"  # " + many + "\nb: '" + many + "'\nc: x" + many + "\nd: |\n  " + many + "\n", {},
              found));
  CHECK(parse("x.yaml", "a: " + std::string(max_depth - 1, '[') + std::string(max_depth - 1, ']'), {}, found));
  CHECK(parse("x.yaml", "a: " + std::string(500'000, 'x') + "\nb: '" + std::string(500'000, ' ') + "'\n", {}, found));
  CHECK(found.empty());
}

TEST_CASE("several duplicate keys are all reported") {
  problems found;
  CHECK_FALSE(parse("x.yaml", "a: 1\na: 2\nb: 1\nb: 2\n", {}, found));
  CHECK(found.size() == 2);
}

TEST_CASE("suggestions are near and never silly") {
  const std::vector<std::string_view> allowed{"method", "path", "encoding", "connect_timeout"};
  CHECK(nearest("metod", allowed) == "method");
  CHECK(nearest("mehtod", allowed) == "method");
  CHECK(nearest("Path", allowed) == "path");
  CHECK(nearest("connect-timeout", allowed) == "connect_timeout");
  CHECK(nearest("zzz", allowed).empty());
  CHECK(nearest("", allowed).empty());
  CHECK(nearest(std::string(100'000, 'm'), allowed).empty());
}

TEST_CASE("warnings are no errors") {
  problem note{"x.yaml", 3, 4, true, "hm"};
  CHECK(note.to_string() == "x.yaml:3:4: warning: hm");
  CHECK_FALSE(has_errors({note}));
  note.warning = false;
  CHECK(has_errors({note}));
}
