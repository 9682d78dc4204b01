#include "sandbox/request_reading.hpp"

#include <algorithm>
#include <array>

namespace turnout::sandbox {
namespace json = boost::json;
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool has_control_character(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; });
}

}  // namespace

split_target split(std::string_view target) noexcept {
  const auto mark = target.find('?');
  if (mark == std::string_view::npos) return {target, {}};
  return {target.substr(0, mark), target.substr(mark + 1)};
}

std::optional<std::string> percent_decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    const int high = i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
    const int low = high >= 0 ? hex_digit(text[i + 2]) : -1;
    if (low < 0) return std::nullopt;
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return out;
}

std::optional<std::string> query_value(std::string_view query, std::string_view name) {
  while (!query.empty()) {
    const auto end = query.find('&');
    const auto pair = query.substr(0, end);
    query.remove_prefix(end == std::string_view::npos ? query.size() : end + 1);
    const auto equals = pair.find('=');
    if (pair.substr(0, equals) != name) continue;
    return percent_decoded(equals == std::string_view::npos ? std::string_view() : pair.substr(equals + 1));
  }
  return std::nullopt;
}

json_body::json_body(std::string_view text)
    : memory_(buffer_.bytes, sizeof buffer_.bytes), root_(parse(text, json::storage_ptr(&memory_))) {}

json::value json_body::parse(std::string_view text, json::storage_ptr memory) {
  if (text.empty()) return json::value(json::object_kind, std::move(memory));
  boost::system::error_code failed;
  json::value parsed = json::parse(text, failed, memory);
  if (failed) return json::value(nullptr, std::move(memory));
  return parsed;
}

const json::value* member_reader::find(std::string_view name, need how) {
  const json::value* const found = from_ ? from_->if_contains(name) : nullptr;
  if (found && !found->is_null()) return found;
  if (how == need::required) complain(name, "is required");
  return nullptr;
}

void member_reader::complain(std::string_view name, std::string_view message) {
  if (complaint_) return;
  std::string field = path_;
  if (!field.empty() && !name.empty()) field += '.';
  field += name;
  std::string said = field;
  said += ' ';
  said += message;
  complaint_ = rejection{refusal::invalid, std::move(said), std::move(field)};
}

std::string_view member_reader::text(std::string_view name, need how, std::size_t longest) {
  const auto* const found = find(name, how);
  if (!found) return {};
  const auto* const string = found->if_string();
  if (!string) {
    complain(name, "must be a string");
    return {};
  }
  const std::string_view value(string->data(), string->size());
  if (value.empty() && how == need::required) complain(name, "must not be empty");
  if (value.size() > longest) complain(name, "is too long");
  if (has_control_character(value)) complain(name, "has a control character");
  return value;
}

std::optional<std::int64_t> member_reader::integer(std::string_view name, need how) {
  const auto* const found = find(name, how);
  if (!found) return std::nullopt;
  if (const auto* number = found->if_int64()) return *number;
  complain(name, found->is_uint64() ? "is too large" : "must be an integer");
  return std::nullopt;
}

std::int64_t member_reader::small_number(std::string_view name) {
  const auto* const found = find(name, need::required);
  if (!found) return 0;
  if (const auto* number = found->if_int64()) return *number;
  if (const auto* string = found->if_string(); string && !string->empty() && string->size() <= 4) {
    std::int64_t number = 0;
    for (const char c : *string) {
      if (c < '0' || c > '9') {
        number = -1;
        break;
      }
      number = number * 10 + (c - '0');
    }
    if (number >= 0) return number;
  }
  complain(name, "must be a number");
  return 0;
}

bool member_reader::flag(std::string_view name, bool fallback) {
  const auto* const found = find(name, need::optional);
  if (!found) return fallback;
  if (const auto* value = found->if_bool()) return *value;
  complain(name, "must be true or false");
  return fallback;
}

member_reader member_reader::object(std::string_view name, need how) {
  const auto* const found = find(name, how);
  const auto* const inner = found ? found->if_object() : nullptr;
  if (found && !inner) complain(name, "must be an object");
  std::string path = path_;
  if (!path.empty()) path += '.';
  path += name;
  return member_reader(inner, std::move(path), complaint_);
}

std::optional<std::int64_t> read_minor(member_reader& from, std::string_view name, member_reader::need how) {
  const auto minor = from.integer(name, how);
  if (!minor) return std::nullopt;
  if (*minor <= 0) from.complain(name, "must be positive");
  if (*minor > payments::max_amount_minor) from.complain(name, "is too large");
  return minor;
}

std::optional<payments::currency> read_currency(member_reader& from, std::string_view name, member_reader::need how) {
  static constexpr std::array<std::string_view, 5> taken{"EUR", "USD", "GBP", "JPY", "KWD"};
  const auto code = from.text(name, how);
  if (code.empty()) return std::nullopt;
  if (std::find(taken.begin(), taken.end(), code) == taken.end()) {
    from.complain(name, "must be one of EUR, USD, GBP, JPY, KWD");
    return std::nullopt;
  }
  return payments::currency::find(code);
}

void settle_card(member_reader& from, const card_names& names, const presented_card& card, payments::wall_time now,
                 call& into) {
  const card_verdict verdict = check_card(card, now);
  into.forced = verdict.forced;
  into.card_digest = verdict.digest;
  switch (verdict.wrong) {
    case card_field::none: return;
    case card_field::number: return from.complain(names.number, verdict.message);
    case card_field::month: return from.complain(names.month, verdict.message);
    case card_field::year: return from.complain(names.year, verdict.message);
    case card_field::cvc: return from.complain(names.cvc, verdict.message);
  }
}

void read_authentication(member_reader& root, std::string_view return_url, std::string_view authentication,
                         call& into) {
  into.return_url = root.text(return_url, member_reader::need::optional, 2048);
  if (!into.return_url.empty() && !into.return_url.starts_with("http://") && !into.return_url.starts_with("https://"))
    root.complain(return_url, "must be an http or https URL");
  member_reader brought = root.object(authentication, member_reader::need::optional);
  if (!brought.has_object()) return;
  into.authenticated = !brought.text("cryptogram", member_reader::need::required).empty();
  if (into.authenticated && into.forced == payments::decline_reason::authentication_required)
    into.forced = payments::decline_reason::none;
}

std::optional<operation_kind> modification(std::string_view word) noexcept {
  if (word == "capture") return operation_kind::capture;
  if (word == "refund") return operation_kind::refund;
  if (word == "void") return operation_kind::void_charge;
  return std::nullopt;
}

}  // namespace turnout::sandbox
