#pragma once
// What the API says about itself: /openapi.json, /docs and the script that shows
// the one on the other. All of it is part of the program; nothing comes from elsewhere.
#include <string>
#include <string_view>

#include "net/http.hpp"

namespace turnout::api {

/// openapi.json as it is written.
std::string_view openapi_document() noexcept;
/// Empty where the program was built without npm.
std::string_view renderer_script() noexcept;

/// One of them, made once and kept in both codings.
class static_document {
 public:
  static_document(std::string_view media_type, std::string text);
  /// 200, gzip where `request` accepts it, or 304.
  net::response answer(const net::headers& request) const;

 private:
  std::string_view media_type_;
  std::string text_, gzipped_, tag_, gzipped_tag_;
};

/// The document as a page. Without the script, and in browsers that run none, it is plain HTML.
std::string docs_page(std::string_view document, bool has_script);

}  // namespace turnout::api
