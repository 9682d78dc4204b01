#include "proxy/api/keyed_mac.hpp"

#include <array>
#include <stdexcept>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

namespace turnout::api {

namespace {
using context = std::unique_ptr<EVP_MAC_CTX, decltype(&EVP_MAC_CTX_free)>;
[[noreturn]] void fail() { throw std::runtime_error("HMAC-SHA256 is not available in this OpenSSL"); }
}  // namespace

keyed_mac::keyed_mac(std::string_view key) {
  if (key.size() != 32) throw std::invalid_argument("a MAC key has 32 bytes");
  const std::unique_ptr<EVP_MAC, decltype(&EVP_MAC_free)> hmac(EVP_MAC_fetch(nullptr, "HMAC", nullptr), EVP_MAC_free);
  if (!hmac) fail();
  context made(EVP_MAC_CTX_new(hmac.get()), EVP_MAC_CTX_free);
  char digest[] = "SHA256";
  const OSSL_PARAM parameters[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
                                   OSSL_PARAM_construct_end()};
  if (!made ||
      EVP_MAC_init(made.get(), reinterpret_cast<const unsigned char*>(key.data()), key.size(), parameters) != 1)
    fail();
  keyed_ =
      std::shared_ptr<void>(made.release(), [](void* owned) { EVP_MAC_CTX_free(static_cast<EVP_MAC_CTX*>(owned)); });
}

std::string keyed_mac::hex(std::span<const char> message) const {
  const context running(EVP_MAC_CTX_dup(static_cast<EVP_MAC_CTX*>(keyed_.get())), EVP_MAC_CTX_free);
  std::array<unsigned char, 32> digest;
  std::size_t size = 0;
  if (!running ||
      EVP_MAC_update(running.get(), reinterpret_cast<const unsigned char*>(message.data()), message.size()) != 1 ||
      EVP_MAC_final(running.get(), digest.data(), &size, digest.size()) != 1 || size != digest.size())
    fail();
  return to_hex(digest);
}

std::string to_hex(std::span<const unsigned char> bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const unsigned char byte : bytes) {
    text.push_back(digits[byte >> 4]);
    text.push_back(digits[byte & 15]);
  }
  return text;
}

}  // namespace turnout::api
