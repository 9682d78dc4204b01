// Every framing vector over a real socket. Each is followed, in the same
// write, by a whole second request: the canary. It must never be served, for
// then the two ends would disagree about where a message ends.
#include <catch2/catch.hpp>

#include "serving.hpp"

namespace {

const std::string canary = "GET /canary HTTP/1.1\r\nHost: a\r\n\r\n";

struct vector_ {
  const char* name;
  std::string bytes;
  const char* status;
};

std::string with(std::string_view fields, std::string_view body = {}) {
  return "POST /first HTTP/1.1\r\nHost: a\r\n" + std::string(fields) + "\r\n" + std::string(body);
}

const std::vector<vector_> refused = {
    {"xchunked", with("Transfer-Encoding: xchunked\r\n", "0\r\n\r\n"), "400"},
    {"chunked, identity", with("Transfer-Encoding: chunked, identity\r\n", "0\r\n\r\n"), "400"},
    {"identity", with("Transfer-Encoding: identity\r\n"), "400"},
    {"gzip, chunked", with("Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n"), "400"},
    {"chunked twice", with("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"), "400"},
    {"empty coding", with("Transfer-Encoding:\r\n"), "400"},
    {"coding with a tab inside", with("Transfer-Encoding: chun\tked\r\n"), "400"},
    {"chunked in HTTP/1.0", "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "505"},
    {"HTTP/1.0", "GET / HTTP/1.0\r\nHost: a\r\n\r\n", "505"},
    {"HTTP/2.0", "GET / HTTP/2.0\r\nHost: a\r\n\r\n", "505"},
    {"HTTP/1.2", "GET / HTTP/1.2\r\nHost: a\r\n\r\n", "505"},
    {"no version", "GET /\r\nHost: a\r\n\r\n", "400"},
    {"http/1.1 in small letters", "GET / http/1.1\r\nHost: a\r\n\r\n", "400"},
    {"version with a blank behind", "GET / HTTP/1.1 \r\nHost: a\r\n\r\n", "400"},
    {"no Host", "GET / HTTP/1.1\r\nAccept: a\r\n\r\n", "400"},
    {"no field at all", "GET / HTTP/1.1\r\n\r\n", "400"},
    {"two Hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", "400"},
    {"two Hosts in one", "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", "400"},
    {"empty Host", "GET / HTTP/1.1\r\nHost:\r\n\r\n", "400"},
    {"Host with a path", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", "400"},
    {"list of lengths", with("Content-Length: 5, 5\r\n", "12345"), "400"},
    {"two equal lengths", with("Content-Length: 5\r\nContent-Length: 5\r\n", "12345"), "400"},
    {"two lengths", with("Content-Length: 5\r\nContent-Length: 6\r\n", "12345"), "400"},
    {"length with plus", with("Content-Length: +5\r\n", "12345"), "400"},
    {"negative length", with("Content-Length: -5\r\n", "12345"), "400"},
    {"minus zero", with("Content-Length: -0\r\n"), "400"},
    {"length in hex", with("Content-Length: 0x5\r\n", "12345"), "400"},
    {"length with a blank inside", with("Content-Length: 1 0\r\n", "12345"), "400"},
    {"fractional length", with("Content-Length: 5.0\r\n", "12345"), "400"},
    {"empty length", with("Content-Length:\r\n", "12345"), "400"},
    {"length beyond 64 bits", with("Content-Length: 18446744073709551621\r\n", "12345"), "400"},
    {"length and chunked", with("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"), "400"},
    {"chunked and length", with("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "0\r\n\r\n"), "400"},
    {"obs-fold", with("X-Long: a\r\n b\r\n"), "400"},
    {"obs-fold with a tab", with("X-Long: a\r\n\tb\r\n"), "400"},
    {"obs-fold hiding a length", with("X: a\r\n Content-Length: 5\r\n", "12345"), "400"},
    {"first field folded", "GET / HTTP/1.1\r\n Host: a\r\n\r\n", "400"},
    {"Connection that is no list of tokens", with("Connection: clo se\r\n"), "400"},
    {"blank before the colon", with("Content-Length : 5\r\n", "12345"), "400"},
    {"no colon", with("Content-Length 5\r\n", "12345"), "400"},
    {"empty name", with(": a\r\n"), "400"},
    {"bare LF in a value", with("X: a\nContent-Length: 5\r\n", "12345"), "400"},
    {"bare CR in a value", with("X: a\rb\r\n"), "400"},
    {"NUL in a value", with(std::string("X: a\0b\r\n", 8)), "400"},
    {"control byte in a name", with("X\x01: a\r\n"), "400"},
    {"non-ASCII byte in a name", with("X\xc3\xa9: a\r\n"), "400"},
    {"delete in a value", with("X: \x7f\r\n"), "400"},
    {"CONNECT", "CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n", "400"},
    {"absolute form", "GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n", "400"},
    {"asterisk form", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", "400"},
    {"two blanks", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n", "400"},
    {"tab in the request line", "GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n", "400"},
    {"non-ASCII target", "GET /\xc3\xa9 HTTP/1.1\r\nHost: a\r\n\r\n", "400"},
    {"fragment", "GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n", "400"},
    {"empty line first", "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", "400"},
    {"other expectation", with("Expect: a-pony\r\nContent-Length: 1\r\n", "1"), "417"},
    {"chunk size with plus", with("Transfer-Encoding: chunked\r\n", "+5\r\n12345\r\n0\r\n\r\n"), "400"},
    {"chunk size 0x5", with("Transfer-Encoding: chunked\r\n", "0x5\r\n12345\r\n0\r\n\r\n"), "400"},
    {"chunk size negative", with("Transfer-Encoding: chunked\r\n", "-1\r\n\r\n0\r\n\r\n"), "400"},
    {"chunk size beyond 64 bits", with("Transfer-Encoding: chunked\r\n", "10000000000000005\r\n12345\r\n0\r\n\r\n"),
     "400"},
    {"chunk size followed by a blank", with("Transfer-Encoding: chunked\r\n", "5 \r\n12345\r\n0\r\n\r\n"), "400"},
    {"chunk without a size", with("Transfer-Encoding: chunked\r\n", "\r\n12345\r\n0\r\n\r\n"), "400"},
    {"chunk line ended by LF", with("Transfer-Encoding: chunked\r\n", "5\n12345\r\n0\r\n\r\n"), "400"},
    {"chunk longer than its size", with("Transfer-Encoding: chunked\r\n", "4\r\n12345\r\n0\r\n\r\n"), "400"},
    {"chunk end without CRLF", with("Transfer-Encoding: chunked\r\n", "5\r\n123450\r\n\r\n"), "400"},
    {"extension with LF", with("Transfer-Encoding: chunked\r\n", "5;a\nb\r\n12345\r\n0\r\n\r\n"), "400"},
    {"folded trailer", with("Transfer-Encoding: chunked\r\n", "0\r\nA: b\r\n c\r\n\r\n"), "400"},
    {"folded trailer without a first part", with("Transfer-Encoding: chunked\r\n", "0\r\nA:\r\n c\r\n\r\n"), "400"},
    {"length as a trailer", with("Transfer-Encoding: chunked\r\n", "0\r\nContent-Length: 50\r\n\r\n"), "400"},
    {"coding as a trailer", with("Transfer-Encoding: chunked\r\n", "0\r\nTransfer-Encoding: chunked\r\n\r\n"), "400"},
    {"blank before an extension", with("Transfer-Encoding: chunked\r\n", "5 ;a\r\n12345\r\n0\r\n\r\n"), "400"},
    {"line feed in quotes", with("Transfer-Encoding: chunked\r\n", "5;a=\"\n\"\r\n12345\r\n0\r\n\r\n"), "400"},
    {"trailer without a colon", with("Transfer-Encoding: chunked\r\n", "0\r\nAb\r\n\r\n"), "400"},
};

std::size_t count(std::string_view text, std::string_view what) {
  std::size_t found = 0;
  for (auto at = text.find(what); at != text.npos; at = text.find(what, at + 1)) ++found;
  return found;
}

std::optional<turnout::net::server_tls> plain_or(bool tls) { return tls ? std::optional(good_server()) : std::nullopt; }

}  // namespace

TEST_CASE("ambiguous framing is refused, and nothing behind it is a request") {
  const bool tls = GENERATE(false, true);
  serving house({}, {}, plain_or(tls));
  for (const auto& one : refused) {
    INFO(one.name);
    const auto answer = house.converse(one.bytes + canary);
    CHECK(answer.starts_with("HTTP/1.1 " + std::string(one.status) + " "));
    CHECK(answer.find("Connection: close\r\n") != answer.npos);
    CHECK(count(answer, "\r\nDate: ") == 1);
  }
  CHECK(house.targets().empty());
}

TEST_CASE("the same vectors arriving byte by byte are refused alike") {
  const bool tls = GENERATE(false, true);
  serving house({}, {}, plain_or(tls));
  for (const auto& one : refused) {
    INFO(one.name);
    auto peer = house.connect();
    for (const char byte : one.bytes + canary) peer.send({&byte, 1});
    const auto answer = peer.read_all();
    CHECK(answer.starts_with("HTTP/1.1 " + std::string(one.status) + " "));
    CHECK(count(answer, "\r\nDate: ") == 1);
  }
  CHECK(house.targets().empty());
}

TEST_CASE("what is unambiguous is served, and so is the canary behind it") {
  const bool tls = GENERATE(false, true);
  serving house({}, {}, plain_or(tls));
  const std::vector<std::pair<std::string, std::string>> served = {
      {with("Content-Length: 5\r\n", "12345"), "POST /first [12345]"},
      {with("content-LENGTH:5\r\n", "12345"), "POST /first [12345]"},
      {with("Content-Length: \t 005 \t\r\n", "12345"), "POST /first [12345]"},
      {with("Content-Length: 0\r\n"), "POST /first []"},
      {with(""), "POST /first []"},
      {with("Transfer-Encoding: chunked\r\n", "5\r\n12345\r\n0\r\n\r\n"), "POST /first [12345]"},
      {with("Transfer-Encoding: CHUNKED\r\n", "3\r\n123\r\n2\r\n45\r\n0\r\n\r\n"), "POST /first [12345]"},
      {with("Transfer-Encoding: chunked\r\n", "00A;x=\"y\"\r\n1234567890\r\n00\r\n\r\n"), "POST /first [1234567890]"},
      {with("Transfer-Encoding: chunked\r\n", "0\r\nConnection: close\r\nHost: b\r\n\r\n"), "POST /first []"},
      {with("X: caf\xc3\xa9\r\n"), "POST /first []"},
      {with("X:\r\n"), "POST /first []"},
  };
  for (const auto& [bytes, expected] : served) {
    INFO(bytes);
    auto peer = house.connect();
    peer.send(bytes + canary);
    const auto answer = peer.read_answer();
    CHECK(answer.starts_with("HTTP/1.1 200 OK\r\n"));
    CHECK(answer.ends_with("\r\n\r\n" + expected));
    CHECK(peer.read_answer().ends_with("GET /canary []"));
  }
  CHECK(house.targets().size() == 2 * served.size());
}

TEST_CASE("trailers are dropped, not merged into the fields") {
  const bool tls = GENERATE(false, true);
  const auto show = [](turnout::net::request&& message, turnout::net::responder out) {
    turnout::net::response answer;
    for (const auto& [name, value] : message.fields) answer.body += name + "=" + value + ";";
    out.send(std::move(answer));
  };
  serving house({}, show, plain_or(tls));
  auto peer = house.connect();
  peer.send(with("Transfer-Encoding: chunked\r\n", "1\r\nx\r\n0\r\nAuthorization: Bearer stolen\r\n\r\n"));
  CHECK(peer.read_answer().ends_with("\r\n\r\nHost=a;Transfer-Encoding=chunked;"));
}
