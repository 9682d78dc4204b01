// See tls_context.hpp. Everything OpenSSL complains about while a context is
// made becomes a text that names the part at fault.
#include "net/tls_context.hpp"

#include <algorithm>
#include <array>
#include <ctime>
#include <new>
#include <utility>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <openssl/x509v3.h>

#include "net/http.hpp"

namespace turnout::net {
namespace {

using part_of = tls_error::part_of;
using bio_ptr = std::unique_ptr<BIO, openssl_delete<BIO_free_all>>;
using x509_ptr = std::unique_ptr<X509, openssl_delete<X509_free>>;
using key_ptr = std::unique_ptr<EVP_PKEY, openssl_delete<EVP_PKEY_free>>;
using store_ptr = std::unique_ptr<X509_STORE, openssl_delete<X509_STORE_free>>;

constexpr char ciphers_of_1_2[] =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";
constexpr char groups[] = "X25519:P-256:P-384";
/// 112 bits: no RSA key below 2048, no SHA-1 signature.
constexpr int security_level = 2;
/// The only protocol we speak, as ALPN writes it: its length, then its name.
constexpr unsigned char protocols[] = "\x08http/1.1";
constexpr unsigned protocols_size = sizeof protocols - 1;
/// Enough for connections that open at the same time.
constexpr std::size_t sessions_kept = 16;
constexpr std::string_view pin_prefix = "sha256/";
constexpr std::size_t pin_base64 = 44;

std::string first_complaint() {
  const auto code = ERR_peek_error();
  const char* reason = ERR_reason_error_string(code);
  std::string text = reason != nullptr ? reason : "OpenSSL does not say why";
  ERR_clear_error();
  return text;
}

[[noreturn]] void fail(part_of where, const std::string& what) {
  ERR_clear_error();
  throw tls_error(where, what);
}

/// Nobody is asked on a terminal.
int no_passphrase(char*, int, int, void* asked) {
  *static_cast<bool*>(asked) = true;
  return -1;
}

bio_ptr reader_of(std::string_view text) {
  bio_ptr made(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  if (!made) throw std::bad_alloc();
  return made;
}

/// All certificates of a PEM text, at least one.
std::vector<x509_ptr> read_certificates(const std::string& pem, part_of where) {
  ERR_clear_error();
  const bio_ptr in = reader_of(pem);
  std::vector<x509_ptr> found;
  bool asked = false;
  while (X509* next = PEM_read_bio_X509(in.get(), nullptr, no_passphrase, &asked)) found.emplace_back(next);
  const auto ended = ERR_peek_last_error();
  if (ERR_GET_LIB(ended) != ERR_LIB_PEM || ERR_GET_REASON(ended) != PEM_R_NO_START_LINE)
    fail(where, "has a certificate that cannot be read: " + first_complaint());
  if (found.empty()) fail(where, "holds no certificate in PEM form (-----BEGIN CERTIFICATE-----)");
  ERR_clear_error();
  return found;
}

key_ptr read_key(const std::string& pem) {
  ERR_clear_error();
  const bio_ptr in = reader_of(pem);
  bool asked = false;
  key_ptr found(PEM_read_bio_PrivateKey(in.get(), nullptr, no_passphrase, &asked));
  if (asked) fail(part_of::key, "is protected by a passphrase; give a key without one");
  if (!found) fail(part_of::key, "holds no private key in PEM form (-----BEGIN PRIVATE KEY-----)");
  return found;
}

void use_certificate(SSL_CTX* context, const std::vector<x509_ptr>& chain, const std::string& key_pem) {
  const key_ptr key = read_key(key_pem);
  if (X509_check_private_key(chain.front().get(), key.get()) != 1)
    fail(part_of::pair, "does not belong to the certificate");
  if (SSL_CTX_use_certificate(context, chain.front().get()) != 1)
    fail(part_of::certificate, "cannot be used: " + first_complaint());
  for (std::size_t i = 1; i < chain.size(); ++i)
    if (SSL_CTX_add1_chain_cert(context, chain[i].get()) != 1)
      fail(part_of::certificate, "has an intermediate certificate that cannot be used: " + first_complaint());
  if (SSL_CTX_use_PrivateKey(context, key.get()) != 1) fail(part_of::key, "cannot be used: " + first_complaint());
}

store_ptr trust(const std::string& pem) {
  store_ptr store(X509_STORE_new());
  if (!store) throw std::bad_alloc();
  for (const x509_ptr& each : read_certificates(pem, part_of::ca))
    if (X509_STORE_add_cert(store.get(), each.get()) != 1) fail(part_of::ca, "cannot be used: " + first_complaint());
  // What the operator names is trusted, be it a root, an intermediate one or a peer's own.
  X509_STORE_set_flags(store.get(), X509_V_FLAG_PARTIAL_CHAIN);
  return store;
}

/// Read once per process: it is large.
X509_STORE* system_store() {
  static const store_ptr store = [] {
    store_ptr made(X509_STORE_new());
    if (!made || X509_STORE_set_default_paths(made.get()) != 1) throw std::bad_alloc();
    ERR_clear_error();  // a machine without certificates trusts nobody, which shows at the first handshake
    return made;
  }();
  return store.get();
}

ssl_context_ptr make_context(const SSL_METHOD* method, tls_version least) {
  ssl_context_ptr made(SSL_CTX_new(method));
  if (!made) throw std::bad_alloc();
  SSL_CTX* context = made.get();
  SSL_CTX_set_security_level(context, security_level);
  // Plaintext is overwritten in OpenSSL's buffers once we have it: it may be card data.
  SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE |
                                   SSL_OP_PRIORITIZE_CHACHA | SSL_OP_CLEANSE_PLAINTEXT);
  SSL_CTX_set_mode(context,
                   SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_read_ahead(context, 1);
  const int version = least == tls_version::tls_1_3 ? TLS1_3_VERSION : TLS1_2_VERSION;
  if (SSL_CTX_set_min_proto_version(context, version) != 1 ||
      SSL_CTX_set_max_proto_version(context, TLS1_3_VERSION) != 1 ||
      SSL_CTX_set_cipher_list(context, ciphers_of_1_2) != 1 || SSL_CTX_set1_groups_list(context, groups) != 1)
    throw std::runtime_error("OpenSSL cannot speak TLS as this program wants it: " + first_complaint());
  return made;
}

/// A client that offers protocols, but not ours, would misunderstand us.
int choose_protocol(SSL*, const unsigned char** out, unsigned char* out_size, const unsigned char* offered,
                    unsigned offered_size, void*) {
  unsigned char* chosen = nullptr;
  if (SSL_select_next_proto(&chosen, out_size, protocols, protocols_size, offered, offered_size) !=
      OPENSSL_NPN_NEGOTIATED)
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

std::chrono::system_clock::time_point end_of(const X509* certificate) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &parts) != 1)
    fail(part_of::certificate, "does not say when it ends");
  return std::chrono::system_clock::from_time_t(timegm(&parts));
}

/// The SHA-256 of a certificate's public key, as 32 bytes.
std::string key_digest(X509* certificate) {
  unsigned char* der = nullptr;
  const int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);
  if (size <= 0) return {};
  std::string digest(SHA256_DIGEST_LENGTH, '\0');
  SHA256(der, static_cast<std::size_t>(size), reinterpret_cast<unsigned char*>(digest.data()));
  OPENSSL_free(der);
  return digest;
}

/// 32 bytes, or nothing.
std::string decode_pin(std::string_view text) {
  if (text.size() != pin_prefix.size() + pin_base64 || !text.starts_with(pin_prefix)) return {};
  text.remove_prefix(pin_prefix.size());
  std::array<unsigned char, pin_base64> bytes{};
  const auto* from = reinterpret_cast<const unsigned char*>(text.data());
  const int size = EVP_DecodeBlock(bytes.data(), from, static_cast<int>(text.size()));
  // 33 bytes with the one that "=" stands for.
  if (size != SHA256_DIGEST_LENGTH + 1 || !text.ends_with('=') || text[pin_base64 - 2] == '=') return {};
  return {bytes.begin(), bytes.begin() + SHA256_DIGEST_LENGTH};
}

}  // namespace

// ---- server -------------------------------------------------------------------

server_tls_context::server_tls_context(const server_tls& from)
    : context_(make_context(TLS_server_method(), from.minimum_version)) {
  SSL_CTX* context = context_.get();
  const auto chain = read_certificates(from.certificate, part_of::certificate);
  use_certificate(context, chain, from.key);
  expires_ = end_of(chain.front().get());
  SSL_CTX_set_alpn_select_cb(context, choose_protocol, nullptr);
  // Sessions live in the clients' tickets. Their key is this context's own, so a
  // new certificate or another client_ca is never passed by with an old ticket.
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  constexpr unsigned char name[] = "turnout";
  SSL_CTX_set_session_id_context(context, name, sizeof name - 1);
  if (from.clients == client_certificates::none) return;
  const store_ptr store = trust(from.client_ca);
  SSL_CTX_set1_verify_cert_store(context, store.get());
  for (const x509_ptr& each : read_certificates(from.client_ca, part_of::ca))
    SSL_CTX_add_client_CA(context, each.get());
  const bool required = from.clients == client_certificates::required;
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | (required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0), nullptr);
}

ssl_ptr server_tls_context::accept() const {
  ssl_ptr made(SSL_new(context_.get()));
  if (!made) throw std::bad_alloc();
  SSL_set_accept_state(made.get());
  return made;
}

std::shared_ptr<const server_tls_context> make_server_tls(const server_tls& from) {
  return std::make_shared<const server_tls_context>(from);
}

std::chrono::system_clock::time_point expiry(const server_tls_context& of) { return of.expires(); }

// ---- client -------------------------------------------------------------------

client_tls_context::client_tls_context(const client_tls& from, std::string host)
    : context_(make_context(TLS_client_method(), from.minimum_version)), host_(std::move(host)) {
  SSL_CTX* context = context_.get();
  if (from.ca.empty()) {
    SSL_CTX_set1_verify_cert_store(context, system_store());
  } else {
    const store_ptr store = trust(from.ca);
    SSL_CTX_set1_verify_cert_store(context, store.get());
  }
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  if (!from.certificate.empty())
    use_certificate(context, read_certificates(from.certificate, part_of::certificate), from.key);
  for (const std::string& each : from.pins) {
    pins_.push_back(decode_pin(each));
    if (pins_.back().empty()) fail(part_of::pin, "must be sha256/ and the 44 characters of 32 bytes in base64");
  }
  SSL_CTX_set_alpn_protos(context, protocols, protocols_size);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(context, &client_tls_context::keep_session);
  SSL_CTX_set_app_data(context, this);
  ASN1_OCTET_STRING* const address = a2i_IPADDRESS(host_.c_str());
  is_address_ = address != nullptr;
  ASN1_OCTET_STRING_free(address);
  ERR_clear_error();
}

ssl_ptr client_tls_context::connect() {
  ssl_ptr made(SSL_new(context_.get()));
  if (!made) throw std::bad_alloc();
  SSL* ssl = made.get();
  X509_VERIFY_PARAM* wanted = SSL_get0_param(ssl);
  X509_VERIFY_PARAM_set_hostflags(wanted, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  // A check that cannot be set up must not become no check.
  const bool set = is_address_
                       ? X509_VERIFY_PARAM_set1_ip_asc(wanted, host_.c_str()) == 1
                       : X509_VERIFY_PARAM_set1_host(wanted, host_.c_str(), host_.size()) == 1 &&
                             SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, host_.data()) == 1;
  if (!set) throw std::bad_alloc();
  if (const session_ptr known = take_session()) SSL_set_session(ssl, known.get());
  SSL_set_connect_state(ssl);
  return made;
}

bool client_tls_context::accepts_key(const SSL& of) const {
  if (pins_.empty()) return true;
  X509* peer = SSL_get0_peer_certificate(&of);
  return peer != nullptr && std::find(pins_.begin(), pins_.end(), key_digest(peer)) != pins_.end();
}

int client_tls_context::keep_session(SSL* of, SSL_SESSION* fresh) {
  auto& own = *static_cast<client_tls_context*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(of)));
  if (own.sessions_.size() >= sessions_kept) own.sessions_.erase(own.sessions_.begin());
  own.sessions_.emplace_back(fresh);
  return 1;  // the reference is ours now
}

session_ptr client_tls_context::take_session() {
  while (!sessions_.empty()) {
    session_ptr newest = std::move(sessions_.back());
    sessions_.pop_back();
    const X509* peer = SSL_SESSION_get0_peer(newest.get());
    // A resumed handshake shows no certificate: one that has ended meanwhile must not go unseen.
    if (SSL_SESSION_is_resumable(newest.get()) != 1 || peer == nullptr ||
        X509_cmp_current_time(X509_get0_notAfter(peer)) <= 0)
      continue;
    if (SSL_SESSION_get_protocol_version(newest.get()) < TLS1_3_VERSION) {
      SSL_SESSION_up_ref(newest.get());
      sessions_.emplace_back(newest.get());
    }
    return newest;
  }
  return nullptr;
}

void check_client_tls(const client_tls& from) { const client_tls_context tried(from, "host.invalid"); }

bool is_pin(std::string_view text) noexcept { return !decode_pin(text).empty(); }

}  // namespace turnout::net
