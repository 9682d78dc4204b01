#pragma once
// When each API key was last used, in `api_keys_used.json` beside the keys: a
// file of its own, which only the proxy writes and the command line reads.
#include <chrono>
#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include "payments/instant.hpp"

namespace turnout::api {

using key_uses = std::map<std::string, payments::wall_time, std::less<>>;  ///< by id

class key_usage {
 public:
  /// Time between two writes: so late may the file be.
  static constexpr std::chrono::minutes interval{5};

  /// Starts with what the file in `directory` says.
  explicit key_usage(const std::filesystem::path& directory);

  /// Writes when `uses` has news and the last write is an interval ago; the
  /// first news at once. Throws std::runtime_error when it cannot write; that
  /// write counts as done, so that a full disk is told once an interval.
  void save_if_due(const key_uses& uses, payments::steady_time now);
  /// Writes any news, for the end. Throws std::runtime_error.
  void save(const key_uses& uses);

  /// What the file says; empty when there is none or it is damaged: it is only
  /// told to people, and the next write mends it.
  static key_uses read(const std::filesystem::path& directory);

 private:
  bool take(const key_uses& uses);
  void write();

  std::filesystem::path file_;
  key_uses known_;
  bool news_ = false;  ///< known_ is ahead of the file
  std::optional<payments::steady_time> written_;
};

}  // namespace turnout::api
