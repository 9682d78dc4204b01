#pragma once
// The conditions that a `match:` block is compiled to. Three values: where a
// comparison needs a rate that is not there, the answer is rate_unavailable,
// and the combinations follow Kleene's strong logic: `no` decides an all:,
// `yes` decides an any:, and not: leaves what is unavailable unavailable.
#include <array>
#include <memory>
#include <string>
#include <vector>

#include "policies/policy.hpp"

namespace turnout::policies {

using matcher_ptr = std::unique_ptr<const matcher>;

class all_of final : public matcher {
 public:
  explicit all_of(std::vector<matcher_ptr> parts) : parts_(std::move(parts)) {}
  match_result matches(const match_input& input, const amount_lookup& convert) const override;
  std::string describe() const override;
  void find_unmet(const match_input& input, const amount_lookup& convert,
                  std::vector<unmet_condition>& into) const override;

 private:
  std::vector<matcher_ptr> parts_;  ///< none: everything matches
};

class any_of final : public matcher {
 public:
  explicit any_of(std::vector<matcher_ptr> parts) : parts_(std::move(parts)) {}
  match_result matches(const match_input& input, const amount_lookup& convert) const override;
  std::string describe() const override;

 private:
  std::vector<matcher_ptr> parts_;
};

class negation final : public matcher {
 public:
  explicit negation(matcher_ptr part) : part_(std::move(part)) {}
  match_result matches(const match_input& input, const amount_lookup& convert) const override;
  std::string describe() const override { return "not (" + part_->describe() + ")"; }

 private:
  matcher_ptr part_;
};

/// "currency EUR or USD"
std::string describe_list(std::string_view key, const std::vector<std::string>& words);

inline std::string word_of(const std::string& value) { return value; }
inline std::string word_of(payments::currency value) { return std::string(value.code()); }
inline std::string word_of(payments::card_brand value) { return std::string(to_string(value)); }
inline std::string word_of(payments::capture_mode value) { return std::string(to_string(value)); }

/// What `Read` finds in the input is one of the values listed under `key`.
template <class Value, auto Read>
class listed final : public matcher {
 public:
  listed(std::string key, std::vector<Value> values) : key_(std::move(key)), values_(std::move(values)) {}
  match_result matches(const match_input& input, const amount_lookup&) const override {
    for (const Value& value : values_)
      if (Read(input) == value) return match_result::yes;
    return match_result::no;
  }
  std::string describe() const override {
    std::vector<std::string> words;
    for (const Value& value : values_) words.push_back(word_of(value));
    return describe_list(key_, words);
  }

 private:
  std::string key_;
  std::vector<Value> values_;
};

/// The card's first six digits begin with one of the prefixes.
class bin_within final : public matcher {
 public:
  bin_within(std::string key, std::vector<std::string> prefixes)
      : key_(std::move(key)), prefixes_(std::move(prefixes)) {}
  match_result matches(const match_input& input, const amount_lookup& convert) const override;
  std::string describe() const override { return describe_list(key_, prefixes_); }

 private:
  std::string key_;
  std::vector<std::string> prefixes_;
};

enum class comparison : std::uint8_t { below, at_most, at_least, above };

/// The amount, in the bound's currency, compares so with the bound.
class amount_compares final : public matcher {
 public:
  amount_compares(comparison how, payments::money bound) : how_(how), bound_(bound) {}
  match_result matches(const match_input& input, const amount_lookup& convert) const override;
  std::string describe() const override;

 private:
  comparison how_;
  payments::money bound_;
};

}  // namespace turnout::policies
