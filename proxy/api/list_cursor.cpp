// A synthetic IV: the tag authenticates the position together with its owner and
// list, and hides it, since the mask is a keyed function of the tag.
#include "proxy/api/list_cursor.hpp"

#include <charconv>
#include <cstring>

#include <openssl/crypto.h>

namespace turnout::api {

namespace {

constexpr std::size_t tag_digits = 24, position_digits = 16;

std::string to_text(std::uint64_t value) {
  char digits[position_digits];
  for (std::size_t at = position_digits; at > 0; value >>= 4) digits[--at] = "0123456789abcdef"[value & 15];
  return {digits, position_digits};
}

/// Exactly what to_text() writes.
std::optional<std::uint64_t> from_text(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
  if (failed != std::errc() || end != text.data() + text.size() || to_text(value) != text) return std::nullopt;
  return value;
}

}  // namespace

list_cursors::list_cursors(const keyed_mac& key)
    : key_(std::string_view(key.hex(std::string_view("cursors of lists"))).substr(0, 32)) {}

std::string list_cursors::tag(const principal& who, std::string_view list, std::int64_t position) const {
  std::string what = "tag";
  const auto add = [&what](std::string_view part) { what.append(1, '\0').append(part); };
  add(who.merchant);
  add(who.livemode ? "live" : "test");
  add(list);
  add(to_text(static_cast<std::uint64_t>(position)));
  return key_.hex(what).substr(0, tag_digits);
}

std::uint64_t list_cursors::mask(std::string_view tag) const {
  const std::string digits = key_.hex("mask" + std::string(tag));
  return from_text(std::string_view(digits).substr(0, position_digits)).value_or(0);
}

std::string list_cursors::write(const principal& who, std::string_view list, std::int64_t position) const {
  const std::string made = tag(who, list, position);
  return made + to_text(static_cast<std::uint64_t>(position) ^ mask(made));
}

std::optional<std::int64_t> list_cursors::read(const principal& who, std::string_view list,
                                               std::string_view text) const {
  if (text.size() != tag_digits + position_digits) return std::nullopt;
  const std::string_view given = text.substr(0, tag_digits);
  const auto hidden = from_text(text.substr(tag_digits));
  if (!hidden) return std::nullopt;
  const auto position = static_cast<std::int64_t>(*hidden ^ mask(given));
  const std::string right = tag(who, list, position);
  if (CRYPTO_memcmp(right.data(), given.data(), tag_digits) != 0) return std::nullopt;
  return position;
}

}  // namespace turnout::api
