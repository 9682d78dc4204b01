// Writing a record. Every payment passes here twice, hence text is appended
// directly instead of building a tree of values first.
#include "proxy/journal/record_json.hpp"

#include <charconv>

namespace turnout::journal {

namespace {

class json_writer {
 public:
  explicit json_writer(std::string& out) : out_(out) {}

  void open(char bracket) {
    out_ += bracket;
    first_ = true;
  }
  void close(char bracket) {
    out_ += bracket;
    first_ = false;
  }
  void comma() {
    if (!first_) out_ += ',';
    first_ = false;
  }
  /// `name` must need no escaping: ours never do.
  void name(std::string_view member) {
    comma();
    out_ += '"';
    out_ += member;
    out_ += "\":";
  }
  void number(std::string_view member, std::int64_t value) {
    name(member);
    digits(value);
  }
  void digits(std::int64_t value) {
    char text[24];
    const auto end = std::to_chars(text, text + sizeof text, value).ptr;
    out_.append(text, end);
  }
  void number_unless_zero(std::string_view member, std::int64_t value) {
    if (value != 0) number(member, value);
  }
  void time(std::string_view member, payments::wall_time value) { number(member, to_stored(value)); }
  void flag(std::string_view member, bool value) {
    if (!value) return;
    name(member);
    out_ += "true";
  }
  void text(std::string_view member, std::string_view value) {
    if (value.empty()) return;
    name(member);
    string(value);
  }
  void string(std::string_view value) {
    out_ += '"';
    std::size_t plain = 0;
    for (std::size_t at = 0; at < value.size(); ++at) {
      const auto byte = static_cast<unsigned char>(value[at]);
      if (byte >= 0x20 && byte != '"' && byte != '\\') continue;
      out_.append(value, plain, at - plain);
      escape(byte);
      plain = at + 1;
    }
    out_.append(value, plain, value.size() - plain);
    out_ += '"';
  }

 private:
  void escape(unsigned char byte) {
    constexpr char hex[] = "0123456789abcdef";
    out_ += '\\';
    if (byte == '"' || byte == '\\') {
      out_ += static_cast<char>(byte);
    } else {
      out_ += "u00";
      out_ += hex[byte >> 4];
      out_ += hex[byte & 15];
    }
  }

  std::string& out_;
  bool first_ = true;
};

void write_card(json_writer& json, const payments::card_summary& card) {
  json.name("card");
  json.open('{');
  json.text("brand", to_string(card.brand));
  json.text("bin", card.bin);
  json.text("last4", card.last4);
  json.number_unless_zero("exp_month", card.exp_month);
  json.number_unless_zero("exp_year", card.exp_year);
  json.text("fingerprint", card.fingerprint);
  json.close('}');
}

void write_customer(json_writer& json, const payments::customer& buyer) {
  if (buyer.id.empty() && buyer.email.empty() && buyer.country.empty()) return;
  json.name("customer");
  json.open('{');
  json.text("id", buyer.id);
  json.text("email", buyer.email);
  json.text("country", buyer.country);
  json.close('}');
}

// Pairs, not an object: the merchant's order is kept, and a repeated key too.
void write_pairs(json_writer& json, std::string_view member,
                 const std::vector<std::pair<std::string, std::string>>& pairs) {
  if (pairs.empty()) return;
  json.name(member);
  json.open('[');
  for (const auto& [key, value] : pairs) {
    json.comma();
    json.open('[');
    json.comma();
    json.string(key);
    json.comma();
    json.string(value);
    json.close(']');
  }
  json.close(']');
}

void write_action(json_writer& json, const payments::shopper_action& action) {
  json.text("next_action_url", action.url);
  json.flag("next_action_form", action.form);
  write_pairs(json, "next_action_fields", action.fields);
}

void write_authentication(json_writer& json, const payments::authentication& brought) {
  json.name("authentication");
  json.open('{');
  json.text("version", brought.version);
  json.text("eci", brought.eci);
  json.text("ds_transaction_id", brought.ds_transaction_id);
  json.close('}');
}

void write_attempt(json_writer& json, const payments::attempt& attempt) {
  json.comma();
  json.open('{');
  json.text("id", attempt.id);
  json.text("connector", attempt.connector);
  json.text("operation", to_string(attempt.operation));
  json.number("amount", attempt.amount.minor);
  json.text("currency", attempt.amount.unit.code());
  json.flag("in_flight", attempt.in_flight);
  json.text("outcome", to_string(attempt.outcome));
  json.text("code", attempt.code);
  json.text("reason", to_string(attempt.reason));
  json.text("gateway_code", attempt.gateway_code);
  json.text("gateway_reference", attempt.gateway_reference);
  json.flag("captured", attempt.captured);
  if (attempt.reversal != payments::reversal_state::none) json.text("reversal", to_string(attempt.reversal));
  json.text("reversal_reason", attempt.reversal_reason);
  json.flag("seen_approved", attempt.seen_approved);
  if (attempt.found_amount) json.number("found_amount", *attempt.found_amount);
  json.text("twin_of", attempt.twin_of);
  json.flag("doubted", attempt.doubted);
  if (attempt.look_again_at) json.time("look_again_at", *attempt.look_again_at);
  json.number_unless_zero("looks", attempt.looks);
  write_pairs(json, "kept", attempt.kept);
  json.number_unless_zero("sends", attempt.sends);
  json.number_unless_zero("latency_ms", attempt.latency.count());
  json.time("started_at", attempt.started_at);
  json.time("ended_at", attempt.ended_at);
  json.close('}');
}

void write_modification(json_writer& json, const payments::modification& each) {
  json.comma();
  json.open('{');
  json.text("id", each.id);
  json.text("kind", to_string(each.kind));
  json.text("operation", to_string(each.operation));
  json.number("amount", each.amount);
  json.flag("final", each.final_capture);
  json.text("status", to_string(each.status));
  json.flag("in_flight", each.in_flight);
  json.flag("doubtful", each.doubtful);
  json.text("cause", each.cause);
  json.text("reference", each.reference);
  json.text("reason", each.reason);
  json.text("code", each.code);
  json.text("gateway_code", each.gateway_code);
  json.text("gateway_reference", each.gateway_reference);
  json.number_unless_zero("sends", each.sends);
  if (each.told_amount) json.number("told_amount", *each.told_amount);
  if (each.not_before) json.time("not_before", *each.not_before);
  if (each.first_sent_at) json.time("first_sent_at", *each.first_sent_at);
  json.time("created_at", each.created_at);
  json.time("updated_at", each.updated_at);
  json.close('}');
}

void write_resolution(json_writer& json, const payments::resolution& word) {
  json.comma();
  json.open('{');
  json.text("target", word.target);
  json.text("as", to_string(word.as));
  json.text("by", word.by);
  json.text("reason", word.reason);
  json.text("gateway_reference", word.gateway_reference);
  json.text("before", word.before);
  json.text("after", word.after);
  json.time("at", word.at);
  json.close('}');
}

void write_error(json_writer& json, const payments::payment_error& error) {
  json.name("error");
  json.open('{');
  json.text("code", error.code);
  json.text("message", error.message);
  json.text("reason", to_string(error.reason));
  if (error.group) json.text("class", to_string(*error.group));
  if (error.advice) json.text("advice", to_string(*error.advice));
  if (error.retry_after) json.number("retry_after_s", error.retry_after->count());
  json.text("connector", error.connector);
  json.text("gateway_code", error.gateway_code);
  json.close('}');
}

}  // namespace

std::int64_t to_stored(payments::wall_time when) noexcept {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(when.time_since_epoch()).count();
}

payments::wall_time from_stored(std::int64_t nanoseconds) noexcept {
  return payments::wall_time(
      std::chrono::duration_cast<payments::wall_time::duration>(std::chrono::nanoseconds(nanoseconds)));
}

void write_record(const payments::payment& record, std::string& out) {
  json_writer json(out);
  json.open('{');
  json.number("v", 1);
  json.text("id", record.id);
  json.text("merchant", record.merchant);
  json.flag("livemode", record.livemode);
  json.text("status", to_string(record.status));
  json.number("amount", record.amount.minor);
  json.text("currency", record.amount.unit.code());
  json.text("capture", to_string(record.capture));
  json.number_unless_zero("amount_authorized", record.amount_authorized);
  json.number_unless_zero("amount_captured", record.amount_captured);
  json.number_unless_zero("amount_refunded", record.amount_refunded);
  json.text("method", record.method);
  write_card(json, record.card);
  json.text("reference", record.reference);
  write_customer(json, record.buyer);
  json.text("return_url", record.return_url);
  write_pairs(json, "metadata", record.metadata);
  json.text("policy", record.policy);
  json.text("connector", record.connector);
  if (!record.attempts.empty()) {
    json.name("attempts");
    json.open('[');
    for (const auto& attempt : record.attempts) write_attempt(json, attempt);
    json.close(']');
  }
  if (!record.modifications.empty()) {
    json.name("modifications");
    json.open('[');
    for (const auto& each : record.modifications) write_modification(json, each);
    json.close(']');
  }
  if (!record.resolutions.empty()) {
    json.name("resolutions");
    json.open('[');
    for (const auto& each : record.resolutions) write_resolution(json, each);
    json.close(']');
  }
  if (record.error) write_error(json, *record.error);
  if (record.attention) {
    json.name("attention");
    json.open('{');
    json.time("since", record.attention->since);
    json.text("reason", record.attention->reason);
    json.close('}');
  }
  if (record.authentication) write_authentication(json, *record.authentication);
  write_action(json, record.next_action);
  if (record.action_expires_at) json.time("action_expires_at", *record.action_expires_at);
  json.flag("action_expired", record.action_expired);
  json.flag("cancel_requested", record.cancel_requested);
  json.flag("answered", record.answered);
  json.flag("interrupted", record.interrupted);
  if (record.expires_at) json.time("expires_at", *record.expires_at);
  if (record.capture_before) json.time("capture_before", *record.capture_before);
  json.time("created_at", record.created_at);
  json.time("updated_at", record.updated_at);
  json.close('}');
}

void write_events(const std::vector<payments::payment_event>& events, std::string& out) {
  json_writer json(out);
  json.open('[');
  for (const auto& event : events) {
    json.comma();
    json.open('[');
    json.comma();
    json.string(to_string(event.type));
    json.comma();
    json.digits(to_stored(event.at));
    json.comma();
    json.string(event.attempt);
    json.comma();
    json.string(event.code);
    if (event.amount) {
      json.comma();
      json.digits(event.amount->minor);
      json.comma();
      json.string(event.amount->unit.code());
    }
    json.close(']');
  }
  json.close(']');
}

void write_array(const std::vector<std::string>& values, std::string& out) {
  json_writer json(out);
  json.open('[');
  for (const auto& value : values) {
    json.comma();
    out += value;
  }
  json.close(']');
}

}  // namespace turnout::journal
