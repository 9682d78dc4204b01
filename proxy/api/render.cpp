#include "proxy/api/render.hpp"

#include "proxy/api/json_text.hpp"

namespace turnout::api {

namespace {

/// `,"name":` with the comma and the quotes.
void name(std::string& out, std::string_view field) { out.append(",\"").append(field).append("\":"); }

void text(std::string& out, std::string_view field, std::string_view value) {
  name(out, field);
  append_string(out, value);
}

void text_or_null(std::string& out, std::string_view field, std::string_view value) {
  name(out, field);
  append_string_or_null(out, value);
}

void text_if_any(std::string& out, std::string_view field, std::string_view value) {
  if (!value.empty()) text(out, field, value);
}

void integer(std::string& out, std::string_view field, std::int64_t value) {
  name(out, field);
  append_integer(out, value);
}

void append_attempt(std::string& out, const payments::attempt& each) {
  out.append("{\"id\":");
  append_string(out, each.id);
  text(out, "connector", each.connector);
  text(out, "operation", to_string(each.operation));
  text_or_null(out, "outcome", each.in_flight ? std::string_view{} : to_string(each.outcome));
  text_if_any(out, "code", each.code);
  text_if_any(out, "reason", to_string(each.reason));
  text_if_any(out, "gateway_code", each.gateway_code);
  text_if_any(out, "gateway_reference", each.gateway_reference);
  if (each.reversal != payments::reversal_state::none) {
    text(out, "reversal", to_string(each.reversal));
    text_if_any(out, "reversal_reason", each.reversal_reason);
  }
  name(out, "latency_ms");
  if (each.in_flight)
    out.append("null");
  else
    append_integer(out, each.latency.count());
  name(out, "started_at");
  append_time(out, each.started_at);
  out.push_back('}');
}

void append_attempts(std::string& out, const std::vector<payments::attempt>& attempts) {
  out.push_back('[');
  for (const payments::attempt& each : attempts) {
    if (&each != &attempts.front()) out.push_back(',');
    append_attempt(out, each);
  }
  out.push_back(']');
}

void append_error(std::string& out, const payments::payment_error& error) {
  out.append("{\"code\":");
  append_string(out, error.code);
  text(out, "message", error.message);
  text_or_null(out, "reason", to_string(error.reason));
  text_or_null(out, "class", error.group ? to_string(*error.group) : std::string_view{});
  text_or_null(out, "advice", error.advice ? to_string(*error.advice) : std::string_view{});
  if (error.retry_after) integer(out, "retry_after", error.retry_after->count());
  text_or_null(out, "connector", error.connector);
  text_or_null(out, "gateway_code", error.gateway_code);
  out.push_back('}');
}

void append_action(std::string& out, const payments::payment& record) {
  const payments::shopper_action& action = record.next_action;
  out.append(action.form ? "{\"type\":\"form\"" : "{\"type\":\"redirect\"");
  text(out, "url", action.url);
  if (action.form) {
    out.append(",\"method\":\"POST\",\"fields\":{");
    for (const auto& [key, value] : action.fields) {
      if (out.back() != '{') out.push_back(',');
      append_string(out, key);
      out.push_back(':');
      append_string(out, value);
    }
    out.push_back('}');
  }
  if (record.action_expires_at) {
    name(out, "expires_at");
    append_time(out, *record.action_expires_at);
  }
  out.push_back('}');
}

void append_card(std::string& out, const payments::card_summary& card) {
  out.append("{\"brand\":");
  append_string(out, to_string(card.brand));
  text(out, "bin", card.bin);
  text(out, "last4", card.last4);
  integer(out, "exp_month", card.exp_month);
  integer(out, "exp_year", card.exp_year);
  out.push_back('}');
}

std::string_view describe_failure(const payments::modification& each) {
  if (each.code == "reversed") return "The payment itself was reversed.";
  if (each.code == "gateway_unavailable") return "The gateway could not be reached for a day; nothing was done.";
  if (each.code == "authorization_expired") return "The authorization expired before the gateway could be reached.";
  return "The payment gateway refused it.";
}

void append_modification(std::string& out, const payments::payment& record, const payments::modification& each) {
  out.append("{\"id\":");
  append_string(out, each.id);
  text(out, "object", to_string(each.kind));
  out.append(",\"livemode\":").append(record.livemode ? "true" : "false");
  text(out, "payment", record.id);
  text(out, "status", to_string(each.status));
  integer(out, "amount", each.amount);
  text(out, "currency", record.amount.unit.code());
  if (each.kind == payments::modification_kind::capture)
    out.append(",\"final\":").append(each.final_capture ? "true" : "false");
  text_or_null(out, "reference", each.reference);
  text_or_null(out, "reason", each.reason);
  text_or_null(out, "connector", record.connector);
  text_or_null(out, "gateway_reference", each.gateway_reference);
  name(out, "error");
  if (each.status == payments::modification_status::failed) {
    out.append("{\"code\":");
    append_string(out, each.code);
    text(out, "message", describe_failure(each));
    text_or_null(out, "gateway_code", each.gateway_code);
    out.push_back('}');
  } else {
    out.append("null");
  }
  name(out, "created_at");
  append_time(out, each.created_at);
  name(out, "updated_at");
  append_time(out, each.updated_at);
  out.push_back('}');
}

}  // namespace

std::string render_payment(const payments::payment& record) {
  std::string out;
  out.reserve(768 + 256 * record.attempts.size() + 64 * record.metadata.size());
  out.append("{\"id\":");
  append_string(out, record.id);
  out.append(",\"object\":\"payment\",\"livemode\":").append(record.livemode ? "true" : "false");
  text(out, "status", to_string(record.status));
  integer(out, "amount", record.amount.minor);
  text(out, "currency", record.amount.unit.code());
  integer(out, "amount_authorized", record.amount_authorized);
  integer(out, "amount_captured", record.amount_captured);
  integer(out, "amount_refunded", record.amount_refunded);
  text_or_null(out, "reference", record.reference);
  text_or_null(out, "connector", record.connector);
  out.append(",\"payment_method\":{\"type\":");
  append_string(out, record.method);
  name(out, "card");
  append_card(out, record.card);
  out.push_back('}');
  if (record.authentication) {
    out.append(",\"authentication\":{\"version\":");
    append_string(out, record.authentication->version);
    text(out, "eci", record.authentication->eci);
    text_if_any(out, "ds_transaction_id", record.authentication->ds_transaction_id);
    out.push_back('}');
  }
  name(out, "attempts");
  append_attempts(out, record.attempts);
  out.append(",\"conversion\":null,\"next_action\":");
  if (record.status == payments::payment_status::requires_action && !record.next_action.empty()) {
    append_action(out, record);
  } else {
    out.append("null");
  }
  name(out, "attention");
  if (record.attention) {
    out.append("{\"since\":");
    append_time(out, record.attention->since);
    text(out, "reason", record.attention->reason);
    out.push_back('}');
  } else {
    out.append("null");
  }
  name(out, "error");
  if (record.error)
    append_error(out, *record.error);
  else
    out.append("null");
  out.append(",\"metadata\":{");
  for (const auto& [key, value] : record.metadata) {
    if (out.back() != '{') out.push_back(',');
    append_string(out, key);
    out.push_back(':');
    append_string(out, value);
  }
  out.push_back('}');
  if (record.capture_before && record.status == payments::payment_status::authorized) {
    name(out, "capture_before");
    append_time(out, *record.capture_before);
  }
  name(out, "created_at");
  append_time(out, record.created_at);
  name(out, "updated_at");
  append_time(out, record.updated_at);
  out.push_back('}');
  return out;
}

core::stored_answer render_created(const payments::payment& record) {
  const bool processing = record.status == payments::payment_status::processing;
  return {processing ? 202u : 201u, render_payment(record)};
}

std::string render_list(std::string data, std::string_view next_cursor) {
  std::string out = "{\"object\":\"list\",\"data\":" + std::move(data) + ",\"next_cursor\":";
  append_string_or_null(out, next_cursor);
  out.push_back('}');
  return out;
}

core::stored_answer render_modified(const payments::payment& record, std::string_view object) {
  for (const payments::modification& each : record.modifications) {
    if (each.id != object || each.kind == payments::modification_kind::cancellation) continue;
    std::string body;
    append_modification(body, record, each);
    return {each.status == payments::modification_status::pending ? 202u : 201u, std::move(body)};
  }
  if (!object.starts_with("can_")) return {};
  bool pending = !is_final(record.status);
  for (const payments::modification& each : record.modifications)
    pending = pending || (each.id == object && each.status == payments::modification_status::pending);
  return {pending ? 202u : 201u, render_payment(record)};
}

std::string render_modifications(const payments::payment& record, payments::modification_kind kind) {
  std::string data = "[";
  for (const payments::modification& each : record.modifications) {
    if (each.kind != kind) continue;
    if (data.size() > 1) data.push_back(',');
    append_modification(data, record, each);
  }
  data.push_back(']');
  return render_list(std::move(data), {});
}

std::string render_attempts(const payments::payment& record) {
  std::string data;
  append_attempts(data, record.attempts);
  return render_list(std::move(data), {});
}

std::string render_events(const std::vector<payments::payment_event>& events, std::string_view next_cursor) {
  std::string data = "[";
  for (const payments::payment_event& each : events) {
    if (data.size() > 1) data.push_back(',');
    data.append("{\"type\":");
    append_string(data, to_string(each.type));
    name(data, "at");
    append_time(data, each.at);
    const bool about_attempt = each.attempt.starts_with("att_");
    text_or_null(data, "attempt", about_attempt ? std::string_view(each.attempt) : std::string_view{});
    text_if_any(data, "modification", about_attempt ? std::string_view{} : std::string_view(each.attempt));
    text_or_null(data, "code", each.code);
    data.push_back('}');
  }
  data.push_back(']');
  return render_list(std::move(data), next_cursor);
}

std::string render_decisions(const std::vector<std::string>& decisions, std::string_view next_cursor) {
  std::string data = "[";
  for (const std::string& each : decisions) {
    if (data.size() > 1) data.push_back(',');
    data.append(each);
  }
  data.push_back(']');
  return render_list(std::move(data), next_cursor);
}

}  // namespace turnout::api
