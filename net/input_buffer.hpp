#pragma once
// Bytes read from a socket and not yet understood. Bounded, and it forgets:
// consumed bytes are overwritten at once, because requests carry card data.
#include <cstddef>
#include <memory>
#include <string_view>

namespace turnout::net {

class input_buffer {
 public:
  struct space {
    char* data;
    std::size_t size;
  };

  explicit input_buffer(std::size_t limit) noexcept : limit_(limit) {}
  ~input_buffer();
  input_buffer(const input_buffer&) = delete;
  input_buffer& operator=(const input_buffer&) = delete;

  std::string_view unread() const noexcept { return {bytes_.get() + begin_, end_ - begin_}; }
  /// Overwrites the first `count` bytes of unread(); views into it die.
  void consume(std::size_t count) noexcept;
  /// Room to read into; of size zero only if `limit` bytes are unread.
  space prepare();
  /// `count` bytes were read into the room that prepare() gave.
  void commit(std::size_t count) noexcept { end_ += count; }

 private:
  void move_to(char* target) noexcept;

  std::size_t limit_;
  std::size_t capacity_ = 0;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::unique_ptr<char[]> bytes_;
};

}  // namespace turnout::net
