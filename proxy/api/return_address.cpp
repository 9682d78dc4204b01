#include "proxy/api/return_address.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>

#include <openssl/crypto.h>

namespace turnout::api {

namespace {

constexpr std::chrono::hours grace{1};
/// Seconds since 1970, far beyond any proxy's life.
constexpr std::size_t longest_time = 11;

/// 32 bytes that say nothing about `secret`.
std::string derived_key(std::string_view secret) {
  const std::string hex = keyed_mac(secret).hex(std::string_view("turnout: addresses that shoppers come back to"));
  std::string key;
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    unsigned byte = 0;
    std::from_chars(hex.data() + i, hex.data() + i + 2, byte, 16);
    key.push_back(static_cast<char>(byte));
  }
  return key;
}

}  // namespace

return_address::return_address(std::string_view secret) : mac_(derived_key(secret)) {}

std::string return_address::sign(std::string_view payment, std::string_view until) const {
  std::string message(payment);
  message.append("\n").append(until);
  return mac_.hex(message);
}

std::string return_address::make(std::string_view public_url, std::string_view payment,
                                 payments::wall_time expires) const {
  const auto seconds = std::chrono::ceil<std::chrono::seconds>((expires + grace).time_since_epoch()).count();
  const std::string until = std::to_string(seconds);
  std::string made(public_url);
  made.append("/v1/payments/").append(payment).append("/return?token=").append(until).append(".");
  return made.append(sign(payment, until));
}

return_address::verdict return_address::check(std::string_view payment, std::string_view token,
                                              payments::wall_time now) const {
  const std::size_t dot = token.find('.');
  if (dot == std::string_view::npos || dot == 0 || dot > longest_time) return verdict::wrong;
  const std::string_view until = token.substr(0, dot), signature = token.substr(dot + 1);
  const std::string wanted = sign(payment, until);
  if (signature.size() != wanted.size() || CRYPTO_memcmp(signature.data(), wanted.data(), wanted.size()) != 0)
    return verdict::wrong;
  std::int64_t seconds = 0;
  std::from_chars(until.data(), until.data() + until.size(), seconds);
  return now.time_since_epoch() > std::chrono::seconds(seconds) ? verdict::expired : verdict::good;
}

std::string with_result(std::string_view return_url, std::string_view payment, std::string_view status) {
  const std::size_t fragment = std::min(return_url.find('#'), return_url.size());
  std::string made(return_url.substr(0, fragment));
  if (made.find('?') == std::string::npos)
    made.push_back('?');
  else if (made.back() != '?' && made.back() != '&')
    made.push_back('&');
  made.append("payment=").append(payment).append("&status=").append(status);
  return made.append(return_url.substr(fragment));
}

}  // namespace turnout::api
