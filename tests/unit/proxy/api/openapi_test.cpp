// openapi.json says what the program does: the same endpoints, parameters, scopes and words.
#include <catch2/catch.hpp>

#include <algorithm>
#include <regex>
#include <set>

#include "house.hpp"
#include "payments/decline_reason.hpp"
#include "payments/money.hpp"
#include "payments/payment.hpp"
#include "proxy/api/documentation.hpp"
#include "proxy/api/field_selection.hpp"
#include "proxy/api/scope.hpp"

namespace turnout::api {
namespace {

using namespace test;
using words = std::set<std::string>;

const json::value& document() {
  static const json::value parsed = json::parse({openapi_document().data(), openapi_document().size()});
  return parsed;
}

const json::value& schema(const std::string& name) { return document().at("components").at("schemas").at(name); }

const json::value& resolved(const json::value& at) {
  const json::value* reference = at.as_object().if_contains("$ref");
  return reference ? document().at_pointer(reference->as_string().subview(1)) : at;
}

words texts(const json::value& list) {
  words found;
  for (const json::value& each : list.as_array())
    if (each.is_string()) found.emplace(each.as_string());
  return found;
}

/// One line for each operation: method, path, scope, query parameters.
words documented() {
  words lines;
  for (const auto& [path, item] : document().at("paths").as_object())
    for (const auto& [method, operation] : item.as_object()) {
      if (!operation.is_object()) continue;
      std::string line;
      for (const char c : method) line.push_back(static_cast<char>(c - 'a' + 'A'));
      line.append(" ").append(path).append(" ");
      const json::value* open = operation.as_object().if_contains("security");
      line.append(open && open->as_array().empty() ? json::string_view("no key")
                                                   : json::string_view(operation.at("x-required-scope").as_string()));
      words names;
      if (const json::value* parameters = operation.as_object().if_contains("parameters"))
        for (const json::value& each : parameters->as_array())
          if (resolved(each).at("in").as_string() == "query") names.emplace(resolved(each).at("name").as_string());
      for (const std::string& each : names) line.append(" ").append(each);
      lines.insert(line);
    }
  return lines;
}

TEST_CASE("the document and the router have the same endpoints, scopes and query parameters") {
  words routed;
  const auto add = [&](std::string_view method, std::string_view path, std::string_view key,
                       parameter_names parameters) {
    std::string line(method);
    line.append(" ").append(path).append(" ").append(key);
    for (const std::string& name : words(parameters.begin(), parameters.end())) line.append(" ").append(name);
    routed.insert(line);
  };
  for (const api::route& each : api::routes()) add(each.method, each.path, name_of(each.needs), each.parameters);
  for (const api::open_route& each : api::open_routes()) add(each.method, each.path, "no key", each.parameters);
  CHECK(routed == documented());
}

TEST_CASE("the document's paths have the parameter that the router reads from them") {
  for (const auto& [path, item] : document().at("paths").as_object()) {
    INFO(path);
    const bool has = path.find('{') != json::string_view::npos;
    CHECK(has == item.as_object().contains("parameters"));
    if (has) CHECK(resolved(item.at("parameters").at(0)).at("name").as_string() == "id");
  }
}

TEST_CASE("the document has every currency") {
  const words listed = texts(schema("Currency").at("enum"));
  words known;
  std::string code = "AAA";
  for (code[0] = 'A'; code[0] <= 'Z'; ++code[0])
    for (code[1] = 'A'; code[1] <= 'Z'; ++code[1])
      for (code[2] = 'A'; code[2] <= 'Z'; ++code[2])
        if (payments::currency::find(code)) known.insert(code);
  CHECK(listed == known);
}

/// The words that `find` knows, by asking it for every text of the document.
template <class Find>
void check_words(const json::value& list, std::size_t count, Find find) {
  const words listed = texts(list);
  for (const std::string& each : listed) {
    INFO(each);
    CHECK(find(each));
  }
  CHECK(listed.size() == count);
}

template <class Enum>
std::size_t count_of(Enum last) {
  return static_cast<std::size_t>(last) + 1;
}

TEST_CASE("the document has the words of the payment's life") {
  check_words(schema("PaymentStatus").at("enum"), count_of(payments::payment_status::canceled),
              payments::parse_payment_status);
  check_words(schema("ModificationStatus").at("enum"), count_of(payments::modification_status::failed),
              payments::parse_modification_status);
  words events;
  for (std::size_t each = 0; each < count_of(payments::payment_event_type::looked_again); ++each)
    events.emplace(to_string(static_cast<payments::payment_event_type>(each)));
  CHECK(events == texts(schema("Event").at("properties").at("type").at("enum")));
  words reasons;
  for (const payments::decline_info& each : payments::decline_table()) reasons.emplace(each.name);
  CHECK(reasons == texts(schema("DeclineReason").at("enum")));
  words brands;
  for (std::size_t each = 0; each < count_of(payments::card_brand::unknown); ++each)
    brands.emplace(to_string(static_cast<payments::card_brand>(each)));
  CHECK(brands == texts(schema("Card").at("properties").at("brand").at("enum")));
  words outcomes;
  for (std::size_t each = 0; each < count_of(payments::outcome::unknown); ++each)
    outcomes.emplace(to_string(static_cast<payments::outcome>(each)));
  CHECK(outcomes == texts(schema("Attempt").at("properties").at("outcome").at("enum")));
}

/// Every dotted path of a schema's members.
void collect(const json::value& given, const std::string& path, words& into) {
  const json::object& at = resolved(given).as_object();
  for (const char* several : {"anyOf", "oneOf"})
    if (const json::value* all = at.if_contains(several))
      for (const json::value& each : all->as_array()) collect(each, path, into);
  if (const json::value* items = at.if_contains("items")) collect(*items, path, into);
  if (const json::value* members = at.if_contains("properties"))
    for (const auto& [name, member] : members->as_object()) {
      into.insert(path + std::string(name));
      collect(member, path + std::string(name) + ".", into);
    }
}

TEST_CASE("the fields that can be selected are the payment's fields") {
  words fields;
  collect(schema("Payment"), "", fields);
  const std::regex pattern(std::string(
      document().at("components").at("parameters").at("Fields").at("schema").at("items").at("pattern").as_string()));
  for (const std::string& each : fields) {
    INFO(each);
    CHECK(is_payment_field(each));
    CHECK(std::regex_match(each, pattern));
  }
  for (const char* each :
       {"metadata.a", "metadata.a.b", "next_action.fields.PaReq", "metadata.", "amount.x", "merchant"})
    CHECK(is_payment_field(each) == std::regex_match(each, pattern));
}

TEST_CASE("the document and its page are served without a key, in both codings, once") {
  house at;
  for (const char* target : {"/openapi.json", "/docs"}) {
    INFO(target);
    const net::response plain = at.ask_raw("GET", target, {});
    CHECK(plain.status == 200);
    const net::response coded = at.ask_raw("GET", target, {{"Accept-Encoding", "gzip"}});
    CHECK(only_header(coded.fields, "Content-Encoding").value == "gzip");
    CHECK(coded.body.size() < plain.body.size() / 4);
    const std::string tag(only_header(plain.fields, "ETag").value);
    CHECK(tag != only_header(coded.fields, "ETag").value);
    CHECK(at.ask_raw("GET", target, {{"If-None-Match", tag}}).status == 304);
    CHECK(only_header(plain.fields, "Cache-Control").value == "no-cache");
    CHECK(only_header(plain.fields, "Cache-Control").count == 1);
    CHECK(only_header(plain.fields, "Content-Security-Policy").count == 1);
  }
  CHECK(at.ask_raw("GET", "/openapi.json", {}).body == openapi_document());
  CHECK(at.ask_raw("POST", "/openapi.json", {}).status == 405);
  CHECK(at.ask_raw("GET", "/docs/renderer.js", {}).status == (renderer_script().empty() ? 404 : 200));
}

TEST_CASE("the page names every endpoint, with the script and without") {
  for (const bool script : {false, true}) {
    const std::string page = docs_page(openapi_document(), script);
    CHECK((page.find("<script") != std::string::npos) == script);
    for (const api::route& each : api::routes())
      CHECK(page.find(std::string(each.method) + " " + std::string(each.path) + "</code>") != std::string::npos);
    CHECK(page.find("id=\"NewPayment\"") != std::string::npos);
    // Nothing from elsewhere, and no text of the document that becomes markup.
    CHECK(page.find("src=\"http") == std::string::npos);
    CHECK(page.find("<id>") == std::string::npos);
  }
}

}  // namespace
}  // namespace turnout::api
