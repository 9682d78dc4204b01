#include "proxy/api/rfc3339.hpp"

#include <algorithm>

namespace turnout::api {

namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::nanoseconds;
using std::chrono::seconds;

class time_text {
 public:
  explicit time_text(std::string_view text) : rest_(text) {}

  /// -1 when there are not `width` digits.
  int number(std::size_t width) {
    int value = 0;
    for (std::size_t at = 0; at < width; ++at) {
      if (at >= rest_.size() || rest_[at] < '0' || rest_[at] > '9') return -1;
      value = value * 10 + (rest_[at] - '0');
    }
    rest_.remove_prefix(width);
    return value;
  }
  /// One of `wanted`, or 0.
  char one_of(std::string_view wanted) {
    if (rest_.empty() || wanted.find(rest_.front()) == std::string_view::npos) return 0;
    const char found = rest_.front();
    rest_.remove_prefix(1);
    return found;
  }
  bool at_end() const noexcept { return rest_.empty(); }

 private:
  std::string_view rest_;
};

/// After the point; nullopt when there is no digit.
std::optional<nanoseconds> read_fraction(time_text& text) {
  std::int64_t value = 0, unit = 1'000'000'000;
  int digits = 0;
  for (int digit = text.number(1); digit >= 0; digit = text.number(1), ++digits) {
    unit /= 10;
    value += digit * unit;
  }
  return digits > 0 ? std::optional(nanoseconds(value)) : std::nullopt;
}

std::optional<minutes> read_offset(time_text& text) {
  if (text.one_of("Zz")) return minutes(0);
  const char sign = text.one_of("+- ");
  const int hour = text.number(2);
  const bool colon = text.one_of(":") != 0;
  const int minute = text.number(2);
  if (!sign || !colon || hour < 0 || hour > 23 || minute < 0 || minute > 59) return std::nullopt;
  const minutes offset = hours(hour) + minutes(minute);
  return sign == '-' ? -offset : offset;
}

}  // namespace

std::optional<payments::wall_time> parse_rfc3339(std::string_view given) {
  time_text text(given);
  const int year = text.number(4);
  bool shaped = text.one_of("-") != 0;
  const int month = text.number(2);
  shaped = text.one_of("-") && shaped;
  const int day = text.number(2);
  shaped = text.one_of("Tt") && shaped;
  const int hour = text.number(2);
  shaped = text.one_of(":") && shaped;
  const int minute = text.number(2);
  shaped = text.one_of(":") && shaped;
  const int second = text.number(2);
  nanoseconds fraction(0);
  if (text.one_of(".")) {
    const auto read = read_fraction(text);
    shaped = shaped && read;
    fraction = read.value_or(fraction);
  }
  const auto offset = read_offset(text);
  if (!shaped || !offset || !text.at_end() || year < 0 || month < 0 || day < 0 || hour < 0 || hour > 23 || minute < 0 ||
      minute > 59 || second < 0 || second > 60)
    return std::nullopt;
  // Nanoseconds in 64 bits end in 2262.
  const std::chrono::year_month_day date(std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day)));
  if (!date.ok()) return std::nullopt;
  if (year < 1970) return payments::wall_time();
  if (year > 2200) return std::chrono::sys_days{std::chrono::year(2201) / 1 / 1};
  return std::chrono::sys_days{date} + hours(hour) + minutes(minute) + seconds(second) - *offset + fraction;
}

}  // namespace turnout::api
