#include "proxy/cli/explanation_table.hpp"

#include <algorithm>
#include <cstdio>
#include <string_view>
#include <vector>

#include <boost/json.hpp>

#include "payments/money.hpp"

namespace turnout::cli {
namespace {

namespace json = boost::json;

std::string_view text(const json::object& from, std::string_view key) { return from.at(key).as_string(); }

std::string text_or(const json::object& from, std::string_view key, std::string_view otherwise) {
  const json::value& found = from.at(key);
  return std::string(found.is_null() ? otherwise : std::string_view(found.as_string()));
}

double number(const json::object& from, std::string_view key) { return from.at(key).to_number<double>(); }

std::string formatted(const char* how, double value) {
  char written[48];
  std::snprintf(written, sizeof written, how, value);
  return written;
}

std::string percent(double share) { return formatted("%.1f %%", 100 * share); }

std::string joined(const std::vector<std::string>& words, std::string_view between) {
  std::string all;
  for (const std::string& each : words) all.append(all.empty() ? "" : between).append(each);
  return all;
}

/// Columns as wide as their widest cell; the first is left-aligned, the others right.
class table {
 public:
  void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
  void append_to(std::string& out) const {
    std::vector<std::size_t> widths;
    for (const auto& row : rows_)
      for (std::size_t i = 0; i < row.size(); ++i) {
        if (i == widths.size()) widths.push_back(0);
        widths[i] = std::max(widths[i], width(row[i]));
      }
    for (const auto& row : rows_) {
      out += " ";
      for (std::size_t i = 0; i < row.size(); ++i) {
        const std::string space(widths[i] - width(row[i]), ' ');
        out += " ";
        out += i == 0 ? row[i] + space : " " + space + row[i];
      }
      while (out.back() == ' ') out.pop_back();
      out += "\n";
    }
  }

 private:
  static std::size_t width(std::string_view cell) {  // code points: ± is two bytes
    return static_cast<std::size_t>(
        std::count_if(cell.begin(), cell.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
  }
  std::vector<std::vector<std::string>> rows_;
};

std::string amount_of(const json::object& payment) {
  const auto unit = payments::currency::find(text(payment, "currency"));
  const std::int64_t minor = payment.at("amount").as_int64();
  if (!unit) return std::to_string(minor) + " " + std::string(text(payment, "currency"));
  return payments::to_decimal({minor, *unit}) + " " + std::string(unit->code());
}

void append_payment(std::string& out, const json::object& from) {
  const json::object& payment = from.at("payment").as_object();
  out += "payment     " + amount_of(payment) + ", " + std::string(text(payment, "method")) + " " +
         std::string(text(payment, "brand")) + " " + std::string(text(payment, "bin")) + ", merchant " +
         std::string(text(payment, "merchant")) + (payment.at("livemode").as_bool() ? " (live)" : " (test)") +
         ", capture " + std::string(text(payment, "capture"));
  if (!payment.at("country").is_null()) out += ", customer in " + text_or(payment, "country", "");
  out += "\n";
}

void append_policies(std::string& out, const json::object& from) {
  const json::object& decision = from.at("decision").as_object();
  if (text(decision, "policy").empty())
    out += "policy      none";
  else
    out += "policy      " + std::string(text(decision, "policy")) + ", strategy " + text_or(from, "strategy", "?");
  out += "  (policies " + std::string(text(decision, "policy_version")) + ", configuration " +
         std::string(text(decision, "configuration_version")) + ")\n";
  for (const json::value& each : from.at("policies").as_array()) {
    const json::object& policy = each.as_object();
    const bool matches = policy.at("matches").as_bool();
    std::vector<std::string> unmet;
    for (const json::value& one : policy.at("unmet").as_array()) {
      const bool undecided = text(one.as_object(), "why") == "rate_unavailable";
      unmet.push_back(std::string(text(one.as_object(), "condition")) + (undecided ? " (no exchange rate)" : ""));
    }
    out += "  " + std::string(text(policy, "policy")) +
           (matches ? ": matches" : ": does not match, it wants " + joined(unmet, ", ")) + "\n";
  }
}

void append_candidates(std::string& out, const json::object& decision) {
  const json::array& candidates = decision.at("candidates").as_array();
  if (!candidates.empty()) {
    out += "candidates  segment " + std::string(text(decision, "segment")) + "\n";
    table rows;
    rows.add({"connector", "first", "score", "approval", "health", "unknown", "latency", "cost"});
    for (const json::value& each : candidates) {
      const json::object& one = each.as_object();
      rows.add({std::string(text(one, "connector")), percent(number(one, "probability")),
                formatted("%.4f", number(one, "score")),
                percent(number(one, "approval")) + " ± " + formatted("%.1f", 100 * number(one, "approval_deviation")),
                percent(number(one, "health")), percent(number(one, "unknown")),
                formatted("%.0f ms", number(one, "latency_ms")), formatted("%.2f %%", 100 * number(one, "cost"))});
    }
    rows.append_to(out);
  }
  const json::array& excluded = decision.at("excluded").as_array();
  if (excluded.empty()) return;
  out += "excluded\n";
  table rows;
  for (const json::value& each : excluded)
    rows.add({std::string(text(each.as_object(), "connector")), std::string(text(each.as_object(), "reason"))});
  rows.append_to(out);
}

std::string_view in_words(std::string_view stops) {
  if (stops == "final_decline") return "nobody: it is final for this card";
  if (stops == "never_elsewhere") return "nobody: such an answer is never taken to another gateway";
  if (stops == "not_in_policy") return "nobody: the policy's retry.on does not name it";
  if (stops == "until_proven_not_charged") return "nobody, until it is proven that nothing was charged";
  if (stops == "no_gateway_left") return "nobody else is left";
  return "nobody: max_attempts";
}

/// Endings that lead to the same are one row.
void append_retry(std::string& out, const json::object& retry) {
  out += "retry       up to " + std::to_string(retry.at("max_attempts").as_int64()) + " attempts in " +
         formatted("%g s", number(retry, "deadline_ms") / 1000);
  if (!retry.at("budget_remaining").is_null())
    out += ", " + formatted("%.0f", number(retry, "budget_remaining")) + " failovers left in the retry budget";
  out += "\n";
  std::vector<std::pair<std::string, std::vector<std::string>>> rows;
  for (const json::value& each : retry.at("after").as_array()) {
    const json::object& after = each.as_object();
    std::vector<std::string> chain;
    for (const json::value& next : after.at("then").as_array()) chain.emplace_back(next.as_string());
    const std::string leads_to =
        chain.empty() ? std::string(in_words(text(after, "stops"))) : "then " + joined(chain, ", then ");
    auto same = std::find_if(rows.begin(), rows.end(), [&](const auto& row) { return row.first == leads_to; });
    if (same == rows.end()) same = rows.insert(rows.end(), {leads_to, {}});
    same->second.emplace_back(text(after, "ended"));
  }
  for (const auto& [leads_to, endings] : rows)
    out += "  " + text_or(retry, "first", "?") + " ends " + joined(endings, ", ") + ":\n    " + leads_to + "\n";
}

}  // namespace

std::string explanation_table(const json::object& from, const std::string& remark) {
  std::string out;
  append_payment(out, from);
  out += "state       " + remark + "\n";
  append_policies(out, from);
  const json::object& decision = from.at("decision").as_object();
  if (!from.at("refusal").is_null())
    out += "refused     422 " + text_or(from, "refusal", "") + ": nothing would be sent\n";
  append_candidates(out, decision);
  if (from.at("refusal").is_null()) append_retry(out, from.at("retry").as_object());
  return out;
}

}  // namespace turnout::cli
