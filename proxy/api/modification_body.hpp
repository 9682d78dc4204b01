#pragma once
// The bodies of POST …/captures, …/refunds and …/cancel. An empty body asks
// for everything that is left.
#include <optional>
#include <string>
#include <vector>

#include "payments/card.hpp"
#include "payments/modification_rules.hpp"
#include "proxy/api/json_document.hpp"
#include "proxy/api/problem.hpp"

namespace turnout::api {

struct modification_body {
  payments::modification_request wish;
  std::vector<field_error> errors;
};

/// `card` is the payment's: its number must not stand in what is kept.
modification_body read_modification_body(const json_document& body, payments::modification_kind kind,
                                         const payments::card_summary& card);

}  // namespace turnout::api
