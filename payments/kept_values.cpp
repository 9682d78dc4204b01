#include "payments/kept_values.hpp"

#include <algorithm>

namespace turnout::payments {

void take_over(kept_values& into, const kept_values& news) {
  for (const auto& told : news) {
    if (told.second.size() > longest_kept_value) continue;
    const auto known =
        std::find_if(into.begin(), into.end(), [&](const auto& each) { return each.first == told.first; });
    if (told.second.empty()) {
      if (known != into.end()) into.erase(known);
    } else if (known != into.end()) {
      known->second = told.second;
    } else if (into.size() < most_kept_values) {
      into.push_back(told);
    }
  }
}

}  // namespace turnout::payments
