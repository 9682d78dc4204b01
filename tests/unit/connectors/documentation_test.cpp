// The worked example of docs/connectors.md is a definition that loads.
#include "fixture.hpp"

using namespace turnout::connectors;
using namespace turnout::connectors::testing;
using turnout::payments::operation;
using turnout::payments::outcome;

TEST_CASE("the documentation's example works") {
  const auto root = std::filesystem::path(TURNOUT_SOURCE_DIR);
  std::ifstream in(root / "docs/connectors.md");
  std::ostringstream read;
  read << in.rdbuf();
  const std::string text = read.str();
  const std::size_t section = text.find("## A worked example");
  REQUIRE(section != std::string::npos);
  const std::size_t begin = text.find("```yaml\n", section) + 8, end = text.find("```", begin);
  turnout::settings::secret_source secrets;
  secrets.file = [](std::string_view path) {
    return std::optional<std::string>(path == "conf/connectors/../../var/omega.key" ? "k\n" : "");
  };
  turnout::settings::problems found;
  const auto file =
      turnout::settings::parse("conf/connectors/omega.yaml", text.substr(begin, end - begin), secrets, found);
  REQUIRE(file);
  const auto omega = definition::load(*file, found);
  for (const auto& each : found) UNSCOPED_INFO(each.to_string());
  REQUIRE(omega);
  CHECK_THAT(shown(omega->build_request(operation::sale, world().context())),
             Catch::Contains("X-Omega-Key: k\n") && Catch::Contains(R"("total":"12.50")") &&
                 Catch::Contains(R"("expiry":"0730")"));
  CHECK(answer(*omega, operation::sale, 200, R"({"ok":false,"code":"N02"})").result == outcome::hard_decline);
  CHECK(answer(*omega, operation::inquire, 404, R"({"error":"no_such_order"})").not_found);
}
