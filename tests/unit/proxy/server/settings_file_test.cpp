// turnout.yaml and the files it names: every mistake has its position.
#include "proxy/server/settings_file.hpp"

#include <algorithm>
#include <map>

#include <catch2/catch.hpp>

#include "scratch_directory.hpp"

using namespace std::chrono_literals;
using namespace turnout;

namespace {

const std::filesystem::path shipped = std::filesystem::path(TURNOUT_SOURCE_DIR) / "conf";

/// An environment in which every variable that the shipped files name is set.
settings::secret_source environment(std::map<std::string, std::string> variables = {}) {
  return {[variables](std::string_view name) -> std::optional<std::string> {
            const auto found = variables.find(std::string(name));
            if (found != variables.end()) return found->second;
            if (name.ends_with("_URL")) return "http://127.0.0.1:9101";
            if (name.ends_with("_KEY") || name.ends_with("_PASSWORD") || name.ends_with("_USER")) return "secret";
            return std::nullopt;
          },
          [](std::string_view) { return std::nullopt; }};
}

/// The shipped connectors and policies, and a turnout.yaml of the test's own.
struct conf {
  scratch_directory directory;

  conf() {
    std::filesystem::copy(shipped / "connectors", directory / "connectors", std::filesystem::copy_options::recursive);
    std::filesystem::copy(shipped / "policies", directory / "policies", std::filesystem::copy_options::recursive);
  }

  server::loaded_files load(const std::string& turnout_yaml, const settings::secret_source& secrets = environment()) {
    directory.write("turnout.yaml", turnout_yaml);
    return server::load_files(directory.path(), secrets);
  }

  /// The problems, one a line, with the directory's name left out.
  std::string problems(const std::string& turnout_yaml) {
    std::string text;
    for (const settings::problem& each : load(turnout_yaml).problems) text += each.to_string() + "\n";
    const std::string prefix = directory.path() + "/";
    for (std::size_t at = text.find(prefix); at != std::string::npos; at = text.find(prefix))
      text.erase(at, prefix.size());
    return text;
  }
};

/// The least that a turnout.yaml says, and `more`.
std::string least(const std::string& more = "") {
  return "version: 1\n"
         "journal: {path: ../var/journal.db}\n"
         "keys: ../var/keys\n"
         "connectors: connectors/*.yaml\n"
         "policies: policies/*.yaml\n" +
         more;
}

using Catch::Contains;
using Catch::StartsWith;

}  // namespace

TEST_CASE("the shipped configuration is valid and says what the design says") {
  const auto loaded = server::load_files(shipped.string(), environment());
  for (const auto& each : loaded.problems) {
    INFO(each.to_string());
    CHECK(each.warning);
  }
  REQUIRE(loaded.configuration);
  CHECK(loaded.settings.listen.address == "127.0.0.1");
  CHECK(loaded.settings.listen.port == 8080);
  CHECK(loaded.settings.admin.port == 8081);
  CHECK(loaded.settings.limits.body_bytes == 1024 * 1024);
  CHECK(loaded.settings.limits.connections == 20000);
  CHECK(loaded.settings.drain_timeout == 15s);
  CHECK(loaded.settings.retry_budget == Approx(0.2));
  CHECK(loaded.configuration->find("alpha") != nullptr);
  CHECK(loaded.configuration->find("beta") != nullptr);
  CHECK(loaded.configuration->find("gamma") != nullptr);
  CHECK_FALSE(loaded.configuration->policies.policies.empty());
  CHECK(loaded.configuration->policies.version.size() == 12);
}

TEST_CASE("ports come from the environment where it has them") {
  const auto loaded =
      server::load_files(shipped.string(), environment({{"TURNOUT_PORT", "18080"}, {"TURNOUT_ADMIN_PORT", "0"}}));
  CHECK(loaded.settings.listen.port == 18080);
  CHECK(loaded.settings.admin.port == 0);
  const auto wrong = server::load_files(shipped.string(), environment({{"TURNOUT_PORT", "http"}}));
  CHECK_FALSE(wrong.configuration);
}

TEST_CASE("what is not given has the default of the design") {
  conf files;
  const auto loaded = files.load(least());
  REQUIRE(loaded.configuration);
  const server::server_settings& got = loaded.settings;
  CHECK(got.listen.address == "127.0.0.1");
  CHECK(got.listen.port == 8080);
  CHECK(got.admin.port == 8081);
  CHECK(got.workers == 0);
  CHECK(server::worker_count(got) >= 1);
  CHECK(got.log_level == "info");
  CHECK(got.log_file.empty());
  CHECK(got.limits.header_timeout == 5s);
  CHECK(got.limits.body_timeout == 10s);
  CHECK(got.limits.idle_timeout == 60s);
  CHECK(got.limits.write_timeout == 10s);
  CHECK(got.drain_timeout == 15s);
}

TEST_CASE("every key is read, and paths are relative to the file") {
  conf files;
  const auto loaded = files.load(
      least("listen: {address: 0.0.0.0, port: 1}\n"
            "public_url: https://pay.example/turnout/\n"
            "admin: {address: \"::\", port: 2, token: 0123456789abcdef}\n"
            "workers: 3\n"
            "log: {level: debug, file: log/turnout.log}\n"
            "limits: {header_timeout: 1s, body_timeout: 2s, idle_timeout: 3s, write_timeout: 4s, drain_timeout: 500ms,"
            " connections: 7, body: 64KiB}\n"
            "retry_budget: 5%\n"
            "rates: rates.yaml\n"));
  REQUIRE(loaded.configuration);
  const server::server_settings& got = loaded.settings;
  const std::filesystem::path here = files.directory.path();
  CHECK(got.listen.address == "0.0.0.0");
  CHECK(got.listen.port == 1);
  CHECK(got.public_url == "https://pay.example/turnout");
  CHECK(got.admin.address == "::");
  CHECK(got.admin.port == 2);
  CHECK(got.admin_token == "0123456789abcdef");
  CHECK(got.workers == 3);
  CHECK(server::worker_count(got) == 3);
  CHECK(got.log_level == "debug");
  CHECK(got.log_file == (here / "log/turnout.log").string());
  CHECK(got.limits.header_timeout == 1s);
  CHECK(got.limits.body_timeout == 2s);
  CHECK(got.limits.idle_timeout == 3s);
  CHECK(got.limits.write_timeout == 4s);
  CHECK(got.drain_timeout == 500ms);
  CHECK(got.limits.connections == 7);
  CHECK(got.limits.body_bytes == 64 * 1024);
  CHECK(got.retry_budget == Approx(0.05));
  CHECK(got.journal_path == (here.parent_path() / "var/journal.db").string());
  CHECK(got.keys_directory == (here.parent_path() / "var/keys").string());
  CHECK(got.rates_path == (here / "rates.yaml").string());
}

TEST_CASE("mistakes in turnout.yaml are shown with their positions") {
  conf files;
  const auto [lines, wanted, about] = GENERATE(table<std::string, std::string, std::string>({
      {"lisen: {port: 1}\n", "turnout.yaml:6:1: error: ", "did you mean 'listen'"},
      {"listen: {prot: 1}\n", "turnout.yaml:6:10: error: ", "did you mean 'port'"},
      {"listen: {port: 65536}\n", "turnout.yaml:6:16: error: ", "from 0 to 65535"},
      {"listen: {port: -1}\n", "turnout.yaml:6:16: error: ", "from 0 to 65535"},
      {"listen: {port: 80.5}\n", "turnout.yaml:6:16: error: ", "whole number"},
      {"listen: {address: localhost}\n", "turnout.yaml:6:19: error: ", "must be an IP address"},
      {"listen: 8080\n", "turnout.yaml:6:9: error: ", "mapping"},
      {"public_url: pay.example\n", "turnout.yaml:6:13: error: ", "https://host"},
      {"public_url: https://u@pay.example\n", "turnout.yaml:6:13: error: ", "without user"},
      {"public_url: https://pay.example/?a=b\n", "turnout.yaml:6:13: error: ", "query"},
      {"public_url: \"https:///x\"\n", "turnout.yaml:6:13: error: ", "https://host"},
      {"admin: {address: 0.0.0.0}\n", "turnout.yaml:6:18: error: ", "token"},
      {"admin: {address: 192.0.2.1, port: 1}\n", "turnout.yaml:6:18: error: ", "token"},
      {"admin: {token: short}\n", "turnout.yaml:6:16: error: ", "at least 16"},
      {"admin: {token: \"${NOT_SET}\"}\n", "turnout.yaml:6:16: error: ", "NOT_SET"},
      {"admin: {port: 8080}\n", "turnout.yaml:6:8: error: ", "same address and port"},
      {"workers: 257\n", "turnout.yaml:6:10: error: ", "from 0 to 256"},
      {"workers: many\n", "turnout.yaml:6:10: error: ", "whole number"},
      {"log: {level: verbose}\n", "turnout.yaml:6:14: error: ", "debug"},
      {"limits: {header_timeout: 5}\n", "turnout.yaml:6:26: error: ", "duration"},
      {"limits: {header_timeout: 0s}\n", "turnout.yaml:6:26: error: ", "100ms"},
      {"limits: {drain_timeout: 1h}\n", "turnout.yaml:6:25: error: ", "10m"},
      {"limits: {connections: 0}\n", "turnout.yaml:6:23: error: ", "1 to 1000000"},
      {"limits: {body: 1MB}\n", "turnout.yaml:6:16: error: ", "size"},
      {"limits: {body: 1GiB}\n", "turnout.yaml:6:16: error: ", "67108864"},
      {"retry_budget: 20\n", "turnout.yaml:6:15: error: ", "percentage"},
      {"retry_budget: 120%\n", "turnout.yaml:6:15: error: ", "100%"},
      {"rates: [a, b]\n", "turnout.yaml:6:8: error: ", "text"},
      {"version: 1\n", "turnout.yaml:6:1: error: ", "duplicate key"},
  }));
  INFO(lines);
  const std::string shown = files.problems(least(lines));
  CHECK_THAT(shown, StartsWith(wanted));
  CHECK_THAT(shown, Contains(about));
  CHECK(std::count(shown.begin(), shown.end(), '\n') == 1);
  CHECK_FALSE(files.load(least(lines)).configuration);
}

TEST_CASE("all mistakes are shown in one run") {
  conf files;
  const std::string shown = files.problems(least("workers: -1\nretry_budget: x\nlog: {level: 3}\n"));
  CHECK(std::count(shown.begin(), shown.end(), '\n') == 3);
}

TEST_CASE("keys that must be there are asked for") {
  conf files;
  for (const std::string key : {"version", "journal", "keys", "connectors", "policies"}) {
    std::string text = least();
    const std::size_t line = text.find(key + ":");
    text.erase(line, text.find('\n', line) + 1 - line);
    INFO(key);
    CHECK_THAT(files.problems(text), Contains("missing key '" + key + "'"));
  }
  CHECK_THAT(files.problems("version: 2\n"), Contains("turnout.yaml:1:10: error: "));
}

TEST_CASE("a directory or file that is not there says so") {
  scratch_directory empty;
  const auto loaded = server::load_files(empty.path(), environment());
  REQUIRE(loaded.problems.size() == 1);
  CHECK(loaded.problems[0].file == empty / "turnout.yaml");
  CHECK_THAT(loaded.problems[0].message, Contains("No such file"));
  CHECK_FALSE(loaded.configuration);
}

TEST_CASE("patterns that match nothing are mistakes at the pattern") {
  conf files;
  std::string text = least();
  text.replace(text.find("policies/*.yaml"), 15, "polices/*.yaml");
  CHECK_THAT(files.problems(text), StartsWith("turnout.yaml:5:11: error: "));
  CHECK_THAT(files.problems(text), Contains("no file matches"));
}

TEST_CASE("two connectors of one name: the second is refused at its name") {
  conf files;
  std::filesystem::copy(files.directory / "connectors/alpha.yaml", files.directory / "connectors/alpha2.yaml");
  const std::string shown = files.problems(least());
  CHECK_THAT(shown, StartsWith("connectors/alpha2.yaml:"));
  CHECK_THAT(shown, Contains("connector 'alpha' is defined in"));
  CHECK(std::count(shown.begin(), shown.end(), '\n') == 1);
}

TEST_CASE("a policy that names an unknown connector is refused, with a suggestion") {
  conf files;
  files.directory.write("policies/aa.yaml",
                        "version: 1\n"
                        "policies:\n"
                        "  - name: typo\n"
                        "    match: {method: card}\n"
                        "    route: {strategy: priority, connectors: [alfa]}\n");
  const std::string shown = files.problems(least());
  CHECK_THAT(shown, StartsWith("policies/aa.yaml:5:"));
  CHECK_THAT(shown, Contains("alpha"));
}

TEST_CASE("a payment that no policy may take is warned of, and does not hinder") {
  conf files;
  for (const auto& each : std::filesystem::directory_iterator(files.directory / "policies"))
    std::filesystem::remove(each.path());
  const std::string cards =
      "version: 1\n"
      "policies:\n"
      "  - name: cards\n"
      "    match: {currency: EUR}\n"
      "    route: {strategy: priority, connectors: [alpha]}\n";
  files.directory.write("policies/cards.yaml", cards);
  const auto loaded = files.load(least());
  CHECK(loaded.configuration);
  REQUIRE(loaded.problems.size() == 1);
  CHECK(loaded.problems[0].warning);
  CHECK_THAT(loaded.problems[0].message, Contains("no policy takes every payment"));
  // The last file counts, not each.
  files.directory.write("policies/rest.yaml",
                        "version: 1\n"
                        "policies:\n"
                        "  - name: rest\n"
                        "    route: {strategy: priority, connectors: [alpha]}\n");
  CHECK(files.load(least()).problems.empty());
}

TEST_CASE("settings of a merchant whose money nobody takes are warned of") {
  conf files;
  const std::string shown = files.problems(least("merchants: {demo: {}, demoo: {unique_reference: true}}\n"));
  CHECK_THAT(
      shown,
      Contains(
          "turnout.yaml:6:23: warning: no connector takes payments of the merchant 'demoo'; did you mean 'demo'?"));
  CHECK_THAT(shown, !Contains("'demo';"));
}

TEST_CASE("a broken connector does not make its policies look wrong") {
  conf files;
  std::ofstream(files.directory / "connectors/alpha.yaml", std::ios::app) << "colour: red\n";
  const std::string shown = files.problems(least());
  CHECK_THAT(shown, StartsWith("connectors/alpha.yaml:"));
  CHECK_THAT(shown, !Contains("policies/"));
}

TEST_CASE("a connector file that is not even YAML does not make its policies look wrong") {
  conf files;
  const std::string good = [&] {
    std::ifstream in(files.directory / "connectors/alpha.yaml");
    return std::string(std::istreambuf_iterator<char>(in), {});
  }();
  for (const std::string& more : {std::string("mode: test\n"), std::string("a: [1\n"), std::string("\tb: 2\n")}) {
    files.directory.write("connectors/alpha.yaml", good + more);
    const std::string shown = files.problems(least());
    CHECK_THAT(shown, StartsWith("connectors/alpha.yaml:"));
    CHECK_THAT(shown, !Contains("unknown connector"));
    CHECK_THAT(shown, !Contains("policies/"));
  }
  // Also when nothing of it can be read, or every connector is broken.
  std::filesystem::remove(files.directory / "connectors/alpha.yaml");
  std::filesystem::create_directory(files.directory / "connectors/alpha.yaml");
  files.directory.write("connectors/beta.yaml", "");
  files.directory.write("connectors/gamma.yaml", "connector: \"gamma\"  # ours\na: [");
  const std::string shown = files.problems(least());
  CHECK_THAT(shown, Contains("is a directory"));
  CHECK_THAT(shown, !Contains("policies/"));
}

TEST_CASE("a connector that cannot be reached the way it says is refused at its base_url") {
  conf files;
  const auto loaded = files.load(least(), environment({{"ALPHA_URL", "ftp://example.test"}}));
  CHECK_FALSE(loaded.configuration);
  REQUIRE_FALSE(loaded.problems.empty());
  CHECK(loaded.problems[0].line > 0);
}
