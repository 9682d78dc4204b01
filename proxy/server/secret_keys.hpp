#pragma once
// The proxy's own secret keys: three files of 32 random bytes in a directory
// that only its user may read. They recognise a repeated request and a card
// without keeping either, so they never go into the journal or its backup.
//
// A journal is bound to its keys by a digest: with other keys every known
// idempotency key would look misused and every card new. So keys are made only
// for a journal that has never been used; for any other they must be there.
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

#include "payments/card.hpp"

namespace turnout::server {

/// The text is for the operator, and says how to mend it.
class keys_error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// What the journal says about the keys it was written with.
struct journal_binding {
  std::string path;                     ///< for messages
  std::optional<std::string> identity;  ///< as secret_keys::identity() was when it was first opened
  bool has_payments = false;
};

class secret_keys {
 public:
  /// Loads the keys in `directory`, or makes them when the journal has never been
  /// used. Durable when it returns. Throws keys_error.
  static secret_keys open(const std::filesystem::path& directory, const journal_binding& journal);

  /// True when keys were made in `directory` before: by a proxy that had a journal.
  static bool exist(const std::filesystem::path& directory) noexcept;

  /// 32 bytes each, for HMAC-SHA256.
  std::string_view request_key() const noexcept { return request_.reveal(); }
  std::string_view card_key() const noexcept { return card_.reveal(); }
  /// 64 hexadecimal digits that tell these keys from others and do not reveal them.
  std::string identity() const;

 private:
  secret_keys(payments::secret_string request, payments::secret_string card, payments::secret_string journal) noexcept
      : request_(std::move(request)), card_(std::move(card)), journal_(std::move(journal)) {}

  payments::secret_string request_, card_, journal_;
};

/// HMAC-SHA256 as 64 lower-case hexadecimal digits. Throws std::runtime_error when OpenSSL fails.
std::string hmac_sha256_hex(std::string_view key, std::string_view message);

}  // namespace turnout::server
