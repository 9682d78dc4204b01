#pragma once
// Shipped definitions and definitions under test, loaded; a payment to speak of.
#include <filesystem>
#include <fstream>
#include <sstream>

#include <catch2/catch.hpp>

#include "connectors/definition.hpp"

// A payment is filled in field by field; the rest has its defaults.
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

namespace turnout::connectors::testing {

inline std::string shipped_text(const std::string& name) {
  const auto root = std::filesystem::path(TURNOUT_SOURCE_DIR);
  std::ifstream in(root / "conf/connectors" / (name + ".yaml"));
  REQUIRE(in);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

inline settings::secret_source secrets() {
  settings::secret_source out;
  out.variable = [](std::string_view name) -> std::optional<std::string> {
    if (name == "TRICKY") return "{{card.number}}\"x";
    if (name == "BROKEN_LINE") return "a\nInjected: yes";
    return std::nullopt;
  };
  return out;
}

inline std::shared_ptr<const definition> load_text(std::string_view text, settings::problems& found) {
  const auto file = settings::parse("c.yaml", text, secrets(), found);
  return file ? definition::load(*file, found) : nullptr;
}

inline std::shared_ptr<const definition> load_good(std::string_view text) {
  settings::problems found;
  auto out = load_text(text, found);
  for (const auto& each : found) UNSCOPED_INFO(each.to_string());
  REQUIRE(out);
  CHECK(found.empty());
  return out;
}

inline std::shared_ptr<const definition> shipped(const std::string& name) { return load_good(shipped_text(name)); }

struct world {
  payments::payment payment{.id = "pay_1", .merchant = "demo", .amount = {1250, *payments::currency::find("EUR")}};
  payments::attempt attempt{.id = "att_01ABC", .connector = "x", .amount = {1250, *payments::currency::find("EUR")}};
  payments::card card;

  world() {
    REQUIRE(payments::card::parse("4242424242424242", 7, 2030, "123", "A. Buyer", card) == payments::card_errc::ok);
  }
  void charge(std::int64_t minor, std::string_view code) {
    payment.amount = attempt.amount = {minor, *payments::currency::find(code)};
  }
  request_context context(bool with_card = true) const { return {payment, attempt, with_card ? &card : nullptr}; }
};

/// The request as one text: line, headers, empty line, body.
inline std::string shown(const wire_request& request) {
  std::string out = request.method + ' ' + request.target + '\n';
  for (const auto& [name, content] : request.headers) out += name + ": " + std::string(content.reveal()) + '\n';
  return out + '\n' + std::string(request.body.reveal());
}

inline std::string body_of(const definition& connector, payments::operation asked, const world& w) {
  return std::string(connector.build_request(asked, w.context()).body.reveal());
}

inline payments::money euros(std::int64_t minor) { return {minor, *payments::currency::find("EUR")}; }

inline payments::send_result answer(const definition& connector, payments::operation asked, unsigned status,
                                    std::string body, payments::money charged = euros(1250)) {
  return connector.parse_response(asked, {status, {}, std::move(body)}, charged);
}

/// A small valid definition, for tests that change one thing of it.
inline const std::string small = R"(version: 1
connector: tiny
mode: test
merchants: [demo]
base_url: http://127.0.0.1:9
auth: {type: bearer, token: t}
capabilities: {methods: [card], currencies: [EUR, JPY, KWD], brands: [visa], capture: [automatic]}
resolve: {accept_unprovable: true}
operations:
  sale:
    request: {method: POST, path: /c, body: {ref: "{{attempt.id}}"}}
    response:
      - {when: {status: 200}, outcome: approved, captured: true}
)";

inline std::string with(std::string text, std::string_view from, std::string_view to) {
  const std::size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

/// `small` with another body for its sale.
inline std::shared_ptr<const definition> with_body(std::string_view body, std::string_view more = "") {
  return load_good(with(small, R"({ref: "{{attempt.id}}"})", body) + std::string(more));
}

}  // namespace turnout::connectors::testing
