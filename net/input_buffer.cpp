#include "net/input_buffer.hpp"

#include <string.h>  // explicit_bzero is not in std

#include <algorithm>
#include <cstring>

namespace turnout::net {
namespace {
constexpr std::size_t first_capacity = 4096;
}

input_buffer::~input_buffer() { consume(end_ - begin_); }

void input_buffer::consume(std::size_t count) noexcept {
  if (count != 0) explicit_bzero(bytes_.get() + begin_, count);
  begin_ += count;
  if (begin_ == end_) begin_ = end_ = 0;
}

input_buffer::space input_buffer::prepare() {
  if (end_ == capacity_) {
    if (begin_ != 0) {
      move_to(bytes_.get());
    } else if (capacity_ < limit_) {
      const auto larger = std::min(limit_, std::max(first_capacity, capacity_ * 2));
      auto bytes = std::make_unique_for_overwrite<char[]>(larger);
      move_to(bytes.get());
      bytes_ = std::move(bytes);
      capacity_ = larger;
    }
  }
  return {bytes_.get() + end_, capacity_ - end_};
}

/// Moves what is unread to `target`, its own front or a larger array, and wipes where it was.
void input_buffer::move_to(char* target) noexcept {
  const auto size = end_ - begin_;
  if (size != 0) {
    std::memmove(target, bytes_.get() + begin_, size);
    const auto kept = target == bytes_.get() ? size : 0;
    explicit_bzero(bytes_.get() + kept, end_ - kept);
  }
  begin_ = 0;
  end_ = size;
}

}  // namespace turnout::net
