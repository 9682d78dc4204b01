#pragma once
// Where shoppers come back after a challenge: an address of ours, signed so
// that only whom a gateway sent there can use it, and only for a while.
#include <cstdint>
#include <string>
#include <string_view>

#include "payments/instant.hpp"
#include "proxy/api/keyed_mac.hpp"

namespace turnout::api {

inline constexpr std::string_view return_parameters[] = {"token"};

class return_address {
 public:
  /// `secret` has 32 bytes and may serve other ends as well: the key is derived
  /// from it. Throws std::invalid_argument when it has another size.
  explicit return_address(std::string_view secret);

  /// <public_url>/v1/payments/<payment>/return?token=…; the token is good for an
  /// hour longer than until `expires`: whoever is late still hears what became of it.
  std::string make(std::string_view public_url, std::string_view payment, payments::wall_time expires) const;

  enum class verdict : std::uint8_t { good, wrong, expired };
  /// Takes the same time for every wrong token. Thread-safe.
  verdict check(std::string_view payment, std::string_view token, payments::wall_time now) const;

 private:
  std::string sign(std::string_view payment, std::string_view until) const;

  keyed_mac mac_;
};

/// The merchant's `return_url` with payment and status added to its query.
std::string with_result(std::string_view return_url, std::string_view payment, std::string_view status);

}  // namespace turnout::api
