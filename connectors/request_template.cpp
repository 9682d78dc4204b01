#include "connectors/request_template.hpp"

#include <algorithm>

#include "connectors/reply_headers.hpp"

namespace turnout::connectors {
namespace {

using payments::operation;

std::string base64(std::string_view in) {
  constexpr char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t i = 0; i < in.size(); i += 3) {
    const auto byte = [&](std::size_t k) -> unsigned {
      return i + k < in.size() ? static_cast<unsigned char>(in[i + k]) : 0U;
    };
    const unsigned bits = byte(0) << 16 | byte(1) << 8 | byte(2);
    out += alphabet[bits >> 18];
    out += alphabet[bits >> 12 & 63];
    out += i + 1 < in.size() ? alphabet[bits >> 6 & 63] : '=';
    out += i + 2 < in.size() ? alphabet[bits & 63] : '=';
  }
  return out;
}

/// Those that decide how a message is framed belong to the transport.
constexpr std::string_view transport_headers[] = {
    "Host", "Content-Length", "Transfer-Encoding", "Connection", "Keep-Alive", "Upgrade", "TE", "Trailer", "Expect"};

/// A secret that may stand in a header. Messages never show it.
std::optional<std::string> secret_text(const settings::value& in) {
  auto text = in.text();
  if (!text) return std::nullopt;
  const bool clean = std::all_of(text->begin(), text->end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte >= 0x20 && byte != 0x7F;
  });
  if (clean) return text;
  in.error("'" + in.name() + "' contains a control character or line break, which a header cannot carry");
  return std::nullopt;
}

class request_loader {
 public:
  request_loader(operation asked, const request_setting& setting)
      : asked_(asked), setting_(setting), auth_(setting.auth), key_(setting.key) {}

  std::optional<request_template> load(const settings::value& request) {
    const settings::fields block(request,
                                 {"method", "path", "encoding", "arrays", "query", "headers", "cookies", "body"});
    load_method(block.required("method"));
    load_target(block.required("path"), block.optional("query"));
    load_encoding(block);
    load_body(block);
    load_headers(block.optional("headers"), block.optional("cookies"));
    if (!good_) return std::nullopt;
    return std::move(out_);
  }

 private:
  /// An inquiry and a reversal go by the attempt's reference: repeating them is harmless.
  bool carries_key() const noexcept { return asked_ != operation::inquire && asked_ != operation::reverse; }

  void load_method(const settings::value& method) {
    auto word = method.one_of({"GET", "POST", "PUT", "PATCH", "DELETE"});
    good_ = good_ && word;
    if (word) out_.method = std::move(*word);
  }

  template_scope scope(place where) const { return {asked_, where, false, setting_.kept}; }

  void load_target(const settings::value& path, const settings::value& query) {
    out_.credential = auth_.query;
    auto compiled = compile_text(path, scope(place::path));
    if (compiled && !path.raw().starts_with('/')) {
      path.error("'path' must begin with '/'");
      compiled.reset();
    }
    good_ = good_ && compiled;
    if (!compiled) return;
    add_literal(out_.target, setting_.prefix);
    append(out_.target, *compiled);
    const char* separator = "?";
    for (const settings::entry& each : query.entries()) {
      if (!auth_.query.empty() && each.key == auth_.name) {
        each.key_value.error("'" + each.key + "' in the query is set by auth");
        good_ = false;
      }
      output name(each.key.size());
      append_percent(name, each.key);
      add_literal(out_.target, separator + std::string(name.take()) + "=");
      auto content = compile_text(each.item, scope(place::query));
      good_ = good_ && content;
      if (content) append(out_.target, *content);
      separator = "&";
    }
  }

  static void append(pieces& into, const pieces& more) {
    for (const piece& each : more) {
      if (each.what == piece::action::literal)
        add_literal(into, each.text);
      else
        into.push_back(each);
    }
  }

  void load_encoding(const settings::fields& block) {
    const settings::value encoding = block.optional("encoding"), arrays = block.optional("arrays");
    const std::string word = encoding.raw();
    form_ = word == "form";
    if (arrays) {
      const auto named =
          arrays.choice<list_names>({{"indexed", list_names::indexed}, {"brackets", list_names::brackets}});
      good_ = good_ && named;
      lists_ = named.value_or(lists_);
      if (!form_) {
        arrays.error("'arrays' is only for encoding: form");
        good_ = false;
      }
    }
    if (!encoding) return;
    if (word == "xml" || word == "soap" || word == "graphql") {
      encoding.error("encoding '" + word + "' is not supported yet by this version; allowed: json, form");
      good_ = false;
    } else {
      good_ = encoding.one_of({"json", "form"}).has_value() && good_;
    }
  }

  void load_body(const settings::fields& block) {
    const settings::value body = block.optional("body");
    const bool keyed = carries_key() && key_.in == key_template::where::body;
    if (keyed && !body) {
      block.map().error("the idempotency key goes into the body, but this request has no 'body'");
      good_ = false;
    }
    if (!body) return;
    if (out_.method == "GET") {
      body.error("a GET request has no body; use 'query'");
      good_ = false;
      return;
    }
    const std::optional<body_addition> addition = keyed ? key_.body : std::nullopt;
    auto compiled = form_ ? compile_form(body, scope(place::body), lists_, addition)
                          : compile_json(body, scope(place::body), addition);
    good_ = good_ && compiled;
    if (compiled) out_.body = std::move(*compiled);
    out_.has_body = true;
  }

  bool has_header(std::string_view name) const {
    return std::any_of(out_.headers.begin(), out_.headers.end(),
                       [&](const auto& each) { return same_header(each.first, name); });
  }

  void add_header(std::string_view name, std::string_view content) {
    pieces made;
    add_literal(made, content);
    out_.headers.emplace_back(name, std::move(made));
  }

  /// One Cookie header of those that are not empty.
  void load_cookies(const settings::value& cookies) {
    pieces all;
    for (const settings::entry& each : cookies.entries()) {
      if (!is_header_name(each.key)) {
        each.key_value.error("the cookie '" + each.key + "' is not a cookie's name");
        good_ = false;
      }
      const auto content = compile_text(each.item, scope(place::cookie));
      good_ = good_ && content;
      if (!content) continue;
      const bool skipped = content->size() == 1 && content->front().what == piece::action::insert;
      const std::size_t guard = all.size();
      if (skipped) {
        piece& skip = all.emplace_back();
        skip.what = piece::action::skip_if_empty;
        skip.id = content->front().id;
        skip.text = content->front().text;
      }
      piece& separator = all.emplace_back();
      separator.what = piece::action::join;
      separator.text = "; ";
      add_literal(all, each.key + '=');
      append(all, *content);
      if (skipped) all[guard].skip = all.size() - guard - 1;
    }
    if (!all.empty()) out_.headers.emplace_back("Cookie", std::move(all));
  }

  void load_headers(const settings::value& headers, const settings::value& cookies) {
    if (!auth_.header.empty()) add_header(auth_.header, auth_.value);
    load_cookies(cookies);
    if (carries_key() && key_.in == key_template::where::header)
      out_.headers.emplace_back(key_.name, key_.header_value);
    for (const settings::entry& each : headers.entries()) {
      const bool framing = std::any_of(std::begin(transport_headers), std::end(transport_headers),
                                       [&](std::string_view name) { return same_header(name, each.key); });
      if (!is_header_name(each.key))
        refuse(each, "is not a header's name");
      else if (framing)
        refuse(each, "is set by the transport and may not be given");
      else if (has_header(each.key))
        refuse(each, "is given twice, or set by auth, cookies or idempotency");
      auto content = compile_text(each.item, scope(place::header));
      good_ = good_ && content;
      if (content) out_.headers.emplace_back(each.key, std::move(*content));
    }
    if (out_.has_body && !has_header("Content-Type"))
      add_header("Content-Type", form_ ? "application/x-www-form-urlencoded" : "application/json");
    if (!has_header("Accept")) add_header("Accept", "application/json");
  }

  void refuse(const settings::entry& header, const std::string& why) {
    header.key_value.error("the header '" + header.key + "' " + why);
    good_ = false;
  }

  operation asked_;
  const request_setting& setting_;
  const credentials& auth_;
  const key_template& key_;
  bool form_ = false;
  list_names lists_ = list_names::indexed;
  bool good_ = true;
  request_template out_;
};

}  // namespace

bool is_header_name(std::string_view name) noexcept {
  constexpr std::string_view marks = "!#$%&'*+-.^_`|~";
  return !name.empty() && std::all_of(name.begin(), name.end(), [&](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           marks.find(c) != std::string_view::npos;
  });
}

wire_request request_template::build(const request_context& context, const exponents& decimals) const {
  wire_request out;
  out.method = method;
  out.target = render(target, context, decimals);
  out.headers.reserve(headers.size());
  out.credential = payments::secret_string(credential);
  for (const auto& [name, content] : headers) {
    payments::secret_string text(render(content, context, decimals));
    if (!text.empty()) out.headers.emplace_back(name, std::move(text));
  }
  if (has_body) out.body = payments::secret_string(render(body, context, decimals));
  return out;
}

std::optional<credentials> load_credentials(const settings::value& auth) {
  if (!auth) return std::nullopt;
  if (!auth.is_map()) {
    const settings::fields says_so(auth, {});
    return std::nullopt;
  }
  std::string type;
  for (const settings::entry& each : auth.entries())
    if (each.key == "type") type = each.item.raw();
  if (type == "bearer") {
    const settings::fields block(auth, {"type", "token"});
    auto token = secret_text(block.required("token"));
    if (!token) return std::nullopt;
    return credentials{"Authorization", "Bearer " + *token, {}, {}};
  }
  if (type == "basic") {
    const settings::fields block(auth, {"type", "user", "password"});
    const auto user = secret_text(block.required("user")), password = secret_text(block.required("password"));
    if (!user || !password) return std::nullopt;
    if (user->find(':') != std::string::npos) {
      block.optional("user").error("'user' may not contain ':'");
      return std::nullopt;
    }
    return credentials{"Authorization", "Basic " + base64(*user + ":" + *password), {}, {}};
  }
  if (type == "header") {
    const settings::fields block(auth, {"type", "name", "value"});
    const auto name = block.required("name").text(), content = secret_text(block.required("value"));
    if (!name || !content) return std::nullopt;
    if (!is_header_name(*name)) {
      block.optional("name").error("'name' must be a header's name, such as X-Api-Key");
      return std::nullopt;
    }
    return credentials{*name, *content, {}, {}};
  }
  if (type == "query") {
    const settings::fields block(auth, {"type", "name", "value"});
    const auto name = block.required("name").text(), content = secret_text(block.required("value"));
    if (!name || !content) return std::nullopt;
    output pair(name->size() + content->size() + 1);
    append_percent(pair, *name);
    pair.append("=");
    append_percent(pair, *content);
    return credentials{{}, {}, *name, pair.take()};
  }
  const settings::fields block(auth, {"type", "token", "user", "password", "name", "value"});
  const settings::value named = block.required("type");
  if (type == "oauth2" || type == "hmac")
    named.error("auth type '" + type + "' is not supported yet by this version; allowed: bearer, basic, header, query");
  else
    named.one_of({"bearer", "basic", "header", "query"});
  return std::nullopt;
}

std::optional<request_template> load_request(const settings::value& request, operation asked,
                                             const request_setting& setting) {
  if (!request) return std::nullopt;
  return request_loader(asked, setting).load(request);
}

}  // namespace turnout::connectors
