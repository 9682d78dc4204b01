#pragma once
// The file of API keys, `api_keys.json` in the keys directory. It holds hashes
// only: a key is shown once, when it is made. The command line and a running
// proxy may use it at the same time.
#include <array>
#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "payments/instant.hpp"
#include "proxy/api/scope.hpp"

namespace turnout::api {

using secret_hash = std::array<unsigned char, 32>;
/// SHA-256. Secrets are 256 random bits: nothing slower is needed.
secret_hash hash_secret(std::string_view secret);

struct api_key {
  std::string id;  ///< ak_…
  std::string merchant;
  bool livemode = false;
  scope_set scopes;
  std::string created_at;                         ///< RFC 3339
  std::string revoked_at;                         ///< empty while it is good
  std::optional<payments::wall_time> expires_at;  ///< useless from then on; nullopt: never
  secret_hash hash{};
  bool revoked() const noexcept { return !revoked_at.empty(); }
  bool expired(payments::wall_time now) const noexcept { return expires_at && now >= *expires_at; }
};

/// [a-z0-9_-], 1 to 40 characters.
bool is_merchant_name(std::string_view text) noexcept;

/// Reads the text of the file, also of version 1, whose keys have all scopes
/// and do not expire; throws std::runtime_error that says what is wrong with it.
std::vector<api_key> parse_api_keys(std::string_view text);

struct key_rotation {
  std::string key;  ///< "ak_…:sk_…", the new one
  payments::wall_time old_expires_at;
};

class api_key_store {
 public:
  /// `directory` is made (0700) when the first key is.
  explicit api_key_store(std::filesystem::path directory);

  /// "ak_…:sk_…", which is kept nowhere. Throws std::invalid_argument on a
  /// merchant's name that may not be or a key without scopes,
  /// std::runtime_error when the file cannot be read or written.
  std::string create(std::string_view merchant, bool livemode, scope_set scopes = scope_set::all(),
                     std::optional<payments::wall_time> expires_at = std::nullopt);
  /// A new key like the one with this id (merchant, mode, scopes), which itself
  /// expires after `overlap`, or when it would have anyway if that is sooner.
  /// nullopt when there is no such key; throws std::invalid_argument when it is
  /// revoked or has expired.
  std::optional<key_rotation> rotate(std::string_view id, std::chrono::seconds overlap,
                                     std::optional<payments::wall_time> expires_at = std::nullopt);
  /// In the order they were made, revoked ones too. No file: empty.
  std::vector<api_key> list() const;
  /// False when there is no such key; true also when it was revoked before.
  bool revoke(std::string_view id);

  const std::filesystem::path& file() const noexcept { return file_; }

 private:
  std::filesystem::path lock_file() const { return directory_ / "api_keys.lock"; }

  std::filesystem::path directory_, file_;
};

}  // namespace turnout::api
