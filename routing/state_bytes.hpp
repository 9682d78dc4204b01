#pragma once
// Numbers and words as bytes, for snapshots: little-endian, fixed widths. A
// reader never reads past the end; once something was missing or senseless it
// stays failed and gives zeros.
#include <bit>
#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

namespace turnout::routing {

class state_writer {
 public:
  template <class Integer>
  requires std::is_unsigned_v<Integer>
  void integer(Integer value) {
    for (std::size_t i = 0; i < sizeof value; ++i) bytes_.push_back(static_cast<char>(value >> (8 * i) & 0xff));
  }
  void number(double value) { integer(std::bit_cast<std::uint64_t>(value)); }
  void small_number(float value) { integer(std::bit_cast<std::uint32_t>(value)); }
  void text(std::string_view value) {
    integer(static_cast<std::uint32_t>(value.size()));
    bytes_.append(value);
  }
  std::string& bytes() noexcept { return bytes_; }

 private:
  std::string bytes_;
};

class state_reader {
 public:
  explicit state_reader(std::string_view bytes) noexcept : left_(bytes) {}

  template <class Integer>
  requires std::is_unsigned_v<Integer> Integer integer()
  noexcept {
    const std::string_view raw = take(sizeof(Integer));
    Integer value = 0;
    for (std::size_t i = 0; i < raw.size(); ++i)
      value |= static_cast<Integer>(static_cast<Integer>(static_cast<unsigned char>(raw[i])) << (8 * i));
    return value;
  }
  /// Within [least, most], or it fails.
  double number(double least, double most) noexcept {
    return checked(std::bit_cast<double>(integer<std::uint64_t>()), least, most);
  }
  float small_number(float least, float most) noexcept {
    return static_cast<float>(checked(std::bit_cast<float>(integer<std::uint32_t>()), least, most));
  }
  std::string_view text() noexcept { return take(integer<std::uint32_t>()); }

  bool good() const noexcept { return good_; }
  bool at_end() const noexcept { return good_ && left_.empty(); }

 private:
  std::string_view take(std::size_t count) noexcept {
    if (count > left_.size()) good_ = false;
    if (!good_) return {};
    const std::string_view taken = left_.substr(0, count);
    left_.remove_prefix(count);
    return taken;
  }
  double checked(double value, double least, double most) noexcept {
    if (value >= least && value <= most) return value;  // never true of a NaN
    good_ = false;
    return least;
  }

  std::string_view left_;
  bool good_ = true;
};

}  // namespace turnout::routing
