// Identifiers in the shape of a ULID: 128 bits in 26 characters, the first of
// which carries only three bits.
#include "payments/identifier.hpp"

#include "payments/assertion.hpp"

namespace turnout::payments {

namespace {

// Crockford's base 32: no I, L, O, U; in ASCII order, so that text sorts as numbers do.
constexpr std::string_view alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
constexpr std::size_t time_characters = 10, random_characters = 16;
constexpr std::size_t length = time_characters + random_characters;

}  // namespace

std::string make_identifier(std::string_view prefix, wall_time now, random_source& random) {
  TURNOUT_ASSERT(!prefix.empty());
  const auto since_epoch = std::chrono::duration_cast<milliseconds>(now.time_since_epoch()).count();
  const std::uint64_t time = static_cast<std::uint64_t>(since_epoch) & 0xFFFF'FFFF'FFFF;
  const std::uint64_t high = random.next(), low = random.next();  // 40 bits of each

  std::string made;
  made.reserve(prefix.size() + 1 + length);
  made.append(prefix).push_back('_');
  for (int shift = 45; shift >= 0; shift -= 5) made.push_back(alphabet[(time >> shift) & 31]);
  for (int shift = 59; shift >= 24; shift -= 5) made.push_back(alphabet[(high >> shift) & 31]);
  for (int shift = 59; shift >= 24; shift -= 5) made.push_back(alphabet[(low >> shift) & 31]);
  return made;
}

bool is_identifier(std::string_view prefix, std::string_view text) noexcept {
  if (text.size() != prefix.size() + 1 + length) return false;
  if (!text.starts_with(prefix) || text[prefix.size()] != '_') return false;
  const std::string_view body = text.substr(prefix.size() + 1);
  if (body.front() > '7') return false;  // more than 48 bits of time
  return body.find_first_not_of(alphabet) == std::string_view::npos;
}

}  // namespace turnout::payments
