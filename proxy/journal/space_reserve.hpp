#pragma once
// A file beside the journal that only takes up space. When the disk is full it
// is given up, so that outcomes of payments already in flight can be committed.
#include <cstdint>
#include <string>

namespace turnout::journal {

class space_reserve {
 public:
  /// Zero bytes: there is no reserve, and it counts as present.
  space_reserve(std::string path, std::uint64_t bytes) : path_(std::move(path)), bytes_(bytes) {}

  bool present() const noexcept { return present_ || bytes_ == 0; }
  /// Allocates the file; returns present().
  bool restore() noexcept;
  /// Gives the space back to the file system; false when there was none to give.
  bool release() noexcept;

 private:
  std::string path_;
  std::uint64_t bytes_;
  bool present_ = false;
};

}  // namespace turnout::journal
