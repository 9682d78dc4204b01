#pragma once
// The body of POST /admin/payments/{id}/resolve, and the answer to it.
#include <string>
#include <vector>

#include "net/http.hpp"
#include "payments/resolution.hpp"
#include "proxy/api/json_document.hpp"
#include "proxy/api/problem.hpp"
#include "proxy/core/engine.hpp"

namespace turnout::api {

struct resolution_body {
  payments::resolution word;
  std::vector<field_error> errors;
};

/// {"attempt": "att_…" | "modification": "cap_…", "as": "charged" | "not_charged", "reason": …, "by": …, "reference": …}
resolution_body read_resolution_body(const json_document& body);

/// What the engine said to it.
net::response resolution_answer(const payments::resolution& word, const core::resolve_result& result,
                                std::string_view request_id);

}  // namespace turnout::api
