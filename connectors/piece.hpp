#pragma once
// A compiled template: a flat list of pieces, so that building a request is one
// pass that appends to one reserved buffer.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "connectors/template_variables.hpp"

namespace turnout::connectors {

/// Where the text of a variable goes, and so how it is written.
enum class escape : std::uint8_t {
  raw,      ///< a JSON number
  json,     ///< inside the quotes of a JSON string
  percent,  ///< in a path or a query
  header,   ///< in a header's value: control characters are left out
  cookie,   ///< in a cookie's value: what may not stand in one is left out
};

struct piece {
  enum class action : std::uint8_t {
    literal,        ///< append text
    insert,         ///< append the variable
    comma,          ///< append ',' unless an object or list was just opened
    join,           ///< append the literal unless nothing was written yet
    skip_if_empty,  ///< leave out the next `skip` pieces when the variable is empty
  };
  action what = action::literal;
  escape how = escape::raw;
  variable id = variable::attempt_id;
  std::size_t skip = 0;
  std::string text;  ///< the literal, or the key of metadata and kept
};

using pieces = std::vector<piece>;

/// Appends a literal, joined to the one before where there is one.
void add_literal(pieces& into, std::string_view text);
void add_insert(pieces& into, variable id, std::string_view key, escape how);

/// A string that never leaves an unwiped copy behind when it grows: bodies
/// carry card data.
class output {
 public:
  explicit output(std::size_t reserve) { text_.reserve(reserve); }
  void append(std::string_view text) {
    if (text_.capacity() - text_.size() < text.size()) grow(text.size());
    text_.append(text);
  }
  char last() const noexcept { return text_.empty() ? '\0' : text_.back(); }
  std::string&& take() noexcept { return std::move(text_); }

 private:
  void grow(std::size_t more);
  std::string text_;
};

void append_json(output& out, std::string_view text);
void append_percent(output& out, std::string_view text);
/// Also the check for literals: what may not stand in a header is left out.
void append_header(output& out, std::string_view text);

/// Leaves out what may not stand in a cookie's value.
void append_cookie(output& out, std::string_view text);

/// What to reserve so that a usual request does not grow.
std::size_t usual_size(const pieces& in) noexcept;
void render(const pieces& in, const request_context& context, const exponents& decimals, output& out);
std::string render(const pieces& in, const request_context& context, const exponents& decimals);

/// True when one of the pieces inserts `id`.
bool inserts(const pieces& in, variable id) noexcept;

}  // namespace turnout::connectors
