#pragma once
// "What would become of this payment?": the body of POST /v1/payments, for a
// merchant and a mode that the query names. The card may be told by its BIN
// alone. Read for the admin listener and for `turnout explain` without one.
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "payments/card.hpp"
#include "payments/payment.hpp"
#include "proxy/api/problem.hpp"

namespace turnout::api {

struct explain_request {
  payments::payment_request wish;
  payments::card card;
};

/// `asked` is a query: merchant=NAME (may be left out where `merchants` has one only), mode=test|live (test if
/// left out). No message quotes a value of the body.
std::variant<explain_request, problem> read_explain_request(std::string_view asked, std::string_view body,
                                                            const std::vector<std::string>& merchants,
                                                            payments::wall_time now);

}  // namespace turnout::api
