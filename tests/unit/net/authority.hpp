#pragma once
// A certificate authority for tests, made when they run: good certificates and
// every kind of bad one.
#include <memory>
#include <stdexcept>
#include <string>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "net/tls.hpp"

struct identity {
  std::string certificate, key;  ///< PEM
  std::string pin;               ///< "sha256/…" of the key
};

class authority {
 public:
  explicit authority(const char* name = "Test CA") : key_(make_key()), certificate_(X509_new(), X509_free) {
    fill(certificate_.get(), key_.get(), name, -1, 10);
    X509_set_issuer_name(certificate_.get(), X509_get_subject_name(certificate_.get()));
    extend(certificate_.get(), certificate_.get(), NID_basic_constraints, "critical,CA:TRUE");
    extend(certificate_.get(), certificate_.get(), NID_key_usage, "critical,keyCertSign,cRLSign");
    X509_sign(certificate_.get(), key_.get(), EVP_sha256());
  }

  std::string pem() const { return text_of(certificate_.get()); }

  /// `names` as OpenSSL writes a subjectAltName: "DNS:localhost,IP:127.0.0.1". Days from now.
  identity issue(const char* names = "DNS:localhost,IP:127.0.0.1,IP:::1", int begins = -1, int ends = 30) const {
    const auto key = make_key();
    const certificate made(X509_new(), X509_free);
    fill(made.get(), key.get(), "test", begins, ends);
    X509_set_issuer_name(made.get(), X509_get_subject_name(certificate_.get()));
    extend(made.get(), certificate_.get(), NID_subject_alt_name, names);
    X509_sign(made.get(), key_.get(), EVP_sha256());
    return show(made.get(), key.get());
  }

  /// Signed by nobody but itself.
  static identity self_signed(const char* names = "DNS:localhost,IP:127.0.0.1") {
    const auto key = make_key();
    const certificate made(X509_new(), X509_free);
    fill(made.get(), key.get(), "lonely", -1, 10);
    X509_set_issuer_name(made.get(), X509_get_subject_name(made.get()));
    extend(made.get(), made.get(), NID_subject_alt_name, names);
    X509_sign(made.get(), key.get(), EVP_sha256());
    return show(made.get(), key.get());
  }

 private:
  using key = std::shared_ptr<EVP_PKEY>;
  using certificate = std::unique_ptr<X509, decltype(&X509_free)>;

  static key make_key() { return {EVP_EC_gen("P-256"), EVP_PKEY_free}; }

  static void fill(X509* made, EVP_PKEY* key, const char* name, int begins, int ends) {
    static long serial = 1;
    X509_set_version(made, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(made), ++serial);
    X509_gmtime_adj(X509_getm_notBefore(made), begins * 86400L);
    X509_gmtime_adj(X509_getm_notAfter(made), ends * 86400L);
    X509_set_pubkey(made, key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(made), "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>(name), -1, -1, 0);
  }

  static void extend(X509* made, X509* issuer, int what, const char* value) {
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, made, nullptr, nullptr, 0);
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, what, value);
    if (extension == nullptr) throw std::runtime_error("no such extension");
    X509_add_ext(made, extension, -1);
    X509_EXTENSION_free(extension);
  }

  static std::string drain(BIO* from) {
    char* bytes = nullptr;
    const auto size = BIO_get_mem_data(from, &bytes);
    std::string text(bytes, static_cast<std::size_t>(size));
    BIO_free(from);
    return text;
  }
  static std::string text_of(X509* certificate) {
    BIO* out = BIO_new(BIO_s_mem());
    PEM_write_bio_X509(out, certificate);
    return drain(out);
  }
  static identity show(X509* certificate, EVP_PKEY* key) {
    BIO* out = BIO_new(BIO_s_mem());
    PEM_write_bio_PrivateKey(out, key, nullptr, nullptr, 0, nullptr, nullptr);
    unsigned char* der = nullptr;
    const int size = i2d_PUBKEY(key, &der);
    unsigned char digest[32];
    EVP_Digest(der, static_cast<std::size_t>(size), digest, nullptr, EVP_sha256(), nullptr);
    OPENSSL_free(der);
    unsigned char base64[45];
    EVP_EncodeBlock(base64, digest, sizeof digest);
    return {text_of(certificate), drain(out), "sha256/" + std::string(reinterpret_cast<const char*>(base64))};
  }

  key key_;
  certificate certificate_;
};

/// The authority that most tests trust.
inline const authority& trusted() {
  static const authority one;
  return one;
}

inline turnout::net::server_tls server_of(const identity& who) {
  turnout::net::server_tls made;
  made.certificate = who.certificate;
  made.key = who.key;
  return made;
}

/// For localhost, 127.0.0.1 and ::1.
inline const turnout::net::server_tls& good_server() {
  static const turnout::net::server_tls one = server_of(trusted().issue());
  return one;
}

using context_ptr = std::shared_ptr<SSL_CTX>;

/// OpenSSL's own side of a connection, without our code: what a peer is.
inline context_ptr peer_context(const SSL_METHOD* method, const identity* who = nullptr) {
  context_ptr made(SSL_CTX_new(method), SSL_CTX_free);
  SSL_CTX_set_mode(made.get(), SSL_MODE_AUTO_RETRY);
  if (who == nullptr) return made;
  BIO* certificate = BIO_new_mem_buf(who->certificate.data(), -1);
  X509* x509 = PEM_read_bio_X509(certificate, nullptr, nullptr, nullptr);
  BIO* key = BIO_new_mem_buf(who->key.data(), -1);
  EVP_PKEY* pkey = PEM_read_bio_PrivateKey(key, nullptr, nullptr, nullptr);
  SSL_CTX_use_certificate(made.get(), x509);
  SSL_CTX_use_PrivateKey(made.get(), pkey);
  X509_free(x509);
  EVP_PKEY_free(pkey);
  BIO_free(certificate);
  BIO_free(key);
  return made;
}

/// A client that believes everybody.
inline const context_ptr& anybody() {
  static const context_ptr one = peer_context(TLS_client_method());
  return one;
}
