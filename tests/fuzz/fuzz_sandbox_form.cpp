// Damaged forms through the sandbox's parser: nothing throws, and what is taken
// is within its limits and says again what the text said.
#include <algorithm>
#include <cstdio>

#include "mutation.hpp"
#include "sandbox/form_body.hpp"

namespace {

using turnout::sandbox::form_body;
namespace json = boost::json;

const std::vector<std::string> seeds = {
    "merchant_reference=att_1&amount=1250&currency=EUR&capture=true&card[number]=4242424242424242&card[exp_month]=12",
    "a[b][c]=%C3%A9+x&a[d]=&e", "ticket=tk_1&amount=5", "a%5Bb%5D=1&c=%2B%26%3D"};
const std::vector<std::string_view> words = {"[",   "]",   "[]",  "[a]", "&",    "=",  "%",
                                             "%5B", "%5D", "%00", "+",   "a=1&", "%FF"};

struct size_of_form {
  std::size_t fields = 0, depth = 0;
};

/// Every member is a text or an object that has members.
bool measure(const json::object& from, std::size_t depth, size_of_form& into) {
  into.depth = std::max(into.depth, depth);
  for (const auto& member : from) {
    if (member.key().empty()) return false;
    if (const auto* inner = member.value().if_object()) {
      if (inner->empty() || !measure(*inner, depth + 1, into)) return false;
    } else if (member.value().is_string()) {
      ++into.fields;
    } else {
      return false;
    }
  }
  return true;
}

}  // namespace

int main(int count, char** arguments) {
  const auto options = turnout::fuzz::parse_options(count, arguments);
  turnout::fuzz::limit_memory();
  std::printf("seed %llu\n", static_cast<unsigned long long>(options.seed));
  turnout::fuzz::generator random(options.seed);
  std::uint64_t taken = 0;
  for (std::uint64_t run = 1; run <= options.runs; ++run) {
    const std::string text = turnout::fuzz::mutate(seeds, words, random);
    const form_body parsed(text);
    if (!parsed.object()) continue;
    ++taken;
    size_of_form size;
    FUZZ_CHECK(measure(*parsed.object(), 1, size), run);
    FUZZ_CHECK(size.fields <= form_body::most_fields && size.depth <= form_body::deepest_name, run);
    const auto separators = static_cast<std::size_t>(std::count(text.begin(), text.end(), '&'));
    FUZZ_CHECK(text.empty() ? size.fields == 0 : size.fields + 1 >= separators, run);
  }
  std::printf("%llu of %llu taken\n", static_cast<unsigned long long>(taken),
              static_cast<unsigned long long>(options.runs));
  FUZZ_CHECK(options.runs < 10'000 || taken > options.runs / 50, options.runs);
  return 0;
}
