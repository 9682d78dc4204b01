// Damaged answers through the shipped definitions: nothing throws, and an
// approval is only ever read from an answer that is JSON and says so.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>
#include <set>
#include <sstream>

#include <boost/json/parse.hpp>

#include "connectors/definition.hpp"
#include "connectors/reply_headers.hpp"
#include "mutation.hpp"

namespace {

using turnout::payments::operation;
using turnout::payments::outcome;

std::shared_ptr<const turnout::connectors::definition> shipped(const std::string& name) {
  const auto root = std::filesystem::path(TURNOUT_SOURCE_DIR);
  std::ifstream in(root / "conf/connectors" / (name + ".yaml"));
  std::ostringstream text;
  text << in.rdbuf();
  turnout::settings::problems found;
  const auto file = turnout::settings::parse(name, text.str(), {}, found);
  return file ? turnout::connectors::definition::load(*file, found) : nullptr;
}

const std::vector<std::string> seeds = {
    R"({"id":"ch_1","object":"charge","status":"succeeded","captured":true,"amount":1250,"currency":"EUR","reference":"att_1"})",
    R"({"id":"ch_1","status":"declined","error":{"code":"stolen_card","message":"m"}})",
    R"({"error":{"code":"rate_limited"}})",
    R"({"object":"reversal","status":"reversed","reference":"att_1","charge":null})",
    R"({"result":"APPROVED","state":"CAPTURED","transactionId":"bt_1","amount":{"value":"12.50","currency":"EUR"}})",
    R"({"result":"DECLINED","responseCode":"51","responseText":"x"})",
    R"({"result":"ERROR","errorCode":"NOT_PROCESSED"})",
    R"({"transaction":{"id":"gm_1","orderRef":"att_1","state":"settled","money":{"minor":1250,"code":"EUR"}}})",
    R"({"transaction":{"state":"refused","refusal":{"category":"issuer","reason":"GM-NSF"}}})",
    R"({"id":"ch_1","object":"charge","status":"requires_action","action":{"url":"http://127.0.0.1/challenge/ch_1"}})",
    R"({"transaction":{"id":"gm_1","state":"challenge","challenge":{"url":"http://127.0.0.1/c","form":{"creq":"cr_1","n":7}}}})",
    R"({"cancelled":true,"transaction":null})",
    R"({"charge":{"id":"dl_1","state":"captured","merchant_reference":"att_1","ticket":"tk_1","amount":1250,"currency":"EUR"}})",
    R"({"fault":{"code":"unknown_order"}})"};
const std::vector<std::string> cookies = {"SESSION=abc; Path=/; HttpOnly",
                                          "SESSION=\"q\"; Max-Age=0",
                                          "SESSION=a; SESSION=b; max-age=-1; Expires=Wed, 21 Oct 2015 07:28:00 GMT",
                                          "OTHER=1; SESSION=x",
                                          " SESSION = spaced ;;;",
                                          "=;=;SESSION"};
const std::vector<std::string_view> cookie_words = {";",       "=",         ",",   "\"",          "\\",
                                                    "SESSION", " ",         "\t",  "\r\n",        "\x7F",
                                                    "\xFF",    "Max-Age=0", "-99", "Max-Age=-1;", "Set-Cookie"};
const std::vector<std::string_view> words = {"null",
                                             "true",
                                             "{",
                                             "}",
                                             "[",
                                             "]",
                                             ",",
                                             ":",
                                             "\"",
                                             "\\u0000",
                                             "\\ud800",
                                             "1e999",
                                             "-0",
                                             "99999999999999999999",
                                             "12.505",
                                             "\xEF\xBB\xBF",
                                             "\xFF",
                                             "\"status\":\"succeeded\"",
                                             "\"amount\":",
                                             "\"result\":\"APPROVED\"",
                                             ",\"status\":\"succeeded\"",
                                             ",\"\\u0073tatus\":1",
                                             ",\"id\":\"..\"",
                                             "a/b",
                                             "../",
                                             "%2e%2e",
                                             "\\r\\n",
                                             ",\"reference\":\"att_2\"",
                                             ",\"transactionReference\":null"};

/// Of a text that is JSON: whether an object in it has two members of one name.
/// Written apart from what it checks, which counts members.
bool has_repeated_name(std::string_view text) {
  std::vector<std::set<std::string>> open;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '{' || text[at] == '[') open.emplace_back();
    if (text[at] == '}' || text[at] == ']') open.pop_back();
    if (text[at] != '"') continue;
    const std::size_t begin = at;
    for (++at; text[at] != '"'; ++at)
      if (text[at] == '\\') ++at;
    const std::size_t next = text.find_first_not_of(" \t\r\n", at + 1);
    if (next == std::string_view::npos || text[next] != ':') continue;
    const auto name = boost::json::parse(text.substr(begin, at + 1 - begin));
    if (!open.back().emplace(name.get_string()).second) return true;
  }
  return false;
}

/// What may be sent back as part of a path.
bool is_harmless(std::string_view reference) {
  return reference.size() <= 255 && reference != "." && reference != ".." &&
         std::all_of(reference.begin(), reference.end(),
                     [](char c) { return c > 0x20 && c < 0x7F && c != '/' && c != '\\' && c != '%'; });
}

/// Whatever the header holds, what is kept of it can be sent back as it is.
bool cookies_hold(turnout::fuzz::generator& random) {
  turnout::connectors::wire_reply reply;
  for (std::size_t i = 0; i < 1 + random.below(3); ++i)
    reply.headers.emplace_back("Set-Cookie", turnout::fuzz::mutate(cookies, cookie_words, random));
  const auto found = turnout::connectors::find_cookie(reply, "SESSION");
  if (!found) return true;
  return std::all_of(found->begin(), found->end(),
                     [](char c) { return c > 0x20 && c < 0x7F && c != ';' && c != ',' && c != '\\'; });
}

}  // namespace

int main(int count, char** arguments) {
  const auto options = turnout::fuzz::parse_options(count, arguments);
  turnout::fuzz::limit_memory();
  std::printf("seed %llu\n", static_cast<unsigned long long>(options.seed));
  std::vector<std::shared_ptr<const turnout::connectors::definition>> connectors;
  for (const char* name : {"alpha", "beta", "gamma", "delta"}) connectors.push_back(shipped(name));
  for (const auto& each : connectors) FUZZ_CHECK(each != nullptr, 0);
  const unsigned statuses[] = {200, 201, 400, 401, 402, 404, 409, 429, 500, 503, 0, 999};
  const turnout::payments::money charged{1250, *turnout::payments::currency::find("EUR")};
  turnout::fuzz::generator random(options.seed);
  std::uint64_t understood = 0;
  for (std::uint64_t run = 1; run <= options.runs; ++run) {
    FUZZ_CHECK(cookies_hold(random), run);
    const std::string body = turnout::fuzz::mutate(seeds, words, random);
    const unsigned status = statuses[random.below(std::size(statuses))];
    boost::json::error_code failed;
    const std::string_view text = body;
    static_cast<void>(boost::json::parse(text.starts_with("\xEF\xBB\xBF") ? text.substr(3) : text, failed));
    const bool readable = !failed && !has_repeated_name(text);
    for (const auto& connector : connectors) {
      for (std::size_t i = 0; i < turnout::payments::operation_count; ++i) {
        const auto asked = static_cast<operation>(i);
        const auto got = connector->parse_response(asked, {status, {}, body}, charged);
        FUZZ_CHECK(got.answered && got.carried, run);
        FUZZ_CHECK(!(got.not_found && got.result != outcome::unknown), run);
        FUZZ_CHECK(!got.amount_minor || *got.amount_minor >= 0, run);
        FUZZ_CHECK(is_harmless(got.gateway_reference) && got.gateway_code.size() <= 100, run);
        // A shopper is sent to a web page with a whole form of bounded size, or nowhere.
        FUZZ_CHECK((got.result == outcome::requires_action) == !got.action.empty(), run);
        FUZZ_CHECK(got.action.url.size() < 2048 && got.action.fields.size() <= 30, run);
        FUZZ_CHECK(got.action.empty() || got.action.url.starts_with("http"), run);
        if (asked == operation::reverse)
          FUZZ_CHECK(got.result == outcome::approved || got.result == outcome::unknown, run);
        const bool understood_now = got.result != outcome::unknown || got.not_found;
        understood += understood_now ? 1 : 0;
        FUZZ_CHECK(!understood_now || readable, run);
        // An approval has an id to go on with, and says whose it is (or may leave that out, where it is no charge).
        if (asked != operation::reverse && got.result == outcome::approved)
          FUZZ_CHECK(!got.gateway_reference.empty(), run);
        // A charge's approval is checked against its amount, or known to be uncheckable.
        const bool charge = asked == operation::sale || asked == operation::authorize || asked == operation::inquire;
        if (charge && got.result == outcome::approved)
          FUZZ_CHECK((got.amount_minor || got.amount_unreadable) && got.echo, run);
      }
    }
  }
  std::printf("%llu of %llu understood\n", static_cast<unsigned long long>(understood),
              static_cast<unsigned long long>(options.runs));
  // Damages that leave nothing to match would test only the JSON parser.
  FUZZ_CHECK(options.runs < 10'000 || understood > options.runs / 50, options.runs);
  return 0;
}
