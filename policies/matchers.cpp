#include "policies/matchers.hpp"

#include "payments/assertion.hpp"

namespace turnout::policies {
namespace {

std::string joined(const std::vector<matcher_ptr>& parts, std::string_view between) {
  std::string text;
  for (const matcher_ptr& part : parts) {
    if (!text.empty()) text += between;
    text += part->describe();
  }
  return text;
}

}  // namespace

void matcher::find_unmet(const match_input& input, const amount_lookup& convert,
                         std::vector<unmet_condition>& into) const {
  const match_result result = matches(input, convert);
  if (result != match_result::yes) into.push_back({describe(), result == match_result::rate_unavailable});
}

std::string describe_list(std::string_view key, const std::vector<std::string>& words) {
  std::string text(key);
  for (const std::string& word : words) text.append(&word == &words.front() ? " " : " or ").append(word);
  return text;
}

std::string all_of::describe() const { return parts_.empty() ? "anything" : joined(parts_, " and "); }

std::string any_of::describe() const { return "any of (" + joined(parts_, "; ") + ")"; }

void all_of::find_unmet(const match_input& input, const amount_lookup& convert,
                        std::vector<unmet_condition>& into) const {
  for (const matcher_ptr& part : parts_) part->find_unmet(input, convert, into);
}

std::string amount_compares::describe() const {
  const auto word = [this] {
    switch (how_) {
      case comparison::below: return "below";
      case comparison::at_most: return "at_most";
      case comparison::at_least: return "at_least";
      case comparison::above: return "above";
    }
    TURNOUT_ASSERT(false);
  };
  return std::string("amount ") + word() + " " + payments::to_decimal(bound_) + " " + std::string(bound_.unit.code());
}

match_result all_of::matches(const match_input& input, const amount_lookup& convert) const {
  match_result result = match_result::yes;
  for (const matcher_ptr& part : parts_) {
    const match_result one = part->matches(input, convert);
    if (one == match_result::no) return one;
    if (one == match_result::rate_unavailable) result = one;
  }
  return result;
}

match_result any_of::matches(const match_input& input, const amount_lookup& convert) const {
  match_result result = match_result::no;
  for (const matcher_ptr& part : parts_) {
    const match_result one = part->matches(input, convert);
    if (one == match_result::yes) return one;
    if (one == match_result::rate_unavailable) result = one;
  }
  return result;
}

match_result negation::matches(const match_input& input, const amount_lookup& convert) const {
  switch (part_->matches(input, convert)) {
    case match_result::yes: return match_result::no;
    case match_result::no: return match_result::yes;
    case match_result::rate_unavailable: return match_result::rate_unavailable;
  }
  TURNOUT_ASSERT(false);
}

match_result bin_within::matches(const match_input& input, const amount_lookup&) const {
  for (const std::string& prefix : prefixes_)
    if (input.bin.starts_with(prefix)) return match_result::yes;
  return match_result::no;
}

match_result amount_compares::matches(const match_input& input, const amount_lookup& convert) const {
  payments::money amount = input.amount;
  if (amount.unit != bound_.unit) {
    const auto converted = convert ? convert(amount, bound_.unit) : std::nullopt;
    if (!converted) return match_result::rate_unavailable;
    TURNOUT_ASSERT(converted->unit == bound_.unit);
    amount = *converted;
  }
  const auto holds = [&] {
    switch (how_) {
      case comparison::below: return amount.minor < bound_.minor;
      case comparison::at_most: return amount.minor <= bound_.minor;
      case comparison::at_least: return amount.minor >= bound_.minor;
      case comparison::above: return amount.minor > bound_.minor;
    }
    TURNOUT_ASSERT(false);
  };
  return holds() ? match_result::yes : match_result::no;
}

}  // namespace turnout::policies
