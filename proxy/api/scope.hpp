#pragma once
// What an API key may do. Every endpoint names the one scope that it needs.
#include <cstdint>
#include <optional>
#include <string_view>

namespace turnout::api {

enum class scope : std::uint8_t {
  payments_read,    ///< payments:read
  payments_write,   ///< payments:write: create, capture, cancel
  payments_refund,  ///< payments:refund
  webhooks_manage,  ///< webhooks:manage
};

inline constexpr scope every_scope[] = {scope::payments_read, scope::payments_write, scope::payments_refund,
                                        scope::webhooks_manage};

/// As it is written in the key file and shown in answers: "payments:read".
std::string_view name_of(scope which) noexcept;
std::optional<scope> find_scope(std::string_view name) noexcept;

class scope_set {
 public:
  /// None.
  constexpr scope_set() noexcept = default;
  static constexpr scope_set all() noexcept {
    scope_set every;
    for (const scope each : every_scope) every.add(each);
    return every;
  }
  constexpr scope_set& add(scope which) noexcept {
    bits_ = static_cast<std::uint8_t>(bits_ | 1u << static_cast<unsigned>(which));
    return *this;
  }
  constexpr bool has(scope which) const noexcept { return (bits_ >> static_cast<unsigned>(which) & 1u) != 0; }
  constexpr bool empty() const noexcept { return bits_ == 0; }
  friend constexpr bool operator==(scope_set, scope_set) noexcept = default;

 private:
  std::uint8_t bits_ = 0;
};

}  // namespace turnout::api
