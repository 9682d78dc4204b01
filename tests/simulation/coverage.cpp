#include "tests/simulation/coverage.hpp"

#include <algorithm>
#include <cstdio>
#include <type_traits>

#include "payments/name_table.hpp"

namespace turnout::simulation {

namespace {

namespace flow = payments::flow;
using payments::name_table;

constexpr name_table<std::size_t, 13> events{{"start", "recovered", "reopened", "chosen", "no_candidate", "sent",
                                              "timer", "cancel_requested", "gateway_recovered", "permitted",
                                              "gateway_said", "modify", "resolved"}};
static_assert(std::variant_size_v<flow::event> == 13);
constexpr name_table<std::size_t, 6> actions{{"choose", "send", "answer", "wait", "finish", "none"}};
static_assert(std::variant_size_v<flow::action> == 6);
constexpr name_table<core::commit_status, 4> commits{{"committed", "key_exists", "reference_taken", "unavailable"}};
constexpr name_table<core::create_status, 9> creations{{"answered", "replayed", "in_progress", "key_reused",
                                                        "no_candidate", "no_policy", "reference_taken",
                                                        "rate_unavailable", "unavailable"}};
constexpr name_table<core::modify_status, 7> modifications{
    {"answered", "replayed", "in_progress", "key_reused", "not_found", "refused", "unavailable"}};

std::string text(std::string_view word) { return std::string(word); }

std::string outcome_word(const payments::send_result& result) {
  if (result.not_found) return "not_found";
  if (result.answered) return text(to_string(result.result));
  return result.carried ? "lost" : "not_carried";
}

std::string state(const payments::attempt& each) {
  return each.in_flight ? "in_flight" : text(to_string(each.outcome));
}

std::string state(const payments::modification& each) {
  if (each.status != payments::modification_status::pending) return text(to_string(each.status));
  std::string word = each.doubtful ? "doubtful" : "pending";
  if (each.in_flight) word += " in_flight";
  return word;
}

const payments::attempt* same(const payments::payment* before, std::size_t index) {
  return before != nullptr && index < before->attempts.size() ? &before->attempts[index] : nullptr;
}

}  // namespace

void coverage::step(payments::payment_status before, const flow::event& event, const flow::action& action) {
  std::string name = "step " + text(to_string(before)) + ": " + text(events[event.index()]) + " -> ";
  if (const auto* sending = std::get_if<flow::send>(&action))
    name += text(to_string(sending->kind)) + (sending->modification ? " (modification)" : "");
  else
    name += actions[action.index()];
  count(std::move(name));
}

void coverage::send(payments::send_kind kind, const payments::send_result& result) {
  count("send " + text(to_string(kind)) + ": " + outcome_word(result));
}

void coverage::modification_send(payments::operation asked, const payments::send_result& result) {
  count("send of a modification, " + text(to_string(asked)) + ": " + outcome_word(result));
}

void coverage::commit(const core::journal_write& write, core::commit_status status) {
  const std::string_view what = write.create ? "first" : write.takes_on ? "takes on" : "later";
  count("commit " + text(what) + ": " + text(commits[status]));
}

void coverage::change(const payments::payment* before, const core::journal_write& write) {
  using type = payments::payment_event_type;
  const payments::payment& after = *write.record;
  if (before != nullptr && before->status != after.status)
    count("payment " + text(to_string(before->status)) + " -> " + text(to_string(after.status)));
  if (after.error && (before == nullptr || !before->error)) count("error " + after.error->code);
  for (std::size_t i = 0; i < after.attempts.size(); ++i) {
    const payments::attempt& now = after.attempts[i];
    const payments::attempt* was = same(before, i);
    const std::string from = was != nullptr ? state(*was) : "new";
    if (from != state(now)) count("attempt " + from + " -> " + state(now));
    const auto reversal = was != nullptr ? was->reversal : payments::reversal_state::none;
    if (reversal != now.reversal)
      count("reversal " + text(to_string(reversal)) + " -> " + text(to_string(now.reversal)) + ": " +
            now.reversal_reason);
  }
  for (std::size_t i = 0; i < after.modifications.size(); ++i) {
    const payments::modification& now = after.modifications[i];
    const bool old = before != nullptr && i < before->modifications.size();
    const std::string from = old ? state(before->modifications[i]) : "new";
    if (from != state(now)) count(text(to_string(now.kind)) + " " + from + " -> " + state(now));
    if (old && before->modifications[i].operation != now.operation)
      count(text(to_string(now.kind)) + " by " + text(to_string(before->modifications[i].operation)) + " -> " +
            text(to_string(now.operation)));
    if (!old) count(text(to_string(now.kind)) + " asked for by " + now.cause);
  }
  for (const payments::payment_event& each : write.events) {
    std::string name = "event " + text(to_string(each.type));
    // The other codes are names, or have been counted above.
    if (each.type == type::attention_raised || each.type == type::modification_ended || each.type == type::answered)
      name += " " + each.code;
    count(std::move(name));
  }
}

void coverage::created(core::create_status status) { count("create: " + text(creations[status])); }

void coverage::modified(payments::modification_kind kind, const core::modify_result& result) {
  std::string name = text(to_string(kind)) + ": " + text(modifications[result.status]);
  if (result.status == core::modify_status::refused) name += ", " + text(to_string(result.refusal));
  count(std::move(name));
}

void coverage::shopper_told(payments::payment_status status) { count("shopper told: " + text(to_string(status))); }

void coverage::add(const coverage& other) {
  for (const auto& [name, times] : other.reached_) reached_[name] += times;
}

bool coverage::report(bool rare_too) const {
  const auto known = known_transitions();
  std::size_t missing = 0, rare = 0, surprises = 0;
  for (const transition& each : known) {
    if (reached_.contains(std::string(each.name))) continue;
    const bool excused = each.rare && !rare_too;
    ++(excused ? rare : missing);
    std::printf("%s%12s  %.*s\n", excused ? "  " : "! ", "never", static_cast<int>(each.name.size()), each.name.data());
  }
  for (const auto& [name, times] : reached_) {
    const bool listed =
        std::any_of(known.begin(), known.end(), [&](const transition& each) { return each.name == name; });
    // A step that nobody listed is one more way through states that were.
    surprises += listed || name.starts_with("step ") ? 0 : 1;
    std::printf("%s%12llu  %s\n", listed ? "  " : "? ", static_cast<unsigned long long>(times), name.c_str());
  }
  std::printf(
      "%zu of %zu transitions reached; missing (!): %zu, rare ones among the rest: %zu; not on the list (?): %zu\n",
      known.size() - missing - rare, known.size(), missing, rare, surprises);
  return missing == 0 && surprises == 0;
}

}  // namespace turnout::simulation
