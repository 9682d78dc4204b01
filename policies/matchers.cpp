#include "policies/matchers.hpp"

#include "payments/assertion.hpp"

namespace turnout::policies {

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
