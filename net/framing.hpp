#pragma once
// What Beast's parser lets pass and we do not. Two parsers that disagree about
// where a message ends are how requests are smuggled, so everything ambiguous
// is refused rather than repaired. Beast 1.81 itself refuses forbidden bytes in
// methods, names and values, bad line ends, numbers that are none, and a length
// beside `chunked`; it takes the following, of which RFC 9112 keeps most for
// the sake of old peers only, and the guard takes none:
//   - HTTP/1.0; folded lines (obs-fold); no Host, two, or one with other bytes;
//   - `Content-Length: 5, 5`, and the same length twice;
//   - a Transfer-Encoding that is not exactly `chunked`;
//   - targets that are no path, fields without number, unknown expectations.
// No I/O and no state of a connection: bytes in and a verdict out.
#include <cstddef>
#include <string>
#include <string_view>

#include <boost/beast/http/field.hpp>

namespace turnout::net::framing {

/// Zero status: accepted. Otherwise the status a server answers with before it
/// closes, and a text that holds no byte of the message.
struct verdict {
  unsigned status = 0;
  std::string_view detail;
  explicit operator bool() const noexcept { return status == 0; }
};

/// Case-insensitive for ASCII letters only, whatever the locale.
bool same_token(std::string_view left, std::string_view right) noexcept;
bool is_token(std::string_view text) noexcept;
/// Visible ASCII, space, tab and bytes above 0x7f: no CR, LF, NUL or other control.
bool is_field_value(std::string_view text) noexcept;
/// Origin form: '/' and then visible ASCII without '#'.
bool is_origin_target(std::string_view text) noexcept;

/// The length of the header including its empty line, or 0 if it is not there
/// yet. `scanned` bytes are known not to contain it (pass the previous size).
std::size_t header_length(std::string_view bytes, std::size_t scanned) noexcept;
/// A line that begins with a blank continues the one before it.
bool has_folded_line(std::string_view lines) noexcept;
/// What only the raw header tells: folded lines, and a request's version that is none of ours.
verdict judge_lines(std::string_view header, bool is_request) noexcept;

/// Appends so that no unwiped copy of the text stays behind when it must grow.
void append_wiping(std::string& text, std::string_view more);

/// The fields of one header, judged as Beast finds them.
class field_guard {
 public:
  field_guard(bool is_request, std::size_t count_limit) noexcept : left_(count_limit), is_request_(is_request) {}

  /// `value` has no blanks around it.
  verdict take(boost::beast::http::field which, std::string_view value) noexcept;
  /// After the last field.
  verdict finish() const noexcept;

  bool close() const noexcept { return close_; }                      ///< Connection: close
  bool expect_continue() const noexcept { return expect_continue_; }  ///< Expect: 100-continue (requests)

 private:
  std::size_t left_;
  bool is_request_;
  bool host_ = false;
  bool length_ = false;
  bool close_ = false;
  bool expect_continue_ = false;
};

}  // namespace turnout::net::framing
