#pragma once
// Where one HTTP/1.1 message ends and the next begins, decided once and
// strictly. Two parsers that disagree about it are how requests are smuggled,
// so everything ambiguous is refused rather than repaired: no I/O here, bytes
// in and a verdict out. The grammar is RFC 9112, minus all it keeps for the
// sake of old peers (obs-fold, HTTP/1.0, lists of lengths, other codings).
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "net/http.hpp"

namespace turnout::net::framing {

/// Zero status: accepted. Otherwise the status a server answers with before it
/// closes, and a text that holds no byte of the message.
struct verdict {
  unsigned status = 0;
  std::string_view detail;
  explicit operator bool() const noexcept { return status == 0; }
};

/// How the body of a message is delimited, and what its header asks of the connection.
struct frame {
  std::optional<std::uint64_t> content_length;
  bool chunked = false;
  bool close = false;            ///< Connection: close
  bool expect_continue = false;  ///< Expect: 100-continue (requests)
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

/// `header` is a whole header with its empty line. Fills method, target and
/// fields of `out`, and `how`. Beyond `count_limit` fields: 431.
verdict parse_request(std::string_view header, std::size_t count_limit, request& out, frame& how);

/// The same for an answer, fills status and fields. Statuses in the verdict
/// mean nothing here except that they are not zero.
verdict parse_response(std::string_view header, std::size_t count_limit, response& out, frame& how);

/// Appends so that no unwiped copy of the text stays behind when it must grow.
void append_wiping(std::string& text, std::string_view more);

/// Takes a chunked body apart, in pieces of any size. Chunk extensions and
/// trailers are checked and dropped.
class chunk_decoder {
 public:
  enum class progress : std::uint8_t {
    more,       ///< everything was consumed, the body goes on
    done,       ///< the body is complete; bytes after `consumed` are the next message
    malformed,  ///< refuse and close
    too_large   ///< the body is beyond its limit
  };
  struct step {
    progress now = progress::more;
    std::size_t consumed = 0;
  };

  /// `overhead_limit` bounds all bytes of extensions and trailers together.
  chunk_decoder(std::size_t body_limit, std::size_t overhead_limit) noexcept
      : body_limit_(body_limit), overhead_limit_(overhead_limit) {}

  step feed(std::string_view bytes, std::string& body);

 private:
  enum class state : std::uint8_t {
    size_first,      ///< expects the first digit of a chunk size
    size,            ///< more digits, an extension, or the end of the line
    extension,       ///< until the end of the line
    size_end,        ///< expects LF
    data,            ///< left_ bytes of the chunk
    data_cr,         ///< expects CR
    data_end,        ///< expects LF
    trailer_first,   ///< expects a trailer's name or the CR that ends the message
    trailer_name,    ///< until ':'
    trailer_value,   ///< until CR
    trailer_end,     ///< expects LF
    message_end      ///< expects the last LF
  };
  progress control(char byte) noexcept;

  std::size_t body_limit_;
  std::size_t overhead_limit_;
  std::size_t overhead_ = 0;
  std::uint64_t left_ = 0;
  state state_ = state::size_first;
};

}  // namespace turnout::net::framing
