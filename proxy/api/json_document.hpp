#pragma once
// A JSON text as a tree, read strictly: valid UTF-8, bounded depth and size,
// and no key twice in an object (Boost.JSON's own tree would silently keep the
// last one). The tree may hold card data: all of its memory is wiped.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/api/wiping_allocator.hpp"

namespace turnout::api {

enum class json_kind : std::uint8_t {
  null,
  boolean,
  integer,  ///< written without fraction and exponent, fits 64 bits signed
  huge,     ///< an integer beyond that
  real,     ///< written with a fraction or an exponent, or too long for an integer
  string,
  array,
  object,
};

struct json_limits {
  std::size_t depth = 32;  ///< of nested objects and arrays
  std::size_t fields_per_object = 128;
  std::size_t values = 4096;  ///< in the whole text
};

/// Why a text is not usable. Never quotes a value.
struct json_failure {
  std::string detail;
  std::string field;  ///< dotted path where one is at fault (a duplicate key); else empty
};

class json_document;

/// One value of a document, which must outlive it.
class json_value {
 public:
  json_kind kind() const noexcept;
  bool is(json_kind wanted) const noexcept { return kind() == wanted; }
  std::string_view key() const noexcept;   ///< its name in the object around it; empty in arrays
  std::string_view text() const noexcept;  ///< of a string
  std::int64_t integer() const noexcept;   ///< of an integer
  bool boolean() const noexcept;
  std::uint64_t bits() const noexcept;  ///< of a huge or a real, for telling two apart
  std::size_t size() const noexcept;    ///< children of an array or object
  std::optional<json_value> first_child() const noexcept;
  std::optional<json_value> next() const noexcept;

 private:
  friend class json_document;
  json_value(const json_document& owner, std::uint32_t index) noexcept : owner_(&owner), index_(index) {}
  const json_document* owner_;
  std::uint32_t index_;
};

class json_document {
 public:
  /// nullopt, and `failure` says why.
  static std::optional<json_document> parse(std::string_view text, const json_limits& limits, json_failure& failure);
  json_value root() const noexcept { return {*this, 0}; }

 private:
  friend class json_value;
  friend struct json_builder;
  static constexpr std::uint32_t none = 0xffff'ffff;
  struct node {
    json_kind kind = json_kind::null;
    std::uint32_t key_at = 0, key_size = 0, text_at = 0, text_size = 0;
    std::uint64_t number = 0;
    std::uint32_t first_child = none, last_child = none, next = none, children = 0;
  };
  json_document() = default;
  std::vector<node, wiping_allocator<node>> nodes_;
  secret_buffer texts_;  ///< decoded keys and strings
};

/// Appends a form of `value` that does not depend on whitespace, on escapes or
/// on the order of keys, and that no other value shares. The field at the
/// dotted path `without` is left out.
void append_canonical(secret_buffer& out, const json_value& value, std::string_view without);

/// A dotted path as it may be shown: bounded, and without digits where it has
/// enough of them to be half of a card number.
std::string shown_path(std::string_view path);

}  // namespace turnout::api
