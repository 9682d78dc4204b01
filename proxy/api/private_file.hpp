#pragma once
// Small files that only their owner may read, replaced whole.
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace turnout::api {

/// Makes the directory (0700) when it is missing. Throws std::runtime_error.
void make_private_directory(const std::filesystem::path& directory);

/// nullopt when there is no such file; throws std::runtime_error when it cannot be read.
std::optional<std::string> read_private_file(const std::filesystem::path& path);

/// The new text or the old one, also through a power cut; 0600. One writer at a
/// time: two would share the file that is renamed. Throws std::runtime_error.
void replace_private_file(const std::filesystem::path& path, std::string_view text);

/// Held by one process at a time, until it is destroyed.
class file_lock {
 public:
  /// Waits for it. Makes the file; throws std::runtime_error.
  explicit file_lock(const std::filesystem::path& path);
  ~file_lock();
  file_lock(const file_lock&) = delete;
  file_lock& operator=(const file_lock&) = delete;

 private:
  int descriptor_;
};

}  // namespace turnout::api
