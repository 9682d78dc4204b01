#pragma once
// Beast's HTTP/1.1 parser, filling our plain messages directly, with the guard
// asked about every part before it is believed. One parser reads one message.
// Trailers are read and dropped: Beast alone would report them like fields.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>

#include "net/framing.hpp"
#include "net/http.hpp"

namespace turnout::net {

template <bool is_request>
class message_parser : private boost::beast::http::basic_parser<is_request> {
  using base = boost::beast::http::basic_parser<is_request>;
  using error_code = boost::beast::error_code;
  using error = boost::beast::http::error;
  using field = boost::beast::http::field;
  using text = boost::beast::string_view;

  /// Bytes of chunk extensions that one message may carry.
  static constexpr std::size_t extension_limit = 8 * 1024;
  /// Where the blank before a reason stands in "HTTP/1.1 200 OK".
  static constexpr std::size_t reason_blank = 12;
  static constexpr std::size_t usual_fields = 8;
  /// "0\r\n\r\n"
  static constexpr std::size_t last_chunk_bytes = 5;

 public:
  using message = std::conditional_t<is_request, request, response>;

  /// `out` outlives the parser; the fields of an earlier message are gone.
  message_parser(message& out, std::size_t header_count_limit, std::size_t body_limit)
      : out_(out), guard_(is_request, header_count_limit) {
    out_.fields.clear();
    out_.fields.reserve(usual_fields);
    this->body_limit(body_limit);
  }

  using base::is_done;
  using base::need_eof;  ///< the body ends with the connection (answers)
  using base::skip;      ///< before the header: there is no body whatever it says (answers to HEAD)

  /// Not accepted: of no further use, the connection must end. Status 413 says
  /// too large; for answers the others mean nothing except refusal.
  const framing::verdict& judged() const noexcept { return judged_; }
  bool close() const noexcept { return guard_.close(); }
  bool expect_continue() const noexcept { return guard_.expect_continue(); }

  /// `header` is one whole header with its empty line; how large it may be is
  /// the caller's affair. False: refused.
  bool take_header(std::string_view header) {
    judged_ = framing::judge_lines(header, is_request);
    if (!judged_) return false;
    std::string repaired;
    // Real gateways leave out the blank before an empty reason, on which Beast insists.
    if (!is_request && header.size() > reason_blank && header[reason_blank] == '\r')
      header = repaired.assign(header).insert(reason_blank, 1, ' ');
    this->header_limit(static_cast<std::uint32_t>(header.size()));
    error_code failed;
    const boost::asio::const_buffer bytes(header.data(), header.size());
    const auto used = this->put(bytes, failed);
    if (!failed && used != header.size()) failed = error::bad_line_ending;
    note(failed);
    return static_cast<bool>(judged_);
  }

  /// Takes bytes of the body and says how many; what is left belongs to the next
  /// message if is_done(), and else needs more bytes to be understood.
  std::size_t take_body(std::string_view bytes) {
    std::size_t taken = 0;
    while (taken < bytes.size() && judged_ && !is_done()) {
      const auto known = out_.body.size();
      const auto rest = bytes.substr(taken);
      if (this->chunked() && chunk_left_ == 0 && is_part_of_last_chunk(rest)) break;
      error_code failed;
      // One call takes one thing only: bytes of the body, or the lines around a chunk.
      const boost::asio::const_buffer next(rest.data(), rest.size());
      const auto used = this->put(next, failed);
      taken += used;
      if (failed == error::need_more) break;
      if (!failed && out_.body.size() == known && framing::has_folded_line(rest.substr(0, used)))
        refuse({400, "folded trailers are refused"}, failed);
      note(failed);
    }
    return taken;
  }

 private:
  /// Beast asserts that what may be the last chunk does not come in smaller pieces.
  static bool is_part_of_last_chunk(std::string_view bytes) noexcept {
    return bytes.size() < last_chunk_bytes && bytes.find_first_not_of("0\r\n") == std::string_view::npos;
  }

  static std::string_view plain(text from) noexcept { return {from.data(), from.size()}; }

  /// Stops Beast; `why` is what counts, not its code.
  void refuse(const framing::verdict& why, error_code& failed) {
    judged_ = why;
    failed = error::bad_value;
  }

  /// What Beast refuses by itself.
  void note(const error_code& failed) {
    if (!failed || !judged_) return;
    beast_says_ = failed.message();
    if (failed == error::body_limit)
      judged_ = {413, "the body is too large"};
    else
      judged_ = {400, beast_says_};
  }

  void on_request_impl(boost::beast::http::verb, text method, text target, int, error_code& failed) override {
    if constexpr (is_request) {
      if (!framing::is_origin_target(plain(target))) return refuse({400, "the target must be a path"}, failed);
      out_.method.assign(method.data(), method.size());
      out_.target.assign(target.data(), target.size());
    }
  }

  void on_response_impl(int status, text, int version, error_code& failed) override {
    if constexpr (!is_request) {
      if (version != 11 || status < 100) return refuse({400, "the status line is malformed"}, failed);
      out_.status = static_cast<unsigned>(status);
    }
  }

  void on_field_impl(field which, text name, text value, error_code& failed) override {
    if (in_body_) return;
    if (const auto judged = guard_.take(which, plain(value)); !judged) return refuse(judged, failed);
    out_.fields.emplace_back(plain(name), plain(value));
  }

  void on_header_impl(error_code& failed) override {
    in_body_ = true;
    if (const auto judged = guard_.finish(); !judged) return refuse(judged, failed);
    if constexpr (!is_request) {
      const bool announces_body = this->chunked() || this->content_length().value_or(0) != 0;
      if (out_.status == 204 && announces_body) return refuse({400, "204 with a body"}, failed);
      // Only a peer that announced to close is believed that its end is the answer's.
      if (need_eof() && !close()) return refuse({400, "the answer has no length"}, failed);
    }
  }

  void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}

  std::size_t on_body_impl(text bytes, error_code&) override {
    framing::append_wiping(out_.body, plain(bytes));
    return bytes.size();
  }

  /// Beast takes blanks before an extension, and any byte inside of quotes.
  void on_chunk_header_impl(std::uint64_t size, text extension, error_code& failed) override {
    chunk_left_ = size;
    extension_bytes_ += extension.size();
    const auto said = plain(extension);
    if (extension_bytes_ > extension_limit || (!said.empty() && said.front() != ';') || !framing::is_field_value(said))
      refuse({400, "a chunk's extension is malformed or too long"}, failed);
  }

  std::size_t on_chunk_body_impl(std::uint64_t, text bytes, error_code& failed) override {
    chunk_left_ -= bytes.size();
    return on_body_impl(bytes, failed);
  }

  void on_finish_impl(error_code&) override {}

  message& out_;
  framing::field_guard guard_;
  framing::verdict judged_;
  std::string beast_says_;  ///< what judged_ refers to when it is not ours
  std::size_t extension_bytes_ = 0;
  std::uint64_t chunk_left_ = 0;  ///< bytes of this chunk that are still to come
  bool in_body_ = false;          ///< fields that come now are trailers
};

}  // namespace turnout::net
