#include "proxy/cli/payment_story.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <ctime>

#include <boost/json/array.hpp>

#include "payments/modification_rules.hpp"
#include "payments/resolution.hpp"

namespace turnout::cli {

namespace {

namespace json = boost::json;
using payments::outcome;
using payments::wall_time;

std::string amount(const payments::money& value) {
  return payments::to_decimal(value) + " " + std::string(value.unit.code());
}

/// Text from outside must not move the terminal's cursor.
std::string printable(std::string_view text) {
  std::string out;
  for (const char each : text) {
    const auto byte = static_cast<unsigned char>(each);
    out += byte < 0x20 || byte == 0x7f ? '?' : each;
  }
  return out;
}

bool asks(const payments::connector_profile& gateway) {
  return gateway.resolve.inquire && gateway.offers(payments::operation::inquire);
}

constexpr const char* by_hand = "nothing can prove it: find out at the gateway, then turnout payments resolve";

std::string awaited_of_unknown(const payments::payment& record, const payments::attempt& each,
                               const payments::connector_profile& gateway) {
  std::string ways;
  const auto add = [&](const std::string& way) { ways += (ways.empty() ? "" : ", or ") + way; };
  if (!record.interrupted && gateway.resolve.replay && gateway.idempotency.replay_is_proof() &&
      std::chrono::system_clock::now() - each.started_at < gateway.resolve.replay_for)
    add("the answer to a replay");
  if (asks(gateway))
    add(gateway.resolve.not_found_final_after
            ? "an inquiry that finds it, or finds nothing " +
                  std::to_string(gateway.resolve.not_found_final_after->count() / 1000) + " s after the last try"
            : "an inquiry that finds it");
  if (gateway.resolve.reverse && gateway.resolve.reverse_blocks_late) add("an acknowledged reversal");
  return ways.empty() ? by_hand : ways;
}

std::string awaited(const payments::payment& record, const payments::attempt& each,
                    const payments::connector_profile* gateway) {
  if (gateway == nullptr)
    return "connector " + each.connector + " is not configured: bring it back, or find out and resolve by hand";
  if (each.in_flight) return "its first answer";
  if (each.reversal == payments::reversal_state::wanted)
    return "confirmation that it is reversed (" + each.reversal_reason + ")";
  if (each.outcome == outcome::requires_action && !record.action_expired)
    return record.action_expires_at ? "the shopper, until " + timestamp(*record.action_expires_at) : "the shopper";
  if (each.outcome == outcome::pending) return "the gateway's decision";
  return awaited_of_unknown(record, each, *gateway);
}

std::string sends(int count, std::optional<wall_time> first) {
  std::string text = std::to_string(count) + (count == 1 ? " send" : " sends");
  if (first) text += ", the first at " + timestamp(*first);
  return text;
}

std::string with_code(std::string state, const std::string& code) {
  return code.empty() ? state : std::move(state) + " (" + printable(code) + ")";
}

std::string line_of(const payments::attempt& each) {
  std::string line = each.id + "  " + each.connector + "  " + std::string(to_string(each.operation)) + " " +
                     amount(each.amount) + "  " +
                     with_code(each.in_flight ? "in_flight" : std::string(to_string(each.outcome)), each.code) + "  " +
                     sends(each.sends, each.started_at);
  if (each.reason != payments::decline_reason::none) line += "  reason " + std::string(to_string(each.reason));
  if (!each.gateway_code.empty()) line += "  gateway code " + printable(each.gateway_code);
  if (!each.gateway_reference.empty()) line += "  at the gateway: " + printable(each.gateway_reference);
  if (each.reversal != payments::reversal_state::none)
    line += "  reversal " + std::string(to_string(each.reversal)) + " (" + each.reversal_reason + ")";
  return line;
}

std::string line_of(const payments::modification& each, payments::currency unit) {
  std::string line = each.id + "  " + std::string(to_string(each.kind)) + " " + amount({each.amount, unit}) + "  " +
                     with_code(each.doubtful ? "in doubt" : std::string(to_string(each.status)), each.code) + "  " +
                     sends(each.sends, each.first_sent_at) + "  asked by " + each.cause;
  if (!each.gateway_reference.empty()) line += "  at the gateway: " + printable(each.gateway_reference);
  return line;
}

json::value text_or_null(std::string_view text) { return text.empty() ? json::value() : json::value(text); }

}  // namespace

std::string timestamp(wall_time at) {
  const auto since = std::chrono::duration_cast<std::chrono::milliseconds>(at.time_since_epoch());
  const std::time_t seconds = since.count() / 1000;
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[40];
  const std::size_t length = std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts);
  std::snprintf(text + length, sizeof text - length, ".%03dZ", static_cast<int>(since.count() % 1000));
  return text;
}

std::string age(std::chrono::system_clock::duration span) {
  const auto total = std::max<std::int64_t>(0, std::chrono::duration_cast<std::chrono::seconds>(span).count());
  struct unit {
    std::int64_t seconds;
    const char* name;
  };
  constexpr unit units[] = {{86400, "d"}, {3600, "h"}, {60, "m"}, {1, "s"}};
  std::string text;
  std::int64_t left = total;
  int parts = 0;
  for (const unit& each : units) {
    if (parts == 2 || (left < each.seconds && parts == 0 && each.seconds > 1)) continue;
    text += (text.empty() ? "" : " ") + std::to_string(left / each.seconds) + each.name;
    left %= each.seconds;
    ++parts;
  }
  return text;
}

std::vector<open_question> open_questions(const payments::payment& record, const profiles& known) {
  std::vector<open_question> open;
  for (const payments::attempt& each : record.attempts) {
    if (!each.unresolved() && each.reversal != payments::reversal_state::wanted) continue;
    open.push_back({each.id, each.connector, std::string(to_string(each.operation)) + " " + amount(each.amount),
                    with_code(state_of(record, each.id), each.code), sends(each.sends, each.started_at),
                    awaited(record, each, known(each.connector)), each.started_at});
  }
  const auto standing = standing_attempt(record);
  for (const payments::modification& each : record.modifications) {
    if (each.status != payments::modification_status::pending || !standing) continue;
    const payments::attempt& at = record.attempts[*standing];
    std::string awaits = each.doubtful    ? "proof that it was done, or not, or resolve by hand"
                         : each.sends > 0 ? "a gateway that can be reached"
                                          : "its turn";
    if (each.not_before && wall_time(std::chrono::system_clock::now()) < *each.not_before)
      awaits = "the gateway takes it from " + timestamp(*each.not_before) + " on";
    open.push_back({each.id, at.connector,
                    std::string(to_string(each.kind)) + " " + amount({each.amount, at.amount.unit}),
                    with_code(state_of(record, each.id), each.code), sends(each.sends, each.first_sent_at),
                    std::move(awaits), each.first_sent_at.value_or(each.created_at)});
  }
  std::stable_sort(open.begin(), open.end(), [](const auto& a, const auto& b) { return a.since < b.since; });
  return open;
}

std::string story(const payments::payment& record, const profiles& known, wall_time now) {
  std::string out = record.id + "  " + std::string(to_string(record.status)) + "  " + amount(record.amount) + "  " +
                    record.merchant + "  " + (record.livemode ? "live" : "test") + "  created " +
                    timestamp(record.created_at) + "\n";
  const auto line = [&](const std::string& text) { out += "  " + text + "\n"; };
  const auto money = [&](std::int64_t minor) { return amount({minor, record.amount.unit}); };
  if (!record.reference.empty()) line("reference " + printable(record.reference));
  if (record.amount_authorized != 0 || record.amount_captured != 0)
    line("authorized " + money(record.amount_authorized) + ", captured " + money(record.amount_captured) +
         ", refunded " + money(record.amount_refunded));
  if (record.cancel_requested) line("the merchant asked to cancel it");
  if (record.error) line("error " + record.error->code + ": " + printable(record.error->message));
  if (record.attention)
    line("needs attention since " + timestamp(record.attention->since) + ": " + record.attention->reason);
  for (const payments::attempt& each : record.attempts) line(line_of(each));
  for (const payments::modification& each : record.modifications)
    line(line_of(each, record.attempts.empty() ? record.amount.unit : record.attempts.back().amount.unit));
  for (const open_question& each : open_questions(record, known))
    line("open for " + age(now - each.since) + ": " + each.target + " at " + each.connector + " is " + each.state +
         "; awaits " + each.awaits);
  for (const payments::resolution& each : record.resolutions)
    line("resolved by " + printable(each.by) + " at " + timestamp(each.at) + ": " + each.target + " " +
         std::string(to_string(each.as)) + ", " + each.before + " before and " + each.after + " after; \"" +
         printable(each.reason) + "\"" +
         (each.gateway_reference.empty() ? "" : ", at the gateway: " + printable(each.gateway_reference)));
  return out;
}

std::string story_of_events(const std::vector<payments::payment_event>& events) {
  std::string out;
  for (const payments::payment_event& each : events) {
    char type[32];
    std::snprintf(type, sizeof type, "%-22s", std::string(to_string(each.type)).c_str());
    out += "  " + timestamp(each.at) + "  " + type + "  " + each.attempt + (each.attempt.empty() ? "" : " ") +
           printable(each.code) + "\n";
  }
  return out;
}

json::object to_json(const payments::payment& record, const profiles& known, wall_time now) {
  json::object made{{"payment", record.id},
                    {"status", to_string(record.status)},
                    {"amount", record.amount.minor},
                    {"currency", record.amount.unit.code()},
                    {"amount_authorized", record.amount_authorized},
                    {"amount_captured", record.amount_captured},
                    {"amount_refunded", record.amount_refunded},
                    {"merchant", record.merchant},
                    {"livemode", record.livemode},
                    {"reference", text_or_null(record.reference)},
                    {"created_at", timestamp(record.created_at)},
                    {"age_seconds", std::chrono::duration_cast<std::chrono::seconds>(now - record.created_at).count()}};
  if (record.attention)
    made["attention"] = {{"since", timestamp(record.attention->since)}, {"reason", record.attention->reason}};
  else
    made["attention"] = nullptr;
  json::array open, attempts, changes, words;
  for (const open_question& each : open_questions(record, known))
    open.push_back({{"target", each.target},
                    {"connector", each.connector},
                    {"what", each.what},
                    {"state", each.state},
                    {"tried", each.tried},
                    {"awaits", each.awaits},
                    {"age_seconds", std::chrono::duration_cast<std::chrono::seconds>(now - each.since).count()}});
  for (const payments::attempt& each : record.attempts)
    attempts.push_back({{"id", each.id},
                        {"connector", each.connector},
                        {"operation", to_string(each.operation)},
                        {"amount", each.amount.minor},
                        {"currency", each.amount.unit.code()},
                        {"state", state_of(record, each.id)},
                        {"code", text_or_null(each.code)},
                        {"gateway_reference", text_or_null(each.gateway_reference)},
                        {"sends", each.sends},
                        {"started_at", timestamp(each.started_at)}});
  for (const payments::modification& each : record.modifications)
    changes.push_back({{"id", each.id},
                       {"kind", to_string(each.kind)},
                       {"amount", each.amount},
                       {"state", state_of(record, each.id)},
                       {"code", text_or_null(each.code)},
                       {"cause", each.cause},
                       {"sends", each.sends},
                       {"created_at", timestamp(each.created_at)}});
  for (const payments::resolution& each : record.resolutions)
    words.push_back({{"target", each.target},
                     {"as", to_string(each.as)},
                     {"by", each.by},
                     {"reason", each.reason},
                     {"gateway_reference", text_or_null(each.gateway_reference)},
                     {"before", each.before},
                     {"after", each.after},
                     {"at", timestamp(each.at)}});
  made["open"] = std::move(open);
  made["attempts"] = std::move(attempts);
  made["modifications"] = std::move(changes);
  made["resolutions"] = std::move(words);
  return made;
}

json::array to_json(const std::vector<payments::payment_event>& events) {
  json::array made;
  for (const payments::payment_event& each : events)
    made.push_back({{"at", timestamp(each.at)},
                    {"type", to_string(each.type)},
                    {"about", text_or_null(each.attempt)},
                    {"code", text_or_null(each.code)}});
  return made;
}

}  // namespace turnout::cli
