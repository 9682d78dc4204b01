#include "proxy/core/explanation.hpp"

#include <algorithm>
#include <utility>

#include "payments/retry_plan.hpp"
#include "proxy/core/candidates.hpp"
#include "proxy/core/routing_input.hpp"

namespace turnout::core {
namespace {

using payments::decline_reason;
using payments::outcome;

/// The router draws its first choice; this draw is always that of the best.
class lowest_draw final : public random_source {
 public:
  std::uint64_t next() override { return 0; }
};

const policies::policy* find_policy(const policies::policy_set& set, const policies::match_input& input,
                                    explanation& into) {
  for (const policies::policy& each : set.policies) {
    policy_trial& tried = into.policies.emplace_back();
    tried.name = each.name;
    tried.result = each.match ? each.match->matches(input, without_rates) : policies::match_result::yes;
    if (tried.result == policies::match_result::yes) return &each;
    each.match->find_unmet(input, without_rates, tried.unmet);
    if (tried.result == policies::match_result::rate_unavailable) {
      into.status = create_status::rate_unavailable;
      return nullptr;
    }
  }
  into.status = create_status::no_policy;
  return nullptr;
}

class follower {
 public:
  follower(const explanation& of, const std::vector<routing::candidate>& candidates, routing::router& copy, instant now)
      : of_(of), candidates_(candidates), copy_(copy), now_(now) {}

  continuation after(std::string_view name, outcome ended, decline_reason reason) {
    continuation made{name, {}, {}};
    const payments::retry_plan& plan = of_.policy->retry;
    if (ended == outcome::unknown) return made.stops = "until_proven_not_charged", made;
    if (ended == outcome::hard_decline) return made.stops = "final_decline", made;
    if (reason != decline_reason::none && !payments::describe(reason).may_fail_over)
      return made.stops = "never_elsewhere", made;
    if (!may_fail_over(plan, ended, reason)) return made.stops = "not_in_policy", made;
    std::vector<routing::tried> tried{{of_.first, ended, reason}};
    lowest_draw draw;
    routing::request asked = routing_request_of(of_.record, plan);
    for (made.stops = "max_attempts"; static_cast<int>(tried.size()) < plan.max_attempts;) {
      asked.attempts_left = plan.max_attempts - static_cast<int>(tried.size());
      const routing::decision next = copy_.choose(asked, of_.policy->route, candidates_, tried, now_, draw);
      if (next.order.empty()) return made.stops = "no_gateway_left", made;
      made.then.push_back(next.order.front().connector);
      tried.push_back({next.order.front().connector, ended, reason});
    }
    return made;
  }

 private:
  const explanation& of_;
  const std::vector<routing::candidate>& candidates_;
  routing::router& copy_;
  instant now_;
};

}  // namespace

explanation explain(const configuration& config, const payments::payment_request& wish, const payments::card& card,
                    routing::router& copy, instant now) {
  explanation made{.record = record_of(wish, card)};
  made.policy = find_policy(config.policies, match_input_of(wish, card), made);
  if (made.policy == nullptr) return made;
  made.record.policy = made.policy->name;
  candidate_set found = find_candidates(config, made.policy->route, made.record);
  const routing::request asked = routing_request_of(made.record, made.policy->retry);
  if (found.candidates.empty()) {
    made.status = create_status::no_candidate;
  } else {
    lowest_draw draw;
    made.made = copy.choose(asked, made.policy->route, found.candidates, {}, now, draw);
    const auto likeliest = std::max_element(
        made.made.order.begin(), made.made.order.end(),
        [](const routing::ranked& a, const routing::ranked& b) { return a.probability < b.probability; });
    made.first = likeliest->connector;
  }
  made.made.segment = routing::describe_segment(asked);
  made.made.excluded.insert(made.made.excluded.begin(), found.excluded.begin(), found.excluded.end());
  if (made.first.empty()) return made;
  follower follows(made, found.candidates, copy, now);
  for (const outcome each : {outcome::not_sent, outcome::rejected, outcome::unknown})
    made.after.push_back(follows.after(to_string(each), each, decline_reason::none));
  for (const payments::decline_info& each : payments::decline_table())
    made.after.push_back(follows.after(each.name, each.outcome, each.reason));
  return made;
}

}  // namespace turnout::core
