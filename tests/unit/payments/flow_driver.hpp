#pragma once
// Drives one payment_flow step by step in virtual time, for tests.
#include <catch2/catch.hpp>
#include <map>
#include <string>

#include "payments/payment_flow.hpp"

namespace turnout::payments {

class counting_random final : public random_source {
 public:
  std::uint64_t next() override { return state_ += 0x9E3779B97F4A7C15ull; }

 private:
  std::uint64_t state_ = 1;
};

inline connector_profile full_profile(std::string name) {
  connector_profile profile;
  profile.name = std::move(name);
  profile.operations = {operation::sale, operation::authorize, operation::inquire, operation::reverse};
  profile.idempotency = {key_caches::all, key_in_flight::conflict, std::chrono::hours(24)};
  profile.resolve.replay = profile.resolve.inquire = profile.resolve.reverse = true;
  profile.resolve.not_found_final_after = std::chrono::seconds(30);
  profile.resolve.replay_for = std::chrono::minutes(10);
  profile.resolve.reverse_blocks_late = true;
  return profile;
}

inline send_result said(outcome result, decline_reason reason = decline_reason::none) {
  send_result made;
  made.result = result;
  made.reason = reason;
  made.answered = made.carried = true;
  return made;
}
inline send_result silence(std::string code = "response_timeout") {
  send_result made;
  made.result = outcome::unknown;
  made.code = std::move(code);
  made.carried = true;
  return made;
}
inline send_result refused_connection() {
  send_result made;
  made.result = outcome::not_sent;
  made.code = "connect_refused";
  return made;
}
inline send_result not_found() {
  send_result made;
  made.result = outcome::unknown;
  made.not_found = made.answered = made.carried = true;
  return made;
}

class flow_driver {
 public:
  std::map<std::string, connector_profile, std::less<>> profiles;
  retry_plan plan = default_retry_plan();
  bool card = true;
  instant now{steady_time(std::chrono::hours(1)), wall_time(std::chrono::hours(500000))};
  counting_random random;
  std::optional<payment_flow> flow;
  flow::action last = flow::none{};
  std::vector<payment_event> story;
  int attempts = 0;
  bool busy = false;  ///< the last event changed nothing about what is under way

  flow_driver() {
    for (const char* name : {"alpha", "beta", "gamma"}) profiles.emplace(name, full_profile(name));
  }

  static payment fresh_record() {
    payment record{.amount = {1250, *currency::find("EUR")}};
    record.id = "pay_1";
    record.merchant = "demo";
    return record;
  }

  void open(payment record = fresh_record()) {
    flow.emplace(std::move(record), plan, now, card, [this](std::string_view name) -> const connector_profile* {
      const auto found = profiles.find(name);
      return found == profiles.end() ? nullptr : &found->second;
    });
  }
  /// `last` stays what is under way when the flow has nothing new to do.
  flow::action& feed(flow::event event) {
    flow::action next = flow->resume(event, now, random);
    busy = std::holds_alternative<flow::none>(next);
    if (!busy) last = std::move(next);
    for (payment_event& each : flow->take_events()) story.push_back(std::move(each));
    return last;
  }
  void begin() {
    open();
    feed(flow::start{});
    REQUIRE(is<flow::choose>());
  }
  /// The router picks `connector`; the charge is being sent.
  void choose(const std::string& connector) {
    REQUIRE(is<flow::choose>());
    feed(flow::chosen{&profiles.at(connector), "att_" + std::to_string(++attempts), operation::sale, record().amount});
    REQUIRE(is_send(send_kind::charge));
  }
  void reply(send_result result) {
    REQUIRE(is<flow::send>());
    feed(flow::sent{std::move(result)});
  }
  /// Lets time pass to the end of the wait under way.
  void sleep() {
    REQUIRE(is<flow::wait>());
    const steady_time until = std::get<flow::wait>(last).until;
    REQUIRE(until != steady_time::max());
    REQUIRE(until > now.steady);
    pass(std::chrono::ceil<milliseconds>(until - now.steady));
    feed(flow::timer{});
  }
  void pass(milliseconds time) {
    now.steady += time;
    now.wall += time;
  }
  void pass_to_deadline() { pass(std::chrono::ceil<milliseconds>(flow->deadline() - now.steady)); }
  void answered() {
    REQUIRE(is<flow::answer>());
    feed(flow::timer{});
  }

  template <class Action>
  bool is() const {
    return std::holds_alternative<Action>(last);
  }
  bool is_send(send_kind kind) const { return is<flow::send>() && std::get<flow::send>(last).kind == kind; }
  bool waits_for_ever() const { return is<flow::wait>() && std::get<flow::wait>(last).until == steady_time::max(); }
  const payment& record() const { return flow->record(); }
  const attempt& at(std::size_t index) const { return record().attempts.at(index); }
  bool told(payment_event_type type) const {
    for (const payment_event& each : story)
      if (each.type == type) return true;
    return false;
  }
};

}  // namespace turnout::payments
