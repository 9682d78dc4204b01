#pragma once
// The query of GET /v1/payments as a filter.
#include "proxy/api/list_cursor.hpp"
#include "proxy/api/problem.hpp"
#include "proxy/api/query.hpp"
#include "proxy/core/payment_filter.hpp"

namespace turnout::api {

inline constexpr std::string_view payments_list = "payments";  ///< its cursors' name
inline constexpr std::size_t most_listed = 100, usually_listed = 20;

inline constexpr std::string_view list_parameters[] = {"limit",      "cursor",     "status",        "reference",
                                                       "customer",   "connector",  "created_after", "created_before",
                                                       "amount_min", "amount_max", "currency",      "fields"};

/// `limit`: 1 to most_listed, `usually` without one.
std::size_t read_limit(const query& asked, std::size_t usually, std::vector<field_error>& errors);
/// `cursor`: the position in it, or `start` without one.
std::int64_t read_cursor(const query& asked, const list_cursors& cursors, const principal& who, std::string_view list,
                         std::int64_t start, std::vector<field_error>& errors);

/// Of the caller's merchant and mode. What is wrong goes to `errors`.
core::payment_filter read_payment_filter(const query& asked, const list_cursors& cursors, const principal& who,
                                         std::vector<field_error>& errors);

}  // namespace turnout::api
