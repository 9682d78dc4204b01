#pragma once
// What GET gives of payments: one, a list, and what belongs to one.
#include <variant>

#include "proxy/api/list_cursor.hpp"
#include "proxy/api/problem.hpp"
#include "proxy/api/query.hpp"
#include "proxy/api/reader.hpp"

namespace turnout::api {

struct read_request {
  reader& from;
  const principal& who;
  std::string_view payment;  ///< the id in the path; may be empty for lists
  const query& asked;
  const std::vector<field_error>& faults;  ///< that its query has already
  const net::headers& fields;
};

/// Without the headers that every answer gets.
using read_answer = std::variant<net::response, problem>;

class payment_reading {
 public:
  explicit payment_reading(const keyed_mac& cursor_key) : cursors_(cursor_key) {}

  read_answer one(const read_request& request) const;
  read_answer list(const read_request& request) const;
  read_answer captures(const read_request& request) const;
  read_answer refunds(const read_request& request) const;
  read_answer attempts(const read_request& request) const;
  read_answer events(const read_request& request) const;
  read_answer decisions(const read_request& request) const;

 private:
  read_answer modifications(const read_request& request, payments::modification_kind kind) const;
  /// `read(skip, count)` gives items, `render(items, next_cursor)` the list of them.
  template <class Read, class Render>
  read_answer part(const read_request& request, const char* name, const Read& read, const Render& render) const;

  list_cursors cursors_;
};

inline constexpr std::string_view one_parameters[] = {"fields"};
inline constexpr std::string_view part_parameters[] = {"limit", "cursor"};

}  // namespace turnout::api
