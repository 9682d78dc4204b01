#pragma once
// Loads policy texts for the tests of this folder.
#include <catch2/catch.hpp>

#include <map>
#include <string>

#include "policies/policy.hpp"

namespace turnout::policies::test {

inline payments::money amount(const char* number, const char* code) {
  return *payments::from_decimal(number, *payments::currency::find(code));
}

inline void load_text(const std::string& text, policy_set& into, settings::problems& found,
                      const std::string& file = "p.yaml") {
  const auto document = settings::parse(file, text, {}, found);
  REQUIRE(document);
  load(*document, {"alpha", "beta", "gamma"}, into, found);
}

inline policy_set load_good(const std::string& text) {
  policy_set set;
  settings::problems found;
  load_text(text, set, found);
  for (const auto& problem : found) FAIL_CHECK(problem.to_string());
  return set;
}

}  // namespace turnout::policies::test
