#include "tests/simulation/profiles.hpp"

#include <algorithm>
#include <memory>
#include <utility>

namespace turnout::simulation {

namespace {

using payments::operation;
using policies::match_result;

/// Refuses a few amounts, so that refusals are answers like any other.
class drawn_matcher final : public policies::matcher {
 public:
  explicit drawn_matcher(bool manual_only) : manual_only_(manual_only) {}
  match_result matches(const policies::match_input& input, const policies::amount_lookup&) const override {
    if (manual_only_) return input.capture == payments::capture_mode::manual ? match_result::yes : match_result::no;
    if (input.amount.minor % 211 == 0) return match_result::rate_unavailable;
    return input.amount.minor % 199 == 0 ? match_result::no : match_result::yes;
  }
  std::string describe() const override { return manual_only_ ? "capture manual" : "most amounts"; }

 private:
  bool manual_only_;
};

payments::connector_profile base_profile(std::string name) {
  payments::connector_profile made;
  made.name = std::move(name);
  made.merchants = {"demo"};
  made.methods = {"card"};
  made.currencies = {*payments::currency::find("EUR")};
  made.brands = {payments::card_brand::visa};
  made.capture_automatic = made.capture_manual = true;
  made.operations = {operation::sale,         operation::authorize, operation::capture, operation::refund,
                     operation::void_payment, operation::reverse,   operation::inquire};
  made.resolve.inquire = made.resolve.reverse = true;
  made.resolve.not_found_final_after = 20s;
  made.resolve.reverse_blocks_late = true;
  made.timeouts = {1000ms, 4000ms};
  return made;
}

void draw_refunds(payments::connector_profile& made, seeded_random& random) {
  if (!random.chance(0.4)) return;
  // A void of what is partly captured and one of all of it look the same afterwards.
  const bool may_void = !made.multiple_captures && random.chance(0.6);
  made.refunds.unsettled = may_void ? payments::unsettled_refund::void_if_full : payments::unsettled_refund::wait;
  made.refunds.settles_after = std::chrono::seconds(random.between(30, 1200));
}

payments::retry_plan draw_plan(seeded_random& random) {
  payments::retry_plan plan = payments::default_retry_plan();
  plan.max_attempts = static_cast<int>(random.between(1, 4));
  plan.deadline = random.chance(0.3) ? random.between(1000ms, 4000ms) : 8000ms;
  if (random.chance(0.5)) plan.outcomes.set(static_cast<std::size_t>(payments::outcome::soft_decline));
  if (random.chance(0.3)) plan.expire_after = std::chrono::seconds(random.between(5, 300));
  plan.action_expires_after = random.between(milliseconds(20s), milliseconds(15min));
  return plan;
}

}  // namespace

per_fault<double> draw_odds(seeded_random& random, const std::vector<fault>& without) {
  per_fault<double> odds;
  // Each request: a fault of a kind is rare in one world and common in another.
  for (const fault each :
       {fault::refused_connection, fault::drop_before, fault::drop_after, fault::late, fault::stall, fault::error_after,
        fault::duplicated, fault::stale_answer, fault::rate_limited, fault::refused_credentials})
    odds[each] = random.chance(0.5) ? 0.002 + 0.12 * random.uniform() * random.uniform() : 0;
  odds[fault::called_duplicate] = random.chance(0.4) ? 0.5 * random.uniform() : 0;
  odds[fault::wrong_amount] = random.chance(0.3) ? 0.05 * random.uniform() : 0;
  odds[fault::echoed_card] = random.chance(0.3) ? 0.2 * random.uniform() : 0;
  odds[fault::inquiry_lag] = random.chance(0.6) ? random.uniform() : 0;
  odds[fault::inquiry_error] = random.chance(0.5) ? 0.3 * random.uniform() : 0;
  odds[fault::undecided] = random.chance(0.4) ? 0.1 * random.uniform() : 0;
  odds[fault::abandoned] = random.chance(0.8) ? 0.6 * random.uniform() : 0;
  odds[fault::lost_client] = random.chance(0.5) ? 0.2 * random.uniform() : 0;
  odds[fault::repeated_client] = random.chance(0.5) ? 0.2 * random.uniform() : 0;
  // Each world: how many times, on average.
  odds[fault::proxy_crash] = random.chance(0.5) ? 3 * random.uniform() : 0;
  odds[fault::crash_between_steps] = random.chance(0.6) ? 5 * random.uniform() : 0;
  odds[fault::failed_sync] = random.chance(0.3) ? 2 * random.uniform() : 0;
  odds[fault::gateway_down] = random.chance(0.6) ? 3 * random.uniform() : 0;
  odds[fault::disk_full] = random.chance(0.3) ? 2 * random.uniform() : 0;
  odds[fault::slow_disk] = random.chance(0.3) ? 2 * random.uniform() : 0;
  odds[fault::clock_jump] = random.chance(0.3) ? 3 * random.uniform() : 0;
  odds[fault::reload] = random.chance(0.4) ? 3 * random.uniform() : 0;
  for (const fault each : without) odds[each] = 0;
  return odds;
}

payments::connector_profile draw_profile(std::string name, seeded_random& random) {
  payments::connector_profile made = base_profile(std::move(name));
  const auto keys = [&](payments::key_caches caches, payments::key_in_flight in_flight) {
    made.idempotency = {caches, in_flight, random.chance(0.5) ? std::chrono::seconds(random.between(40, 90)) : 24h};
    made.resolve.replay = true;
    made.resolve.replay_for = 10min;
  };
  switch (random.between(0, 7)) {
    case 0: keys(payments::key_caches::all, payments::key_in_flight::conflict); break;
    case 1: keys(payments::key_caches::success, payments::key_in_flight::wait); break;
    case 2: break;  // no keys at all
    case 3:         // nothing but a slow inquiry
      made.resolve.reverse = made.resolve.reverse_blocks_late = false;
      std::erase(made.operations, operation::reverse);
      break;
    case 4:  // a reversal is the only proof
      made.resolve.inquire = false;
      std::erase(made.operations, operation::inquire);
      break;
    case 5:  // authorise and capture in two steps, several captures
      keys(payments::key_caches::all, payments::key_in_flight::wait);
      std::erase(made.operations, operation::sale);
      made.multiple_captures = true;
      break;
    case 6:  // keys only: after a crash there is no proof
      keys(payments::key_caches::all, payments::key_in_flight::conflict);
      made.resolve.inquire = made.resolve.reverse = made.resolve.reverse_blocks_late = false;
      std::erase(made.operations, operation::inquire);
      std::erase(made.operations, operation::reverse);
      break;
    case 7:  // no void but the reversal by reference
      keys(payments::key_caches::success, payments::key_in_flight::conflict);
      std::erase(made.operations, operation::void_payment);
      break;
    default: break;
  }
  made.resolve.gateway_reference_is_charge = random.chance(0.7);
  made.may_challenge = made.resolve.inquire && random.chance(0.6);
  if (random.chance(0.4)) made.authorization_valid = std::chrono::seconds(random.between(60, 3600));
  draw_refunds(made, random);
  return made;
}

policies::policy_set draw_policies(const std::vector<std::string>& connectors, seeded_random& random) {
  policies::policy_set made;
  if (random.chance(0.4)) {
    policies::policy first{"manual", std::make_shared<drawn_matcher>(true), {}, draw_plan(random), {}};
    first.route.strategy = policies::strategy::priority;
    for (const std::string& each : connectors)
      if (random.chance(0.7)) first.route.connectors.push_back(each);
    if (random.chance(0.3)) first.retry_budget = 0.1;
    made.policies.push_back(std::move(first));
  }
  made.policies.push_back({"all", std::make_shared<drawn_matcher>(false), {}, draw_plan(random), {}});
  return made;
}

bool declares_proof(const payments::connector_profile& gateway) noexcept {
  const bool inquiry = gateway.resolve.inquire && gateway.resolve.not_found_final_after;
  return inquiry || (gateway.resolve.reverse && gateway.resolve.reverse_blocks_late);
}

}  // namespace turnout::simulation
