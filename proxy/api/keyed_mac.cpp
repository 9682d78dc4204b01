#include "proxy/api/keyed_mac.hpp"

#include <array>
#include <mutex>
#include <stdexcept>
#include <utility>
#include <vector>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

namespace turnout::api {

namespace {
using context = std::unique_ptr<EVP_MAC_CTX, decltype(&EVP_MAC_CTX_free)>;
[[noreturn]] void fail() { throw std::runtime_error("HMAC-SHA256 is not available in this OpenSSL"); }
}  // namespace

/// Setting up a context costs more than the MAC itself: those that were used are kept.
struct keyed_mac::contexts {
  context keyed{nullptr, EVP_MAC_CTX_free};  ///< has the key; only ever duplicated
  std::mutex mutex;
  std::vector<context> idle;

  context take() {
    {
      std::lock_guard lock(mutex);
      if (!idle.empty()) {
        context used = std::move(idle.back());
        idle.pop_back();
        return used;
      }
    }
    return {EVP_MAC_CTX_dup(keyed.get()), EVP_MAC_CTX_free};
  }
  void give_back(context used) {
    std::lock_guard lock(mutex);
    idle.push_back(std::move(used));
  }
};

keyed_mac::keyed_mac(std::string_view key) : contexts_(std::make_shared<contexts>()) {
  if (key.size() != 32) throw std::invalid_argument("a MAC key has 32 bytes");
  const std::unique_ptr<EVP_MAC, decltype(&EVP_MAC_free)> hmac(EVP_MAC_fetch(nullptr, "HMAC", nullptr), EVP_MAC_free);
  if (!hmac) fail();
  contexts_->keyed.reset(EVP_MAC_CTX_new(hmac.get()));
  char digest[] = "SHA256";
  const OSSL_PARAM parameters[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
                                   OSSL_PARAM_construct_end()};
  if (!contexts_->keyed || EVP_MAC_init(contexts_->keyed.get(), reinterpret_cast<const unsigned char*>(key.data()),
                                        key.size(), parameters) != 1)
    fail();
}

std::string keyed_mac::hex(std::span<const char> message) const {
  context running = contexts_->take();
  std::array<unsigned char, 32> digest;
  std::size_t size = 0;
  // Without a key: begins anew with the one it has.
  if (!running || EVP_MAC_init(running.get(), nullptr, 0, nullptr) != 1 ||
      EVP_MAC_update(running.get(), reinterpret_cast<const unsigned char*>(message.data()), message.size()) != 1 ||
      EVP_MAC_final(running.get(), digest.data(), &size, digest.size()) != 1 || size != digest.size())
    fail();
  contexts_->give_back(std::move(running));
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
