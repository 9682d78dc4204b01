#pragma once
// What turnout.yaml says about merchants' requests; a reload replaces it whole.
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "proxy/api/card_testing.hpp"
#include "proxy/api/cors.hpp"
#include "proxy/api/rate_limit.hpp"

namespace turnout::api {

struct merchant_settings {
  std::optional<rate_limit> requests;  ///< of each of its keys, instead of what holds for all
  bool unique_reference = false;       ///< a reference is payable once
  friend bool operator==(const merchant_settings&, const merchant_settings&) = default;
};

struct api_settings {
  rate_limit requests;                ///< of each key
  rate_limit failed_authentications;  ///< of each client, see network_of()
  card_testing_limits card_testing;
  cors_settings cors;
  std::map<std::string, merchant_settings, std::less<>> merchants;

  const rate_limit& requests_of(std::string_view merchant) const {
    const auto found = merchants.find(merchant);
    return found != merchants.end() && found->second.requests ? *found->second.requests : requests;
  }
  bool unique_reference(std::string_view merchant) const {
    const auto found = merchants.find(merchant);
    return found != merchants.end() && found->second.unique_reference;
  }
  friend bool operator==(const api_settings&, const api_settings&) = default;
};

}  // namespace turnout::api
