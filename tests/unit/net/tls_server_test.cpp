// A listener under TLS, against OpenSSL's own client: who gets in, what an end
// of the stream means, and what a handshake may hold up.
#include <catch2/catch.hpp>

#include <atomic>
#include <thread>

#include <boost/asio/post.hpp>

#include "serving.hpp"

using namespace std::chrono_literals;
using turnout::net::client_certificates;
using turnout::net::make_server_tls;
using turnout::net::server_limits;
using turnout::net::server_tls;
using turnout::net::tls_error;
using turnout::net::tls_version;

namespace {

const std::string simple = "GET /a HTTP/1.1\r\nHost: a\r\n\r\n";

raw::connection bare(const serving& house) { return raw::connection::to(house.port); }

/// A client of one TLS version that would take weak ciphers and old versions.
context_ptr speaking(int version) {
  auto made = peer_context(TLS_client_method());
  SSL_CTX_set_security_level(made.get(), 0);
  SSL_CTX_set_min_proto_version(made.get(), version);
  SSL_CTX_set_max_proto_version(made.get(), version);
  return made;
}

std::string serial_of(const raw::connection& peer) {
  ASN1_INTEGER* number = X509_get_serialNumber(SSL_get0_peer_certificate(peer.ssl()));
  return std::to_string(ASN1_INTEGER_get(number));
}

tls_error::part_of refusal(const server_tls& from) {
  try {
    make_server_tls(from);
  } catch (const tls_error& why) {
    INFO(why.what());
    CHECK(std::string_view(why.what()).size() > 10);
    return why.part;
  }
  throw std::runtime_error("it was accepted");
}

}  // namespace

TEST_CASE("requests over TLS 1.2 and 1.3, nothing older") {
  serving house({}, {}, good_server());
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    auto peer = bare(house);
    REQUIRE(peer.connect_tls(speaking(version).get(), "localhost"));
    CHECK(SSL_version(peer.ssl()) == version);
    for (int i = 0; i < 3; ++i) {
      peer.send(simple);
      CHECK(peer.read_answer().ends_with("GET /a []"));
    }
    CHECK(SSL_get_current_compression(peer.ssl()) == nullptr);
  }
  for (const int version : {TLS1_VERSION, TLS1_1_VERSION}) {
    auto peer = bare(house);
    CHECK_FALSE(peer.connect_tls(speaking(version).get()));
    CHECK(ERR_GET_REASON(ERR_peek_error()) == SSL_R_TLSV1_ALERT_PROTOCOL_VERSION);
  }
  house.until_open(0);
}

TEST_CASE("the least version can be 1.3") {
  auto strict = good_server();
  strict.minimum_version = tls_version::tls_1_3;
  serving house({}, {}, strict);
  CHECK_FALSE(bare(house).connect_tls(speaking(TLS1_2_VERSION).get()));
  CHECK(bare(house).connect_tls(speaking(TLS1_3_VERSION).get()));
}

TEST_CASE("TLS 1.2 only with forward secrecy and an AEAD cipher, and never renegotiated") {
  serving house({}, {}, good_server());
  for (const char* weak : {"AES128-SHA", "ECDHE-ECDSA-AES128-SHA", "ECDHE-ECDSA-AES128-SHA256", "AES128-GCM-SHA256"}) {
    INFO(weak);
    const auto client = speaking(TLS1_2_VERSION);
    REQUIRE(SSL_CTX_set_cipher_list(client.get(), (std::string(weak) + ":@SECLEVEL=0").c_str()) == 1);
    CHECK_FALSE(bare(house).connect_tls(client.get()));
  }
  auto peer = bare(house);
  REQUIRE(peer.connect_tls(speaking(TLS1_2_VERSION).get()));
  CHECK(SSL_renegotiate(peer.ssl()) == 1);
  SSL_do_handshake(peer.ssl());
  peer.send(simple);
  CHECK(peer.read_all().empty());
  CHECK(house.targets().empty());
}

TEST_CASE("ALPN: http/1.1, and a client that insists on something else is refused") {
  serving house({}, {}, good_server());
  const auto offering = [&](std::string_view list) {
    auto client = peer_context(TLS_client_method());
    SSL_CTX_set_alpn_protos(client.get(), reinterpret_cast<const unsigned char*>(list.data()),
                            static_cast<unsigned>(list.size()));
    return client;
  };
  auto peer = bare(house);
  REQUIRE(peer.connect_tls(offering("\x02h2\x08http/1.1").get()));
  const unsigned char* chosen = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(peer.ssl(), &chosen, &size);
  CHECK(std::string(reinterpret_cast<const char*>(chosen), size) == "http/1.1");
  CHECK_FALSE(bare(house).connect_tls(offering("\x02h2").get()));
}

TEST_CASE("HTTP without TLS on a port with TLS is told so, other noise is not answered with HTTP") {
  serving house({}, {}, good_server());
  auto peer = bare(house);
  peer.send(simple);
  const auto answer = peer.read_all();
  CHECK(answer.starts_with("HTTP/1.1 400 "));
  CHECK(answer.find("https") != answer.npos);
  auto noise = bare(house);
  noise.send("SSH-2.0-OpenSSH_9.2p1 Debian\r\n");
  noise.truncate();
  CHECK(noise.read_all().find("HTTP") == std::string::npos);
  auto silent = bare(house);
  silent.truncate();
  CHECK(silent.read_all().empty());
  house.until_open(0);
  CHECK(house.targets().empty());
}

TEST_CASE("the end of a connection: close_notify both ways") {
  serving house({}, {}, good_server());
  auto peer = house.connect();
  peer.send("GET /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  CHECK(peer.read_all().ends_with("GET /a []"));
  CHECK(peer.was_told_the_end());
  auto ending = house.connect();
  ending.send(simple);
  ending.read_answer();
  ending.end();
  CHECK(ending.read_all().empty());
  CHECK(ending.was_told_the_end());
  house.until_open(0);
}

TEST_CASE("a truncated stream is no request, wherever it is cut") {
  serving house({}, {}, good_server());
  const std::string whole = "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n12345";
  for (const bool told : {false, true}) {
    for (std::size_t cut = 1; cut < whole.size(); cut += 3) {
      auto peer = house.connect();
      peer.send(std::string_view(whole).substr(0, cut));
      if (told)
        peer.end();
      else
        peer.truncate();
      peer.read_all();
    }
  }
  // Half a record: the bytes of a whole request, but not authenticated.
  int pair[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
  auto peer = house.connect();
  BIO* const wire = SSL_get_wbio(peer.ssl());
  BIO_up_ref(wire);
  SSL_set0_wbio(peer.ssl(), BIO_new_socket(pair[0], BIO_CLOSE));
  peer.send(whole);
  char record[512];
  const auto size = ::recv(pair[1], record, sizeof record, 0);
  REQUIRE(size > 20);
  REQUIRE(::send(peer.descriptor(), record, static_cast<std::size_t>(size) - 1, MSG_NOSIGNAL) == size - 1);
  peer.truncate();
  CHECK(peer.read_all().empty());
  BIO_free(wire);
  ::close(pair[1]);
  house.until_open(0);
  CHECK(house.targets().empty());
}

TEST_CASE("a record that was tampered with ends the connection") {
  serving house({}, {}, good_server());
  auto peer = house.connect();
  const char forged[] =
      "\x17\x03\x03\x00\x20"
      "0123456789abcdef0123456789abcdef";
  REQUIRE(::send(peer.descriptor(), forged, sizeof forged - 1, MSG_NOSIGNAL) == sizeof forged - 1);
  CHECK(peer.read_all().empty());
  CHECK_FALSE(peer.was_told_the_end());
  house.until_open(0);
}

TEST_CASE("large bodies both ways") {
  const std::string large(900'000, 'x');
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    serving house({}, {}, good_server());
    auto peer = bare(house);
    REQUIRE(peer.connect_tls(speaking(version).get()));
    std::thread writer([&] {
      peer.send("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(large.size()) + "\r\n\r\n" + large);
    });
    writer.join();
    const auto answer = peer.read_answer();
    CHECK(answer.size() > large.size());
    CHECK(answer.ends_with("POST /a [" + large + "]"));
  }
}

TEST_CASE("pipelined requests in one record, and one request in many") {
  serving house({}, {}, good_server());
  auto peer = house.connect();
  std::string all;
  for (int i = 0; i < 100; ++i) all += "GET /" + std::to_string(i) + " HTTP/1.1\r\nHost: a\r\n\r\n";
  peer.send(all);
  bool in_order = true;
  for (int i = 0; i < 100; ++i)
    in_order = in_order && peer.read_answer().ends_with("GET /" + std::to_string(i) + " []");
  CHECK(in_order);
  for (const char byte : simple) peer.send({&byte, 1});
  CHECK(peer.read_answer().ends_with("GET /a []"));
}

TEST_CASE("a handshake has the header's time, and a place among the connections") {
  server_limits limits;
  limits.header_timeout = 100ms;
  limits.connections = 2;
  serving house(limits, {}, good_server());
  auto silent = bare(house);
  auto slow = bare(house);
  slow.send("\x16\x03\x01");  // the beginning of a record
  house.until_open(2);
  CHECK(house.connect().read_all().starts_with("HTTP/1.1 503 "));
  CHECK(silent.read_all().empty());
  CHECK(slow.read_all().empty());
  house.until_open(0);
  // The handshake's time is not given again for the header.
  auto half = house.connect();
  half.send("GET /a HT");
  CHECK(half.read_all().starts_with("HTTP/1.1 408 "));
  auto good = house.connect();
  good.send(simple);
  CHECK(good.read_answer().ends_with("GET /a []"));
}

TEST_CASE("drops of a handshake do not extend its time") {
  server_limits limits;
  limits.header_timeout = 100ms;
  serving house(limits, {}, good_server());
  auto peer = bare(house);
  std::string record = "\x16\x03\x01\x40";
  record += std::string(1, '\0') + "\x01" + std::string(1, '\0') + "\x3f\xfc";
  peer.send(record);
  std::atomic<bool> over{false};
  std::thread drip([&] {
    while (!over) {
      peer.send("x");
      std::this_thread::sleep_for(1ms);
    }
  });
  peer.read_all();
  over = true;
  drip.join();
  house.until_open(0);
}

TEST_CASE("clients' certificates") {
  const authority other("Another CA");
  const auto good = trusted().issue("DNS:shop.example"), foreign = other.issue("DNS:shop.example"),
             ended = trusted().issue("DNS:shop.example", -5, -1);
  auto asking = good_server();
  asking.client_ca = trusted().pem();
  asking.clients = client_certificates::required;
  const auto gets_in = [](const serving& house, const identity* who, int version) {
    const auto client = peer_context(TLS_client_method(), who);
    SSL_CTX_set_max_proto_version(client.get(), version);
    auto peer = raw::connection::to(house.port);
    if (!peer.connect_tls(client.get())) return false;
    peer.send(simple);
    return peer.read_answer().ends_with("GET /a []");
  };
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    INFO(version);
    {
      serving house({}, {}, asking);
      CHECK(gets_in(house, &good, version));
      CHECK_FALSE(gets_in(house, nullptr, version));
      CHECK_FALSE(gets_in(house, &foreign, version));
      CHECK_FALSE(gets_in(house, &ended, version));
      CHECK(house.targets().size() == 1);
    }
    auto polite = asking;
    polite.clients = client_certificates::optional;
    serving house({}, {}, polite);
    CHECK(gets_in(house, &good, version));
    CHECK(gets_in(house, nullptr, version));
    CHECK_FALSE(gets_in(house, &foreign, version));
  }
}

TEST_CASE("sessions are resumed with tickets, until the certificate is exchanged") {
  serving house({}, {}, good_server());
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    INFO(version);
    const auto client = speaking(version);
    auto first = bare(house);
    REQUIRE(first.connect_tls(client.get()));
    first.send(simple);
    first.read_answer();
    SSL_SESSION* known = SSL_get1_session(first.ssl());
    auto second = bare(house);
    REQUIRE(second.connect_tls(client.get(), nullptr, known));
    CHECK(SSL_session_reused(second.ssl()) == 1);
    CHECK(SSL_SESSION_get_max_early_data(known) == 0);
    house.server->use_tls(make_server_tls(good_server()));
    auto third = bare(house);
    REQUIRE(third.connect_tls(client.get(), nullptr, known));
    CHECK(SSL_session_reused(third.ssl()) == 0);
    SSL_SESSION_free(known);
  }
}

TEST_CASE("a new certificate is for new connections, open ones go on") {
  serving house({}, {}, good_server());
  auto before = house.connect();
  before.send(simple);
  CHECK(before.read_answer().ends_with("GET /a []"));
  house.server->use_tls(make_server_tls(server_of(trusted().issue())));
  auto after = house.connect();
  CHECK(serial_of(after) != serial_of(before));
  for (auto* peer : {&before, &after}) {
    peer->send(simple);
    CHECK(peer->read_answer().ends_with("GET /a []"));
  }
}

TEST_CASE("drain under TLS: idle connections are told the end, the others get their answer") {
  std::mutex lock;
  std::vector<turnout::net::responder> held;
  serving house(
      {},
      [&](turnout::net::request&&, turnout::net::responder out) {
        const std::lock_guard hold(lock);
        held.push_back(out);
      },
      good_server());
  auto idle = house.connect();
  auto handshaking = bare(house);
  auto busy = house.connect();
  busy.send(simple + simple);
  while (house.targets().empty()) std::this_thread::yield();
  house.until_open(3);
  house.server->drain();
  CHECK(idle.read_all().empty());
  CHECK(idle.was_told_the_end());
  CHECK(handshaking.read_all().empty());
  boost::asio::post(house.context, [&] {
    turnout::net::response answer;
    answer.body = "done";
    held.front().send(std::move(answer));
  });
  const auto answer = busy.read_all();
  CHECK(answer.ends_with("done"));
  CHECK(answer.find("Connection: close\r\n") != answer.npos);
  CHECK(busy.was_told_the_end());
  house.until_open(0);
}

TEST_CASE("stop in the middle of handshakes and requests") {
  serving house(
      {}, [](turnout::net::request&&, turnout::net::responder) {}, good_server());
  auto silent = bare(house);
  auto half = house.connect();
  half.send("GET /a HT");
  house.until_open(2);
  house.server->stop();
  CHECK(silent.read_all().empty());
  CHECK(half.read_all().empty());
  house.until_open(0);
}

TEST_CASE("a client that does not read is dropped after the write timeout, under TLS too") {
  server_limits limits;
  limits.write_timeout = 50ms;
  serving house(
      limits,
      [](turnout::net::request&&, turnout::net::responder out) {
        turnout::net::response answer;
        answer.body.assign(64 << 20, 'x');
        out.send(std::move(answer));
      },
      good_server());
  auto peer = house.connect();
  peer.send(simple);
  house.until_open(1);
  house.until_open(0);
  CHECK(peer.read_all().size() < (64u << 20));
  CHECK_FALSE(peer.was_told_the_end());
}

TEST_CASE("many connections at a time") {
  serving house({}, {}, good_server());
  std::vector<raw::connection> peers;
  for (int i = 0; i < 200; ++i) peers.push_back(house.connect());
  house.until_open(200);
  for (auto& each : peers) each.send(simple);
  int good = 0;
  for (auto& each : peers) good += each.read_answer().ends_with("GET /a []") ? 1 : 0;
  CHECK(good == 200);
  peers.clear();
  house.until_open(0);
}

TEST_CASE("certificates and keys that cannot be used say which part is at fault") {
  using part_of = tls_error::part_of;
  const auto who = trusted().issue();
  auto from = server_of(who);
  SECTION("good") { CHECK(turnout::net::expiry(*make_server_tls(from)) > std::chrono::system_clock::now() + 24h); }
  SECTION("no certificate") {
    from.certificate = "nothing";
    CHECK(refusal(from) == part_of::certificate);
    from.certificate = who.certificate.substr(0, who.certificate.size() / 2);
    CHECK(refusal(from) == part_of::certificate);
    from.certificate = who.certificate;
    from.certificate[who.certificate.size() / 2] = '!';
    CHECK(refusal(from) == part_of::certificate);
  }
  SECTION("no key, another's key") {
    from.key = "nothing";
    CHECK(refusal(from) == part_of::key);
    from.key = trusted().issue().key;
    CHECK(refusal(from) == part_of::pair);
  }
  SECTION("a key with a passphrase asks nobody") {
    from.key =
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
        "MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAhW0bmzMdbzLgICCAAw\n"
        "DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEOd6dFsxcTmzT5LStqFvJr8EgZCF\n"
        "-----END ENCRYPTED PRIVATE KEY-----\n";
    CHECK(refusal(from) == part_of::key);
  }
  SECTION("no authority") {
    from.clients = client_certificates::required;
    CHECK(refusal(from) == part_of::ca);
  }
}
