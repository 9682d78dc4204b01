#include "tests/simulation/story.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <utility>

namespace turnout::simulation {

namespace {

constexpr std::size_t left_width = 92;
constexpr std::size_t identifier_length = 30;  // att_ and 26 characters

std::string pad(std::string text, std::size_t width) {
  if (text.size() < width) text.resize(width, ' ');
  return text;
}

/// "att_…" -> "attempt 1", in the order of appearance: nobody reads 26 characters.
class short_names {
 public:
  std::string shorten(std::string text) {
    constexpr std::array<std::pair<std::string_view, std::string_view>, 4> kinds{
        {{"att_", "attempt "}, {"cap_", "capture "}, {"ref_", "refund "}, {"can_", "cancel "}}};
    for (const auto& [prefix, word] : kinds) {
      for (std::size_t at = text.find(prefix); at != std::string::npos; at = text.find(prefix, at + 1)) {
        const std::string id = text.substr(at, identifier_length);
        if (!names_.contains(id)) names_[id] = std::string(word) + std::to_string(++counts_[std::string(prefix)]);
        text.replace(at, identifier_length, names_[id]);
      }
    }
    return text;
  }
  const std::map<std::string, std::string>& names() const noexcept { return names_; }

 private:
  std::map<std::string, std::string> names_;
  std::map<std::string, int> counts_;
};

}  // namespace

void story::tell(const std::string& subject, const std::string& who, std::string what) {
  const auto since = std::chrono::duration_cast<milliseconds>(time_.now().steady - steady_time(1h));
  lines_.push_back({since, subject, who, std::move(what), false});
}

void story::ledger(const std::string& payment, const std::string& attempt, const std::string& gateway,
                   const std::string& state) {
  tell(payment, attempt, attempt + " at " + gateway + ": " + state);
  lines_.back().entry = true;
}

std::vector<std::string> story::read(const std::string& payment) const {
  std::vector<std::string> told;
  std::map<std::string, short_names> names;                           // of each payment
  std::map<std::string, std::map<std::string, std::string>> entries;  // payment -> attempt -> its entry
  const auto append = [&](const std::string& left, const std::string& right) {
    told.push_back(right.empty() ? left : pad(left, left_width) + " | " + right);
  };
  for (const line& each : lines_) {
    const auto known = aliases_.find(each.subject);
    const std::string& about = known != aliases_.end() ? known->second : each.subject;
    if (payment != "all" && payment != about) continue;
    short_names& words = names[about];
    const std::string what = words.shorten(each.what);
    if (each.entry) {
      std::string& entry = entries[about][each.who];
      if (entry == what) continue;
      entry = what;
      if (told.empty() || told.back().find(" | ") != std::string::npos)
        append("", what);
      else
        told.back() = pad(told.back(), left_width) + " | " + what;
      continue;
    }
    std::array<char, 32> time;
    std::snprintf(time.data(), time.size(), "%12.3f s  ", static_cast<double>(each.at.count()) / 1000);
    append(time.data() + (payment == "all" ? about + "  " : std::string()) + pad(each.who, 9) + what, "");
  }
  for (const auto& [about, words] : names)
    for (const auto& [id, name] : words.names()) told.push_back(name + " of " + about + " is " + id);
  return told;
}

}  // namespace turnout::simulation
