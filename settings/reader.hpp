#pragma once
// A small typed reader over a parsed file. Every read that fails appends one
// problem with the position of the value and returns nullopt; values that are
// absent return nullopt silently, because whoever required them has said so.
//
//   settings::fields top(settings::root(file, found), {"version", "listen"});
//   top.required("version").integer(1, 1);
//   settings::fields listen(top.optional("listen"), {"address", "port"});
//   config.port = listen.optional("port").integer(0, 65535).value_or(8080);
//
// A key outside the list given to `fields` is an error with a suggestion. A
// value must not outlive the document and the problems it was made from.
#include <chrono>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "settings/document.hpp"

namespace turnout::settings {

struct entry;

class value {
 public:
  value() = default;  ///< absent
  value(const value&) = default;
  value(value&&) = default;
  /// YAML::Node's assignment would change the tree; this only points elsewhere.
  value& operator=(const value& other);
  ~value() = default;

  /// The key was given (perhaps with nothing behind it).
  bool present() const noexcept { return file_ != nullptr; }
  explicit operator bool() const noexcept { return present(); }
  bool is_null() const { return present() && node_.IsNull(); }
  bool is_scalar() const { return present() && node_.IsScalar(); }
  bool is_list() const { return present() && node_.IsSequence(); }
  bool is_map() const { return present() && node_.IsMap(); }
  /// Written without quotes: 12, true and null mean a number, a truth value, nothing.
  bool is_plain() const { return is_scalar() && node_.Tag() == "?"; }

  int line() const;    ///< 1-based; 0 when absent
  int column() const;  ///< 1-based; 0 when absent
  /// How messages call it: its key, or "item 3".
  const std::string& name() const noexcept { return name_; }
  /// The scalar as written, secrets not filled in; empty for anything else.
  std::string raw() const { return is_scalar() ? node_.Scalar() : std::string(); }

  void error(std::string message) const;  ///< nothing when absent
  void warning(std::string message) const;

  // ---- scalars: ${NAME}, ${NAME:-default} and ${file:path} are filled in ----
  /// `allow_empty`: "" is fine.
  std::optional<std::string> text(bool allow_empty = false) const;
  /// Fills the secrets in `part`, a piece of raw(), for values that mix secrets
  /// with a syntax of their own that a secret must not be able to speak.
  std::optional<std::string> fill_part(std::string_view part) const;
  /// Inclusive range.
  std::optional<std::int64_t> integer(std::int64_t least = std::numeric_limits<std::int64_t>::min(),
                                      std::int64_t most = std::numeric_limits<std::int64_t>::max()) const;
  /// Inclusive range; finite.
  std::optional<double> number(double least = std::numeric_limits<double>::lowest(),
                               double most = std::numeric_limits<double>::max()) const;
  std::optional<bool> boolean() const;  ///< true or false
  /// "500ms", "8s", "10m", "24h", "7d"; inclusive range.
  std::optional<std::chrono::milliseconds> duration(std::chrono::milliseconds least = std::chrono::milliseconds(0),
                                                    std::chrono::milliseconds most = std::chrono::hours(24 *
                                                                                                        366)) const;
  /// "20%" is 0.2; inclusive range as shares.
  std::optional<double> percent(double least = 0.0, double most = 1.0) const;
  /// "1MiB", "64KiB", "512B", "2GiB" or a bare number of bytes; inclusive range.
  std::optional<std::uint64_t> size(std::uint64_t least = 0,
                                    std::uint64_t most = std::numeric_limits<std::uint64_t>::max() / 2) const;
  /// One of the words, else an error with a suggestion.
  std::optional<std::string> one_of(const std::vector<std::string_view>& allowed) const;
  /// The meaning of one of the words.
  template <class T>
  std::optional<T> choice(const std::vector<std::pair<std::string_view, T>>& allowed) const {
    std::vector<std::string_view> words;
    for (const auto& each : allowed) words.push_back(each.first);
    const auto word = one_of(words);
    for (const auto& each : allowed)
      if (word && each.first == *word) return each.second;
    return std::nullopt;
  }

  // ---- collections ----
  /// Items of a list; an error and nothing for anything else.
  std::vector<value> items() const;
  /// Items of a list, or the scalar itself as the only one.
  std::vector<value> one_or_more() const;
  /// Texts of items(); those that fail are left out (and reported).
  std::vector<std::string> texts() const;
  /// Key and value of each pair, in the order written.
  std::vector<entry> entries() const;

 private:
  friend class fields;
  friend value root(const document&, problems&);
  value(YAML::Node node, std::string name, const document& file, problems& found)
      : node_(std::move(node)), name_(std::move(name)), file_(&file), found_(&found) {}
  value child(const YAML::Node& node, std::string name) const;
  /// The scalar with its secrets; nullopt (reported) when it is not a scalar.
  std::optional<std::string> filled(const char* wanted) const;
  std::string quoted() const;
  std::nullopt_t wrong(const std::string& what) const;

  YAML::Node node_;
  std::string name_;
  const document* file_ = nullptr;
  problems* found_ = nullptr;
};

struct entry {
  std::string key;
  value key_value;  ///< for the key's own position
  value item;
};

/// The mapping at the top of the file.
value root(const document& file, problems& found);

/// A mapping with known keys.
class fields {
 public:
  /// Reports unknown keys at once. An absent `map` has no fields and no problems;
  /// anything but a mapping is a problem.
  fields(value map, std::vector<std::string_view> allowed);
  /// Must be one of `allowed`. Absent: reported at the mapping's position.
  value required(std::string_view key) const;
  value optional(std::string_view key) const;
  bool has(std::string_view key) const;
  const value& map() const noexcept { return map_; }

 private:
  value map_;
  std::vector<std::string_view> allowed_;
  std::vector<entry> entries_;
};

/// "'metod'; did you mean 'method'? allowed: a, b" after `what` ("unknown key").
std::string unknown_word(std::string_view what, std::string_view word, const std::vector<std::string_view>& allowed);

}  // namespace turnout::settings
