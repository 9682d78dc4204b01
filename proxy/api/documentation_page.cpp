// The OpenAPI document as a plain page: all it says, without folding and trying out.
#include <boost/json.hpp>

#include "proxy/api/documentation.hpp"

namespace turnout::api {

namespace {

namespace json = boost::json;

constexpr std::string_view style =
    "body{font:16px/1.5 sans-serif;max-width:70em;margin:2em auto;padding:0 1em;color:#222}"
    "table{border-collapse:collapse;width:100%}td,th{border-bottom:1px solid #ccc;padding:.3em .6em;text-align:left;"
    "vertical-align:top}code,pre{font:14px/1.4 monospace;overflow-wrap:anywhere;white-space:pre-wrap}"
    "h3{margin-top:2em;border-top:2px solid #222;padding-top:.5em}";

class page_writer {
 public:
  explicit page_writer(const json::value& document) : document_(document) {}

  std::string write() {
    const json::object& info = document_.at("info").as_object();
    raw("<h1>").text(info, "title").raw(" ").text(info, "version").raw("</h1>\n<pre>");
    text(info, "description").raw("</pre>\n<p>The document itself: <a href=\"openapi.json\">openapi.json</a></p>\n");
    for (const auto& [path, item] : document_.at("paths").as_object())
      for (const auto& [method, operation] : item.as_object())
        if (operation.is_object()) write_operation(path, method, item.as_object(), operation.get_object());
    raw("<h2>Schemas</h2>\n");
    for (const auto& [name, schema] : document_.at("components").at("schemas").as_object())
      write_schema(name, schema.as_object());
    return std::move(out_);
  }

 private:
  page_writer& raw(std::string_view text) {
    out_.append(text);
    return *this;
  }
  page_writer& escaped(json::string_view text) {
    for (const char c : text) {
      switch (c) {
        case '<': raw("&lt;"); break;
        case '&': raw("&amp;"); break;
        case '"': raw("&quot;"); break;
        default: out_.push_back(c);
      }
    }
    return *this;
  }
  /// A member's text, where it has one.
  page_writer& text(const json::object& from, json::string_view name) {
    const json::value* found = from.if_contains(name);
    return found && found->is_string() ? escaped(found->get_string()) : *this;
  }
  /// Follows a reference within the document.
  const json::object& resolved(const json::value& at) const {
    const json::value* reference = at.as_object().if_contains("$ref");
    return reference ? document_.at_pointer(reference->as_string().subview(1)).as_object() : at.get_object();
  }

  /// A schema in a few words: links to those with a name, JSON for the rest.
  void shape(const json::value& schema) {
    const json::object& given = schema.as_object();
    if (const json::value* reference = given.if_contains("$ref")) {
      json::string_view name = reference->as_string();
      name.remove_prefix(name.rfind('/') + 1);
      raw("<a href=\"#").escaped(name).raw("\">").escaped(name).raw("</a>");
    } else if (const json::value* choices = given.if_contains("anyOf"); choices && !given.contains("type")) {
      for (const json::value& each : choices->as_array()) {
        if (&each != choices->get_array().data()) raw(" or ");
        shape(each);
      }
    } else if (const json::value* items = given.if_contains("items")) {
      raw("list of ");
      shape(*items);
    } else {
      json::object shown = given;
      for (const char* told : {"description", "examples"}) shown.erase(told);
      raw("<code>").escaped(json::serialize(shown)).raw("</code>");
    }
  }

  void write_parameters(const json::object& owner) {
    const json::value* given = owner.if_contains("parameters");
    if (!given) return;
    for (const json::value& each : given->as_array()) {
      const json::object& parameter = resolved(each);
      raw("<tr><td><code>").text(parameter, "name").raw("</code><td>").text(parameter, "in").raw("<td>");
      shape(parameter.at("schema"));
      raw("<td>").text(parameter, "description").raw("</tr>\n");
    }
  }

  void write_content(const json::object& owner) {
    const json::value* given = owner.if_contains("content");
    if (!given) return;
    for (const auto& [type, content] : given->as_object()) {
      raw(" <code>").escaped(type).raw("</code> ");
      const json::value* all = content.at("schema").as_object().if_contains("allOf");
      if (!all) {
        shape(content.at("schema"));
        continue;
      }
      for (const json::value& each : all->as_array()) {
        shape(each);
        raw(" ");
      }
    }
  }

  void write_operation(json::string_view path, json::string_view method, const json::object& item,
                       const json::object& operation) {
    raw("<h3><code>");
    for (const char c : method) out_.push_back(static_cast<char>(c - 'a' + 'A'));
    raw(" ").escaped(path).raw("</code> ").text(operation, "summary").raw("</h3>\n<p>");
    text(operation, "description").raw("</p>\n<table>\n");
    write_parameters(item);
    write_parameters(operation);
    if (const json::value* body = operation.if_contains("requestBody")) {
      raw("<tr><td>body<td><td>");
      write_content(body->as_object());
      raw("<td></tr>\n");
    }
    for (const auto& [status, answer] : operation.at("responses").as_object()) {
      const json::object& response = resolved(answer);
      raw("<tr><td>").escaped(status).raw("<td>answer<td>");
      write_content(response);
      raw("<td>").text(response, "description").raw("</tr>\n");
    }
    raw("</table>\n");
  }

  void write_schema(json::string_view name, const json::object& schema) {
    raw("<h3 id=\"").escaped(name).raw("\">").escaped(name).raw("</h3>\n<p>").text(schema, "description").raw("</p>\n");
    const json::value* properties = schema.if_contains("properties");
    if (!properties) return shape(schema);
    raw("<table>\n");
    const json::value* required = schema.if_contains("required");
    for (const auto& [member, shaped] : properties->as_object()) {
      raw("<tr><td><code>").escaped(member).raw("</code><td>");
      if (required)
        for (const json::value& each : required->as_array())
          if (each.as_string() == member) raw("required");
      raw("<td>");
      shape(shaped);
      raw("<td>").text(shaped.as_object(), "description").raw("</tr>\n");
    }
    raw("</table>\n");
  }

  const json::value& document_;
  std::string out_;
};

}  // namespace

std::string docs_page(std::string_view document, bool has_script) {
  const json::value parsed = json::parse({document.data(), document.size()});
  const std::string plain = page_writer(parsed).write();
  std::string page =
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
      "<meta name=\"viewport\" content=\"width=device-width\"><title>Turnout: the merchant API</title>\n<style>";
  if (!has_script) return page.append(style).append("</style></head><body>\n").append(plain).append("</body></html>\n");
  page.append(
      "body{margin:0}</style><script src=\"docs/renderer.js\"></script></head><body>\n"
      "<rapi-doc spec-url=\"openapi.json\" render-style=\"read\" load-fonts=\"false\" theme=\"light\" "
      "show-header=\"false\" schema-style=\"table\" allow-server-selection=\"false\" sort-tags=\"false\" "
      "style=\"height:100vh\"></rapi-doc>\n<noscript><style>");
  return page.append(style).append("</style>\n").append(plain).append("</noscript></body></html>\n");
}

}  // namespace turnout::api
