#pragma once
// Answers and problems that several endpoints give, in the same words.
#include <optional>
#include <string>

#include "net/http.hpp"
#include "proxy/api/json_document.hpp"
#include "proxy/api/problem.hpp"

namespace turnout::api {

net::response json_answer(unsigned status, std::string body);

problem make(const problem_kind& kind, std::string detail);
problem malformed(const json_failure& failure);
/// The same words whether there is no such payment or it is somebody else's.
problem no_payment();
/// With Retry-After: 1.
problem retry_soon(problem made);
problem key_in_progress();
problem key_reused();

/// Why the body cannot be JSON at all, or nullopt.
std::optional<problem> check_media_type(const net::headers& fields);

}  // namespace turnout::api
