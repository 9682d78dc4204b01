#pragma once
// Text that lives as long as the ledger: references and keys are written once
// into large blocks and seen through views, with no allocation of their own.
#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

namespace turnout::sandbox {

class text_arena {
 public:
  std::string_view keep(std::string_view text) {
    if (text.empty()) return {};
    if (text.size() > left_) grow(text.size());
    char* const place = next_;
    std::memcpy(place, text.data(), text.size());
    next_ += text.size();
    left_ -= text.size();
    return {place, text.size()};
  }
  void clear() {
    blocks_.clear();
    next_ = nullptr;
    left_ = 0;
  }

 private:
  static constexpr std::size_t block_bytes = 256 * 1024;

  void grow(std::size_t needed) {
    const std::size_t size = needed > block_bytes ? needed : block_bytes;
    blocks_.push_back(std::make_unique<char[]>(size));
    next_ = blocks_.back().get();
    left_ = size;
  }

  std::vector<std::unique_ptr<char[]>> blocks_;
  char* next_ = nullptr;
  std::size_t left_ = 0;
};

}  // namespace turnout::sandbox
