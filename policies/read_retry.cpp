// `retry:`: when another gateway may be tried. What could charge twice, or
// what the schemes forbid, is refused here with its reason.
#include <algorithm>

#include "policies/reading.hpp"

namespace turnout::policies {
namespace {

using payments::decline_class;
using payments::decline_info;
using payments::outcome;
using settings::value;

constexpr std::size_t bit(auto of) noexcept { return static_cast<std::size_t>(of); }

// A class is of use only when some reason of it may be tried elsewhere.
bool has_retryable_reason(decline_class group) {
  return std::any_of(payments::decline_table().begin(), payments::decline_table().end(),
                     [&](const decline_info& info) { return info.group == group && info.may_fail_over; });
}

constexpr std::array retryable_outcomes{outcome::not_sent, outcome::rejected, outcome::soft_decline};

std::vector<std::string_view> allowed_words() {
  std::vector<std::string_view> words;
  const auto add = [&](std::string_view word) {
    if (std::find(words.begin(), words.end(), word) == words.end()) words.push_back(word);
  };
  for (std::size_t i = 0; i < payments::decline_class_count; ++i)
    if (has_retryable_reason(static_cast<decline_class>(i))) add(to_string(static_cast<decline_class>(i)));
  for (outcome each : retryable_outcomes) add(to_string(each));
  for (const decline_info& info : payments::decline_table())
    if (info.may_fail_over) add(info.name);
  return words;
}

std::string_view why_not(outcome of) {
  switch (of) {
    case outcome::unknown: return "the first gateway may have charged; another is tried only once that is disproved";
    case outcome::pending: return "the gateway has taken the payment and will tell later";
    case outcome::requires_action: return "the shopper is on the way to authenticate at this gateway";
    case outcome::approved: return "the payment has succeeded";
    case outcome::hard_decline: return "it is final for this card, and the schemes forbid trying it again";
    default: return {};
  }
}

std::string_view why_not(const decline_info& info) {
  if (info.outcome == outcome::hard_decline) return why_not(outcome::hard_decline);
  if (info.group == decline_class::authentication) return "authentication happens at the same gateway";
  return "it may stand for a refusal that must not be tried again, or for a charge that stands already";
}

void refuse(const value& item, const std::string& word, std::string_view why) {
  item.error("'" + word + "' cannot be in 'on': " + std::string(why));
}

void add_word(const value& item, const std::string& word, payments::retry_plan& plan) {
  // A few words are both a class and a reason (invalid_data): the class is meant, it holds the reason.
  if (const auto group = payments::parse_decline_class(word)) {
    if (has_retryable_reason(*group)) {
      plan.classes.set(bit(*group));
      return;
    }
    refuse(item, word,
           why_not(*group == decline_class::authentication
                       ? payments::describe(payments::decline_reason::authentication_required)
                       : payments::describe(payments::decline_reason::stolen_card)));
  } else if (const auto ended = payments::parse_outcome(word)) {
    if (why_not(*ended).empty())
      plan.outcomes.set(bit(*ended));
    else
      refuse(item, word, why_not(*ended));
  } else if (const auto reason = payments::parse_decline_reason(word)) {
    const decline_info& info = payments::describe(*reason);
    if (info.may_fail_over)
      plan.reasons.set(bit(*reason));
    else
      refuse(item, word, why_not(info));
  } else {
    item.error(settings::unknown_word("'on' cannot hold", word, allowed_words()));
  }
}

void read_on(const value& from, payments::retry_plan& plan) {
  plan.outcomes.reset();
  plan.classes.reset();
  plan.reasons.reset();
  for (const value& item : from.items())
    if (const auto word = item.text()) add_word(item, *word, plan);
}

}  // namespace

retry_rules read_retry(const settings::value& from) {
  using namespace std::chrono_literals;
  const settings::fields keys(from, {"max_attempts", "deadline", "action_expires_after", "on", "budget"});
  retry_rules read{payments::default_retry_plan(), std::nullopt};
  if (const auto most = keys.optional("max_attempts").integer(1, 10)) read.plan.max_attempts = static_cast<int>(*most);
  read.plan.deadline = keys.optional("deadline").duration(500ms, 10min).value_or(read.plan.deadline);
  read.plan.action_expires_after =
      keys.optional("action_expires_after").duration(1s, 24h).value_or(read.plan.action_expires_after);
  if (const value on = keys.optional("on")) read_on(on, read.plan);
  read.budget = keys.optional("budget").percent();
  return read;
}

}  // namespace turnout::policies
