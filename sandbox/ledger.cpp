#include "sandbox/ledger.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>

#include <boost/json.hpp>

#include "sandbox/charge_id.hpp"
#include "sandbox/json_text.hpp"

namespace turnout::sandbox {
namespace json = boost::json;
namespace {

void append_time(std::string& out, std::int64_t at_ms) {
  using namespace std::chrono;
  const sys_time<milliseconds> at{milliseconds{at_ms}};
  const auto day = floor<days>(at);
  const year_month_day date{day};
  const hh_mm_ss<milliseconds> time{at - day};
  char text[48];
  const auto number = [](auto count) { return static_cast<int>(count.count()); };
  const int length =
      std::snprintf(text, sizeof text, "\"%04d-%02u-%02uT%02d:%02d:%02d.%03dZ\"", static_cast<int>(date.year()),
                    static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), number(time.hours()),
                    number(time.minutes()), number(time.seconds()), number(time.subseconds()));
  out.append(text, static_cast<std::size_t>(length));
}

/// A line of the file: the public fields, and what a rebuilt gateway needs besides.
void append_line(std::string& out, const operation& from) {
  out += "{\"kind\":\"operation\",";
  append_fields(out, from);
  out += ",\"at_ms\":";
  append_number(out, from.at_ms);
  if (from.digest != 0) {
    out += ",\"digest\":";
    append_number(out, from.digest);
  }
  if (from.reason != payments::decline_reason::none) {
    out += ",\"reason\":";
    append_quoted(out, payments::to_string(from.reason));
  }
  if (from.why != refusal::none) {
    out += ",\"why\":";
    append_quoted(out, refusal_names[static_cast<std::size_t>(from.why)]);
  }
  if (!from.final_capture) out += ",\"final\":false";
  if (from.reversal) out += ",\"reversal\":true";
  out += "}\n";
}

template <typename Enum, std::size_t N>
Enum named(const std::array<std::string_view, N>& names, const json::value& text) {
  const auto found = std::find(names.begin(), names.end(), std::string_view(text.as_string()));
  if (found == names.end()) throw std::invalid_argument("unknown name");
  return static_cast<Enum>(found - names.begin());
}

/// Throws on anything that append_line does not write.
operation parse_operation(const json::object& line) {
  operation what;
  what.seq = line.at("seq").to_number<std::uint64_t>();
  what.at_ms = line.at("at_ms").to_number<std::int64_t>();
  what.gateway = named<std::uint8_t>(gateway_names, line.at("gateway"));
  what.kind = named<operation_kind>(operation_names, line.at("operation"));
  what.result = named<operation_result>(result_names, line.at("result"));
  what.reference = line.at("reference").as_string();
  if (const auto& key = line.at("idempotency_key"); !key.is_null()) what.key = key.as_string();
  if (const auto& id = line.at("charge"); !id.is_null()) {
    what.charge = charge_number(charge_prefixes[what.gateway], std::string_view(id.as_string())).value();
  }
  what.amount = line.at("amount").to_number<std::int64_t>();
  if (const auto& code = line.at("currency"); !code.is_null()) {
    what.unit = payments::currency::find(std::string_view(code.as_string())).value();
  }
  what.replayed = line.at("replayed").as_bool();
  if (const auto* digest = line.if_contains("digest")) what.digest = digest->to_number<std::uint64_t>();
  if (const auto* reason = line.if_contains("reason")) {
    what.reason = payments::parse_decline_reason(std::string_view(reason->as_string())).value();
  }
  if (const auto* why = line.if_contains("why")) what.why = named<refusal>(refusal_names, *why);
  if (const auto* last = line.if_contains("final")) what.final_capture = last->as_bool();
  if (const auto* reversal = line.if_contains("reversal")) what.reversal = reversal->as_bool();
  return what;
}

}  // namespace

void append_fields(std::string& out, const operation& from) {
  out += "\"seq\":";
  append_number(out, from.seq);
  out += ",\"at\":";
  append_time(out, from.at_ms);
  out += ",\"gateway\":\"";
  out += gateway_names[from.gateway];
  out += "\",\"operation\":\"";
  out += operation_names[static_cast<std::size_t>(from.kind)];
  out += "\",\"reference\":";
  append_quoted(out, from.reference);
  out += ",\"idempotency_key\":";
  if (from.key.empty()) {
    out += "null";
  } else {
    append_quoted(out, from.key);
  }
  out += ",\"charge\":";
  if (from.charge == 0) {
    out += "null";
  } else {
    append_quoted(out, charge_id(charge_prefixes[from.gateway], from.charge));
  }
  out += ",\"amount\":";
  append_number(out, from.amount);
  out += ",\"currency\":";
  if (from.unit) {
    append_quoted(out, from.unit->code());
  } else {
    out += "null";
  }
  out += ",\"result\":\"";
  out += result_names[static_cast<std::size_t>(from.result)];
  out += from.replayed ? "\",\"replayed\":true" : "\",\"replayed\":false";
}

std::string ledger::header_line() const {
  std::string line = "{\"kind\":\"sandbox\",\"version\":1,\"salt\":";
  append_number(line, salt_);
  line += "}\n";
  return line;
}

void ledger::keep_in(const std::string& path, const std::function<void(const operation&)>& each) {
  bool headed = false;
  auto file = std::make_unique<ledger_file>(path, [&](std::string_view line) {
    if (headed) return read_line(line, each);
    boost::system::error_code failed;
    const json::value header = json::parse(line, failed);
    const auto* object = failed ? nullptr : header.if_object();
    const auto* kind = object ? object->if_contains("kind") : nullptr;
    const auto* salt = object ? object->if_contains("salt") : nullptr;
    if (!kind || *kind != json::value("sandbox") || !salt || !salt->is_number()) return false;
    salt_ = salt->to_number<std::uint64_t>(failed);
    headed = !failed;
    return headed;
  });
  if (!headed) file->append(header_line());
  file_ = std::move(file);
}

bool ledger::read_line(std::string_view line, const std::function<void(const operation&)>& each) {
  try {
    const json::value document = json::parse(line);
    operation what = parse_operation(document.as_object());
    if (what.seq != operations_.size() + 1) return false;
    what.reference = texts_.keep(what.reference);
    what.key = texts_.keep(what.key);
    next_charge_ = std::max(next_charge_, what.charge + 1);
    operations_.push_back(what);
  } catch (const std::exception&) {
    return false;
  }
  each(operations_.back());
  return true;
}

const operation& ledger::append(operation what) {
  what.seq = operations_.size() + 1;
  const bool same = what.key == what.reference;  // the usual case: keep one copy
  what.reference = texts_.keep(what.reference);
  what.key = same ? what.reference : texts_.keep(what.key);
  operations_.push_back(what);
  if (file_) append_line(unwritten_, operations_.back());
  return operations_.back();
}

void ledger::sync() {
  if (unwritten_.empty()) return;
  file_->append(unwritten_);
  unwritten_.clear();
}

void ledger::reset() {
  operations_.clear();
  texts_.clear();
  unwritten_.clear();
  if (file_) file_->restart(header_line());
}

std::string ledger::to_json(const filter& wanted) const {
  std::string out = "{\"operations\":[";
  bool first = true;
  for (std::size_t i = std::min<std::uint64_t>(wanted.since, operations_.size()); i < operations_.size(); ++i) {
    const operation& each = operations_[i];
    if (wanted.gateway && each.gateway != *wanted.gateway) continue;
    out += first ? "{" : ",{";
    first = false;
    append_fields(out, each);
    out += '}';
  }
  out += "]}";
  return out;
}

}  // namespace turnout::sandbox
