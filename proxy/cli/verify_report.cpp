#include "proxy/cli/verify_report.hpp"

#include <boost/json.hpp>

#include "payments/money.hpp"

namespace turnout::cli {

namespace json = boost::json;

namespace {

/// What a damaged file says must not move the terminal's cursor.
std::string printable(std::string_view text) {
  std::string out;
  for (const char each : text) {
    const auto byte = static_cast<unsigned char>(each);
    out += byte < 0x20 || byte >= 0x7f ? '?' : each;
  }
  return out;
}

std::string amount(const std::optional<std::int64_t>& minor, const std::string& currency) {
  const auto unit = payments::currency::find(currency);
  if (!minor) return "more than 64 bits hold";
  return unit ? to_decimal(payments::money{*minor, *unit}) : std::to_string(*minor);
}

/// UTF-8 without the bytes above ASCII stays UTF-8; a finding has others only by damage.
json::string clean(std::string_view text) { return json::string(printable(text)); }

json::value number(const std::optional<std::int64_t>& value) { return value ? json::value(*value) : json::value(); }

}  // namespace

std::string as_text(const std::string& path, const journal::verify_report& report) {
  std::string out = "journal   " + path + ", schema " + std::to_string(report.schema) + "\n";
  out += "payments  " + std::to_string(report.payments);
  for (const auto& [status, count] : report.by_status)
    out += (status == report.by_status.begin()->first ? ": " : ", ") + std::to_string(count) + " " + printable(status);
  out += "\n";
  for (const auto& [group, total] : report.by_currency) {
    const std::string& currency = group.second;
    out += "  " + std::string(group.first ? "live " : "test ") + currency + "  " + std::to_string(total.payments) +
           " payments: authorized " + amount(total.authorized, currency) + ", captured " +
           amount(total.captured, currency) + ", refunded " + amount(total.refunded, currency) + "\n";
  }
  out += "steps     " + std::to_string(report.steps) + " with " + std::to_string(report.events) + " events\n";
  out += "keys      " + std::to_string(report.keys) + " idempotency keys\n";
  if (report.chained_later > 0)
    out += "chain     links 1 to " + std::to_string(report.chained_later) +
           " were made by the migration to schema 5: they attest what the journal said by then\n";
  out += "head      " + to_string(report.head) + "\n";
  for (const journal::finding& each : report.findings) {
    out += "FOUND     " + std::string(to_string(each.about));
    if (!each.payment.empty()) out += ", payment " + printable(each.payment);
    if (each.link != 0) out += ", link " + std::to_string(each.link);
    out += ": " + printable(each.text) + "\n";
  }
  if (report.findings_total > static_cast<std::int64_t>(report.findings.size()))
    out += "          and " +
           std::to_string(report.findings_total - static_cast<std::int64_t>(report.findings.size())) + " more\n";
  out += report.sound() ? "result    whole\n"
                        : "result    DAMAGED: " + std::to_string(report.findings_total) +
                              (report.findings_total == 1 ? " finding\n" : " findings\n");
  return out;
}

json::object as_json(const std::string& path, const journal::verify_report& report) {
  json::object statuses, out;
  for (const auto& [status, count] : report.by_status) statuses[printable(status)] = count;
  json::array totals, found;
  for (const auto& [group, total] : report.by_currency)
    totals.push_back(json::object{{"livemode", group.first},
                                  {"currency", group.second},
                                  {"payments", total.payments},
                                  {"amount_authorized", number(total.authorized)},
                                  {"amount_captured", number(total.captured)},
                                  {"amount_refunded", number(total.refunded)}});
  for (const journal::finding& each : report.findings)
    found.push_back(json::object{{"check", to_string(each.about)},
                                 {"payment", each.payment.empty() ? json::value() : json::value(clean(each.payment))},
                                 {"link", each.link == 0 ? json::value() : json::value(each.link)},
                                 {"text", clean(each.text)}});
  out["journal"] = clean(path);
  out["sound"] = report.sound();
  out["schema"] = report.schema;
  out["payments"] = report.payments;
  out["by_status"] = std::move(statuses);
  out["by_currency"] = std::move(totals);
  out["steps"] = report.steps;
  out["events"] = report.events;
  out["idempotency_keys"] = report.keys;
  out["chain"] = json::object{{"links", report.head.links},
                              {"value", journal::to_hex(report.head.value)},
                              {"chained_later", report.chained_later}};
  out["findings_total"] = report.findings_total;
  out["findings"] = std::move(found);
  return out;
}

}  // namespace turnout::cli
