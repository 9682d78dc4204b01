// Messages for people who edit configuration: where, what, and the nearest
// thing that would have been right.
#include "settings/problem.hpp"

#include <algorithm>
#include <cctype>

namespace turnout::settings {
namespace {

/// Words longer than this are never typing slips of a key or a name.
constexpr std::size_t longest_word = 64;

char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

/// Optimal string alignment distance: insertions, deletions, substitutions and
/// swaps of neighbours cost one each; case and the choice of '-' or '_' cost nothing.
std::size_t distance(std::string_view a, std::string_view b) {
  const auto same = [](char x, char y) {
    const auto fold = [](char c) { return c == '-' ? '_' : lower(c); };
    return fold(x) == fold(y);
  };
  std::vector<std::size_t> before(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (same(a[i - 1], b[j - 1]) ? 0U : 1U)});
      if (i > 1 && j > 1 && same(a[i - 1], b[j - 2]) && same(a[i - 2], b[j - 1]))
        row[j] = std::min(row[j], before[j - 2] + 1);
    }
    before.swap(last);
    last.swap(row);
  }
  return last[b.size()];
}

}  // namespace

std::string problem::to_string() const {
  std::string text = file;
  if (line > 0) text += ':' + std::to_string(line) + ':' + std::to_string(column);
  text += warning ? ": warning: " : ": error: ";
  return text += message;
}

bool has_errors(const problems& found) noexcept {
  return std::any_of(found.begin(), found.end(), [](const problem& each) { return !each.warning; });
}

std::string_view nearest(std::string_view word, const std::vector<std::string_view>& allowed) {
  if (word.empty() || word.size() > longest_word) return {};
  std::string_view best;
  std::size_t best_distance = std::max<std::size_t>(1, word.size() / 3) + 1;
  for (std::string_view candidate : allowed) {
    const std::size_t far = distance(word, candidate);
    if (far < best_distance && far < candidate.size()) best = candidate, best_distance = far;
  }
  return best;
}

}  // namespace turnout::settings
