// What a gateway's answer may not leave behind: the card's number and CVC.
#include "proxy/core/card_echo.hpp"

#include <catch2/catch.hpp>

using namespace turnout;
using core::forget_card;
using payments::operation;
using payments::outcome;
using payments::send_result;

namespace {

const payments::card_summary visa{payments::card_brand::visa, "424242", "4242", 12, 2030, {}};

send_result answer(outcome ended, std::string reference) {
  send_result made;
  made.answered = made.carried = true;
  made.result = ended;
  made.gateway_reference = std::move(reference);
  return made;
}

std::string code_after(std::string code, std::string_view cvc = "739") {
  send_result made = answer(outcome::soft_decline, "ch_1");
  made.gateway_code = std::move(code);
  forget_card(made, operation::sale, visa, cvc);
  return made.gateway_code;
}

}  // namespace

TEST_CASE("a code keeps neither the number nor the CVC", "[card]") {
  CHECK(code_after("739") == "***");
  CHECK(code_after("cvc 739 is wrong") == "cvc *** is wrong");
  CHECK(code_after("cvc=739,739") == "cvc=***,***");
  CHECK(code_after("E7390-1739") == "E7390-1739");
  CHECK(code_after("card 4242 4242 4242 4242/739") == "card **** **** **** ****/***");
  CHECK(code_after("739", "") == "739");
}

TEST_CASE("a URL keeps its address, and loses the CVC as a parameter", "[card]") {
  send_result made = answer(outcome::requires_action, "ch_1");
  made.action.url = "https://acs.example:739/739/pay?cvc=739&n=7390&v=739;w=739#739=739";
  made.action.fields = {{"creq", "739"}, {"n", "4242424242424242"}, {"other", "x739"}};
  made.kept = {{"session", "739"}, {"order", "o_739"}};
  forget_card(made, operation::sale, visa, "739");
  CHECK(made.action.url == "https://acs.example:739/739/pay?cvc=***&n=7390&v=***;w=***#739=***");
  CHECK(made.action.fields[0].second == "***");
  CHECK(made.action.fields[1].second == "****************");
  CHECK(made.action.fields[2].second == "x739");
  CHECK(made.kept == payments::kept_values{{"order", "o_739"}});
  CHECK(made.result == outcome::requires_action);
}

TEST_CASE("an id that is the card's number or CVC is no id", "[card]") {
  for (const char* id : {"739", "4242424242424242", "ch_4242-4242-4242-4242"}) {
    CAPTURE(id);
    for (const operation asked : {operation::sale, operation::authorize, operation::inquire, operation::refund}) {
      send_result made = answer(outcome::approved, id);
      made.captured = true;
      forget_card(made, asked, visa, "739");
      CHECK(made.result == outcome::unknown);
      CHECK(made.code == "gateway_reference_unusable");
      CHECK(made.gateway_reference.empty());
      CHECK(made.answered);
      CHECK(made.carried);
    }
    send_result declined = answer(outcome::hard_decline, id);
    forget_card(declined, operation::sale, visa, "739");
    CHECK(declined.result == outcome::hard_decline);
    CHECK(declined.gateway_reference.empty());
    send_result reversed = answer(outcome::approved, id);
    forget_card(reversed, operation::reverse, visa, "739");
    CHECK(reversed.result == outcome::approved);
    CHECK(reversed.gateway_reference.empty());
  }
  for (const char* id : {"ch_1", "ch_739", "7390"}) {
    send_result made = answer(outcome::approved, id);
    forget_card(made, operation::sale, visa, "739");
    CHECK(made.result == outcome::approved);
    CHECK(made.gateway_reference == id);
  }
}
