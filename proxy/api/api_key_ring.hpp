#pragma once
// The API keys as the running proxy sees them: an immutable snapshot of the
// file, looked up on every request by every worker, replaced when it changes.
#include <atomic>
#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "payments/instant.hpp"
#include "proxy/api/api_key_store.hpp"
#include "proxy/api/key_usage.hpp"
#include "proxy/api/rate_limit.hpp"

namespace turnout::api {

/// What the process remembers of a key, shared by all threads and kept when the
/// file changes.
struct key_state {
  std::atomic<std::int64_t> used_minute{0};  ///< since 1970; 0: not used yet
  token_bucket requests;
};

/// On whose behalf a request is made.
struct principal {
  std::string merchant;
  bool livemode = false;
  std::string key_id;
  scope_set scopes{};
  std::shared_ptr<key_state> state{};
};

class api_key_ring {
 public:
  /// Without keys until load(), refresh() or the first lookup. `report` is told,
  /// once per change of the file, why it cannot be used; the last good keys
  /// stay. It may be called on any thread that calls in here.
  api_key_ring(std::filesystem::path file, std::function<void(const std::string&)> report);

  /// Reads the file as it is, for the start: throws std::runtime_error that says
  /// why it cannot be used (damaged, or others than its owner may read it). No
  /// file is no fault: there are no keys yet.
  void load();

  /// Reads the file if it changed since. Thread-safe; the owner calls it from a timer.
  void refresh();

  /// The work done does not tell an unknown id from a wrong secret or an expired
  /// key. Every failure makes the ring look whether the file has changed, so that
  /// a new key works at once; it is read for that at most `most_reads` times a second.
  std::optional<principal> authenticate(std::string_view id, std::string_view secret, payments::instant now);

  /// When each key was last good for a request since the start, to the minute.
  key_uses uses() const;

  std::size_t size() const noexcept;  ///< keys that are good
  static constexpr int most_reads = 20;

 private:
  struct text_hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept { return std::hash<std::string_view>{}(text); }
  };
  struct entry {
    api_key key;
    std::shared_ptr<key_state> state;
  };
  using snapshot = std::unordered_map<std::string, entry, text_hash, std::equal_to<>>;
  /// What tells one version of the file from another.
  struct file_version {
    std::uint64_t inode = 0, size = 0, mode = 0;
    std::int64_t seconds = 0, nanoseconds = 0;
    friend bool operator==(const file_version&, const file_version&) = default;
  };

  /// nullopt: there is no file.
  std::optional<file_version> version() const noexcept;
  void read(const file_version& version);
  /// Under refreshing_; `may_read` is asked only when there is something to read.
  void refresh_if_changed(const std::function<bool()>& may_read);
  bool take_read(payments::steady_time now) noexcept;
  std::optional<principal> look_up(std::string_view id, std::string_view secret, payments::wall_time now) const;

  std::filesystem::path file_;
  std::function<void(const std::string&)> report_;
  std::atomic<std::shared_ptr<const snapshot>> keys_;
  mutable std::mutex refreshing_;
  // Guarded by refreshing_.
  std::optional<file_version> seen_;
  bool missing_reported_ = false;
  payments::steady_time reads_since_{};
  int reads_ = 0;
  std::map<std::string, std::shared_ptr<key_state>> states_;  ///< of every key there was: operators make few
};

}  // namespace turnout::api
