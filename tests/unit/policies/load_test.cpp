// Policy files: what is read, and every mistake at its exact position.
#include <filesystem>
#include <fstream>
#include <sstream>

#include "loading.hpp"

using namespace turnout;
using namespace turnout::policies;
using namespace turnout::policies::test;
using namespace std::chrono_literals;

namespace {

/// The one problem of a text.
std::string only_problem(const std::string& text) {
  policy_set set;
  settings::problems found;
  load_text(text, set, found);
  INFO(text);
  for (const auto& each : found) UNSCOPED_INFO(each.to_string());
  REQUIRE(found.size() == 1);
  return found[0].to_string();
}

/// A policy on line 3 with `rest` on line 4, column 5.
std::string in_policy(const std::string& rest) { return "version: 1\npolicies:\n  - name: p\n    " + rest + "\n"; }

void check_problem(const std::string& text, const std::string& position, std::initializer_list<const char*> parts) {
  const std::string said = only_problem(text);
  CHECK_THAT(said, Catch::StartsWith("p.yaml:" + position + ": error: "));
  for (const char* part : parts) CHECK_THAT(said, Catch::Contains(part));
}

// A file of the project, found from where this one is.
std::string project_file(const std::string& path) {
  std::ifstream in(std::filesystem::path(TURNOUT_SOURCE_DIR) / path);
  REQUIRE(in);
  return (std::ostringstream() << in.rdbuf()).str();
}

}  // namespace

TEST_CASE("everything a policy can say is read") {
  const policy_set set = load_good(R"(version: 1
policies:
  - name: cards-eu
    match: {method: card, currency: [EUR], amount: {below: 500.00 EUR}}
    route:
      strategy: priority
      connectors: [beta, alpha]
      objective: {margin: 12.5%, latency_price_per_s: 0.01 EUR, unknown_cost: 5.00 USD}
    retry: {max_attempts: 2, deadline: 4500ms, action_expires_after: 10m, on: [technical, not_sent, soft_decline, insufficient_funds], budget: 10%}
    expire_after: 2h
  - name: default
)");
  REQUIRE(set.policies.size() == 2);
  const policy& first = set.policies[0];
  CHECK(first.name == "cards-eu");
  CHECK(first.route.strategy == strategy::priority);
  CHECK(first.route.connectors == std::vector<std::string>{"beta", "alpha"});
  CHECK(first.route.objective.margin == Approx(.125));
  CHECK(first.route.objective.latency_price_per_s == amount("0.01", "EUR"));
  CHECK(first.route.objective.unknown_cost == amount("5.00", "USD"));
  CHECK(first.retry.max_attempts == 2);
  CHECK(first.retry.deadline == 4500ms);
  CHECK(first.retry.action_expires_after == 10min);
  CHECK(first.retry.expire_after == 2h);
  CHECK(first.retry_budget == Approx(.1));
  using payments::decline_reason;
  using payments::outcome;
  CHECK(may_fail_over(first.retry, outcome::soft_decline, decline_reason::issuer_unavailable));
  CHECK(may_fail_over(first.retry, outcome::not_sent, decline_reason::none));
  CHECK(may_fail_over(first.retry, outcome::soft_decline, decline_reason::insufficient_funds));
  CHECK_FALSE(may_fail_over(first.retry, outcome::rejected, decline_reason::none));
  CHECK_FALSE(may_fail_over(first.retry, outcome::unknown, decline_reason::none));

  const policy& last = set.policies[1];
  CHECK_FALSE(last.match);
  CHECK(last.route.strategy == strategy::adaptive);
  CHECK(last.route.connectors.empty());
  CHECK(last.route.objective.margin == Approx(.2));
  CHECK(last.retry.max_attempts == payments::default_retry_plan().max_attempts);
  CHECK(last.retry.reasons == payments::default_retry_plan().reasons);
  CHECK_FALSE(last.retry_budget);
  CHECK(last.retry.expire_after == 0s);
}

TEST_CASE("an empty 'on' allows no failover") {
  const policy_set set = load_good(in_policy("retry: {on: []}"));
  CHECK_FALSE(may_fail_over(set.policies[0].retry, payments::outcome::not_sent, payments::decline_reason::none));
}

TEST_CASE("mistakes in the file's frame") {
  check_problem("version: 2\npolicies: [{name: p}]\n", "1:10", {"'version'", "equal to 1", "'2'"});
  check_problem("policies: [{name: p}]\n", "1:1", {"missing key 'version'"});
  check_problem("version: 1\n", "1:1", {"missing key 'policies'"});
  check_problem("version: 1\npolicies: []\n", "2:11", {"at least one policy"});
  check_problem("version: 1\npolicies: {name: p}\n", "2:11", {"a list"});
  check_problem("version: 1\npolices: []\npolicies: [{name: p}]\n", "2:1", {"'polices'", "did you mean 'policies'"});
  check_problem("version: 1\npolicies: [p]\n", "2:12", {"a mapping"});
}

TEST_CASE("mistakes in names") {
  check_problem("version: 1\npolicies:\n  - route: {}\n", "3:5", {"missing key 'name'"});
  check_problem("version: 1\npolicies:\n  - name: a b\n", "3:11", {"letters, digits"});
  check_problem("version: 1\npolicies:\n  - name: " + std::string(65, 'x') + "\n", "3:11", {"up to 64"});
  check_problem("version: 1\npolicies:\n  - {name: p, match: {method: card}}\n  - {name: p}\n", "4:12",
                {"'p' exists already", "unique"});
}

TEST_CASE("a name is unique over files") {
  policy_set set;
  settings::problems found;
  load_text("version: 1\npolicies: [{name: p, match: {method: card}}]\n", set, found, "a.yaml");
  load_text("version: 1\npolicies:\n  - name: p\n", set, found, "b.yaml");
  REQUIRE(found.size() == 1);
  CHECK_THAT(found[0].to_string(), Catch::StartsWith("b.yaml:3:11: error: "));
}

TEST_CASE("mistakes in keys") {
  check_problem(in_policy("retyr: {}"), "4:5", {"unknown key 'retyr'", "did you mean 'retry'", "expire_after"});
  check_problem(in_policy("match: {metod: card}"), "4:13", {"'metod'", "did you mean 'method'", "capture"});
  check_problem(in_policy("match: {not: {any: [{brnd: visa}]}}"), "4:26", {"'brnd'", "did you mean 'brand'"});
  check_problem(in_policy("route: {stratgy: adaptive}"), "4:13", {"did you mean 'strategy'"});
  check_problem(in_policy("route: {objective: {margni: 20%}}"), "4:25", {"did you mean 'margin'"});
  check_problem(in_policy("retry: {max_attempt: 3}"), "4:13", {"did you mean 'max_attempts'"});
  check_problem(in_policy("expire_after: soon"), "4:19", {"a duration such as"});
}

TEST_CASE("mistakes in match") {
  check_problem(in_policy("match: {method: crad}"), "4:21", {"'crad'", "did you mean 'card'"});
  check_problem(in_policy("match: {currency: [EUR, EUX]}"), "4:29", {"'EUX' is not an ISO 4217 currency"});
  check_problem(in_policy("match: {currency: eur}"), "4:23", {"three upper-case letters"});
  check_problem(in_policy("match: {currency: []}"), "4:23", {"must not be empty"});
  check_problem(in_policy("match: {currency: {is: EUR}}"), "4:23", {"a list"});
  check_problem(in_policy("match: {brand: [visa, mastrcard]}"), "4:27", {"did you mean 'mastercard'"});
  check_problem(in_policy("match: {bin: [4242x]}"), "4:19", {"first 1 to 6 digits"});
  check_problem(in_policy("match: {bin: 42424242}"), "4:18", {"first 1 to 6 digits"});
  check_problem(in_policy("match: {country: Germany}"), "4:22", {"two upper-case letters"});
  check_problem(in_policy("match: {capture: later}"), "4:22", {"automatic, manual"});
  check_problem(in_policy("match: {merchant: \"\"}"), "4:23", {"must not be empty"});
  check_problem(in_policy("match: {any: []}"), "4:18", {"at least one block"});
  check_problem(in_policy("match: {all: {method: card}}"), "4:18", {"a list"});
  check_problem(in_policy("match: {any: [{}]}"), "4:19", {"matches everything"});
  check_problem(in_policy("match: {not: {}}"), "4:18", {"matches everything"});
  check_problem(in_policy("match: card"), "4:12", {"a mapping"});
}

TEST_CASE("mistakes in amounts") {
  check_problem(in_policy("match: {amount: {below: 500}}"), "4:29", {"such as 500.00 EUR", "'500'"});
  check_problem(in_policy("match: {amount: {below: 500.00 EUX}}"), "4:29", {"'EUX' is not an ISO 4217 currency"});
  check_problem(in_policy("match: {amount: {below: 500.001 EUR}}"), "4:29", {"EUR has 2 decimals"});
  check_problem(in_policy("match: {amount: {below: 5.0 JPY}}"), "4:29", {"JPY has 0 decimals"});
  check_problem(in_policy("match: {amount: {below: -5.00 EUR}}"), "4:29", {"such as 500.00 EUR"});
  check_problem(in_policy("match: {amount: {under: 5.00 EUR}}"), "4:22",
                {"'under'", "below, at_most, at_least, above"});
  check_problem(in_policy("match: {amount: {}}"), "4:21", {"needs a bound"});
  check_problem(in_policy("match: {amount: 5.00 EUR}"), "4:21", {"a mapping"});
}

TEST_CASE("mistakes in route") {
  check_problem(in_policy("route: {connectors: [alpha, betta]}"), "4:33",
                {"unknown connector 'betta'", "did you mean 'beta'", "alpha, beta, gamma"});
  check_problem(in_policy("route: {connectors: [alpha, beta, alpha]}"), "4:39", {"named twice"});
  check_problem(in_policy("route: {connectors: []}"), "4:25", {"must not be empty"});
  check_problem(in_policy("route: {strategy: weighted}"), "4:23", {"needs 'weights'"});
  check_problem(in_policy("route: {strategy: weighted, weights: {}}"), "4:42", {"a weight for each connector"});
  check_problem(in_policy("route: {strategy: weighted, weights: {alpha: -1}}"), "4:50", {"from 0.001 to"});
  check_problem(in_policy("route: {strategy: weighted, weights: {alpha: 1, betta: 1}}"), "4:53",
                {"unknown connector 'betta'", "did you mean 'beta'"});
  check_problem(in_policy("route: {strategy: weighted, weights: {alpha: 1}, connectors: [beta]}"), "4:66",
                {"leave 'connectors' out"});
  check_problem(in_policy("route: {weights: {alpha: 1}}"), "4:22", {"only strategy 'weighted'", "'adaptive'"});
  check_problem(in_policy("route: {strategy: adaptve}"), "4:23", {"did you mean 'adaptive'"});
  check_problem(in_policy("route: {strategy: priority}"), "4:23", {"needs 'connectors'"});
  check_problem(in_policy("route: {objective: {margin: 0%}}"), "4:33", {"from 0.1% to 100%"});
  check_problem(in_policy("route: {objective: {margin: 0.2}}"), "4:33", {"a percentage"});
  check_problem(in_policy("route: {objective: {unknown_cost: 5}}"), "4:39", {"such as 500.00 EUR"});
  check_problem(in_policy("route: {objective: {latency_price_per_s: cheap}}"), "4:46", {"such as 500.00 EUR"});
}

TEST_CASE("mistakes in retry") {
  check_problem(in_policy("retry: {max_attempts: 0}"), "4:27", {"from 1 to 10"});
  check_problem(in_policy("retry: {max_attempts: 11}"), "4:27", {"from 1 to 10"});
  check_problem(in_policy("retry: {max_attempts: many}"), "4:27", {"from 1 to 10", "'many'"});
  check_problem(in_policy("retry: {deadline: 8}"), "4:23", {"a duration such as"});
  check_problem(in_policy("retry: {deadline: 0s}"), "4:23", {"from 500ms to 10m"});
  check_problem(in_policy("retry: {action_expires_after: 0s}"), "4:35", {"from 1s to 24h"});
  check_problem(in_policy("retry: {action_expires_after: 25h}"), "4:35", {"from 1s to 24h"});
  check_problem(in_policy("retry: {deadline: 11m}"), "4:23", {"from 500ms to 10m"});
  check_problem(in_policy("retry: {budget: 120%}"), "4:21", {"from 0% to 100%"});
  check_problem(in_policy("retry: {on: technical}"), "4:17", {"a list"});
}

TEST_CASE("what may never be in 'on', and why") {
  const auto refused = [](const std::string& word, const char* why) {
    INFO(word);
    check_problem(in_policy("retry: {on: [not_sent, " + word + "]}"), "4:28", {("'" + word + "'").c_str(), why});
  };
  refused("unknown", "may have charged");
  refused("pending", "will tell later");
  refused("approved", "has succeeded");
  refused("requires_action", "authenticate");
  refused("hard_decline", "schemes forbid");
  refused("issuer_hard", "schemes forbid");
  refused("stolen_card", "schemes forbid");
  refused("fraud_suspected", "schemes forbid");
  refused("authentication", "same gateway");
  refused("authentication_required", "same gateway");
  refused("declined", "must not be tried again");
  refused("duplicate", "charge that stands already");
  refused("do_not_honour", "did you mean 'do_not_honor'");
  // Every reason of the table is either taken or refused as its table entry says.
  for (const payments::decline_info& info : payments::decline_table()) {
    policy_set set;
    settings::problems found;
    load_text(in_policy("retry: {on: [" + std::string(info.name) + "]}"), set, found);
    INFO(info.name);
    CHECK(found.empty() == info.may_fail_over);
    CHECK(may_fail_over(set.policies.at(0).retry, info.outcome, info.reason) == info.may_fail_over);
  }
}

TEST_CASE("all mistakes of a file are found in one run") {
  policy_set set;
  settings::problems found;
  load_text(in_policy("route: {strategy: fast, connectors: [delta]}\n    retry: {max_attempts: 0, on: [unknown]}"), set,
            found);
  CHECK(found.size() == 4);
}

TEST_CASE("a policy behind one that takes everything is never reached") {
  policy_set set;
  settings::problems found;
  load_text("version: 1\npolicies:\n  - name: everything\n  - name: late\n    match: {method: card}\n", set, found);
  REQUIRE(found.size() == 1);
  CHECK_FALSE(settings::has_errors(found));
  CHECK_THAT(found[0].to_string(), Catch::StartsWith("p.yaml:4:11: warning: ") && Catch::Contains("'everything'"));
}

TEST_CASE("no policy for every payment is a warning, after the last file") {
  policy_set set;
  settings::problems found;
  load_text("version: 1\npolicies: [{name: p, match: {method: card}}]\n", set, found, "a.yaml");
  check_default(set, found);
  REQUIRE(found.size() == 1);
  CHECK(found[0].warning);
  CHECK_THAT(found[0].message, Catch::Contains("no policy takes every payment"));
  found.clear();
  load_text("version: 1\npolicies: [{name: rest}]\n", set, found, "b.yaml");
  check_default(set, found);
  CHECK(found.empty());
}

TEST_CASE("the version follows what the files say") {
  const std::string text = in_policy("match: {method: card}");
  const std::string version = load_good(text).version;
  CHECK(version.size() == 12);
  CHECK(version.find_first_not_of("0123456789abcdef") == std::string::npos);
  CHECK(load_good(text).version == version);
  CHECK(load_good("# only a comment\n" + text).version == version);
  CHECK(load_good(in_policy("match: {capture: manual}")).version != version);
}

TEST_CASE("the shipped policies load and cover every payment") {
  const policy_set set = load_good(project_file("conf/policies/default.yaml"));
  settings::problems found;
  check_default(set, found);
  CHECK(found.empty());
  REQUIRE(set.policies.size() == 2);
  CHECK(set.policies.back().name == "default");
  CHECK(set.policies.back().route.connectors == std::vector<std::string>{"alpha", "beta", "gamma"});
  CHECK(set.policies.back().retry.deadline == 8s);
}

TEST_CASE("the schema offers for 'on' exactly the reasons that may be there") {
  const std::string schema = project_file("conf/schema/policy.json");
  for (const payments::decline_info& info : payments::decline_table()) {
    INFO(info.name);
    const bool offered = schema.find('"' + std::string(info.name) + '"') != std::string::npos;
    CHECK(offered == info.may_fail_over);
  }
}
