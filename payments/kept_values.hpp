#pragma once
// What a gateway's answers gave us to bring back with later requests about the
// same charge: session cookies, ids of its own. Bounded in number and size,
// kept with the attempt.
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace turnout::payments {

inline constexpr std::size_t most_kept_values = 8;
inline constexpr std::size_t longest_kept_value = 1024;  ///< bytes

/// Names and values; each name once.
using kept_values = std::vector<std::pair<std::string, std::string>>;

/// Takes over what an answer told: by name, an empty value forgets it. What
/// would be too long or too many is not taken over.
void take_over(kept_values& into, const kept_values& news);

}  // namespace turnout::payments
