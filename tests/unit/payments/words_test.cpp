// The words of the enums: each can be read back, and they are what the contract writes.
#include <catch2/catch.hpp>

#include <set>
#include <string>

#include "payments/attempt.hpp"
#include "payments/card.hpp"
#include "payments/outcome.hpp"
#include "payments/payment.hpp"

using namespace turnout::payments;

namespace {

template <class Enum, class Parse>
void check_words(std::size_t count, Parse parse) {
  std::set<std::string_view> seen;
  for (std::size_t index = 0; index < count; ++index) {
    const auto value = static_cast<Enum>(index);
    const std::string_view name = to_string(value);
    CHECK_FALSE(name.empty());
    CHECK(seen.insert(name).second);
    REQUIRE(parse(name).has_value());
    CHECK(*parse(name) == value);
    CHECK_FALSE(parse(std::string(name) + " "));
    CHECK_FALSE(parse(name.substr(1)));
  }
  CHECK_FALSE(parse(""));
  CHECK_FALSE(parse("Approved"));
}

}  // namespace

TEST_CASE("words can be read back") {
  check_words<outcome>(outcome_count, parse_outcome);
  check_words<operation>(operation_count, parse_operation);
  check_words<card_brand>(card_brand_count, parse_card_brand);
  check_words<decline_class>(decline_class_count, parse_decline_class);
  check_words<payment_status>(6, parse_payment_status);
}

TEST_CASE("words that the contract fixes") {
  CHECK(to_string(outcome::requires_action) == "requires_action");
  CHECK(to_string(outcome::unknown) == "unknown");
  CHECK(to_string(operation::void_payment) == "void");
  CHECK(to_string(operation::inquire) == "inquire");
  CHECK(to_string(capture_mode::automatic) == "automatic");
  CHECK(to_string(capture_mode::manual) == "manual");
  CHECK(to_string(payment_status::canceled) == "canceled");
  CHECK(to_string(card_brand::unionpay) == "unionpay");
  CHECK(to_string(reversal_state::none) == "none");
  CHECK(to_string(reversal_state::confirmed) == "confirmed");
  CHECK(to_string(payment_event_type::created) == "created");
  CHECK(to_string(payment_event_type::finished) == "finished");
}

TEST_CASE("processing and requires_action are not final, all else is") {
  CHECK_FALSE(is_final(payment_status::processing));
  CHECK_FALSE(is_final(payment_status::requires_action));
  CHECK(is_final(payment_status::authorized));
  CHECK(is_final(payment_status::succeeded));
  CHECK(is_final(payment_status::failed));
  CHECK(is_final(payment_status::canceled));
}
