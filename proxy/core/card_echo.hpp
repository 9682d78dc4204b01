#pragma once
// Gateways have been seen to write the card into their answers. What is kept of
// an answer goes to disk, to the log and to the merchant: no card number, no CVC.
#include <string_view>

#include "payments/card.hpp"
#include "payments/outcome.hpp"
#include "payments/send_result.hpp"

namespace turnout::core {

/// Masks the number wherever a text of `result` holds it, and the CVC where it
/// stands as a value: a whole field, a parameter of the URL, a number of its own
/// within a code. An id of the gateway that is one of them is no id: without it
/// an approval is unknown (of a reversal it is not needed). `cvc` may be empty:
/// there was none, or it is forgotten already.
void forget_card(payments::send_result& result, payments::operation asked, const payments::card_summary& card,
                 std::string_view cvc);

}  // namespace turnout::core
