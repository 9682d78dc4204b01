// An explanation asks what a payment would: the same policy, the same candidates,
// the same order after each ending.
#include "proxy/core/explanation.hpp"

#include "fake_world.hpp"

namespace turnout::core {
namespace {

class only_usd final : public policies::matcher {
 public:
  policies::match_result matches(const policies::match_input& input, const policies::amount_lookup&) const override {
    return input.amount.unit.code() == "USD" ? policies::match_result::yes : policies::match_result::no;
  }
  std::string describe() const override { return "currency USD"; }
};

class needs_a_rate final : public policies::matcher {
 public:
  policies::match_result matches(const policies::match_input&, const policies::amount_lookup&) const override {
    return policies::match_result::rate_unavailable;
  }
  std::string describe() const override { return "amount below 1.00 USD"; }
};

struct explained_world : fake_world {
  explained_world() {
    config->connectors.push_back(std::make_shared<fake_gateway>(profile("delta")));
    auto elsewhere = profile("gamma");
    elsewhere.currencies = {*payments::currency::find("USD")};
    config->connectors.push_back(std::make_shared<fake_gateway>(elsewhere));
  }
  explanation ask() {
    alphabetical_router router;
    const create_command wish = command();
    return explain(*config, wish.request, wish.card, router, clock.now());
  }
};

const continuation& after(const explanation& of, std::string_view ended) {
  const auto found = std::find_if(of.after.begin(), of.after.end(), [&](const auto& e) { return e.ended == ended; });
  REQUIRE(found != of.after.end());
  return *found;
}

using names = std::vector<std::string_view>;

TEST_CASE("policies are asked in their order, up to the one that takes the payment") {
  explained_world at;
  auto& set = at.config->policies.policies;
  set.insert(set.begin(), {"dollars", std::make_shared<only_usd>(), {}, payments::default_retry_plan()});
  set.push_back({"never reached", std::make_shared<match_all>(), {}, payments::default_retry_plan()});
  const explanation got = at.ask();
  REQUIRE(got.policies.size() == 2);
  CHECK(got.policies[0].name == "dollars");
  CHECK(got.policies[0].result == policies::match_result::no);
  REQUIRE(got.policies[0].unmet.size() == 1);
  CHECK(got.policies[0].unmet[0].condition == "currency USD");
  CHECK(got.policies[1].result == policies::match_result::yes);
  CHECK(got.policies[1].unmet.empty());
  REQUIRE(got.policy != nullptr);
  CHECK(got.policy->name == "all");
  CHECK(got.status == create_status::answered);
}

TEST_CASE("who is tried follows from how the attempt before ended") {
  explained_world at;
  const explanation got = at.ask();
  CHECK(got.first == "alpha");
  CHECK(got.made.segment == "card/visa/424242/EUR/10-100");
  REQUIRE(got.made.excluded.size() == 1);
  CHECK(got.made.excluded[0].connector == "gamma");
  CHECK(got.made.excluded[0].reason == "currency_not_supported");
  CHECK(after(got, "not_sent").then == names{"beta", "delta"});
  CHECK(after(got, "not_sent").stops == "max_attempts");
  CHECK(after(got, "gateway_error").then == names{"beta", "delta"});
  CHECK(after(got, "do_not_honor").then == names{"beta", "delta"});
  CHECK(after(got, "insufficient_funds").then.empty());
  CHECK(after(got, "insufficient_funds").stops == "not_in_policy");
  CHECK(after(got, "stolen_card").stops == "final_decline");
  CHECK(after(got, "authentication_required").stops == "never_elsewhere");
  CHECK(after(got, "unknown").then.empty());
  CHECK(after(got, "unknown").stops == "until_proven_not_charged");
}

TEST_CASE("the attempts end with the policy's limit, or with the gateways") {
  explained_world at;
  at.config->policies.policies.front().retry.max_attempts = 2;
  CHECK(after(at.ask(), "not_sent").then == names{"beta"});
  at.config->policies.policies.front().retry.max_attempts = 1;
  CHECK(after(at.ask(), "not_sent").then.empty());
  CHECK(after(at.ask(), "not_sent").stops == "max_attempts");
  at.config->policies.policies.front().retry.max_attempts = 9;
  CHECK(after(at.ask(), "not_sent").then == names{"beta", "delta"});
  CHECK(after(at.ask(), "not_sent").stops == "no_gateway_left");
}

TEST_CASE("a payment that would be refused says so") {
  explained_world at;
  auto& set = at.config->policies.policies;
  set = {};
  CHECK(at.ask().status == create_status::no_policy);
  set.push_back({"rated", std::make_shared<needs_a_rate>(), {}, payments::default_retry_plan()});
  set.push_back({"all", std::make_shared<match_all>(), {}, payments::default_retry_plan()});
  const explanation undecided = at.ask();
  CHECK(undecided.status == create_status::rate_unavailable);
  CHECK(undecided.policy == nullptr);
  REQUIRE(undecided.policies.size() == 1);
  CHECK(undecided.policies[0].unmet.at(0).undecided);

  set.erase(set.begin());
  set.front().route.connectors = {"gamma"};
  const explanation nobody = at.ask();
  CHECK(nobody.status == create_status::no_candidate);
  CHECK(nobody.first.empty());
  CHECK(nobody.after.empty());
  CHECK(nobody.made.excluded.size() == 4);
}

}  // namespace
}  // namespace turnout::core
