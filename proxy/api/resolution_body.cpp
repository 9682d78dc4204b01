#include "proxy/api/resolution_body.hpp"

#include <array>

#include "proxy/api/answers.hpp"
#include "proxy/api/json_text.hpp"
#include "proxy/api/payment_body.hpp"
#include "settings/problem.hpp"

namespace turnout::api {

namespace {

constexpr std::size_t longest_name = 100, longest_reason = 500, longest_id = 64;

class reader {
 public:
  resolution_body read(const json_value& body) {
    if (!body.is(json_kind::object)) {
      fault("body", "must be an object");
      return std::move(made_);
    }
    for (auto child = body.first_child(); child; child = child->next()) field(*child);
    if (made_.word.target.empty()) fault("attempt", "is required, or modification: what the word is about");
    if (!as_given_) fault("as", "is required: charged or not_charged");
    if (made_.word.reason.empty()) fault("reason", "is required: what the word rests on");
    if (made_.word.by.empty()) fault("by", "is required: who says so");
    return std::move(made_);
  }

 private:
  void fault(std::string_view path, std::string message) {
    for (const field_error& known : made_.errors)
      if (known.field == path) return;
    if (made_.errors.size() < most_errors) made_.errors.push_back({std::string(path), std::move(message)});
  }

  void field(const json_value& value) {
    const std::string_view key = value.key();
    if (key == "attempt" || key == "modification") {
      if (!made_.word.target.empty()) return fault(key, "one of attempt and modification, not both");
      return text(value, longest_id, made_.word.target);
    }
    if (key == "as") return verdict(value);
    if (key == "reason") return text(value, longest_reason, made_.word.reason);
    if (key == "by") return text(value, longest_name, made_.word.by);
    if (key == "reference") return text(value, longest_name, made_.word.gateway_reference);
    static const std::vector<std::string_view> allowed{"attempt", "modification", "as", "reason", "by", "reference"};
    constexpr std::size_t longest_typo = 40;
    const std::string_view near = key.size() <= longest_typo ? settings::nearest(key, allowed) : std::string_view{};
    fault(shown_path(std::string(key)),
          near.empty() ? "is not a known field" : "is not a known field; did you mean " + std::string(near) + "?");
  }

  void verdict(const json_value& value) {
    as_given_ = true;
    const auto as = value.is(json_kind::string) ? payments::parse_verdict(value.text()) : std::nullopt;
    if (!as) return fault("as", "must be charged or not_charged");
    made_.word.as = *as;
  }

  void text(const json_value& value, std::size_t longest, std::string& into) {
    if (!value.is(json_kind::string)) return fault(value.key(), "must be a string");
    if (value.text().empty()) return fault(value.key(), "must not be empty");
    if (count_characters(value.text()) > longest)
      return fault(value.key(), "must have at most " + std::to_string(longest) + " characters");
    for (const char each : value.text())
      if (static_cast<unsigned char>(each) < 0x20 || each == 0x7f)
        return fault(value.key(), "must not contain control characters");
    into = value.text();
  }

  resolution_body made_;
  bool as_given_ = false;
};

problem refusal(const core::resolve_result& result) {
  switch (result.status) {
    case core::resolve_status::resolved: break;
    case core::resolve_status::not_found:
    case core::resolve_status::unknown_target: return make(problems::not_found, result.text);
    case core::resolve_status::not_in_doubt: return make(problems::invalid_state, result.text);
    case core::resolve_status::busy: return retry_soon(make(problems::operation_pending, result.text));
    case core::resolve_status::unavailable: return retry_soon(make(problems::journal_unavailable, result.text));
  }
  return make(problems::internal_error, "the request could not be completed");
}

}  // namespace

resolution_body read_resolution_body(const json_document& body) { return reader().read(body.root()); }

net::response resolution_answer(const payments::resolution& word, const core::resolve_result& result,
                                std::string_view request_id) {
  if (result.status != core::resolve_status::resolved || !result.record) return render(refusal(result), request_id);
  const payments::payment& record = *result.record;
  std::string out = "{\"payment\":";
  append_string(out, record.id);
  out.append(",\"status\":");
  append_string(out, to_string(record.status));
  for (const payments::resolution& each : record.resolutions) {
    if (each.target != word.target || &each != &record.resolutions.back()) continue;
    for (const auto& [name, text] : {std::pair("target", std::string_view(each.target)),
                                     {"as", to_string(each.as)},
                                     {"by", each.by},
                                     {"before", each.before},
                                     {"after", each.after}}) {
      out.append(",\"").append(name).append("\":");
      append_string(out, text);
    }
  }
  out.append(",\"follows\":");
  append_string(out, result.text);
  out.push_back('}');
  return json_answer(200, std::move(out));
}

}  // namespace turnout::api
