#pragma once
// One request on its way through the API: how it is answered, once, with the
// headers that every answer gets, and reported to whoever counts and logs.
#include <functional>
#include <string>
#include <string_view>

#include "net/http.hpp"
#include "payments/instant.hpp"
#include "proxy/api/problem.hpp"

namespace turnout::api {

/// What is told about each answered request. Views are good during the call only.
struct request_report {
  std::string_view route;   ///< the endpoint's path template, or "unmatched": few values, fit for a label
  std::string_view method;  ///< a known HTTP method, or "other"
  unsigned status = 0;
  double seconds = 0;
  std::string_view request_id;
  std::string_view failure;  ///< what was thrown, where status is 500
};
using request_hook = std::function<void(const request_report&)>;

/// Headers of every answer. `tls` adds Strict-Transport-Security.
void add_common_headers(net::response& answer, std::string_view request_id, bool tls);

/// A known method's name in static memory, or "other".
std::string_view method_label(std::string_view method) noexcept;

/// The surroundings of a call, the same for all calls of a handler object.
struct call_context {
  std::function<payments::instant()> now;
  request_hook on_request;  ///< may be empty
  bool tls = false;
};

/// Takes the one answer of a request.
using answer_function = std::function<void(net::response)>;

/// Copyable, so that it can wait inside a completion. `context` must outlive it.
struct endpoint_call {
  const call_context* context;
  answer_function reply;
  std::string request_id;
  payments::instant arrival;
  std::string_view route = "unmatched";
  std::string_view method = "other";
  std::string failure;
  net::headers fields{};  ///< that the answer gets, whatever it is

  /// The server leaves out the body where the method is HEAD.
  void answer(net::response message) const;
  void refuse(const problem& what) const { answer(render(what, request_id)); }
};

}  // namespace turnout::api
