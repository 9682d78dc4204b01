#pragma once
// Where a list goes on, as a text that only its owner can use: it tells nothing
// (the journal's sequence would tell a merchant how much all others sell), and
// it is good for one list of one merchant and mode.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "proxy/api/api_key_ring.hpp"
#include "proxy/api/keyed_mac.hpp"

namespace turnout::api {

class list_cursors {
 public:
  /// Cursors stay good as long as `key` does, also over a restart.
  explicit list_cursors(const keyed_mac& key);

  /// `list` names it, such as "payments" or "pay_…/events".
  std::string write(const principal& who, std::string_view list, std::int64_t position) const;
  /// nullopt: write() made no such text for this caller and list.
  std::optional<std::int64_t> read(const principal& who, std::string_view list, std::string_view text) const;

 private:
  std::string tag(const principal& who, std::string_view list, std::int64_t position) const;
  std::uint64_t mask(std::string_view tag) const;

  keyed_mac key_;
};

}  // namespace turnout::api
