#pragma once
// Deterministic mutation: the same seed makes the same inputs on every machine,
// so a failure is reproduced by --seed and the number of the run.
#include <sys/resource.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <string>
#include <string_view>
#include <vector>

namespace turnout::fuzz {

class generator {  // splitmix64
 public:
  explicit generator(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() {
    std::uint64_t z = state_ += 0x9E3779B97F4A7C15ULL;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
    return z ^ (z >> 31);
  }
  std::size_t below(std::size_t limit) { return limit == 0 ? 0 : static_cast<std::size_t>(next() % limit); }

 private:
  std::uint64_t state_;
};

struct options {
  std::uint64_t seed = 1;
  std::uint64_t runs = 1000;
};

inline options parse_options(int count, char** arguments) {
  options out;
  for (int i = 1; i + 1 < count; i += 2) {
    const std::string_view name = arguments[i];
    const std::uint64_t number = std::strtoull(arguments[i + 1], nullptr, 10);
    if (name == "--seed")
      out.seed = number;
    else if (name == "--runs")
      out.runs = number;
    else
      std::fprintf(stderr, "unknown option %s\n", arguments[i]), std::exit(2);
  }
  return out;
}

/// An input that makes memory grow without end fails the run, and not the machine; an
/// exception would be too little, it may be caught. Sanitizers need the addresses themselves.
inline void limit_memory() {
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  constexpr rlim_t limit = 2'000'000'000;
  const rlimit both{limit, limit};
  if (setrlimit(RLIMIT_AS, &both) != 0) std::perror("setrlimit"), std::exit(2);
#endif
  std::set_new_handler([] {
    std::fputs("failed: an input used up the memory\n", stderr);
    std::_Exit(1);
  });
}

/// One to eight small damages, often one: bytes, cuts, repeats, words of the format, and
/// pieces of the other seeds.
inline std::string mutate(const std::vector<std::string>& seeds, const std::vector<std::string_view>& words,
                          generator& random) {
  std::string text = seeds[random.below(seeds.size())];
  for (std::size_t i = random.below(2) == 0 ? 1 : random.below(8) + 1; i > 0; --i) {
    const std::size_t at = random.below(text.size() + 1), length = random.below(40);
    switch (random.below(6)) {
      case 0:
        if (at < text.size()) text[at] = static_cast<char>(random.next());
        break;
      case 1: text.erase(at, length); break;
      case 2: text.insert(at, text.substr(random.below(text.size() + 1), length)); break;
      case 3: text.insert(at, words[random.below(words.size())]); break;
      case 4:
        if (random.below(4) == 0)
          text.insert(at, std::string(random.below(3000), text.empty() ? '[' : text[random.below(text.size())]));
        break;
      default: {
        const std::string& other = seeds[random.below(seeds.size())];
        text.replace(at, length, other.substr(random.below(other.size() + 1), random.below(80)));
        break;
      }
    }
  }
  return text;
}

#define FUZZ_CHECK(condition, run)                                                                      \
  do {                                                                                                  \
    if (!(condition)) {                                                                                 \
      std::fprintf(stderr, "run %llu: failed: %s\n", static_cast<unsigned long long>(run), #condition); \
      return 1;                                                                                         \
    }                                                                                                   \
  } while (false)

}  // namespace turnout::fuzz
