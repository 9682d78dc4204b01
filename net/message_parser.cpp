#include "net/message_parser.hpp"

#include <algorithm>

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/error.hpp>

namespace turnout::net {
namespace {

namespace http = boost::beast::http;

/// Chunk extensions that one message may carry.
constexpr std::size_t extension_limit = 8 * 1024;
/// Where the blank before a reason stands in "HTTP/1.1 200 OK".
constexpr std::size_t reason_blank = 12;

/// Appends so that no unwiped copy of the text stays behind when it must grow.
void append_wiping(std::string& text, std::string_view more) {
  if (text.capacity() - text.size() < more.size()) {
    std::string larger;
    larger.reserve(std::max(text.size() + more.size(), text.capacity() * 2));
    larger.append(text);
    wipe(text);
    text.swap(larger);
  }
  text.append(more);
}

std::string_view plain(boost::beast::string_view text) noexcept { return {text.data(), text.size()}; }

}  // namespace

template <bool is_request>
message_parser<is_request>::message_parser(message& out, std::size_t header_count_limit, std::size_t body_limit)
    : out_(out), guard_(is_request, header_count_limit) {
  out_.fields.clear();
  this->body_limit(body_limit);
}

template <bool is_request>
bool message_parser<is_request>::take_header(std::string_view header) {
  error_code failed;
  if (framing::has_folded_line(header)) {
    refuse({400, "folded header lines are refused"}, failed);
  } else if (is_request && framing::names_other_version(header)) {
    refuse({505, "only HTTP/1.1 is spoken here"}, failed);
  } else {
    std::string repaired;
    // Real gateways leave out the blank before an empty reason, on which Beast insists.
    if (!is_request && header.size() > reason_blank && header[reason_blank] == '\r')
      header = repaired.assign(header).insert(reason_blank, 1, ' ');
    this->header_limit(static_cast<std::uint32_t>(header.size()));
    const boost::asio::const_buffer bytes(header.data(), header.size());
    const auto used = this->put(bytes, failed);
    if (!failed && used != header.size()) failed = http::error::bad_line_ending;
    note(failed);
  }
  return static_cast<bool>(judged_);
}

template <bool is_request>
std::size_t message_parser<is_request>::take_body(std::string_view bytes) {
  std::size_t taken = 0;
  while (taken < bytes.size() && judged_ && !is_done()) {
    const auto known = out_.body.size();
    const auto rest = bytes.substr(taken);
    error_code failed;
    // Takes one thing only: bytes of the body, or the lines around a chunk.
    const boost::asio::const_buffer next(rest.data(), rest.size());
    const auto used = this->put(next, failed);
    taken += used;
    if (failed == http::error::need_more) break;
    if (!failed && out_.body.size() == known && framing::has_folded_line(rest.substr(0, used)))
      refuse({400, "folded trailers are refused"}, failed);
    note(failed);
  }
  return taken;
}

/// Stops Beast; `why` is what counts, not its code.
template <bool is_request>
void message_parser<is_request>::refuse(const framing::verdict& why, error_code& failed) {
  judged_ = why;
  failed = http::error::bad_value;
}

template <bool is_request>
void message_parser<is_request>::note(const error_code& failed) {
  if (!failed || !judged_) return;
  beast_says_ = failed.message();
  judged_ = failed == http::error::body_limit ? framing::verdict{413, "the body is too large"}
                                              : framing::verdict{400, beast_says_};
}

template <bool is_request>
void message_parser<is_request>::on_request_impl(http::verb, string_view method, string_view target, int,
                                                 error_code& failed) {
  if constexpr (is_request) {
    if (!framing::is_origin_target(plain(target))) return refuse({400, "the target must be a path"}, failed);
    out_.method.assign(method.data(), method.size());
    out_.target.assign(target.data(), target.size());
  }
}

template <bool is_request>
void message_parser<is_request>::on_response_impl(int status, string_view, int version, error_code& failed) {
  if constexpr (!is_request) {
    if (version != 11 || status < 100) return refuse({400, "the status line is malformed"}, failed);
    out_.status = static_cast<unsigned>(status);
  }
}

template <bool is_request>
void message_parser<is_request>::on_field_impl(field which, string_view name, string_view value, error_code& failed) {
  if (in_body_) return;
  if (const auto judged = guard_.take(which, plain(value)); !judged) return refuse(judged, failed);
  out_.fields.emplace_back(plain(name), plain(value));
}

template <bool is_request>
void message_parser<is_request>::on_header_impl(error_code& failed) {
  in_body_ = true;
  if (const auto judged = guard_.finish(); !judged) return refuse(judged, failed);
  if constexpr (!is_request) {
    const bool announces_body = this->chunked() || this->content_length().value_or(0) != 0;
    if (out_.status == 204 && announces_body) refuse({400, "204 with a body"}, failed);
    // Only a peer that announced to close is believed that its end is the answer's.
    if (need_eof() && !close()) refuse({400, "the answer has no length"}, failed);
  }
}

template <bool is_request>
std::size_t message_parser<is_request>::on_body_impl(string_view bytes, error_code&) {
  append_wiping(out_.body, plain(bytes));
  return bytes.size();
}

/// Beast takes blanks before an extension, and any byte inside of quotes.
template <bool is_request>
void message_parser<is_request>::on_chunk_header_impl(std::uint64_t, string_view extensions, error_code& failed) {
  extension_bytes_ += extensions.size();
  const auto text = plain(extensions);
  if (extension_bytes_ > extension_limit || (!text.empty() && !text.starts_with(';')) || !framing::is_field_value(text))
    refuse({400, "a chunk's extension is malformed or too long"}, failed);
}

template <bool is_request>
std::size_t message_parser<is_request>::on_chunk_body_impl(std::uint64_t, string_view bytes, error_code& failed) {
  return on_body_impl(bytes, failed);
}

template class message_parser<true>;
template class message_parser<false>;

}  // namespace turnout::net
