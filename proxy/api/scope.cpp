#include "proxy/api/scope.hpp"

namespace turnout::api {

std::string_view name_of(scope which) noexcept {
  switch (which) {
    case scope::payments_read: return "payments:read";
    case scope::payments_write: return "payments:write";
    case scope::payments_refund: return "payments:refund";
    case scope::webhooks_manage: return "webhooks:manage";
  }
  return "unknown";
}

std::optional<scope> find_scope(std::string_view name) noexcept {
  for (const scope each : every_scope)
    if (name == name_of(each)) return each;
  return std::nullopt;
}

}  // namespace turnout::api
