// Mutates HTTP messages from a seed and holds the framing guards to what they
// promise, whatever the bytes:
//   - nothing crashes, reads out of bounds or loops (run it under sanitizers);
//   - the verdict does not depend on how the bytes were cut into pieces;
//   - what is accepted has exactly one reading: a second, independent parser
//     (Beast's) finds the same end and the same body.
// Usage: fuzz_http_framing [--runs N] [--seed S]; the seed is printed first.
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include "net/framing.hpp"

namespace http = boost::beast::http;
namespace framing = turnout::net::framing;
using generator = std::mt19937_64;

namespace {

constexpr std::size_t body_limit = 4096;
constexpr std::size_t overhead_limit = 512;
constexpr std::size_t count_limit = 32;

const std::vector<std::string> seeds = {
    "GET /v1/payments/pay_1?limit=2 HTTP/1.1\r\nHost: a.example:8080\r\nAccept: */*\r\n\r\n",
    "POST /v1/payments HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\nContent-Type: application/json\r\n\r\n{\"a\":\"b c\"}",
    "POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nA;e=1\r\n0123456789\r\n0\r\nT: v\r\n\r\n",
    "PUT /x HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nConnection: close\r\nContent-Length: 3\r\n\r\nabc",
    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\nhello",
    "HTTP/1.1 402 Payment Required\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
};

const std::vector<std::string> pieces = {
    "\r\n", "\n", "\r", "\r\n\r\n", " ", "\t", "\r\n ", ":", ",", "+", "-", "0", "5", "ffffffffffffffff", "0x", ";",
    "Content-Length: 5\r\n", "Content-Length: 5, 5\r\n", "Content-Length: +5\r\n", "content-length:7\r\n", "Host: b\r\n",
    "Transfer-Encoding: chunked\r\n", "Transfer-Encoding: xchunked\r\n", "Transfer-Encoding: chunked, identity\r\n",
    "Transfer-Encoding: identity\r\n", "Connection: close\r\n", "HTTP/1.0", "HTTP/1.1", "http://a/", "*",
    std::string(1, '\0'), "\x7f", "\x80", "0\r\n\r\n", "1\r\nx\r\n", "GET / HTTP/1.1\r\nHost: a\r\n\r\n"};

/// How a message was understood.
struct reading {
  bool accepted = false;
  bool complete = false;
  bool self_framed = false; ///< its own header says where it ends; an answer may leave that to its connection
  bool chunked = false;
  std::size_t length = 0;   ///< of the whole message, when complete
  std::string body;
  bool operator==(const reading&) const = default;
};

std::size_t below(generator& random, std::size_t bound) { return static_cast<std::size_t>(random() % bound); }

std::string mutated(generator& random, std::string text) {
  for (auto changes = below(random, 5); changes > 0; --changes) {
    const auto at = below(random, text.size() + 1);
    switch (below(random, 7)) {
      case 0: text.insert(at, pieces[below(random, pieces.size())]); break;
      case 1: text.erase(at, 1 + below(random, 8)); break;
      case 2: if (at < text.size()) text[at] = static_cast<char>(random()); break;
      case 3: if (at < text.size()) text[at] = static_cast<char>(text[at] ^ (1 << below(random, 8))); break;
      case 4: text.insert(at, text.substr(below(random, text.size() + 1), below(random, 40))); break;
      case 5: {
        // Another field, where fields belong.
        const auto line = text.find("\r\n");
        if (line != std::string::npos) text.insert(line + 2, pieces[16 + below(random, 10)]);
        break;
      }
      default: text.resize(at); break;
    }
    if (text.empty()) text = "x";
  }
  return text;
}

/// Reads a message the way the server and the client do; the body is fed in
/// random pieces, or in one if `random` is null.
reading read(std::string_view text, bool is_request, generator* random) {
  reading got;
  framing::frame how;
  turnout::net::request as_request;
  turnout::net::response as_response;
  std::size_t scanned = 0;
  std::size_t header = 0;
  for (std::size_t known = 0; header == 0 && known < text.size(); scanned = known) {
    known = random == nullptr ? text.size() : std::min(text.size(), known + 1 + below(*random, 64));
    header = framing::header_length(text.substr(0, known), scanned);
  }
  if (header == 0) return got;
  const auto block = text.substr(0, header);
  const auto judged = is_request ? framing::parse_request(block, count_limit, as_request, how)
                                 : framing::parse_response(block, count_limit, as_response, how);
  if (!judged) return got;
  got.accepted = true;
  const bool bodiless = !is_request && (as_response.status < 200 || as_response.status == 204 || as_response.status == 304);
  got.chunked = how.chunked;
  got.self_framed = is_request || (!bodiless && (how.chunked || how.content_length));
  auto rest = text.substr(header);
  if (!how.chunked) {
    const auto wanted = how.content_length.value_or(0);
    if (wanted > body_limit) got.accepted = false;
    if (wanted > body_limit || rest.size() < wanted) return got;
    got.complete = true;
    got.body = rest.substr(0, wanted);
    got.length = header + wanted;
    return got;
  }
  framing::chunk_decoder decoder(body_limit, overhead_limit);
  for (std::size_t at = 0; at < rest.size();) {
    const auto size = random == nullptr ? rest.size() - at : std::min(rest.size() - at, 1 + below(*random, 16));
    const auto step = decoder.feed(rest.substr(at, size), got.body);
    at += step.consumed;
    if (step.now == framing::chunk_decoder::progress::more) continue;
    got.complete = step.now == framing::chunk_decoder::progress::done;
    got.accepted = got.complete;
    got.length = got.complete ? header + at : 0;
    if (!got.accepted) got.body.clear();
    break;
  }
  return got;
}

template <bool is_request>
std::optional<reading> beast_reading(std::string_view text) {
  http::parser<is_request, http::string_body> parser;
  parser.body_limit(body_limit);
  parser.header_limit(64 * 1024);
  parser.eager(true);
  boost::system::error_code failed;
  const auto used = parser.put(boost::asio::buffer(text), failed);
  if (failed || !parser.is_done()) return std::nullopt;
  return reading{true, true, true, parser.chunked(), used, parser.get().body()};
}

template <bool is_request>
bool beast_takes_header(std::string_view text) {
  http::parser<is_request, http::string_body> parser;
  parser.body_limit(body_limit);
  boost::system::error_code failed;
  parser.put(boost::asio::buffer(text.substr(0, text.find("\r\n\r\n") + 4)), failed);
  return !failed && parser.is_header_done();
}

[[noreturn]] void broken(std::string_view promise, std::uint64_t seed, std::size_t run, std::string_view text) {
  std::cerr << "broken: " << promise << "\nseed " << seed << ", run " << run << ", bytes:\n";
  for (const char byte : text) {
    const auto code = static_cast<unsigned char>(byte);
    if (code == '\r') std::cerr << "\\r";
    else if (code == '\n') std::cerr << "\\n\n";
    else if (code < 0x20 || code > 0x7e) std::cerr << "\\x" << "0123456789abcdef"[code >> 4] << "0123456789abcdef"[code & 15];
    else std::cerr << byte;
  }
  std::cerr << '\n';
  std::exit(1);
}

}  // namespace

int main(int argc, char** argv) {
  std::size_t runs = 200000;
  std::uint64_t seed = static_cast<std::uint64_t>(std::chrono::system_clock::now().time_since_epoch().count());
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view name = argv[i];
    if (name == "--runs") runs = std::strtoull(argv[i + 1], nullptr, 10);
    else if (name == "--seed") seed = std::strtoull(argv[i + 1], nullptr, 10);
    else return std::cerr << "usage: fuzz_http_framing [--runs N] [--seed S]\n", 2;
  }
  std::cout << "seed " << seed << ", runs " << runs << std::endl;
  generator random(seed);
  std::size_t accepted = 0;
  std::size_t refused = 0;
  for (std::size_t run = 0; run < runs; ++run) {
    const auto text = mutated(random, seeds[below(random, seeds.size())]);
    const bool is_request = !text.starts_with("HTTP/");
    const auto whole = read(text, is_request, nullptr);
    if (read(text, is_request, &random) != whole) broken("pieces change nothing", seed, run, text);
    ++(whole.accepted ? accepted : refused);
    if (!whole.complete) continue;
    if (whole.length > text.size()) broken("a message ends within its bytes", seed, run, text);
    if (!whole.self_framed) continue;
    if (!is_request && text[12] == '\r') continue;  // real gateways leave out the blank before an empty reason
    const auto message = std::string_view(text).substr(0, whole.length);
    const auto other = is_request ? beast_reading<true>(message) : beast_reading<false>(message);
    if (!(is_request ? beast_takes_header<true>(message) : beast_takes_header<false>(message)))
      broken("a second parser accepts its header too", seed, run, text);
    // Only in what we drop unread (inside of extensions, trailers that it merges) may it be the stricter one.
    if (!other && !whole.chunked) broken("a second parser accepts it too", seed, run, text);
    if (!other) continue;
    if (other->length != whole.length || other->body != whole.body)
      broken("a second parser finds the same end and body", seed, run, text);
  }
  std::cout << accepted << " accepted, " << refused << " refused" << std::endl;
  // A fuzzer whose inputs all fall at the first byte tests nothing.
  return accepted > runs / 20 && refused > runs / 20 ? 0 : 1;
}
