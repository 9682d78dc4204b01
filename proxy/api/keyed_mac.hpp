#pragma once
// HMAC-SHA256 under a key of the keys directory: recognises a request or a
// card without keeping it.
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace turnout::api {

class keyed_mac {
 public:
  /// `key` has 32 bytes; throws std::invalid_argument otherwise. It is copied.
  explicit keyed_mac(std::string_view key);
  /// 64 hexadecimal digits. Thread-safe.
  std::string hex(std::span<const char> message) const;

 private:
  struct contexts;
  std::shared_ptr<contexts> contexts_;
};

/// Lower-case hexadecimal digits of `bytes`.
std::string to_hex(std::span<const unsigned char> bytes);

}  // namespace turnout::api
