#include "proxy/api/modification_body.hpp"

#include <array>
#include <string_view>

#include "payments/money.hpp"
#include "proxy/api/payment_body.hpp"
#include "settings/problem.hpp"

namespace turnout::api {

namespace {

using payments::modification_kind;

constexpr std::size_t longest_text = 100;

class reader {
 public:
  reader(modification_kind kind, const payments::card_summary& card) : card_(card) { made_.wish.kind = kind; }

  modification_body read(const json_value& body) {
    if (!body.is(json_kind::object)) {
      fault("body", "must be an object");
      return std::move(made_);
    }
    for (auto child = body.first_child(); child; child = child->next()) field(*child);
    return std::move(made_);
  }

 private:
  void fault(std::string_view path, std::string message) {
    if (made_.errors.size() < most_errors) made_.errors.push_back({std::string(path), std::move(message)});
  }

  void field(const json_value& value) {
    const bool capture = made_.wish.kind == modification_kind::capture;
    const bool money = made_.wish.kind != modification_kind::cancellation;
    if (money && value.key() == "amount") return amount(value);
    if (capture && value.key() == "final") return final_capture(value);
    if (money && value.key() == "reference") return text(value, made_.wish.reference);
    if (value.key() == "reason") return text(value, made_.wish.reason);
    unknown(value.key(), capture, money);
  }

  void unknown(std::string_view key, bool capture, bool money) {
    std::vector<std::string_view> allowed{"reason"};
    if (money) allowed.insert(allowed.end(), {"amount", "reference"});
    if (capture) allowed.emplace_back("final");
    constexpr std::size_t longest_typo = 40;
    const std::string_view near = key.size() <= longest_typo ? settings::nearest(key, allowed) : std::string_view{};
    std::string message = "is not a known field";
    if (!near.empty()) message.append("; did you mean ").append(near).append("?");
    fault(shown_path(std::string(key)), std::move(message));
  }

  void amount(const json_value& value) {
    if (value.is(json_kind::real))
      return fault("amount",
                   "must be an integer from 1 to 10^15 in the currency's minor unit, without fraction or exponent");
    if (!value.is(json_kind::integer) && !value.is(json_kind::huge)) return fault("amount", "must be an integer");
    if (value.is(json_kind::huge) || value.integer() < 1 || value.integer() > payments::max_amount_minor)
      return fault("amount", "must be from 1 to 10^15");
    made_.wish.amount = value.integer();
  }

  void final_capture(const json_value& value) {
    if (!value.is(json_kind::boolean)) return fault("final", "must be true or false");
    made_.wish.final_capture = value.boolean();
  }

  void text(const json_value& value, std::string& into) {
    if (!value.is(json_kind::string)) return fault(value.key(), "must be a string");
    if (value.text().empty()) return fault(value.key(), "must not be empty");
    if (count_characters(value.text()) > longest_text)
      return fault(value.key(), "must have at most " + std::to_string(longest_text) + " characters");
    for (const char each : value.text())
      if (static_cast<unsigned char>(each) < 0x20 || each == 0x7f)
        return fault(value.key(), "must not contain control characters");
    std::string masked(value.text());
    payments::mask_number(masked, card_);
    if (masked != value.text()) return fault(value.key(), "must not contain the card number");
    into = std::move(masked);
  }

  const payments::card_summary& card_;
  modification_body made_;
};

}  // namespace

modification_body read_modification_body(const json_document& body, modification_kind kind,
                                         const payments::card_summary& card) {
  return reader(kind, card).read(body.root());
}

}  // namespace turnout::api
