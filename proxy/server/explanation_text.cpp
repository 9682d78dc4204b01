#include "proxy/server/explanation_text.hpp"

#include "proxy/api/json_text.hpp"
#include "proxy/server/decision_text.hpp"

namespace turnout::server {
namespace {

/// Writes the members of an object, each after its name.
class members {
 public:
  explicit members(std::string& out) : out_(out) { out_.push_back('{'); }
  std::string& name(std::string_view name) {
    if (out_.back() != '{') out_.push_back(',');
    return out_.append(1, '"').append(name).append("\":");
  }
  void text(std::string_view key, std::string_view value) { api::append_string(name(key), value); }
  void text_or_null(std::string_view key, std::string_view value) { api::append_string_or_null(name(key), value); }
  void flag(std::string_view key, bool value) { name(key).append(value ? "true" : "false"); }
  void integer(std::string_view key, std::int64_t value) { api::append_integer(name(key), value); }
  void end() { out_.push_back('}'); }

 private:
  std::string& out_;
};

template <class List, class Write>
void append_list(std::string& out, const List& list, const Write& write) {
  out.push_back('[');
  for (const auto& each : list) {
    if (&each != &*list.begin()) out.push_back(',');
    write(each);
  }
  out.push_back(']');
}

std::string_view refusal_of(core::create_status status) {
  switch (status) {
    case core::create_status::no_policy: return "no_policy";
    case core::create_status::rate_unavailable: return "rate_unavailable";
    case core::create_status::no_candidate: return "no_connector";
    default: return {};
  }
}

void append_policies(std::string& out, const std::vector<core::policy_trial>& policies) {
  append_list(out, policies, [&out](const core::policy_trial& each) {
    members policy(out);
    policy.text("policy", each.name);
    policy.flag("matches", each.result == policies::match_result::yes);
    append_list(policy.name("unmet"), each.unmet, [&out](const policies::unmet_condition& one) {
      members condition(out);
      condition.text("condition", one.condition);
      condition.text("why", one.undecided ? "rate_unavailable" : "does_not_hold");
      condition.end();
    });
    policy.end();
  });
}

void append_payment(std::string& out, const payments::payment& record) {
  members payment(out);
  payment.text("merchant", record.merchant);
  payment.flag("livemode", record.livemode);
  payment.integer("amount", record.amount.minor);
  payment.text("currency", record.amount.unit.code());
  payment.text("capture", to_string(record.capture));
  payment.text("method", record.method);
  payment.text("brand", to_string(record.card.brand));
  payment.text("bin", record.card.bin);
  payment.text_or_null("country", record.buyer.country);
  payment.end();
}

void append_retry(std::string& out, const core::explanation& of, const explanation_source& source) {
  const payments::retry_plan& plan = of.policy->retry;
  members retry(out);
  retry.integer("max_attempts", plan.max_attempts);
  retry.integer("deadline_ms", plan.deadline.count());
  if (source.retry_budget)
    api::append_number(retry.name("budget_remaining"), *source.retry_budget);
  else
    retry.name("budget_remaining").append("null");
  retry.text_or_null("first", of.first);
  append_list(retry.name("after"), of.after, [&out](const core::continuation& each) {
    members after(out);
    after.text("ended", each.ended);
    append_list(after.name("then"), each.then, [&out](std::string_view next) { api::append_string(out, next); });
    after.text("stops", each.stops);
    after.end();
  });
  retry.end();
}

}  // namespace

std::string explanation_text(const core::explanation& of, const core::configuration& config,
                             const explanation_source& source, payments::wall_time at) {
  std::string out;
  members top(out);
  top.text("object", "explanation");
  top.text("state", source.state);
  top.text_or_null("refusal", refusal_of(of.status));
  append_payment(top.name("payment"), of.record);
  append_policies(top.name("policies"), of.policies);
  const std::string_view policy = of.policy != nullptr ? std::string_view(of.policy->name) : std::string_view();
  top.text_or_null("strategy", of.policy != nullptr ? to_string(of.policy->route.strategy) : "");
  top.name("decision").append(decision_text(of.made, {policy, config.policies.version, config.version, at}));
  if (of.policy != nullptr)
    append_retry(top.name("retry"), of, source);
  else
    top.name("retry").append("null");
  top.end();
  return out;
}

}  // namespace turnout::server
