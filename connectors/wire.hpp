#pragma once
// A request to a gateway and its answer, as text: connectors never see a socket.
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "payments/card.hpp"

namespace turnout::connectors {

/// Holds card data and credentials: move-only, wiped when it dies.
struct wire_request {
  std::string method;                                                    ///< "POST", "GET", …
  std::string target;                                                    ///< path and query, beginning with '/'
  payments::secret_string credential;                                    ///< "name=value" to add to the query, or empty
  std::vector<std::pair<std::string, payments::secret_string>> headers;  ///< without Host and Content-Length
  payments::secret_string body;
};

struct wire_reply {
  unsigned status = 0;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
};

}  // namespace turnout::connectors
