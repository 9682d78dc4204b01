#pragma once
// Charges that wait for their shopper: an issuer's challenge (3-D Secure). They
// are in no ledger until the shopper is through, and end with the process.
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "net/http.hpp"
#include "sandbox/dialect.hpp"

namespace turnout::sandbox {

struct challenge {
  call asked;
  std::uint64_t digest = 0;  ///< of the request, for its key
  std::uint64_t charge = 0;  ///< the number that the charge will have
  std::int64_t at_ms = 0;
  std::string url;    ///< of the page
  std::string proof;  ///< what a page that is posted to must be sent along
};

class challenges {
 public:
  const challenge& add(challenge made);
  /// Null when no such charge waits.
  const challenge* by_reference(std::string_view reference) const;
  const challenge* by_number(std::uint64_t charge) const;
  void remove(std::string_view reference);
  void clear() { waiting_.clear(); }

 private:
  std::map<std::string, challenge, std::less<>> waiting_;  ///< by reference
};

/// What the shopper sees.
net::response challenge_page(const challenge& of);
/// `text` is plain: it is written into the page as it is.
net::response plain_page(unsigned status, std::string_view text);

}  // namespace turnout::sandbox
