// Mutates HTTP messages from a seed and holds the guarded parser to what it
// promises, whatever the bytes:
//   - nothing crashes, reads out of bounds or loops (run it under sanitizers);
//   - the verdict does not depend on how the bytes were cut into pieces;
//   - what is accepted has exactly one reading: a strict grammar, written apart
//     from it, finds the same end, fields and body;
//   - and it is not stricter than that grammar where no chunks are involved.
// Usage: fuzz_http_framing [--runs N] [--seed S]; the seed is printed first.
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "net/message_parser.hpp"
#include "strict_http.hpp"

namespace framing = turnout::net::framing;
using generator = std::mt19937_64;

namespace {

constexpr std::size_t body_limit = 4096;
constexpr std::size_t count_limit = 32;

const std::vector<std::string> seeds = {
    "GET /v1/payments/pay_1?limit=2 HTTP/1.1\r\nHost: a.example:8080\r\nAccept: */*\r\n\r\n",
    "POST /v1/payments HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\nContent-Type: application/json\r\n\r\n{\"a\":\"b c\"}",
    "POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nA;e=\"1234\"\r\n0123456789\r\n0\r\nT: v\r\n\r\n",
    "PUT /x HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nConnection: close\r\nContent-Length: 3\r\n\r\nabc",
    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\nhello",
    "HTTP/1.1 402 Payment Required\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
};

const std::vector<std::string> pieces = {"\r\n",
                                         "\n",
                                         "\r",
                                         "\r\n\r\n",
                                         " ",
                                         "\t",
                                         "\r\n ",
                                         ":",
                                         ",",
                                         "+",
                                         "-",
                                         "0",
                                         "5",
                                         "ffffffffffffffff",
                                         "0x",
                                         ";",
                                         "Content-Length: 5\r\n",
                                         "Content-Length: 5, 5\r\n",
                                         "Content-Length: +5\r\n",
                                         "content-length:7\r\n",
                                         "Host: b\r\n",
                                         "Transfer-Encoding: chunked\r\n",
                                         "Transfer-Encoding: xchunked\r\n",
                                         "Transfer-Encoding: chunked, identity\r\n",
                                         "Transfer-Encoding: identity\r\n",
                                         "Connection: close\r\n",
                                         "Connection: te,, Close ,x\r\n",
                                         "A: b\r\n c\r\n",
                                         "\"",
                                         ";a=\"",
                                         "HTTP/1.0",
                                         "HTTP/1.1",
                                         "http://a/",
                                         "*",
                                         std::string(1, '\0'),
                                         "\x7f",
                                         "\x80",
                                         "0\r\n\r\n",
                                         "1\r\nx\r\n",
                                         "GET / HTTP/1.1\r\nHost: a\r\n\r\n"};

/// How a message was understood.
struct reading {
  bool accepted = false;
  bool complete = false;
  bool self_framed =
      false;  ///< its own header says where it ends; an answer may leave that to its status or connection
  bool close = false;
  bool expects = false;
  std::size_t length = 0;  ///< of the whole message, when complete
  std::string start;       ///< method and target, or the status
  turnout::net::headers fields;
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
      case 2:
        if (at < text.size()) text[at] = static_cast<char>(random());
        break;
      case 3:
        if (at < text.size()) text[at] = static_cast<char>(text[at] ^ (1 << below(random, 8)));
        break;
      case 4: text.insert(at, text.substr(below(random, text.size() + 1), below(random, 40))); break;
      case 5: {
        // Another field, where fields belong.
        const auto line = text.find("\r\n");
        if (line != std::string::npos) text.insert(line + 2, pieces[16 + below(random, 12)]);
        break;
      }
      default: text.resize(at); break;
    }
    if (text.empty()) text = "x";
  }
  return text;
}

/// Reads a message the way the server and the client do; the bytes come in
/// random pieces, or at once if `random` is null.
template <bool is_request>
reading read(std::string_view text, generator* random) {
  reading got;
  const auto later = [&](std::size_t known, std::size_t most) {
    return random == nullptr ? text.size() : std::min(text.size(), known + 1 + below(*random, most));
  };
  std::size_t known = 0;
  std::size_t header = 0;
  for (std::size_t scanned = 0; header == 0 && known < text.size(); scanned = known) {
    known = later(known, 64);
    header = framing::header_length(text.substr(0, known), scanned);
  }
  if (header == 0) return got;
  typename turnout::net::message_parser<is_request>::message message;
  turnout::net::message_parser<is_request> parser(message, count_limit, body_limit);
  if (!parser.take_header(text.substr(0, header))) return got;
  if constexpr (is_request)
    got.start = message.method + " " + message.target;
  else
    got.start = std::to_string(message.status);
  got.fields = message.fields;
  got.close = parser.close();
  got.expects = parser.expect_continue();
  got.self_framed = !parser.need_eof();
  if constexpr (!is_request) {
    const auto status = message.status;
    got.self_framed = got.self_framed && status >= 200 && status != 204 && status != 304;
  }
  auto taken = header;
  for (;;) {
    taken += parser.take_body(text.substr(taken, known - taken));
    if (!parser.judged() || parser.is_done() || known == text.size()) break;
    known = later(known, 16);
  }
  if (!parser.judged()) return {};
  if (message.fields != got.fields) got.fields.clear();  // a trailer that became a field
  got.accepted = true;
  got.complete = parser.is_done();
  got.length = got.complete ? taken : 0;
  got.body = message.body;
  return got;
}

bool same(const reading& ours, const strict::message& other) {
  const auto same_field = [](const auto& left, const auto& right) {
    return framing::same_token(left.first, right.first) && left.second == right.second;
  };
  return ours.start == other.start && ours.length == other.length && ours.body == other.body &&
         ours.close == other.close && ours.expects == other.expects &&
         std::equal(ours.fields.begin(), ours.fields.end(), other.fields.begin(), other.fields.end(), same_field);
}

[[noreturn]] void broken(std::string_view promise, std::uint64_t seed, std::size_t run, std::string_view text) {
  std::cerr << "broken: " << promise << "\nseed " << seed << ", run " << run << ", bytes:\n";
  for (const char byte : text) {
    const auto code = static_cast<unsigned char>(byte);
    if (code == '\r')
      std::cerr << "\\r";
    else if (code == '\n')
      std::cerr << "\\n\n";
    else if (code < 0x20 || code > 0x7e)
      std::cerr << "\\x"
                << "0123456789abcdef"[code >> 4] << "0123456789abcdef"[code & 15];
    else
      std::cerr << byte;
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
    if (name == "--runs")
      runs = std::strtoull(argv[i + 1], nullptr, 10);
    else if (name == "--seed")
      seed = std::strtoull(argv[i + 1], nullptr, 10);
    else
      return std::cerr << "usage: fuzz_http_framing [--runs N] [--seed S]\n", 2;
  }
  std::cout << "seed " << seed << ", runs " << runs << std::endl;
  generator random(seed);
  std::size_t accepted = 0;
  std::size_t refused = 0;
  std::size_t stricter = 0;  // about chunk extensions and trailers, which are dropped anyway
  for (std::size_t run = 0; run < runs; ++run) {
    const auto text = mutated(random, seeds[below(random, seeds.size())]);
    const bool is_request = !text.starts_with("HTTP/");
    const auto whole = is_request ? read<true>(text, nullptr) : read<false>(text, nullptr);
    if ((is_request ? read<true>(text, &random) : read<false>(text, &random)) != whole)
      broken("pieces change nothing", seed, run, text);
    ++(whole.accepted ? accepted : refused);
    if (whole.length > text.size()) broken("a message ends within its bytes", seed, run, text);
    const auto other = strict::reader(text, is_request, count_limit, body_limit).read();
    if (whole.complete && whole.self_framed) {
      if (!other) broken("what is accepted is without doubt", seed, run, text);
      if (!same(whole, *other)) broken("a second reader finds the same message", seed, run, text);
    } else if (other && !other->chunked) {
      broken("what is without doubt is accepted", seed, run, text);
    } else if (other) {
      ++stricter;
    }
  }
  std::cout << accepted << " accepted, " << refused << " refused, " << stricter << " of them only for what is dropped"
            << std::endl;
  // A fuzzer whose inputs all fall at the first byte tests nothing.
  return accepted > runs / 20 && refused > runs / 20 && stricter < runs / 50 ? 0 : 1;
}
