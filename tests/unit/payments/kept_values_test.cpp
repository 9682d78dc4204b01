#include <catch2/catch.hpp>

#include "flow_driver.hpp"
#include "payments/kept_values.hpp"

using namespace turnout::payments;

TEST_CASE("kept values: the latest of each name, an empty one forgets") {
  kept_values all;
  take_over(all, {{"a", "1"}, {"b", "2"}});
  take_over(all, {{"a", "3"}, {"c", ""}});
  CHECK(all == kept_values{{"a", "3"}, {"b", "2"}});
  take_over(all, {{"b", ""}});
  CHECK(all == kept_values{{"a", "3"}});
}

TEST_CASE("kept values are bounded in number and size") {
  kept_values all;
  for (std::size_t i = 0; i < most_kept_values + 2; ++i) take_over(all, {{"n" + std::to_string(i), "x"}});
  CHECK(all.size() == most_kept_values);
  take_over(all, {{"n0", std::string(longest_kept_value + 1, 'x')}});
  CHECK(all.front().second == "x");
  take_over(all, {{"n0", std::string(longest_kept_value, 'y')}});
  CHECK(all.front().second.size() == longest_kept_value);
}

TEST_CASE("what any answer gives is kept with its attempt", "[flow]") {
  flow_driver run;
  run.begin();
  run.choose("alpha");
  send_result first = said(outcome::soft_decline, decline_reason::processing_error);
  first.kept = {{"session", "one"}};
  run.reply(first);
  run.choose("beta");
  send_result second = silence();
  run.reply(second);
  send_result replayed = said(outcome::approved);
  replayed.kept = {{"session", "two"}, {"order", "7"}};
  run.reply(replayed);
  CHECK(run.at(0).kept == kept_values{{"session", "one"}});
  CHECK(run.at(1).kept == kept_values{{"session", "two"}, {"order", "7"}});
}

TEST_CASE("what the answer to a capture gives is kept as well", "[flow]") {
  flow_driver run;
  payment record = flow_driver::fresh_record();
  run.profiles.at("alpha").operations.push_back(operation::capture);
  record.capture = capture_mode::manual;
  run.open(std::move(record));
  run.feed(flow::start{});
  run.choose("alpha");
  send_result held = said(outcome::approved);
  held.captured = false;
  held.kept = {{"session", "one"}};
  run.reply(held);
  run.answered();
  modification capture;
  capture.id = "cap_1";
  capture.amount = 1250;
  run.feed(flow::modify{capture});
  REQUIRE(run.is_send(send_kind::modify));
  send_result done = said(outcome::approved);
  done.kept = {{"session", "two"}};
  run.reply(done);
  CHECK(run.record().amount_captured == 1250);
  CHECK(run.at(0).kept == kept_values{{"session", "two"}});
}
