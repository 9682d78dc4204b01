#pragma once
// 3-D Secure: what a shopper must do at the gateway, and what a merchant who
// had the shopper authenticated beforehand hands in.
#include <string>
#include <utility>
#include <vector>

namespace turnout::payments {

/// Where the shopper's browser must go: a redirect, or a form that it posts.
struct shopper_action {
  std::string url;    ///< http or https; empty: there is no action
  bool form = false;  ///< `fields` are posted to `url`; otherwise it is simply opened
  std::vector<std::pair<std::string, std::string>> fields;  ///< of a form, in the gateway's order

  bool empty() const noexcept { return url.empty(); }
};

/// The result of an authentication that the merchant had done. Its cryptogram
/// is sensitive: it travels with the card and is never part of a record.
struct authentication {
  std::string version;            ///< of the protocol, such as 2.2.0
  std::string eci;                ///< electronic commerce indicator, two digits
  std::string ds_transaction_id;  ///< of the directory server: a UUID; empty when not told
};

}  // namespace turnout::payments
