// Bodies of POST /v1/payments, mutated from good ones: whatever comes, it is
// read or refused without a crash, nothing beyond the limits is accepted, and
// no answer shows the card number.
//
//   fuzz_payment_request [--runs N] [--seed S]
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/api/idempotency.hpp"
#include "proxy/api/json_document.hpp"
#include "proxy/api/payment_body.hpp"
#include "proxy/api/problem.hpp"

namespace {

using namespace turnout;
using namespace turnout::api;

constexpr std::string_view number = "4242424242424242";

const std::vector<std::string> seeds = {
    R"({"amount": 1250, "currency": "EUR", "capture": "automatic", "payment_method": {"type": "card", "card": {"number": )"
    R"("4242424242424242", "exp_month": 12, "exp_year": 2030, "cvc": "987", "holder": "A. Buyer"}}, "reference": "order-1001", )"
    R"("customer": {"id": "cus_9", "email": "a@example.com", "country": "DE"}, "return_url": "https://shop.example/return", )"
    R"("metadata": {"cart": "77", "é": "\u00e9"}})",
    R"({"amount":1,"currency":"EUR","payment_method":{"type":"card","card":{"number":"4242424242424242","exp_month":1,"exp_year":2031}},)"
    R"("authentication":{"version":"2.2.0","eci":"05","cryptogram":"AJkBBkhgQQAAAE4gSEJydQAAAAA=",)"
    R"("ds_transaction_id":"c4e59ceb-a382-4d6a-bc87-385d591fa09d"}})",
    R"({"amount":1,"currency":"JPY","payment_method":{"type":"card","card":{"number":"4242424242424242","exp_month":1,"exp_year":2031}}})",
    R"({"amount":1000000000000000,"currency":"KWD","capture":"manual","quote":"quo_1","payment_method":{"type":"card","card":)"
    R"({"number":"4242424242424242","exp_month":1,"exp_year":2031,"cvc":"1234"}},"metadata":{}})",
};

/// Pieces that tend to find something where bytes alone would not.
const std::vector<std::string> pieces = {
    "0",
    "-1",
    "12.5",
    "1e3",
    "9223372036854775808",
    "18446744073709551616",
    "1e999",
    "-0",
    "null",
    "true",
    "[]",
    "{}",
    "\"\"",
    "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
    "{\"a\":{\"a\":{\"a\":",
    "\\u0000",
    "\\ud800",
    "\\u0034",
    "\xff",
    "\xc0\x80",
    "\xed\xa0\x80",
    "\xf0\x9f\x92\xb3",
    "4242424242424242",
    "4242 4242-4242 4242",
    "\"amount\":",
    "\"card\":",
    "\"number\":",
    "\"metadata\":",
    "\"4242424242424242\":1,",
    ",",
    ":",
    "{",
    "}",
    "[",
    "]",
    "\"",
    "\\",
    "//",
    " ",
    "\n",
    std::string(1, '\0'),
    "\"x\":\"4242424242424242\",",
    std::string(600, 'a'),
    "EUR",
    "card",
    "https://",
    "@",
};

std::string mutate(std::string text, std::mt19937_64& random) {
  const auto below = [&](std::size_t limit) {
    return static_cast<std::size_t>(random() % std::max<std::size_t>(limit, 1));
  };
  for (std::size_t times = 1 + below(3); times > 0; --times) {
    const std::size_t at = below(text.size() + 1);
    const std::size_t length = std::min(below(24), text.size() - at);
    switch (random() % 7) {
      case 0: text.insert(at, pieces[below(pieces.size())]); break;
      case 1: text.replace(at, length, pieces[below(pieces.size())]); break;
      case 2: text.erase(at, length); break;
      case 3:
        if (at < text.size()) text[at] = static_cast<char>(random());
        break;
      case 4:
        if (at < text.size()) text[at] = static_cast<char>(text[at] ^ (1 << below(8)));
        break;
      case 5: text.insert(below(text.size() + 1), text.substr(at, length)); break;
      default: {  // a whole value replaced: what lies between a colon and the next comma
        const std::size_t colon = text.find(':', at);
        if (colon == std::string::npos) break;
        const std::size_t end = std::min(text.find_first_of(",}", colon), text.size());
        text.replace(colon + 1, end - colon - 1, pieces[below(pieces.size())]);
      }
    }
  }
  return text;
}

[[noreturn]] void fail(const char* why, std::uint64_t run, const std::string& input) {
  std::fprintf(stderr, "run %llu: %s\n%s\n", static_cast<unsigned long long>(run), why, input.c_str());
  std::exit(1);
}

bool within_limits(const payment_body& body, payments::wall_time now) {
  const payments::payment_request& request = *body.request;
  const auto fits = [](std::string_view text, std::size_t most) { return count_characters(text) <= most; };
  bool good = request.amount.minor >= 1 && request.amount.minor <= payments::max_amount_minor &&
              fits(request.reference, 100) && fits(request.buyer.id, 100) && fits(request.buyer.email, 254) &&
              (request.buyer.country.empty() || request.buyer.country.size() == 2) && fits(request.return_url, 2048) &&
              request.metadata.size() <= 50 && request.method == "card" && request.merchant == "demo";
  for (const auto& [key, value] : request.metadata)
    good = good && !key.empty() && fits(key, 40) && fits(value, 500) &&
           !contains_number(key, body.card.reveal_number()) && !contains_number(value, body.card.reveal_number());
  if (request.authentication) {
    const payments::authentication& brought = *request.authentication;
    good = good && brought.eci.size() == 2 && brought.version.size() <= 8 &&
           body.card.reveal_cryptogram().size() <= 64 &&
           (brought.ds_transaction_id.empty() || brought.ds_transaction_id.size() == 36);
  }
  return good && body.card.present() && payments::luhn_valid(body.card.reveal_number()) && !body.card.expired(now) &&
         body.card.reveal_cvc().size() <= 4 && fits(body.card.holder(), 100) &&
         !contains_number(request.reference, body.card.reveal_number());
}

/// True when the body was accepted.
bool check(const std::string& input, std::uint64_t run, const keyed_mac& mac, payments::wall_time now) {
  static const principal who{"demo", false, "ak_demo"};
  json_failure failure;
  const auto document = json_document::parse(input, {}, failure);
  problem refusal{problems::malformed_request, failure.detail, {}, {}, {}};
  if (document) {
    payment_body body = read_payment_body(*document, who, now);
    if (body.request.has_value() != body.errors.empty()) fail("accepted with errors, or refused without", run, input);
    if (body.request) {
      if (!within_limits(body, now)) fail("accepted beyond the limits", run, input);
      if (request_mac(mac, "POST", "/v1/payments", *document).size() != 64) fail("no MAC", run, input);
      return true;
    }
    if (body.errors.size() > most_errors) fail("too many errors", run, input);
    refusal = {problems::invalid_request, "", std::move(body.errors), {}, {}};
  } else if (failure.detail.empty()) {
    fail("refused without a reason", run, input);
  } else if (!failure.field.empty()) {
    refusal.errors.push_back({failure.field, failure.detail});
  }
  const net::response answer = render(refusal, "req_x");
  if (contains_number(answer.body, number)) fail("the answer shows the card number", run, answer.body);
  json_failure unreadable;
  if (!json_document::parse(answer.body, {}, unreadable)) fail("the answer is not JSON", run, answer.body);
  return false;
}

}  // namespace

int main(int argc, char** argv) {
  std::uint64_t runs = 60'000, seed = 1;
  for (int i = 1; i + 1 < argc; i += 2) {
    if (std::string_view(argv[i]) == "--runs")
      runs = std::strtoull(argv[i + 1], nullptr, 10);
    else if (std::string_view(argv[i]) == "--seed")
      seed = std::strtoull(argv[i + 1], nullptr, 10);
    else
      return 2;
  }
  std::printf("seed %llu, %llu runs\n", static_cast<unsigned long long>(seed), static_cast<unsigned long long>(runs));
  const payments::wall_time now = std::chrono::sys_days{std::chrono::year{2026} / 11 / 20};
  const keyed_mac mac(std::string(32, 'k'));
  std::mt19937_64 random(seed);
  std::uint64_t accepted = 0;
  for (const std::string& each : seeds) {
    const bool good = each.find("\"quote\"") == std::string::npos;
    if (check(each, 0, mac, now) != good) fail("a seed is judged wrongly", 0, each);
  }
  for (std::uint64_t run = 1; run <= runs; ++run)
    accepted += check(mutate(seeds[random() % seeds.size()], random), run, mac, now) ? 1u : 0u;
  std::printf("%llu accepted\n", static_cast<unsigned long long>(accepted));
  // Some, but not most: otherwise the mutations test nothing.
  return runs < 1000 || (accepted > 0 && accepted < runs / 2) ? 0 : 1;
}
