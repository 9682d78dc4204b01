#include "proxy/api/documentation.hpp"

#include <cstdint>

#include "proxy/api/answers.hpp"
#include "proxy/api/api.hpp"
#include "proxy/api/compression.hpp"
#include "proxy/api/entity_tag.hpp"
#include "proxy/api/exchange.hpp"

// Made by turnout_embed(), see cmake/embed.cmake.
extern "C" const char turnout_openapi_json[];
extern "C" const std::uint64_t turnout_openapi_json_size;
extern "C" const char turnout_renderer_js[];
extern "C" const std::uint64_t turnout_renderer_js_size;

namespace turnout::api {

namespace {

/// The page runs our script, asks this proxy, and nothing else. Styles are set by
/// the script as it goes, so they cannot be named beforehand.
constexpr std::string_view page_policy =
    "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'unsafe-inline'; img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const static_document& description() {
  static const static_document made("application/json", std::string(openapi_document()));
  return made;
}

const static_document& page() {
  static const static_document made("text/html; charset=utf-8",
                                    docs_page(openapi_document(), !renderer_script().empty()));
  return made;
}

const static_document& script() {
  static const static_document made("text/javascript; charset=utf-8", std::string(renderer_script()));
  return made;
}

}  // namespace

std::string_view openapi_document() noexcept { return {turnout_openapi_json, turnout_openapi_json_size}; }
std::string_view renderer_script() noexcept { return {turnout_renderer_js, turnout_renderer_js_size}; }

static_document::static_document(std::string_view media_type, std::string text)
    : media_type_(media_type),
      text_(std::move(text)),
      gzipped_(gzip(text_)),
      tag_(entity_tag(text_)),
      gzipped_tag_(entity_tag(gzipped_)) {}

net::response static_document::answer(const net::headers& request) const {
  const bool coded = choose_coding(request, text_.size()) == coding::gzip;
  const std::string& tag = coded ? gzipped_tag_ : tag_;
  net::response made{304, {{"ETag", tag}, {"Vary", "Accept-Encoding"}, {"Cache-Control", "no-cache"}}, {}};
  if (matches_none_match(request, tag)) return made;
  made.status = 200;
  made.body = coded ? gzipped_ : text_;
  made.fields.emplace_back("Content-Type", media_type_);
  if (coded) made.fields.emplace_back("Content-Encoding", "gzip");
  return made;
}

void api::get_description(open_exchange& at) { at.call.answer(description().answer(at.message.fields)); }

void api::get_docs(open_exchange& at) {
  net::response answer = page().answer(at.message.fields);
  answer.fields.emplace_back("Content-Security-Policy", page_policy);
  at.call.answer(std::move(answer));
}

void api::get_docs_script(open_exchange& at) {
  if (renderer_script().empty())
    return at.call.refuse(make(problems::not_found, "this program was built without the script; /docs is plain HTML"));
  at.call.answer(script().answer(at.message.fields));
}

}  // namespace turnout::api
