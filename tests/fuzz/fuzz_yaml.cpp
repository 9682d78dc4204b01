// Damaged definition files: parsing and loading end with problems that have a
// position, never with an exception or a crash; what loads builds requests.
#include <filesystem>
#include <fstream>
#include <sstream>

#include <boost/json/parse.hpp>

#include "connectors/definition.hpp"
#include "mutation.hpp"

#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

namespace {

std::string shipped(const std::string& name) {
  const auto root = std::filesystem::path(TURNOUT_SOURCE_DIR);
  std::ifstream in(root / "conf/connectors" / (name + ".yaml"));
  std::ostringstream text;
  text << in.rdbuf();
  if (!in || text.str().empty()) {
    std::fprintf(stderr, "cannot read %s.yaml under %s\n", name.c_str(), root.c_str());
    std::exit(2);
  }
  return text.str();
}

const std::string small = R"(version: 1
connector: tiny
mode: test
merchants: [demo]
base_url: ${URL:-http://127.0.0.1:9}
auth: {type: bearer, token: t}
capabilities: {methods: [card], currencies: [EUR], brands: [visa], capture: [automatic]}
idempotency: {value: "{{attempt.id}}", in: body, name: a.key, ttl: 1h, caches: all, in_flight: wait}
resolve: {methods: [replay], replay_for: 1h}
exponents: {JPY: 2}
operations:
  sale:
    request: {method: POST, path: /c, body: {ref: "{{attempt.id}}", a: {c: "{{card.cvc}}", l: ["{{customer.id}}", 1]}}}
    response:
      - {when: {status: [2xx], "$.a[0].b": [1, x, null]}, outcome: approved, amount: $.c, amount_format: decimal}
      - {when: {status: 402}, reason: {from: $.d, map: declines}}
declines: {a: stolen_card, default: declined}
)";
const std::vector<std::string_view> words = {
    "{{",     "}}",        "${", "}",    "&a ", "*a", "<<: *a\n",    "---\n", "\n",
    "  ",     "- ",        ": ", "{",    "]",   "[",  "'",           "\"",    "|\n",
    ">\n",    "!!binary ", "? ", "null", "~",   "#",  "%YAML 1.2\n", "\t",    "{{card.number}}",
    "$.a[0]", "\xC3\xA9"};
// What once took all memory, and what goes deep.
const std::vector<std::string> shapes = {", default: x}\n", "[a], b\n", "{a: 1}, {b: [2]}\n", "a: [[[[{b: {? [",
                                         "a:\n  - - ? - - x\n"};

}  // namespace

int main(int count, char** arguments) {
  const auto options = turnout::fuzz::parse_options(count, arguments);
  turnout::fuzz::limit_memory();
  std::printf("seed %llu\n", static_cast<unsigned long long>(options.seed));
  // The small one is drawn more often: its damages are met sooner.
  std::vector<std::string> seeds(20, small);
  seeds.insert(seeds.end(), 5, shipped("gamma"));
  seeds.insert(seeds.end(), 5, shipped("beta"));
  seeds.insert(seeds.end(), shapes.begin(), shapes.end());
  turnout::settings::secret_source secrets;
  secrets.variable = [](std::string_view) { return std::optional<std::string>(); };
  secrets.file = secrets.variable;
  const turnout::payments::money charged{1250, *turnout::payments::currency::find("EUR")};
  const turnout::payments::payment payment{.id = "pay_1", .amount = charged};
  const turnout::payments::attempt attempt{.id = "att_1", .amount = charged};
  turnout::payments::card card;
  FUZZ_CHECK(
      turnout::payments::card::parse("4242424242424242", 1, 2030, "", "", card) == turnout::payments::card_errc::ok, 0);
  turnout::fuzz::generator random(options.seed);
  std::uint64_t loaded = 0;
  for (std::uint64_t run = 1; run <= options.runs; ++run) {
    const std::string text = turnout::fuzz::mutate(seeds, words, random);
    turnout::settings::problems found;
    const auto file = turnout::settings::parse("f.yaml", text, secrets, found);
    FUZZ_CHECK(file.has_value() || turnout::settings::has_errors(found), run);
    if (!file) continue;
    const auto connector = turnout::connectors::definition::load(*file, found);
    FUZZ_CHECK((connector != nullptr) != turnout::settings::has_errors(found), run);
    for (const auto& each : found) FUZZ_CHECK(each.line >= 1 && each.column >= 1 && !each.message.empty(), run);
    if (!connector) continue;
    ++loaded;
    for (const auto asked : connector->profile().operations) {
      const auto request = connector->build_request(asked, {payment, attempt, &card});
      FUZZ_CHECK(request.target.starts_with('/'), run);
      FUZZ_CHECK(request.target.find_first_of("\r\n ") == std::string::npos, run);
      for (const auto& [name, content] : request.headers)
        FUZZ_CHECK(name.find_first_of("\r\n: ") == std::string::npos &&
                       content.reveal().find_first_of("\r\n") == std::string_view::npos,
                   run);
      boost::json::error_code failed;
      if (!request.body.empty()) static_cast<void>(boost::json::parse(request.body.reveal(), failed));
      FUZZ_CHECK(!failed, run);
      static_cast<void>(connector->parse_response(asked, {200, {}, R"({"a":[{"b":1}],"c":"12.50"})"}, charged));
    }
  }
  std::printf("%llu of %llu still loaded\n", static_cast<unsigned long long>(loaded),
              static_cast<unsigned long long>(options.runs));
  // Mutations that always break everything would test only the parser.
  FUZZ_CHECK(options.runs < 1000 || loaded > options.runs / 100, options.runs);
  return 0;
}
