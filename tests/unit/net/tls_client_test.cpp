// The client under TLS, against OpenSSL's own server: whom it believes, what it
// calls each refusal, and that nothing of a request leaves before.
#include <catch2/catch.hpp>

#include <future>
#include <optional>
#include <thread>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include "authority.hpp"
#include "net/client.hpp"
#include "raw.hpp"
#include "serving.hpp"

using namespace std::chrono_literals;
using turnout::net::client_error;
using turnout::net::client_limits;
using turnout::net::client_tls;
using turnout::net::exchange_result;
using turnout::net::request;
using turnout::net::tls_error;
using turnout::net::tls_version;

namespace {

request asking(std::string target = "/x", std::string body = {}) {
  request made;
  made.method = body.empty() ? "GET" : "POST";
  made.target = std::move(target);
  made.body = std::move(body);
  return made;
}

std::string ok(std::string_view body) {
  return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}

client_tls trusting() {
  client_tls made;
  made.ca = trusted().pem();
  return made;
}

/// A pool on its own thread.
class calling {
 public:
  explicit calling(std::uint16_t port, const client_tls& tls = trusting(), client_limits limits = {},
                   std::string host = "127.0.0.1") {
    pool_.emplace(context_, turnout::net::parse_endpoint("https://" + host + ":" + std::to_string(port)), limits, tls);
    thread_ = std::thread([this] { context_.run(); });
  }
  ~calling() {
    on_worker([this] { pool_.reset(); });
    guard_.reset();
    thread_.join();
  }
  calling(const calling&) = delete;
  calling& operator=(const calling&) = delete;

  std::future<exchange_result> send(request message = asking(), std::chrono::milliseconds within = 10s) {
    auto promise = std::make_shared<std::promise<exchange_result>>();
    auto result = promise->get_future();
    on_worker([this, message = std::move(message), within, promise] {
      pool_->send(message, std::chrono::steady_clock::now() + within,
                  [promise](exchange_result got) { promise->set_value(std::move(got)); });
    });
    return result;
  }
  void on_worker(std::function<void()> what) {
    std::promise<void> ran;
    boost::asio::post(context_, [&] {
      what();
      ran.set_value();
    });
    ran.get_future().get();
  }

 private:
  boost::asio::io_context context_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> guard_{context_.get_executor()};
  std::optional<turnout::net::client_pool> pool_;
  std::thread thread_;
};

context_ptr gateway(const identity& who, int most = 0, int least = 0) {
  auto made = peer_context(TLS_server_method(), &who);
  SSL_CTX_set_security_level(made.get(), 0);
  SSL_CTX_set_min_proto_version(made.get(), least);
  SSL_CTX_set_max_proto_version(made.get(), most);
  return made;
}

/// One exchange with a gateway that shakes hands as `house_tls` does; it notes
/// every byte of the application that it was sent.
struct encounter {
  client_error error;
  bool carried;
  std::string heard;
};
encounter meet(const context_ptr& house_tls, const client_tls& tls = trusting(), std::string host = "127.0.0.1") {
  raw::listener house;
  calling caller(house.port, tls, {}, std::move(host));
  auto pending = caller.send();
  auto peer = house.accept();
  encounter result{};
  if (peer.accept_tls(house_tls.get())) {
    result.heard = peer.read_until("\r\n\r\n");
    peer.send(ok("x"));
  }
  peer.end();
  const auto got = pending.get();
  result.error = got.error;
  result.carried = got.carried;
  return result;
}

void check_refused(const encounter& met, client_error expected) {
  CHECK(turnout::net::to_string(met.error) == turnout::net::to_string(expected));
  CHECK_FALSE(met.carried);
  CHECK(met.heard.empty());
}

}  // namespace

TEST_CASE("an exchange over TLS 1.2 and 1.3, by address and by name") {
  const auto who = trusted().issue();
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    for (const char* host : {"127.0.0.1", "localhost"}) {
      INFO(host);
      const auto met = meet(gateway(who, version, version), trusting(), host);
      CHECK(met.error == client_error::none);
      CHECK(met.carried);
      CHECK(met.heard.starts_with("GET /x HTTP/1.1\r\nHost: " + std::string(host)));
    }
  }
}

TEST_CASE("what a gateway is refused for, each with its own word, and not a byte is sent") {
  using error = client_error;
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    INFO(version);
    const auto house = [&](const identity& who) { return gateway(who, version, version); };
    check_refused(meet(house(trusted().issue("DNS:localhost,IP:127.0.0.1", -9, -1))), error::tls_certificate_expired);
    check_refused(meet(house(trusted().issue("DNS:localhost,IP:127.0.0.1", 1, 9))), error::tls_certificate_expired);
    check_refused(meet(house(trusted().issue("DNS:gateway.example,IP:127.0.0.2"))), error::tls_host_mismatch);
    check_refused(meet(house(trusted().issue("DNS:gateway.example,DNS:*")), trusting(), "localhost"),
                  error::tls_host_mismatch);
    check_refused(meet(house(trusted().issue("DNS:127.0.0.1"))), error::tls_host_mismatch);
    check_refused(meet(house(authority::self_signed())), error::tls_untrusted_certificate);
    check_refused(meet(house(authority("Another CA").issue())), error::tls_untrusted_certificate);
    // The same name, another key: what an impostor would make.
    check_refused(meet(house(authority().issue())), error::tls_untrusted_certificate);
    // Nobody that the system trusts has signed it.
    check_refused(meet(house(trusted().issue()), client_tls{}), error::tls_untrusted_certificate);
  }
}

TEST_CASE("pins: one of them must be the gateway's key") {
  const auto old_key = trusted().issue(), new_key = trusted().issue(), stolen = trusted().issue();
  auto pinned = trusting();
  pinned.pins = {old_key.pin, new_key.pin};
  CHECK(meet(gateway(old_key), pinned).error == client_error::none);
  CHECK(meet(gateway(new_key), pinned).error == client_error::none);
  check_refused(meet(gateway(stolen), pinned), client_error::tls_pin_mismatch);
  // A pin does not replace the other checks.
  const auto lonely = authority::self_signed();
  pinned.pins = {lonely.pin};
  check_refused(meet(gateway(lonely), pinned), client_error::tls_untrusted_certificate);
  pinned.ca = lonely.certificate;
  CHECK(meet(gateway(lonely), pinned).error == client_error::none);
}

TEST_CASE("versions that are too old") {
  const auto who = trusted().issue();
  check_refused(meet(gateway(who, TLS1_1_VERSION)), client_error::tls_version_unsupported);
  auto strict = trusting();
  strict.minimum_version = tls_version::tls_1_3;
  check_refused(meet(gateway(who, TLS1_2_VERSION), strict), client_error::tls_version_unsupported);
  CHECK(meet(gateway(who), strict).error == client_error::none);
}

TEST_CASE("no TLS there: handshake failed, stalled, reset") {
  raw::listener house;
  client_limits limits;
  limits.connect_timeout = 100ms;
  calling caller(house.port, trusting(), limits);
  const auto refused = [&](auto behave, client_error expected) {
    auto pending = caller.send();
    auto peer = house.accept();
    behave(peer);
    const auto got = pending.get();
    CHECK(turnout::net::to_string(got.error) == turnout::net::to_string(expected));
    CHECK_FALSE(got.carried);
  };
  refused([](auto& peer) { peer.send("HTTP/1.1 400 Bad Request\r\n\r\n"); }, client_error::tls_handshake_failed);
  refused([](auto& peer) { peer.end(); }, client_error::tls_handshake_failed);
  const auto reset = [](auto& peer) {
    peer.read_until("\x03");  // the handshake has begun
    peer.reset();
  };
  refused(reset, client_error::tls_handshake_failed);
  refused([](auto&) {}, client_error::tls_timeout);
  refused([](auto& peer) { peer.send("\x16\x03\x03"); }, client_error::tls_timeout);
  auto pending = caller.send(asking(), 50ms);
  auto peer = house.accept();
  CHECK(pending.get().error == client_error::tls_timeout);
}

TEST_CASE("a gateway that asks for our certificate") {
  const auto good = trusted().issue("DNS:proxy.example"), foreign = authority("Another CA").issue("DNS:proxy.example");
  const auto with = [&](const identity* who) {
    auto made = trusting();
    if (who != nullptr) made.certificate = who->certificate, made.key = who->key;
    return made;
  };
  for (const auto least : {tls_version::tls_1_2, tls_version::tls_1_3}) {
    auto house_tls = good_server();
    house_tls.client_ca = trusted().pem();
    house_tls.clients = turnout::net::client_certificates::required;
    house_tls.minimum_version = least;
    serving house({}, {}, house_tls);
    for (int i = 0; i < 2; ++i) {
      calling caller(house.port, with(&good));
      CHECK(caller.send().get().reply.body == "GET /x []");
    }
    // Also in TLS 1.3, where the gateway judges after the handshake is over for us.
    for (const identity* who : {static_cast<const identity*>(nullptr), &foreign}) {
      calling caller(house.port, with(who));
      const auto got = caller.send().get();
      CHECK(turnout::net::to_string(got.error) == "tls_handshake_failed");
      CHECK_FALSE(got.carried);
    }
    CHECK(house.targets().size() == 2);
  }
}

TEST_CASE("a gateway that asks for a certificate, and says nothing more before it is asked something") {
  const auto who = trusted().issue();
  const auto house_tls = gateway(who, TLS1_3_VERSION);
  SSL_CTX_set_verify(house_tls.get(), SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_num_tickets(house_tls.get(), 0);
  CHECK(meet(house_tls).error == client_error::none);
}

TEST_CASE("sessions are resumed, per pool") {
  const auto who = trusted().issue();
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    INFO(version);
    const auto house_tls = gateway(who, version, version);
    raw::listener house;
    std::vector<bool> reused;
    const auto visit = [&](calling& caller) {
      auto pending = caller.send();
      auto peer = house.accept();
      REQUIRE(peer.accept_tls(house_tls.get()));
      reused.push_back(SSL_session_reused(peer.ssl()) == 1);
      peer.read_until("\r\n\r\n");
      peer.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
      CHECK(pending.get().error == client_error::none);
    };
    calling caller(house.port);
    for (int i = 0; i < 5; ++i) visit(caller);
    calling another(house.port);
    visit(another);
    CHECK(reused == std::vector<bool>{false, true, true, true, true, false});
  }
}

TEST_CASE("a resumed session is held to the pins as well") {
  const auto who = trusted().issue();
  const auto house_tls = gateway(who);
  auto pinned = trusting();
  pinned.pins = {who.pin};
  raw::listener house;
  calling caller(house.port, pinned);
  for (int i = 0; i < 3; ++i) {
    auto pending = caller.send();
    auto peer = house.accept();
    REQUIRE(peer.accept_tls(house_tls.get()));
    CHECK((SSL_session_reused(peer.ssl()) == 1) == (i > 0));
    peer.read_until("\r\n\r\n");
    peer.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    CHECK(pending.get().error == client_error::none);
  }
}

TEST_CASE("connections under TLS are kept and used again; what happens to idle ones is noticed") {
  const auto who = trusted().issue();
  const auto house_tls = gateway(who);
  raw::listener house;
  calling caller(house.port);
  auto pending = caller.send();
  auto peer = house.accept();
  REQUIRE(peer.accept_tls(house_tls.get()));
  for (int i = 0; i < 4; ++i) {
    peer.read_until("\r\n\r\n");
    peer.send(ok("again"));
    CHECK(pending.get().reply.body == "again");
    // A ticket in between is no reason to give the connection up.
    SSL_new_session_ticket(peer.ssl());
    SSL_do_handshake(peer.ssl());
    if (i < 3) pending = caller.send();
  }
  CHECK_FALSE(house.someone_waits());
  const auto replaced = [&](auto behave) {
    behave(peer);
    pending = caller.send();
    auto next = house.accept();
    REQUIRE(next.accept_tls(house_tls.get()));
    next.read_until("\r\n\r\n");
    next.send(ok("new"));
    CHECK(pending.get().reply.body == "new");
    return next;
  };
  auto second = replaced([](auto& old) { old.end(); });
  auto third = replaced([&](auto&) { second.truncate(); });
  replaced([&](auto&) { third.send(ok("smuggled")); });
}

TEST_CASE("a close_notify that came with the answer") {
  const auto who = trusted().issue();
  const auto house_tls = gateway(who);
  raw::listener house;
  calling caller(house.port);
  auto pending = caller.send();
  auto peer = house.accept();
  REQUIRE(peer.accept_tls(house_tls.get()));
  peer.read_until("\r\n\r\n");
  // One segment: the answer and the end behind it, both in the client's hands at once.
  int pair[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
  SSL_set0_wbio(peer.ssl(), BIO_new_socket(pair[0], BIO_CLOSE));
  peer.send(ok("last"));
  SSL_shutdown(peer.ssl());
  char records[1024];
  const auto size = ::recv(pair[1], records, sizeof records, 0);
  REQUIRE(::send(peer.descriptor(), records, static_cast<std::size_t>(size), MSG_NOSIGNAL) == size);
  CHECK(pending.get().reply.body == "last");
  pending = caller.send();
  auto next = house.accept();
  REQUIRE(next.accept_tls(house_tls.get()));
  next.read_until("\r\n\r\n");
  next.send(ok("new"));
  CHECK(pending.get().reply.body == "new");
  ::close(pair[1]);
}

TEST_CASE("how answers may end") {
  const auto who = trusted().issue();
  const auto answered = [&](std::string_view answer, bool told) {
    const auto house_tls = gateway(who);
    raw::listener house;
    calling caller(house.port);
    auto pending = caller.send();
    auto peer = house.accept();
    REQUIRE(peer.accept_tls(house_tls.get()));
    peer.read_until("\r\n\r\n");
    peer.send(answer);
    if (told)
      peer.end();
    else
      peer.truncate();
    const auto got = pending.get();
    CHECK(got.carried);
    return got.error;
  };
  const std::string open_end = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nto the end";
  CHECK(answered(ok("x"), true) == client_error::none);
  CHECK(answered(ok("x"), false) == client_error::none);
  CHECK(answered(open_end, true) == client_error::none);
  CHECK(answered(open_end, false) == client_error::response_truncated);
  CHECK(answered("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n1234", true) == client_error::response_truncated);
  CHECK(answered("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n1234", false) == client_error::response_truncated);
  CHECK(answered("", true) == client_error::connection_lost);
  CHECK(answered("", false) == client_error::connection_lost);
}

TEST_CASE("response and write limits hold under TLS") {
  const auto who = trusted().issue();
  const auto house_tls = gateway(who);
  raw::listener house;
  client_limits limits;
  limits.response_timeout = 100ms;
  calling caller(house.port, trusting(), limits);
  auto pending = caller.send();
  auto silent = house.accept();
  REQUIRE(silent.accept_tls(house_tls.get()));
  auto got = pending.get();
  CHECK(got.error == client_error::response_timeout);
  CHECK(got.carried);
  pending = caller.send(asking("/", std::string(64 << 20, 'x')));
  auto deaf = house.accept();
  REQUIRE(deaf.accept_tls(house_tls.get()));
  got = pending.get();
  CHECK(got.error == client_error::write_timeout);
  CHECK(got.carried);
}

TEST_CASE("large bodies both ways through our own server, on many connections") {
  const std::string large(700'000, 'x');
  serving house({}, {}, good_server());
  calling caller(house.port);
  std::vector<std::future<exchange_result>> pending;
  for (int i = 0; i < 20; ++i) pending.push_back(caller.send(asking("/", large), 60s));
  int good = 0;
  for (auto& each : pending) good += each.get().reply.body == "POST / [" + large + "]" ? 1 : 0;
  CHECK(good == 20);
}

TEST_CASE("settings of a client that cannot be used") {
  using part_of = tls_error::part_of;
  const auto refusal = [](const client_tls& from) -> std::optional<part_of> {
    try {
      turnout::net::check_client_tls(from);
      return std::nullopt;
    } catch (const tls_error& why) {
      return why.part;
    }
  };
  CHECK(refusal(trusting()) == std::nullopt);
  CHECK(refusal(client_tls{}) == std::nullopt);
  auto made = trusting();
  made.ca = "nothing";
  CHECK(refusal(made) == part_of::ca);
  made = trusting();
  made.pins = {"sha256/short"};
  CHECK(refusal(made) == part_of::pin);
  made = trusting();
  made.certificate = trusted().issue().certificate;
  made.key = trusted().issue().key;
  CHECK(refusal(made) == part_of::pair);
  const std::string pin = trusted().issue().pin;
  CHECK(turnout::net::is_pin(pin));
  for (const std::string& bad : {pin.substr(1), pin + "=", "sha512/" + pin.substr(7), "sha256/" + std::string(44, '='),
                                 "sha256/" + std::string(44, 'A'), std::string()}) {
    INFO(bad);
    CHECK_FALSE(turnout::net::is_pin(bad));
  }
}
