// The decline table: what must hold of every row, and the rows that the
// schemes' rules and the contract decide.
#include "payments/decline_reason.hpp"

#include <catch2/catch.hpp>

#include <set>
#include <string>

using namespace turnout::payments;

TEST_CASE("every reason is described once, by itself, and can be read back") {
  std::set<std::string_view> names;
  REQUIRE(decline_table().size() == static_cast<std::size_t>(decline_reason::duplicate));
  for (const decline_info& each : decline_table()) {
    CAPTURE(each.name);
    CHECK(each.reason != decline_reason::none);
    CHECK(&describe(each.reason) == &each);
    CHECK(names.insert(each.name).second);
    CHECK(to_string(each.reason) == each.name);
    CHECK(parse_decline_reason(each.name) == each.reason);
    CHECK(each.name.find_first_not_of("abcdefghijklmnopqrstuvwxyz_") == std::string_view::npos);
    CHECK(each.message.ends_with('.'));
  }
  CHECK(to_string(decline_reason::none).empty());
  CHECK_FALSE(parse_decline_reason(""));
  CHECK_FALSE(parse_decline_reason("none"));
  CHECK_FALSE(parse_decline_reason("Declined"));
  CHECK_FALSE(parse_decline_reason("insufficient_fund"));
}

TEST_CASE("the rules of the table") {
  for (const decline_info& each : decline_table()) {
    CAPTURE(each.name);
    const bool hard = each.outcome == outcome::hard_decline;
    CHECK((hard || each.outcome == outcome::soft_decline));
    if (hard) CHECK_FALSE(each.may_fail_over);
    if (hard) CHECK(each.advice != advice::retry_later);
    CHECK((each.group == decline_class::issuer_hard) == (hard && each.group != decline_class::risk));
    CHECK(each.blames_gateway == (each.group == decline_class::technical));
    if (each.group == decline_class::technical) {
      CHECK_FALSE(hard);
      CHECK(each.may_fail_over);
      CHECK(each.advice == advice::retry_later);
    }
    CHECK((each.group == decline_class::authentication) == (each.advice == advice::authenticate));
    if (each.group == decline_class::authentication) {
      CHECK_FALSE(hard);
      CHECK_FALSE(each.may_fail_over);
    }
  }
}

TEST_CASE("rows that the contract decides") {
  const auto row = [](decline_reason reason) { return describe(reason); };
  CHECK_FALSE(row(decline_reason::declined).may_fail_over);
  CHECK_FALSE(row(decline_reason::not_permitted).may_fail_over);
  CHECK_FALSE(row(decline_reason::duplicate).may_fail_over);
  CHECK(row(decline_reason::do_not_honor).may_fail_over);
  CHECK(row(decline_reason::gateway_risk).may_fail_over);
  CHECK(row(decline_reason::gateway_risk).outcome == outcome::soft_decline);
  CHECK(row(decline_reason::fraud_suspected).outcome == outcome::hard_decline);
  CHECK(row(decline_reason::fraud_suspected).group == decline_class::risk);
  CHECK(row(decline_reason::expired_card).advice == advice::update_card);
  CHECK(row(decline_reason::invalid_card).advice == advice::update_card);
  CHECK(row(decline_reason::incorrect_cvc).advice == advice::update_card);
  CHECK(row(decline_reason::stolen_card).advice == advice::do_not_retry);
  CHECK(row(decline_reason::do_not_honor).advice == advice::contact_issuer);
  CHECK(row(decline_reason::insufficient_funds).advice == advice::retry_later);
  CHECK(to_string(advice::do_not_retry) == "do_not_retry");
  CHECK(to_string(advice::contact_issuer) == "contact_issuer");
}
