#include "connectors/answer_json.hpp"

#include <limits>

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/value_stack.hpp>

namespace turnout::connectors {
namespace {

namespace json = boost::json;

/// Builds the value, as Boost's own parser does, and counts the members that the text has.
struct builder {
  static constexpr std::size_t max_object_size = std::numeric_limits<std::size_t>::max();
  static constexpr std::size_t max_array_size = std::numeric_limits<std::size_t>::max();
  static constexpr std::size_t max_key_size = std::numeric_limits<std::size_t>::max();
  static constexpr std::size_t max_string_size = std::numeric_limits<std::size_t>::max();

  explicit builder(const json::storage_ptr& memory) { values.reset(memory); }

  json::value_stack values;
  std::size_t members = 0;

  bool on_document_begin(json::error_code&) { return true; }
  bool on_document_end(json::error_code&) { return true; }
  bool on_object_begin(json::error_code&) { return true; }
  bool on_object_end(std::size_t count, json::error_code&) {
    members += count;
    return values.push_object(count), true;
  }
  bool on_array_begin(json::error_code&) { return true; }
  bool on_array_end(std::size_t count, json::error_code&) { return values.push_array(count), true; }
  bool on_key_part(json::string_view part, std::size_t, json::error_code&) { return values.push_chars(part), true; }
  bool on_key(json::string_view part, std::size_t, json::error_code&) { return values.push_key(part), true; }
  bool on_string_part(json::string_view part, std::size_t, json::error_code&) { return values.push_chars(part), true; }
  bool on_string(json::string_view part, std::size_t, json::error_code&) { return values.push_string(part), true; }
  bool on_number_part(json::string_view, json::error_code&) { return true; }
  bool on_int64(std::int64_t value, json::string_view, json::error_code&) { return values.push_int64(value), true; }
  bool on_uint64(std::uint64_t value, json::string_view, json::error_code&) { return values.push_uint64(value), true; }
  bool on_double(double value, json::string_view, json::error_code&) { return values.push_double(value), true; }
  bool on_bool(bool value, json::error_code&) { return values.push_bool(value), true; }
  bool on_null(json::error_code&) { return values.push_null(), true; }
  bool on_comment_part(json::string_view, json::error_code&) { return true; }
  bool on_comment(json::string_view, json::error_code&) { return true; }
};

/// As deep as deepest_answer.
std::size_t count_members(const json::value& in) noexcept {
  std::size_t count = 0;
  if (const auto* object = in.if_object()) {
    count = object->size();
    for (const auto& each : *object) count += count_members(each.value());
  } else if (const auto* array = in.if_array()) {
    for (const json::value& each : *array) count += count_members(each);
  }
  return count;
}

}  // namespace

std::optional<json::value> parse_answer(std::string_view text, const json::storage_ptr& memory) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  json::parse_options options;
  options.max_depth = deepest_answer;
  json::basic_parser<builder> parser(options, memory);
  json::error_code failed;
  const std::size_t read = parser.write_some(false, text.data(), text.size(), failed);
  if (failed || read != text.size()) return std::nullopt;
  json::value out = parser.handler().values.release();
  // Of two members of one name the object kept one: it is smaller than its text.
  if (count_members(out) != parser.handler().members) return std::nullopt;
  return out;
}

}  // namespace turnout::connectors
