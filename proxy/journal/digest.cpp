#include "proxy/journal/digest.hpp"

#include <openssl/evp.h>

#include <stdexcept>

namespace turnout::journal {

namespace {
void check(bool done) {
  if (!done) throw std::runtime_error("OpenSSL: SHA-256 failed");
}
}  // namespace

sha256::sha256() : algorithm_(EVP_MD_fetch(nullptr, "SHA256", nullptr)), context_(EVP_MD_CTX_new()) {
  if (algorithm_ != nullptr && context_ != nullptr) return;
  EVP_MD_CTX_free(context_);
  EVP_MD_free(algorithm_);
  check(false);
}

sha256::~sha256() {
  EVP_MD_CTX_free(context_);
  EVP_MD_free(algorithm_);
}

sha256& sha256::begin() {
  check(EVP_DigestInit_ex2(context_, algorithm_, nullptr) == 1);
  return *this;
}

sha256& sha256::add(std::string_view bytes) {
  if (bytes.empty()) return *this;
  check(EVP_DigestUpdate(context_, bytes.data(), bytes.size()) == 1);
  return *this;
}

sha256& sha256::add(const digest& value) {
  check(EVP_DigestUpdate(context_, value.data(), value.size()) == 1);
  return *this;
}

sha256& sha256::add_lengths(std::initializer_list<std::string_view> texts) {
  // Gathered: a call of OpenSSL costs as much as hashing forty bytes.
  std::array<unsigned char, 64> bytes;
  std::size_t size = 0;
  for (const std::string_view each : texts)
    for (int shift = 56; shift >= 0; shift -= 8)
      bytes.at(size++) = static_cast<unsigned char>(std::uint64_t{each.size()} >> shift);
  check(EVP_DigestUpdate(context_, bytes.data(), size) == 1);
  return *this;
}

sha256& sha256::add_number(std::int64_t value) {
  std::array<unsigned char, 8> bytes;
  auto rest = static_cast<std::uint64_t>(value);
  for (auto byte = bytes.rbegin(); byte != bytes.rend(); ++byte, rest >>= 8) *byte = static_cast<unsigned char>(rest);
  check(EVP_DigestUpdate(context_, bytes.data(), bytes.size()) == 1);
  return *this;
}

digest sha256::finish() {
  digest made;
  unsigned size = 0;
  check(EVP_DigestFinal_ex(context_, made.data(), &size) == 1 && size == made.size());
  return made;
}

std::string to_hex(const digest& value) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  text.reserve(2 * value.size());
  for (const unsigned char byte : value) {
    text += digits[byte >> 4];
    text += digits[byte & 15];
  }
  return text;
}

std::optional<digest> parse_digest(std::string_view hex) noexcept {
  digest made{};
  if (hex.size() != 2 * made.size()) return std::nullopt;
  for (std::size_t at = 0; at < hex.size(); ++at) {
    const char each = hex[at];
    int value = 0;
    if (each >= '0' && each <= '9')
      value = each - '0';
    else if (each >= 'a' && each <= 'f')
      value = each - 'a' + 10;
    else if (each >= 'A' && each <= 'F')
      value = each - 'A' + 10;
    else
      return std::nullopt;
    made[at / 2] = static_cast<unsigned char>(made[at / 2] << 4 | value);
  }
  return made;
}

}  // namespace turnout::journal
