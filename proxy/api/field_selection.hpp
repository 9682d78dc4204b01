#pragma once
// `fields=id,status,error.code`: the parts of a payment that an answer shows.
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/api/problem.hpp"

namespace turnout::api {

class field_selection {
 public:
  /// Everything.
  field_selection() = default;
  /// Names of a payment's members, separated by commas, dotted within objects and
  /// lists; `id` and `object` are always there. Faults go to `errors`.
  static field_selection read(std::string_view names, std::vector<field_error>& errors);

  /// `payment` is what render_payment() made; so is the result, but for what is left out.
  std::string of(std::string payment) const;

  struct node {
    bool whole = false;
    std::map<std::string, node, std::less<>> members;
  };

 private:
  node wanted_{true, {}};
};

/// Whether a payment can have this member. Below `metadata` every name is one.
bool is_payment_field(std::string_view name) noexcept;

}  // namespace turnout::api
