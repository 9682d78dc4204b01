#pragma once
// Beast's HTTP/1.1 parser, filling our plain messages directly, with the guard
// asked about every part before it is believed. One parser reads one message.
// Trailers are read and dropped: Beast alone would report them like fields.
#include <cstddef>
#include <string>
#include <string_view>
#include <type_traits>

#include <boost/beast/http/basic_parser.hpp>

#include "net/framing.hpp"
#include "net/http.hpp"

namespace turnout::net {

template <bool is_request>
class message_parser : private boost::beast::http::basic_parser<is_request> {
  using base = boost::beast::http::basic_parser<is_request>;

 public:
  using message = std::conditional_t<is_request, request, response>;

  /// `out` outlives the parser; what it held of an earlier message is gone.
  message_parser(message& out, std::size_t header_count_limit, std::size_t body_limit);

  using base::is_done;
  using base::need_eof;  ///< the body ends with the connection (answers)
  using base::skip;      ///< before the header: there is no body whatever it says (answers to HEAD)

  /// `header` is one whole header with its empty line; how large it may be is
  /// the caller's affair. False: refused.
  bool take_header(std::string_view header);
  /// Takes bytes of the body and says how many; what is left belongs to the next
  /// message if is_done(), and else needs more bytes to be understood.
  std::size_t take_body(std::string_view bytes);

  /// Not accepted: of no further use, the connection must end. Status 413 says
  /// too large; for answers the others mean nothing except refusal.
  const framing::verdict& judged() const noexcept { return judged_; }
  bool close() const noexcept { return guard_.close(); }
  bool expect_continue() const noexcept { return guard_.expect_continue(); }

 private:
  using error_code = boost::beast::error_code;
  using string_view = boost::beast::string_view;
  using field = boost::beast::http::field;

  void refuse(const framing::verdict& why, error_code& failed);
  void note(const error_code& failed);

  void on_request_impl(boost::beast::http::verb, string_view method, string_view target, int version,
                       error_code& failed) override;
  void on_response_impl(int status, string_view reason, int version, error_code& failed) override;
  void on_field_impl(field which, string_view name, string_view value, error_code& failed) override;
  void on_header_impl(error_code& failed) override;
  void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}
  std::size_t on_body_impl(string_view bytes, error_code& failed) override;
  void on_chunk_header_impl(std::uint64_t size, string_view extensions, error_code& failed) override;
  std::size_t on_chunk_body_impl(std::uint64_t left, string_view bytes, error_code& failed) override;
  void on_finish_impl(error_code&) override {}

  message& out_;
  framing::field_guard guard_;
  framing::verdict judged_;
  std::string beast_says_;         ///< what judged_ refers to when it is not ours
  std::size_t extension_bytes_ = 0;
  bool in_body_ = false;           ///< fields that come now are trailers
};

extern template class message_parser<true>;
extern template class message_parser<false>;

}  // namespace turnout::net
